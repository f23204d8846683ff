#include "tools/train_settings.hpp"

#include <charconv>
#include <filesystem>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"
#include "flow/path/time_sampling.hpp"

namespace rill::tools {
namespace {

// True for the name of a file, of whatever kind: a table, or what is refused as none. Densities have no such names.
bool is_file(const std::string& data) {
  return data.find('/') != data.npos || std::filesystem::path(data).has_extension();
}

std::string absolute(const std::string& path) { return std::filesystem::absolute(path).lexically_normal().string(); }

std::pair<std::string, double> parse_parameter(const char* option, const std::string& text) {
  const std::size_t equals = text.find('=');
  double value = 0;
  const char* end = text.data() + text.size();
  const char* begin = equals == text.npos ? end : text.data() + equals + 1;
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc{} || stop != end) {
    throw UsageError(concat("--", option, ": expected name=number such as cells=8, found ", in_quotes(text)));
  }
  return {text.substr(0, equals), value};
}

datasets::DataDescription density(const std::string& name, const char* option,
                                  const std::vector<std::string>& parameters) {
  datasets::DataDescription description;
  description.source = name;
  for (const std::string& text : parameters) {
    auto [key, value] = parse_parameter(option, text);
    description.parameters[key] = value;
  }
  return description;
}

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
                     "), images, or a file of points, one a row (.npy, .csv, .tsv, .txt)"));
  options.add("data-param", data_parameters, "NAME=NUMBER", "parameters of the density, such as cells=8,low=-2");
  options.add("data-dir", data_dir, "FOLDER", "images: the folder of the four IDX files, raw or .gz");
  options.add("classes", classes, "COUNT", "images: how many labels there are");
  options.add("flip", augmentation.flip, "",
              "images: mirror half of them in training; right for clothes, not for digits");
  options.add("shift", augmentation.shift, "PIXELS", "images: move them by up to so many pixels in training");
  network.declare(options);

  options.group("Path");
  options.add("path", flow.path.name, "NAME", joined(flow::path_names()));
  options.add("sigma", flow.path.sigma, "SIGMA", "target, i-cfm, vp-cfm, schroedinger-bridge: noise of the path");
  options.add("power", flow.path.power, "N", "polynomial: alpha = t^N");
  options.add("source", source, "NAME", "a density to start from; standard normal noise without");
  options.add("source-param", source_parameters, "NAME=NUMBER", "parameters of that density");
  options.add("coupling", flow.coupling.name, "NAME",
              concat("pairs of source and data in a batch: ", joined(flow::coupling_names())));
  options.add("regularization", flow.coupling.regularization, "COST",
              "entropic: weight of the entropy; 0 for 2 sigma^2 on a schroedinger-bridge");
  options.add("t-sampling", flow.times.distribution, "NAME",
              concat("distribution of t: ", joined(flow::time_distribution_names())));
  options.add("t-low-discrepancy", flow.times.low_discrepancy, "", "spread a batch's times evenly");
  options.add("label-dropout", flow.label_dropout, "SHARE",
              "images: labels hidden in training, which guidance needs; such as 0.1");
  options.add("score", flow.score, "", "schroedinger-bridge: learn a score too, for sampling with --sde");

  reflow.declare(options);

  options.group("Training");
  options.add("steps", steps, "COUNT", "optimization steps");
  options.add("batch", batch, "COUNT", "points per step");
  options.add("seed", trainer.seed, "NUMBER", "fixes everything random: weights, data, noise, times");
  options.add("optimizer", trainer.optimizer.kind, "NAME", "adam, adamw or sgd");
  options.add("learning-rate", trainer.learning_rate.peak, "RATE", "the highest learning rate");
  options.add("schedule", trainer.learning_rate.schedule, "NAME", "of the learning rate: constant or cosine");
  options.add("final-fraction", trainer.learning_rate.final_fraction, "SHARE",
              "cosine: learning rate at the end, as a share of the highest");
  options.add("warmup", trainer.learning_rate.warmup_steps, "STEPS", "steps in which the learning rate rises from 0");
  options.add("weight-decay", trainer.optimizer.weight_decay, "RATE", "adamw and sgd: pull of the weights to 0");
  options.add("momentum", trainer.optimizer.momentum, "SHARE", "sgd: momentum");
  options.add("beta1", trainer.optimizer.beta1, "SHARE", "adam: decay of the mean of gradients");
  options.add("beta2", trainer.optimizer.beta2, "SHARE", "adam: decay of the mean of squared gradients");
  options.add("epsilon", trainer.optimizer.epsilon, "NUMBER", "adam: added to the root of that mean");
  options.add("clip-norm", trainer.clip_norm, "NORM", "largest norm of the gradient; 0 for no limit");
  options.add("ema", trainer.ema_decay, "DECAY", "of the moving average of the weights; 0 for none");

  options.group("Run");
  options.add("log-every", log_every, "STEPS", "steps per row of metrics.csv");
  options.add("save-every", save_every, "SECONDS", "time between checkpoints");
  options.add("sample-every", sample_every, "STEPS", "steps between pictures in samples.png; 0 for one at the end");
  options.add("threads", threads, "COUNT", "0 for one for each core that it may use");
  options.add("out", out, "FOLDER", "where the run is kept; runs/ and the name of the preset or data by default",
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
  network.complete();
  reflow.complete();
  if (!reflow.run.empty() && network.is_classifier()) {
    throw UsageError("--reflow: straightens flows, but --model is classifier; leave out one of them");
  }
  if (data != "images" && reflow.run.empty()) {
    if (network.needs_images()) {
      throw UsageError(concat("--model: ", network.kind, " is for images, but --data is ", data));
    }
  }
  trainer.learning_rate.steps = steps;
  if (flow.coupling.name == "entropic" && flow.coupling.regularization == 0) {
    flow.coupling.regularization = 2 * flow.path.sigma * flow.path.sigma;
  }
  if (is_file(data)) data = absolute(data);
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
    network.refuse_unused(options);
  } else {
    const std::string reason = "not together with --reflow, which takes data and model from its run";
    for (const auto& names : {of_data, of_source, NetworkSettings::names()}) options.refuse_unused(names, reason);
    options.refuse_unused({"score", "coupling", "regularization"}, reason);
  }
  if (network.is_classifier()) {
    const std::string reason = "is for flows, but --model is classifier";
    options.refuse_unused(of_source, reason);
    options.refuse_unused({"path", "sigma", "power", "coupling", "regularization", "t-sampling", "t-low-discrepancy",
                           "label-dropout", "score", "sample-every"},
                          reason);
  }
  const std::string &path = flow.path.name, &optimizer = trainer.optimizer.kind;
  if (path != "polynomial") {
    options.refuse_unused({"power"}, concat("is for the path polynomial, but --path is ", path));
  }
  const std::string of_optimizer = concat("changes nothing with --optimizer ", optimizer);
  if (optimizer == "sgd") options.refuse_unused({"beta1", "beta2", "epsilon"}, of_optimizer);
  if (optimizer != "sgd") options.refuse_unused({"momentum"}, of_optimizer);
  if (optimizer == "adam") options.refuse_unused({"weight-decay"}, concat(of_optimizer, "; adamw and sgd have it"));
  if (trainer.learning_rate.schedule == "constant") {
    options.refuse_unused({"final-fraction"}, "changes nothing with --schedule constant");
  }
}

datasets::DataDescription TrainSettings::data_description() const {
  if (data != "images" && !is_file(data)) return density(data, "data-param", data_parameters);
  if (!data_parameters.empty()) {
    throw UsageError(
        concat("--data-param: ", in_quotes(data_parameters.front()), " is for densities, but --data is ", data));
  }
  if (data == "images") return {.kind = "images", .source = data_dir, .classes = classes};
  return {.kind = "table", .source = data};
}

flow::FlowMatchingDescription TrainSettings::flow_matching(const datasets::Data& learned) const {
  flow::FlowMatchingDescription description = flow;
  const datasets::DataDescription& of_data = learned.description();
  description.network = network.model(learned.dimension(), {of_data.height, of_data.width, 1}, of_data.classes);
  if (!source.empty()) {
    description.source = density(source, "source-param", source_parameters);
  } else if (!source_parameters.empty()) {
    throw UsageError(
        concat("--source-param: ", in_quotes(source_parameters.front()), " is for a source; name it with --source"));
  }
  return description;
}

}  // namespace rill::tools
