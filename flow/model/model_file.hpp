// Models on disk: a safetensors file that says its family, what the model is made of and what data it learned.
//
//   tensors   "model.<parameter>" for every parameter and, when an average was kept, "ema.<parameter>"
//   metadata  "family", the entries of the family (GenerativeModel::metadata()), "data": the description of the data as
//             JSON (datasets/data.hpp), and whatever the caller adds
#pragma once

#include <memory>
#include <string>

#include "datasets/data.hpp"
#include "flow/model/generative_model.hpp"
#include "nn/checkpoint.hpp"
#include "nn/ema.hpp"

namespace rill::flow {

/// Writes the file at once; the programs read it. `ema` may be null. Throws FileError when the file cannot be written,
/// std::invalid_argument for an average of other parameters than the model's and for metadata that use a key of the
/// file's own.
void save_model(const std::string& path, const GenerativeModel& model, const datasets::DataDescription& data,
                const nn::Ema* ema = nullptr, const nn::Metadata& metadata = {});

/// What the metadata of the file `path` say of its data, or `otherwise`. Throws FileError, naming the file, when it is
/// no description, or one of data whose points are not those of a model of so many numbers and labels.
datasets::DataDescription data_in(const nn::Metadata& metadata, const std::string& path,
                                  datasets::DataDescription otherwise, Index dimension, Index classes);
/// Its entry.
inline constexpr const char* kDataKey = "data";

struct LoadedModel {
  std::shared_ptr<GenerativeModel> model;
  datasets::DataDescription data;  ///< of an empty source, which open_data() refuses, where the file does not say
  nn::Metadata metadata;           ///< all of it
};

/// Builds the model that the file describes and fills in its weights. What a file does not say, as one by
/// nn::save_network() alone, has its default: see make_flow_matching().
/// Throws FileError, naming the file, when it is not such a file, as nn::load_weights() does, and when the data do not
/// fit the model.
LoadedModel load_model(const std::string& path, nn::Weights weights = nn::Weights::kAveraged);

}  // namespace rill::flow
