// Networks on disk: a safetensors file that holds the weights, their average and the description of the network.
//
//   tensors   "model.<parameter>" for every parameter and, if there is an average, "ema.<parameter>"
//   metadata  what the network is: for a time network under "model" (nn/time_network_description.hpp), for a classifier
//             under "classifier" (nn/image_classifier.hpp), as JSON; and any entries of the caller
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

/// Which of the two sets of weights in a file to use.
enum class Weights {
  kTrained,   ///< the weights as trained
  kAveraged,  ///< their moving average, or the trained ones if the file has no average
};

/// Writes the weights of any module atomically, with metadata that describes how to build it. `ema` may be null. Throws
/// FileError if the file cannot be written, std::invalid_argument for an average of other parameters.
void save_weights(const std::string& path, const Module& module, const Ema* ema, const Metadata& metadata);

/// Builds a module from a file's metadata.
using ModuleMaker = std::function<std::shared_ptr<Module>(const Metadata& metadata)>;
/// Loads weights into the module that make() builds, and returns the metadata.
/// Throws FileError, naming the file and the tensor, if it is not such a file, if a tensor is missing, unexpected, of
/// the wrong shape, or holds NaNs or infinities, and if make() throws std::invalid_argument. A description of a network
/// larger than the file's contents is rejected before that network takes memory.
Metadata load_weights(const std::string& path, Weights weights, const ModuleMaker& make);

/// save_weights() for a time network; `metadata` must not use the key "model". The programs read such a file as a flow
/// with default settings (flow/model/model_file.hpp).
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
