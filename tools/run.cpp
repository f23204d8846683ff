#include "tools/run.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "autodiff/error.hpp"
#include "nn/safetensors.hpp"

namespace rill::tools {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kDataKey = "data";
constexpr const char* kFlowKey = "flow";

std::string path_to_json(const FlowDescription& flow) {
  Json json = {{"path", flow.path.name},
               {"sigma", flow.path.sigma},
               {"power", flow.path.power},
               {"coupling", flow.coupling.name},
               {"regularization", flow.coupling.regularization},
               {"label_dropout", flow.label_dropout}};
  if (flow.source) json["source"] = to_json(*flow.source);
  return json.dump();
}

// Everything but the data.
FlowDescription parse_path(const std::string& text) {
  FlowDescription flow;
  const Json json = Json::parse(text);
  json.at("path").get_to(flow.path.name);
  json.at("sigma").get_to(flow.path.sigma);
  json.at("power").get_to(flow.path.power);
  json.at("coupling").get_to(flow.coupling.name);
  json.at("regularization").get_to(flow.coupling.regularization);
  json.at("label_dropout").get_to(flow.label_dropout);
  if (json.contains("source")) flow.source = parse_data_description(json["source"].get<std::string>());
  flow::make_path(flow.path);  // checks the name and the ranges
  flow::check(flow.coupling);
  return flow;
}

}  // namespace

RunFiles::RunFiles(std::string path)
    : folder(std::move(path)),
      config((fs::path(folder) / "config.toml").string()),
      state((fs::path(folder) / "state.safetensors").string()),
      model((fs::path(folder) / "model.safetensors").string()),
      metrics((fs::path(folder) / "metrics.csv").string()),
      samples((fs::path(folder) / "samples.png").string()),
      pairs((fs::path(folder) / "pairs.safetensors").string()) {}

bool RunFiles::any_exist() const {
  std::error_code error;
  return fs::exists(config, error) || fs::exists(state, error) || fs::exists(model, error);
}

void RunFiles::create_folder() const {
  std::error_code error;
  fs::create_directories(folder, error);
  require_file(!error, folder, "cannot make the folder: ", error.message());
}

void RunFiles::remove() const {
  for (const std::string& file : {state, model, metrics, samples, pairs, config}) {
    std::error_code error;
    fs::remove(file, error);
    require_file(!error, file, "cannot remove: ", error.message());
  }
}

flow::ExampleOptions FlowDescription::examples(Index dimension) const {
  flow::ExampleOptions options;
  options.path = path;
  options.coupling = coupling;
  if (!source) return options;
  const std::shared_ptr<const Data> points = open_data(*source);
  require(points->dimension() == dimension, "--source: ", source->text(), " has ", points->dimension(),
          " dimensions, but the data have ", dimension, "; they must be equal");
  options.source = [points](const Shape& shape, Generator& rng) { return points->draw(shape[0], rng).x_1; };
  return options;
}

Tensor TrainedModel::source(Index n, Generator& rng) const {
  const Shape shape = {n, description.dimension};
  const flow::SourceSampler sampler = flow.examples(description.dimension).source;
  return sampler ? sampler(shape, rng) : Tensor::randn(shape, rng);
}

nn::Metadata model_metadata(const FlowDescription& flow) {
  return {{kFlowKey, path_to_json(flow)}, {kDataKey, to_json(flow.data)}};
}

namespace {

std::string model_file(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error) ? RunFiles(path).model : path;
}

// What a key of a file's metadata says.
template <class Parse>
auto parsed(const nn::Metadata& metadata, const char* key, const std::string& file, const Parse& parse) {
  const auto found = metadata.find(key);
  require_file(found != metadata.end(), file, "the metadata has no '", key, "'; was it written by train?");
  try {
    return parse(found->second);
  } catch (const std::exception& problem) {
    throw FileError(file, "the metadata's '", key, "': ", problem.what());
  }
}

}  // namespace

TrainedModel load_trained_model(const std::string& path) {
  const std::string file = model_file(path);
  nn::LoadedModel loaded = nn::load_model(file);
  TrainedModel trained{loaded.description, loaded.model, {}};
  trained.flow = parsed(loaded.metadata, kFlowKey, file, parse_path);
  trained.flow.data = parsed(loaded.metadata, kDataKey, file, parse_data_description);
  return trained;
}

nn::Metadata classifier_metadata(const DataDescription& data) { return {{kDataKey, to_json(data)}}; }

bool holds_classifier(const std::string& path) {
  return nn::load_safetensors(model_file(path)).metadata.contains("classifier");
}

TrainedClassifier load_trained_classifier(const std::string& path) {
  const std::string file = model_file(path);
  const nn::LoadedClassifier loaded = nn::load_classifier(file);
  return {loaded.classifier, parsed(loaded.metadata, kDataKey, file, parse_data_description)};
}

}  // namespace rill::tools
