#include "nn/checkpoint.hpp"

#include <new>
#include <stdexcept>
#include <utility>

#include "autodiff/error.hpp"
#include "nn/model.hpp"
#include "nn/safetensors.hpp"

namespace rill::nn {
namespace {

constexpr const char* kModelKey = "model";
constexpr const char* kTrainedPrefix = "model.";
constexpr const char* kAveragePrefix = "ema.";

}  // namespace

void save_model(const std::string& path, const ModelDescription& description, const VelocityModel& model,
                const Ema* ema, Metadata metadata) {
  require(!metadata.contains(kModelKey), "save_model: the metadata key '", kModelKey, "' is reserved");
  metadata[kModelKey] = to_json(description);
  NamedTensors tensors = add_prefix(kTrainedPrefix, model.named_parameters());
  if (ema != nullptr) {
    const NamedTensors averages = add_prefix(kAveragePrefix, ema->averages());
    tensors.insert(tensors.end(), averages.begin(), averages.end());
  }
  save_safetensors(path, {.tensors = std::move(tensors), .metadata = std::move(metadata)});
}

LoadedModel load_model(const std::string& path, Weights weights) {
  SafeTensors contents = load_safetensors(path);
  const auto text = contents.metadata.find(kModelKey);
  require_file(text != contents.metadata.end(), path, "not a model: its metadata have no '", kModelKey, "'");
  for (const NamedTensor& named : contents.tensors) {
    require_file(named.name.starts_with(kTrainedPrefix) || named.name.starts_with(kAveragePrefix), path,
                 "unexpected tensor '", named.name, "'");
  }
  LoadedModel loaded;
  try {
    loaded.description = parse_model_description(text->second);
    Generator unused(0);
    loaded.model = make_model(loaded.description, unused);
  } catch (const std::invalid_argument& error) {
    throw FileError(path, error.what());
  } catch (const std::bad_alloc&) {
    throw FileError(path, "describes a model that does not fit into memory: ", text->second);
  }
  const NamedTensors averages = take_prefix(kAveragePrefix, contents.tensors);
  const bool averaged = weights == Weights::kAveraged && !averages.empty();
  assign(loaded.model->named_parameters(), averaged ? averages : take_prefix(kTrainedPrefix, contents.tensors), path);
  contents.metadata.erase(text);
  loaded.metadata = std::move(contents.metadata);
  return loaded;
}

}  // namespace rill::nn
