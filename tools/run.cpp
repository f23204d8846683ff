#include "tools/run.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include "autodiff/description_json.hpp"
#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/text.hpp"
#include "nn/safetensors.hpp"

namespace rill::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDataKey = "data";
constexpr const char* kFlowKey = "flow";

// Everything but the data and the source: visit(key, field).
template <class Self, class Visit>
void visit_fields(Self& flow, const Visit& visit) {
  visit("path", flow.path.name);
  visit("sigma", flow.path.sigma);
  visit("power", flow.path.power);
  visit("coupling", flow.coupling.name);
  visit("regularization", flow.coupling.regularization);
  visit("label_dropout", flow.label_dropout);
}

std::string flow_to_json(const FlowDescription& flow) {
  nlohmann::ordered_json json;
  visit_fields(flow, [&](const char* key, const auto& field) { json[key] = field; });
  if (flow.source) json["source"] = to_json(*flow.source);
  return dump_json(std::move(json));
}

// Throws std::invalid_argument for a density that there is not, or of another dimension.
void require_dimension(const datasets::DataDescription& density, Index dimension) {
  if (density.kind != "density" || density.source.empty()) return;
  const Index found = datasets::make_density(density.source, density.parameters)->dimension();
  require(found == dimension, density.text(), " has ", found, found == 1 ? " dimension" : " dimensions",
          ", but the model's points have ", dimension, dimension == 1 ? " number" : " numbers");
}

// Keys that are not there leave the defaults.
FlowDescription parse_flow(const std::string& text, Index dimension) {
  const std::string what = "flow description";
  FlowDescription flow;
  nlohmann::json json = parse_json(text, what);
  require(json.is_object(), what, ": expected a JSON object, found ", json.type_name());
  const auto take = [&](const char* key, auto& field) {
    if (json.contains(key)) description::take_field(json, what, "", key, field);
  };
  visit_fields(flow, take);
  std::string source;
  take("source", source);
  description::require_all_taken(json, what, "");
  if (!source.empty()) {
    flow.source = datasets::parse_data_description(source);
    require(flow.source->kind == "density", what, ": the source is ", flow.source->kind, ", expected a density");
    require_dimension(*flow.source, dimension);
  }
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

flow::ExampleOptions FlowDescription::examples(Index dimension) const {
  flow::ExampleOptions options;
  options.path = path;
  options.coupling = coupling;
  if (!source) return options;
  const std::shared_ptr<const datasets::Data> points = datasets::open_data(*source);
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
  return {{kFlowKey, flow_to_json(flow)}, {kDataKey, to_json(flow.data)}};
}

std::string model_file(const std::string& path) {
  std::error_code error;
  const bool folder = fs::is_directory(path, error);
  const std::string file = folder ? RunFiles(path).model : path;
  require_file(fs::exists(file, error), path, "holds no run: there is no ",
               folder ? "model.safetensors in it; training saves one from time to time" : "such folder, nor a file");
  return file;
}

namespace {

// What a key of a file's metadata says, or `otherwise` where there is no such key.
template <class Parse>
auto parsed(const nn::Metadata& metadata, const char* key, const std::string& file, const Parse& parse,
            decltype(parse(file)) otherwise) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return otherwise;
  try {
    return parse(found->second);
  } catch (const std::exception& problem) {
    throw FileError(file, "the metadata's '", key, "': ", problem.what(),
                    "; there the programs keep what they know of ", "the ", key,
                    ": save notes of your own under another key");
  }
}

// Images of this size from nobody knows where, as a file holds them that train did not write.
datasets::DataDescription unknown_images(const nn::ImageShape& image, Index classes) {
  datasets::DataDescription data;
  data.kind = "images";
  data.height = image.height;
  data.width = image.width;
  data.classes = classes;
  return data;
}

datasets::DataDescription unknown_data(const nn::ModelDescription& model) {
  const bool images = (model.kind == "unet" || model.kind == "dit") && model.image.channels == 1;
  return images ? unknown_images(model.image, model.classes) : datasets::DataDescription{};
}

// Data whose points have so many numbers, in so many classes.
datasets::DataDescription parse_fitting_data(const std::string& json, Index dimension, Index classes) {
  const datasets::DataDescription data = datasets::parse_data_description(json);
  require_dimension(data, dimension);
  if (data.standardization) {
    require(data.standardization->columns() == dimension, "a table of ", data.standardization->columns(),
            " columns, but the model's points have ", dimension, " numbers");
  }
  if (data.kind == "images") {
    require(Shape({data.height, data.width}).size() == dimension && data.classes == classes, "images of ", data.height,
            " x ", data.width, " in ", data.classes, " classes, but the model's have ", dimension, " pixels and ",
            classes, " classes");
  }
  return data;
}

}  // namespace

TrainedModel load_trained_model(const std::string& path) {
  const std::string file = model_file(path);
  require_file(!holds_classifier(file), file, "is a classifier, not a flow; evaluate measures it");
  nn::LoadedModel loaded = nn::load_model(file);
  TrainedModel trained{loaded.description, loaded.model, {}};
  const nn::ModelDescription& model = trained.description;
  trained.flow = parsed(
      loaded.metadata, kFlowKey, file, [&](const std::string& json) { return parse_flow(json, model.dimension); },
      FlowDescription{});
  trained.flow.data = parsed(
      loaded.metadata, kDataKey, file,
      [&](const std::string& json) { return parse_fitting_data(json, model.dimension, model.classes); },
      unknown_data(model));
  return trained;
}

nn::Metadata classifier_metadata(const datasets::DataDescription& data) { return {{kDataKey, to_json(data)}}; }

bool holds_classifier(const std::string& path) {
  return nn::load_safetensors(model_file(path)).metadata.contains("classifier");
}

TrainedClassifier load_trained_classifier(const std::string& path) {
  const std::string file = model_file(path);
  const nn::LoadedClassifier loaded = nn::load_classifier(file);
  const nn::ImageClassifierDescription& known = loaded.classifier->description();
  const auto parse = [&](const std::string& json) {
    return parse_fitting_data(json, known.image.size(), known.classes);
  };
  return {loaded.classifier,
          parsed(loaded.metadata, kDataKey, file, parse, unknown_images(known.image, known.classes))};
}

nn::Metadata run_identity(const datasets::DataDescription& data, const std::string& network, std::uint64_t seed) {
  datasets::DataDescription anywhere = data;
  if (data.kind != "density") anywhere.source.clear();  // its units or sizes tell which data; where they are may change
  return {{"run.data", to_json(anywhere)}, {"run.model", network}, {"run.seed", std::to_string(seed)}};
}

nn::Metadata run_identity(const FlowDescription& flow, const nn::ModelDescription& model, std::uint64_t seed) {
  nn::Metadata identity = run_identity(flow.data, to_json(model), seed);
  identity["run.path"] = concat(flow.path.name, ", sigma ", exact(flow.path.sigma), ", power ", exact(flow.path.power));
  identity["run.source"] = flow.source ? to_json(*flow.source) : "noise";
  return identity;
}

void require_same_run(const nn::Metadata& state, const nn::Metadata& identity, const std::string& file) {
  for (const auto& [key, expected] : identity) {
    const auto found = state.find(key);
    require_file(found == state.end() || found->second == expected, file, "is the state of another run: its ",
                 key.substr(key.find('.') + 1), " is ", found == state.end() ? "" : found->second, ", expected ",
                 expected, "; put back the run's own file and settings, or start a new run");
  }
}

}  // namespace rill::tools
