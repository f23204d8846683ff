#include "nn/checkpoint.hpp"

#include <new>
#include <stdexcept>
#include <utility>

#include "autodiff/error.hpp"
#include "nn/init.hpp"
#include "nn/model.hpp"
#include "nn/safetensors.hpp"

namespace rill::nn {
namespace {

constexpr const char* kModelKey = "model";
constexpr const char* kClassifierKey = "classifier";
constexpr const char* kTrainedPrefix = "model.";
constexpr const char* kAveragePrefix = "ema.";

// Writes what save_`key` is given.
void save(const std::string& path, const std::string& key, const std::string& description, const Module& network,
          const Ema* ema, Metadata metadata) {
  require(!metadata.contains(key), "save_", key, ": the metadata key '", key, "' is reserved");
  metadata[key] = description;
  NamedTensors tensors = add_prefix(kTrainedPrefix, network.named_parameters());
  if (ema != nullptr) {
    ema->require_of(network.named_parameters(), concat("save_", key).c_str());
    const NamedTensors averages = add_prefix(kAveragePrefix, ema->averages());
    tensors.insert(tensors.end(), averages.begin(), averages.end());
  }
  save_safetensors(path, {.tensors = std::move(tensors), .metadata = std::move(metadata)});
}

// Reads such a file: make(description) builds the network, whose weights are then filled in. Returns the rest of the
// metadata.
template <class Make>
Metadata load(const std::string& path, const std::string& key, Weights weights, const Make& make) {
  SafeTensors contents = load_safetensors(path);
  const auto text = contents.metadata.find(key);
  require_file(text != contents.metadata.end(), path, "not a ", key, ": its metadata has no '", key, "'");
  for (const NamedTensor& named : contents.tensors) {
    require_file(named.name.starts_with(kTrainedPrefix) || named.name.starts_with(kAveragePrefix), path,
                 "unexpected tensor '", named.name, "'");
  }
  const NamedTensors averages = take_prefix(kAveragePrefix, contents.tensors);
  const bool averaged = weights == Weights::kAveraged && !averages.empty();
  const NamedTensors held = averaged ? averages : take_prefix(kTrainedPrefix, contents.tensors);
  require_finite(held, path);
  Index numbers = 0;
  for (const NamedTensor& named : held) numbers += named.tensor.size();
  // What the description asks for must be in the file. A little more is let through, for assign() to say what is wrong.
  constexpr Index kMoreTensors = 1000, kMoreNumbers = Index{1} << 22;
  const BuildLimit limit(std::ssize(held) + kMoreTensors, numbers + kMoreNumbers,
                         concat("the file holds ", held.size(), " of ", numbers));

  NamedTensors parameters;
  try {
    parameters = make(text->second).named_parameters();
  } catch (const std::invalid_argument& error) {
    throw FileError(path, error.what());
  } catch (const std::bad_alloc&) {
    throw FileError(path, "describes a ", key, " that does not fit into memory: ", text->second);
  }
  assign(parameters, held, path);
  contents.metadata.erase(text);
  return std::move(contents.metadata);
}

}  // namespace

void save_model(const std::string& path, const ModelDescription& description, const VelocityModel& model,
                const Ema* ema, Metadata metadata) {
  save(path, kModelKey, to_json(description), model, ema, std::move(metadata));
}

LoadedModel load_model(const std::string& path, Weights weights) {
  LoadedModel loaded;
  loaded.metadata = load(path, kModelKey, weights, [&](const std::string& json) -> const Module& {
    loaded.description = parse_model_description(json);
    Generator unused(0);
    loaded.model = make_model(loaded.description, unused);
    return *loaded.model;
  });
  return loaded;
}

void save_classifier(const std::string& path, const ImageClassifier& classifier, const Ema* ema, Metadata metadata) {
  save(path, kClassifierKey, to_json(classifier.description()), classifier, ema, std::move(metadata));
}

LoadedClassifier load_classifier(const std::string& path, Weights weights) {
  LoadedClassifier loaded;
  loaded.metadata = load(path, kClassifierKey, weights, [&](const std::string& json) -> const Module& {
    Generator unused(0);
    loaded.classifier = std::make_shared<ImageClassifier>(parse_image_classifier_description(json), unused);
    return *loaded.classifier;
  });
  return loaded;
}

}  // namespace rill::nn
