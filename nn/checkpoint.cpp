#include "nn/checkpoint.hpp"

#include <new>
#include <stdexcept>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"
#include "nn/init.hpp"
#include "nn/safetensors.hpp"
#include "nn/time_networks.hpp"

namespace rill::nn {
namespace {

constexpr const char* kTrainedPrefix = "model.";
constexpr const char* kAveragePrefix = "ema.";

// The metadata with the entry of a description added.
Metadata described(Metadata metadata, const char* key, const std::string& description) {
  require(!metadata.contains(key), "save: the metadata key '", key, "' is reserved");
  metadata[key] = description;
  return metadata;
}

// Takes the description out of the metadata.
std::string description_of(const Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  require(found != metadata.end(), "not a ", key, ": its metadata has no '", key, "'");
  return found->second;
}

}  // namespace

void save_weights(const std::string& path, const Module& module, const Ema* ema, const Metadata& metadata) {
  NamedTensors tensors = add_prefix(kTrainedPrefix, module.named_parameters());
  if (ema != nullptr) {
    ema->require_of(module.named_parameters(), "save_weights");
    const NamedTensors averages = add_prefix(kAveragePrefix, ema->averages());
    tensors.insert(tensors.end(), averages.begin(), averages.end());
  }
  save_safetensors(path, {.tensors = std::move(tensors), .metadata = metadata});
}

Metadata load_weights(const std::string& path, Weights weights, const ModuleMaker& make) {
  SafeTensors contents = load_safetensors(path);
  for (const NamedTensor& named : contents.tensors) {
    require_file(named.name.starts_with(kTrainedPrefix) || named.name.starts_with(kAveragePrefix), path,
                 "unexpected tensor ", in_quotes(named.name));
  }
  const NamedTensors averages = take_prefix(kAveragePrefix, contents.tensors);
  const bool averaged = weights == Weights::kAveraged && !averages.empty();
  const NamedTensors held = averaged ? averages : take_prefix(kTrainedPrefix, contents.tensors);
  require_finite(held, path);
  Index numbers = 0;
  for (const NamedTensor& named : held) numbers += named.tensor.size();
  // The file must hold what the description needs. A small excess is allowed here, so that assign() can say what is
  // missing.
  constexpr Index kMoreTensors = 1000, kMoreNumbers = Index{1} << 22;
  const BuildLimit limit(std::ssize(held) + kMoreTensors, numbers + kMoreNumbers,
                         concat("the file holds ", held.size(), " of ", numbers));

  NamedTensors parameters;
  try {
    parameters = make(contents.metadata)->named_parameters();
  } catch (const std::invalid_argument& error) {
    throw FileError(path, error.what());
  } catch (const std::bad_alloc&) {
    throw FileError(path, "describes a network that does not fit into memory");
  }
  assign(parameters, held, path);
  return std::move(contents.metadata);
}

void save_network(const std::string& path, const TimeNetworkDescription& description, const TimeNetwork& network,
                  const Ema* ema, Metadata metadata) {
  save_weights(path, network, ema, described(std::move(metadata), kNetworkKey, to_json(description)));
}

LoadedNetwork load_network(const std::string& path, Weights weights) {
  LoadedNetwork loaded;
  loaded.metadata = load_weights(path, weights, [&](const Metadata& metadata) {
    loaded.description = parse_time_network_description(description_of(metadata, kNetworkKey));
    Generator unused(0);
    return loaded.network = make_time_network(loaded.description, unused);
  });
  loaded.metadata.erase(kNetworkKey);
  return loaded;
}

void save_classifier(const std::string& path, const ImageClassifier& classifier, const Ema* ema, Metadata metadata) {
  save_weights(path, classifier, ema,
               described(std::move(metadata), kClassifierKey, to_json(classifier.description())));
}

LoadedClassifier load_classifier(const std::string& path, Weights weights) {
  LoadedClassifier loaded;
  loaded.metadata = load_weights(path, weights, [&](const Metadata& metadata) {
    Generator unused(0);
    return loaded.classifier = std::make_shared<ImageClassifier>(
               parse_image_classifier_description(description_of(metadata, kClassifierKey)), unused);
  });
  loaded.metadata.erase(kClassifierKey);
  return loaded;
}

}  // namespace rill::nn
