#include "tools/train_settings.hpp"

#include <algorithm>
#include <filesystem>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/text.hpp"
#include "tools/data_option.hpp"

namespace rill::tools {
namespace {

std::string absolute(const std::string& path) { return std::filesystem::absolute(path).lexically_normal().string(); }

}  // namespace

TrainSettings::TrainSettings() {
  trainer.learning_rate.peak = 0.005;
  trainer.learning_rate.schedule = "cosine";
  trainer.ema_decay = 0.999;
}

void TrainSettings::declare(Options& options) {
  options.group("Data");
  options.add("data", data, "NAME|FILE",
              concat("a density (", joined(datasets::known_density_names()),
                     "), images, or a file of points, one per row (.npy, .csv, .tsv, .txt)"));
  options.add("data-param", data_parameters, "NAME=NUMBER", "parameters of the density, such as cells=8,low=-2");
  options.add("data-dir", data_dir, "FOLDER", "images: the folder of the four IDX files, raw or .gz");
  options.add("classes", classes, "COUNT", "images: number of labels");
  options.add("flip", augmentation.flip, "", "images: mirror half of them in training; for clothes, not for digits");
  options.add("shift", augmentation.shift, "PIXELS", "images: shift them by up to this many pixels in training");

  options.group("Network");
  options.add("model", family.network.kind, "KIND",
              concat(joined(nn::time_network_names()), ", or classifier: an image classifier instead of a model"));
  options.add_fields_of_kinds(family.network, "model", nn::time_network_names());
  options.add_fields(classifier, "model", "classifier");

  options.group("Model");
  options.add("family", family.name, "NAME", joined(flow::family_names()));
  options.add("source", source, "NAME", "flow-matching: a density to start from; by default standard normal noise");
  options.add("source-param", source_parameters, "NAME=NUMBER", "parameters of that density");
  options.add(
      "autoencoder", autoencoder, "RUN",
      "latent-flow: the run of the vae whose latents it learns, trained on the same data; the model keeps a copy");
  family.declare(options);

  reflow.declare(options);

  options.group("Training");
  options.add("steps", steps, "COUNT", "optimization steps");
  options.add("batch", batch, "COUNT", "points per step");
  options.add_fields(trainer);

  options.group("Run");
  options.add("log-every", log_every, "STEPS", "steps per row of metrics.csv");
  options.add("save-every", save_every, "SECONDS", "time between checkpoints");
  options.add("sample-every", sample_every, "STEPS", "steps between pictures in samples.png; 0 for one at the end");
  options.add("threads", threads, "COUNT", "0 for one per available core");
  options.add("out", out, "FOLDER", "the run's folder; by default runs/ and the name of the preset or data",
              Place::kCommandLine);
  options.add("overwrite", overwrite, "", "replace the run that the folder holds", Place::kCommandLine);
}

void TrainSettings::complete() {
  require_at_least("steps", static_cast<double>(steps), 1);
  require_at_least("batch", static_cast<double>(batch), 1);
  require_at_least("log-every", static_cast<double>(log_every), 1);
  require_at_least("classes", static_cast<double>(classes), 1);
  require_at_least("save-every", save_every, 0);
  if (trainer.learning_rate.peak <= 0) {
    throw UsageError(concat("--learning-rate: expected a number above 0, got ", trainer.learning_rate.peak));
  }
  require_at_least("sample-every", static_cast<double>(sample_every), 0);
  std::vector<std::string> kinds = nn::time_network_names();
  kinds.push_back("classifier");
  const std::string& kind = family.network.kind;
  by_option("family", [&] { require_known("family", family.name, flow::family_names()); });
  by_option("model", [&] { require_known("kind", kind, kinds); });
  if (trainer.learning_rate.schedule == "cosine" && trainer.learning_rate.warmup_steps >= steps) {
    throw UsageError(concat("--warmup: expected fewer steps than the training's ", steps, ", got ",
                            trainer.learning_rate.warmup_steps));
  }
  reflow.complete();
  if (!reflow.run.empty() && is_classifier()) {
    throw UsageError("--reflow: straightens flows, but --model is classifier; leave out one of them");
  }
  if (!reflow.run.empty() && family.name != flow::FlowMatching::kFamily) {
    throw UsageError(concat("--reflow: straightens flows, but --family is ", family.name, "; leave out one of them"));
  }
  if (data != "images" && reflow.run.empty() && (family.network.sees_images() || is_classifier())) {
    throw UsageError(concat("--model: ", kind, " is for images, but --data is ", data));
  }
  trainer.learning_rate.steps = steps;
  auto& flow_matching = family.of<flow::FlowMatchingDescription>();
  if (flow_matching.coupling.name == "entropic" && flow_matching.coupling.regularization == 0) {
    flow_matching.coupling.regularization = 2 * flow_matching.path.sigma * flow_matching.path.sigma;
  }
  if (family.has_autoencoder() && !is_classifier()) {
    if (autoencoder.empty()) {
      throw UsageError(concat("--autoencoder: --family ", family.name,
                              " needs the run of a vae; train one on the same data with --family vae, or by the preset "
                              "vae or fashion-mnist-vae"));
    }
    autoencoder = absolute(autoencoder);
  }
  if (is_file_name(data)) data = absolute(data);
  if (data == "images") data_dir = absolute(data_dir);
}

void TrainSettings::refuse_unused(Options& options) const {
  const std::vector<std::string> of_data = {"data", "data-param", "data-dir", "classes", "flip", "shift"};
  const std::vector<std::string> of_source = {"source", "source-param"};
  if (reflow.run.empty()) {
    options.refuse_unused({"pairs", "pair-solver", "pair-steps", "pair-guidance"}, "needs --reflow");
    if (data != "images") {
      options.refuse_unused({"data-dir", "classes", "flip", "shift"}, concat("is for images, but --data is ", data));
    }
  } else {
    const std::string reason = "not together with --reflow, which takes data and model from its run";
    for (const auto& names : {of_data, of_source, options.chosen_by("model")}) options.refuse_unused(names, reason);
    options.refuse_unused({"score", "coupling", "regularization"}, reason);
  }
  if (is_classifier()) {
    const std::string reason = "is for generative models, but --model is classifier";
    const std::vector<std::string> own = setting_names(classifier);
    std::vector<std::string> of_families = family.option_names();
    std::erase_if(of_families, [&](const auto& name) { return std::find(own.begin(), own.end(), name) != own.end(); });
    for (const auto& names : {of_source, of_families}) options.refuse_unused(names, reason);
    options.refuse_unused({"family", "autoencoder", "sample-every"}, reason);
    options.use(classifier, trainer);
  } else {
    if (!family.has_source()) {
      options.refuse_unused(of_source, concat("is for flow-matching, but --family is ", family.name));
    }
    if (!family.has_autoencoder()) {
      options.refuse_unused({"autoencoder"}, concat("is for latent-flow, but --family is ", family.name));
    }
    family.use(options, trainer, data == "images");
  }
}

datasets::DataDescription TrainSettings::data_description() const {
  if (data != "images" && !is_file_name(data)) return named_density(data, "data-param", data_parameters);
  if (!data_parameters.empty()) {
    throw UsageError(
        concat("--data-param: ", in_quotes(data_parameters.front()), " is for densities, but --data is ", data));
  }
  if (data == "images") return {.kind = "images", .source = data_dir, .classes = classes};
  return {.kind = "table", .source = data};
}

std::optional<datasets::DataDescription> TrainSettings::source_description() const {
  if (!source.empty()) return named_density(source, "source-param", source_parameters);
  if (source_parameters.empty()) return std::nullopt;
  throw UsageError(
      concat("--source-param: ", in_quotes(source_parameters.front()), " is for a source; name it with --source"));
}

std::shared_ptr<flow::Vae> TrainSettings::load_autoencoder(const datasets::DataDescription& learned) const {
  if (!family.has_autoencoder()) return nullptr;
  if (!std::filesystem::exists(autoencoder)) {
    throw UsageError(
        concat("--autoencoder: there is no ", autoencoder,
               "; train one on the same data with --family vae, or by the preset vae or fashion-mnist-vae"));
  }
  const TrainedModel trained = load_trained_model(autoencoder);
  auto vae = std::dynamic_pointer_cast<flow::Vae>(trained.model);
  if (const auto latent = std::dynamic_pointer_cast<flow::LatentFlow>(trained.model)) vae = latent->autoencoder();
  if (vae == nullptr) {
    throw UsageError(concat("--autoencoder: ", autoencoder, " holds a model of the family ", trained.model->family(),
                            ", expected vae, or latent-flow, which contains one"));
  }
  const auto units = [](datasets::DataDescription data) {
    if (data.kind != "density") data.source.clear();  // whose place may change
    return to_json(data);
  };
  if (units(trained.data) != units(learned)) {
    const bool by_classes = trained.data.classes != learned.classes;
    const auto text = [&](const datasets::DataDescription& data) {
      return by_classes ? concat(data.text(), " in ", data.classes, " classes") : data.text();
    };
    throw UsageError(concat("--autoencoder: ", autoencoder, " was trained on ", text(trained.data), ", but --data is ",
                            text(learned), "; they must be the same"));
  }
  return vae;
}

std::shared_ptr<flow::GenerativeModel> TrainSettings::make_model(const datasets::Data& learned, Generator& rng) const {
  const datasets::DataDescription& of_data = learned.description();
  flow::DataShape shape{.dimension = learned.dimension(), .classes = of_data.classes};
  if (of_data.holds_images()) shape.image = {of_data.height, of_data.width, 1};
  return family.make(shape, source_description(), load_autoencoder(of_data), rng);
}

nn::ImageClassifierDescription TrainSettings::classifier_of(const datasets::Data& learned) const {
  const datasets::DataDescription& of_data = learned.description();
  nn::ImageClassifierDescription description = classifier;
  description.image = {of_data.height, of_data.width, 1};
  description.classes = of_data.classes;
  return description;
}

}  // namespace rill::tools
