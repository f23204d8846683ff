#include "tools/run.hpp"

#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/json.hpp"
#include "autodiff/text.hpp"
#include "flow/model/model_file.hpp"
#include "nn/safetensors.hpp"

namespace rill::tools {
namespace fs = std::filesystem;

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
  if (fs::exists(state, error) || fs::exists(model, error)) return true;
  if (!fs::exists(config, error)) return false;
  return !fs::exists(metrics, error) || !read_file(config).starts_with(kConfigHeader);
}

void RunFiles::create_folder() const {
  std::error_code error;
  fs::create_directories(folder, error);
  require_file(!error, folder, "cannot make the folder: ", error.message());
}

void RunFiles::remove(bool keep_pairs) const {
  for (const std::string& file : all()) {
    if (keep_pairs && file == pairs) continue;
    std::error_code error;
    fs::remove(file, error);
    require_file(!error, file, "cannot remove: ", error.message());
  }
}

std::string model_file(const std::string& path) {
  std::error_code error;
  const bool folder = fs::is_directory(path, error);
  const std::string file = folder ? RunFiles(path).model : path;
  require_file(fs::exists(file, error), path, "holds no run: there is no ",
               folder ? "model.safetensors in it; training saves one at intervals" : "such folder, nor a file");
  return file;
}

TrainedModel load_trained_model(const std::string& path) {
  flow::LoadedModel loaded = flow::load_model(model_file(path));
  return {std::move(loaded.model), std::move(loaded.data)};
}

nn::Metadata classifier_metadata(const datasets::DataDescription& data) { return {{flow::kDataKey, to_json(data)}}; }

TrainedClassifier load_trained_classifier(const std::string& path) {
  const std::string file = model_file(path);
  const nn::LoadedClassifier loaded = nn::load_classifier(file);
  const nn::ImageClassifierDescription& known = loaded.classifier->description();
  const datasets::DataDescription images{
      .kind = "images", .height = known.image.height, .width = known.image.width, .classes = known.classes};
  return {loaded.classifier, flow::data_in(loaded.metadata, file, images, known.image.size(), known.classes)};
}

std::variant<TrainedModel, TrainedClassifier> load_run(const std::string& path) {
  if (nn::load_safetensors(model_file(path)).metadata.contains(nn::kClassifierKey)) {
    return load_trained_classifier(path);
  }
  return load_trained_model(path);
}

nn::Metadata run_identity(const datasets::DataDescription& data, std::uint64_t seed, nn::Metadata network) {
  datasets::DataDescription anywhere = data;
  if (data.kind != "density") anywhere.source.clear();  // its units or sizes identify the data, whose place may change
  network["run.data"] = to_json(anywhere);
  network["run.seed"] = std::to_string(seed);
  return network;
}

namespace {

// " is 8, expected 4"; of JSON objects, only the members that differ: " is another one: latent is 8, expected 4".
std::string difference(const std::string& found, const std::string& expected) {
  try {
    const Json ours = parse_json(found, "found"), theirs = parse_json(expected, "expected");
    std::vector<std::string> members;
    for (const auto& [key, value] : theirs.object()) {
      const Json* own = ours.find(key);
      if (own != nullptr && !(*own == value)) {
        members.push_back(concat(key, " is ", dump_json(*own), ", expected ", dump_json(value)));
      }
    }
    if (!members.empty()) return concat(" is another one: ", joined(members));
  } catch (const std::invalid_argument&) {
    // Not JSON objects.
  }
  return concat(" is ", found, ", expected ", expected);
}

}  // namespace

void require_same_run(const nn::Metadata& state, const nn::Metadata& identity, const std::string& file) {
  for (const auto& [key, expected] : identity) {
    const auto found = state.find(key);
    if (found == state.end() || found->second == expected) continue;
    throw FileError(file, concat("is the state of another run: its ", key.substr(key.find('.') + 1),
                                 difference(found->second, expected),
                                 "; put back the run's own file and settings, or start a new run"));
  }
}

}  // namespace rill::tools
