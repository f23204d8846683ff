// Networks on disk: a safetensors file that holds the weights, their average and the description of the network.
//
//   tensors   "model.<parameter>" for every parameter and, when an average was kept, "ema.<parameter>"
//   metadata  what the network is: for a time network under "model" (nn/time_network_description.hpp), for a classifier
//             under "classifier" (nn/image_classifier.hpp), as JSON; and whatever the caller adds
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "nn/ema.hpp"
#include "nn/image_classifier.hpp"
#include "nn/module.hpp"
#include "nn/time_network.hpp"
#include "nn/time_network_description.hpp"

namespace rill::nn {

using Metadata = std::map<std::string, std::string>;

/// The keys of descriptions in the metadata.
inline constexpr const char* kNetworkKey = "model";
inline constexpr const char* kClassifierKey = "classifier";

/// Which of the two sets of weights in a file.
enum class Weights {
  kTrained,   ///< those that the optimizer left
  kAveraged,  ///< their average, or the trained ones where none was kept
};

/// Writes the weights of any module at once, with what will tell how to build it again. `ema` may be null. Throws
/// FileError when the file cannot be written, std::invalid_argument for an average of other parameters.
void save_weights(const std::string& path, const Module& module, const Ema* ema, const Metadata& metadata);

/// Builds a module from a file's metadata.
using ModuleMaker = std::function<std::shared_ptr<Module>(const Metadata& metadata)>;
/// Fills in the weights of the module that make() builds, and returns the metadata.
/// Throws FileError, naming the file and the tensor, when it is not such a file, lacks a tensor, holds one too many,
/// one of another shape, or one with NaNs or infinities, and where make() throws std::invalid_argument. A description
/// of a larger network than the file holds is refused before that network takes memory.
Metadata load_weights(const std::string& path, Weights weights, const ModuleMaker& make);

/// save_weights() of a time network; `metadata` must not use the key "model". The programs read such a file as a flow
/// with every setting at its default (flow/model/model_file.hpp).
void save_network(const std::string& path, const TimeNetworkDescription& description, const TimeNetwork& network,
                  const Ema* ema = nullptr, Metadata metadata = {});

struct LoadedNetwork {
  TimeNetworkDescription description;
  std::shared_ptr<TimeNetwork> network;
  Metadata metadata;  ///< without the description
};
/// Throws as load_weights().
LoadedNetwork load_network(const std::string& path, Weights weights = Weights::kAveraged);

/// As save_network, for a classifier; `metadata` must not use the key "classifier".
void save_classifier(const std::string& path, const ImageClassifier& classifier, const Ema* ema = nullptr,
                     Metadata metadata = {});

struct LoadedClassifier {
  std::shared_ptr<ImageClassifier> classifier;
  Metadata metadata;  ///< without the description
};
/// As load_network, for a classifier.
LoadedClassifier load_classifier(const std::string& path, Weights weights = Weights::kAveraged);

}  // namespace rill::nn
