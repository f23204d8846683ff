#include "nn/checkpoint.hpp"

#include <utility>

#include "autodiff/error.hpp"
#include "nn/model.hpp"
#include "nn/safetensors.hpp"

namespace rill::nn {
namespace {

constexpr const char* kModelKey = "model";
constexpr const char* kTrainedPrefix = "model.";
constexpr const char* kAveragePrefix = "ema.";

struct ModelFile {
  NamedTensors trained, averages;
  Metadata metadata;
};

ModelFile read_model_file(const std::string& path) {
  SafeTensors contents = load_safetensors(path);
  ModelFile file{take_prefix(kTrainedPrefix, contents.tensors), take_prefix(kAveragePrefix, contents.tensors),
                 std::move(contents.metadata)};
  for (const NamedTensor& named : contents.tensors) {
    require_file(named.name.starts_with(kTrainedPrefix) || named.name.starts_with(kAveragePrefix), path,
                 "unexpected tensor '", named.name, "'");
  }
  return file;
}

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
  ModelFile file = read_model_file(path);
  const auto text = file.metadata.find(kModelKey);
  require_file(text != file.metadata.end(), path, "not a model: its metadata have no '", kModelKey, "'");
  LoadedModel loaded;
  try {
    loaded.description = parse_model_description(text->second);
    Generator unused(0);
    loaded.model = make_model(loaded.description, unused);
  } catch (const std::invalid_argument& error) {
    throw FileError(path, error.what());
  }
  const bool averaged = weights == Weights::kAveraged && !file.averages.empty();
  assign(loaded.model->named_parameters(), averaged ? file.averages : file.trained, path);
  file.metadata.erase(text);
  loaded.metadata = std::move(file.metadata);
  return loaded;
}

void restore_model(const std::string& path, VelocityModel& model, Ema* ema, Index update_count) {
  const ModelFile file = read_model_file(path);
  require_file(ema != nullptr || file.averages.empty(), path, "holds averaged weights, but no average is being kept");
  if (ema != nullptr) ema->load_state(file.averages, update_count, path);
  assign(model.named_parameters(), file.trained, path);
}

}  // namespace rill::nn
