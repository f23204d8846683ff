// Networks on disk: a safetensors file that holds the weights, their average and the description of the network.
//
//   tensors   "model.<parameter>" for every parameter and, when an average was kept, "ema.<parameter>"
//   metadata  "model" or "classifier": the description as JSON (nn/model_description.hpp, nn/image_classifier.hpp), and
//             whatever the caller adds
#pragma once

#include <map>
#include <memory>
#include <string>

#include "nn/ema.hpp"
#include "nn/image_classifier.hpp"
#include "nn/model_description.hpp"
#include "nn/velocity_model.hpp"

namespace rill::nn {

using Metadata = std::map<std::string, std::string>;

/// Writes the file at once. `ema` may be null; `metadata` must not use the key "model". Under "flow" and "data" the
/// programs keep what they know of these (tools/run.hpp): they read a file without, and refuse one with other notes
/// there. Throws FileError when the file
/// cannot be written, std::invalid_argument for an average of other parameters than the model's.
void save_model(const std::string& path, const ModelDescription& description, const VelocityModel& model,
                const Ema* ema = nullptr, Metadata metadata = {});

/// Which of the two sets of weights in a file.
enum class Weights {
  kTrained,   ///< those that the optimizer left
  kAveraged,  ///< their average, or the trained ones where none was kept
};

struct LoadedModel {
  ModelDescription description;
  std::shared_ptr<VelocityModel> model;
  Metadata metadata;
};
/// Builds the model that the file describes and fills in its weights.
/// Throws FileError, naming the file and the tensor, when it is not such a file, lacks a tensor, holds one too many,
/// one of another shape, or one with NaNs or infinities. A description of a larger network than the file holds is
/// refused before that network takes memory.
LoadedModel load_model(const std::string& path, Weights weights = Weights::kAveraged);

/// As save_model, for a classifier; `metadata` must not use the key "classifier".
void save_classifier(const std::string& path, const ImageClassifier& classifier, const Ema* ema = nullptr,
                     Metadata metadata = {});

struct LoadedClassifier {
  std::shared_ptr<ImageClassifier> classifier;
  Metadata metadata;
};
/// As load_model, for a classifier.
LoadedClassifier load_classifier(const std::string& path, Weights weights = Weights::kAveraged);

}  // namespace rill::nn
