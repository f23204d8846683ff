// Models on disk: a safetensors file with the family, the description of the model and that of its training data.
//
//   tensors   "model.<parameter>" for every parameter and, if there is an average, "ema.<parameter>"
//   metadata  "family", the entries of the family (GenerativeModel::metadata()), "data": the description of the data as
//             JSON (datasets/data.hpp), and any entries of the caller
#pragma once

#include <memory>
#include <string>

#include "datasets/data.hpp"
#include "flow/model/generative_model.hpp"
#include "nn/checkpoint.hpp"
#include "nn/ema.hpp"

namespace rill::flow {

/// Writes the file atomically; the programs read it. `ema` may be null. Throws FileError if the file cannot be written,
/// std::invalid_argument for an average of other parameters than the model's and for metadata that use a reserved key.
void save_model(const std::string& path, const GenerativeModel& model, const datasets::DataDescription& data,
                const nn::Ema* ema = nullptr, const nn::Metadata& metadata = {});

/// The description of the data in the metadata of the file `path`, or `otherwise` if there is none. Throws FileError,
/// naming the file, if it is not a description, or does not fit a model of this dimension and this many labels.
datasets::DataDescription data_in(const nn::Metadata& metadata, const std::string& path,
                                  datasets::DataDescription otherwise, Index dimension, Index classes);
/// Its entry.
inline constexpr const char* kDataKey = "data";

struct LoadedModel {
  std::shared_ptr<GenerativeModel> model;
  datasets::DataDescription data;  ///< with an empty source, which open_data() rejects, if the file has none
  nn::Metadata metadata;           ///< all of it
};

/// Builds the model that the file describes and loads its weights. Missing settings, as in a file by
/// nn::save_network(), have their defaults: see FlowMatching::read_description().
/// Throws FileError, naming the file, if it is not such a file, as nn::load_weights() does, and if the data does not
/// fit the model.
LoadedModel load_model(const std::string& path, nn::Weights weights = nn::Weights::kAveraged);

}  // namespace rill::flow
