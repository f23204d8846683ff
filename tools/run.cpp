#include "tools/run.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "autodiff/error.hpp"

namespace rill::tools {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kDataKey = "data";
constexpr const char* kSchedulerKey = "scheduler";

std::string to_json(const flow::SchedulerDescription& scheduler) {
  return Json{{"name", scheduler.name}, {"sigma_min", scheduler.sigma_min}, {"power", scheduler.power}}.dump();
}

flow::SchedulerDescription parse_scheduler(const std::string& text) {
  flow::SchedulerDescription scheduler;
  const Json json = Json::parse(text);
  json.at("name").get_to(scheduler.name);
  json.at("sigma_min").get_to(scheduler.sigma_min);
  json.at("power").get_to(scheduler.power);
  flow::make_scheduler(scheduler);  // checks the name and the ranges
  return scheduler;
}

}  // namespace

RunFiles::RunFiles(std::string path)
    : folder(std::move(path)),
      config((fs::path(folder) / "config.toml").string()),
      state((fs::path(folder) / "state.safetensors").string()),
      model((fs::path(folder) / "model.safetensors").string()),
      metrics((fs::path(folder) / "metrics.csv").string()),
      samples((fs::path(folder) / "samples.png").string()) {}

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
  for (const std::string& file : {state, model, metrics, samples, config}) {
    std::error_code error;
    fs::remove(file, error);
    require_file(!error, file, "cannot remove: ", error.message());
  }
}

nn::Metadata model_metadata(const flow::SchedulerDescription& scheduler, const DataDescription& data) {
  return {{kSchedulerKey, to_json(scheduler)}, {kDataKey, to_json(data)}};
}

TrainedModel load_trained_model(const std::string& path) {
  std::error_code error;
  const std::string file = fs::is_directory(path, error) ? RunFiles(path).model : path;
  nn::LoadedModel loaded = nn::load_model(file);
  TrainedModel trained{loaded.description, loaded.model, {}, {}};
  const auto entry = [&](const char* key) {
    const auto found = loaded.metadata.find(key);
    require_file(found != loaded.metadata.end(), file, "the metadata has no '", key, "'; was it written by train?");
    return found->second;
  };
  const std::string scheduler = entry(kSchedulerKey), data = entry(kDataKey);
  try {
    trained.scheduler = parse_scheduler(scheduler);
  } catch (const std::exception& problem) {
    throw FileError(file, "the metadata's 'scheduler': ", problem.what());
  }
  try {
    trained.data = parse_data_description(data);
  } catch (const std::exception& problem) {
    throw FileError(file, "the metadata's 'data': ", problem.what());
  }
  return trained;
}

}  // namespace rill::tools
