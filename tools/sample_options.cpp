#include "tools/sample_options.hpp"

#include <cmath>
#include <memory>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"
#include "flow/model/guidance.hpp"
#include "flow/model/scheduler_change.hpp"
#include "flow/path/path.hpp"
#include "flow/solver/sde.hpp"
#include "flow/solver/step_control.hpp"
#include "flow/solver/tableau.hpp"

namespace rill::tools {
namespace {

// The score of a path without noise of its own follows from the velocity where x_0 is Gaussian given x_1.
void require_known_score(const FlowDescription& flow) {
  const bool gaussian = !flow.source && flow.coupling.name == "independent";
  if (gaussian || flow.path.name == "schroedinger-bridge") return;
  const std::string found = flow.source ? "the source " + flow.source->text() : "the coupling " + flow.coupling.name;
  throw UsageError(
      concat("--sde: this run has ", found,
             ", and only from independent pairs with Gaussian noise does the score follow from the velocity; "
             "train it so, or with --path schroedinger-bridge --score"));
}

// On a bridge g = factor sigma, which for a factor of 1 is the bridge's own diffusion; elsewhere g^2 = factor sigma_t,
// which fades where the score is steep (Ma et al., "SiT", 2024).
flow::NoiseLevel noise_level(const std::shared_ptr<const flow::AffinePath>& path, double factor) {
  if (path->noise().kind == flow::PathNoise::kBridge) {
    return [g = factor * path->noise().sigma](double) { return g; };
  }
  return [path, factor](double t) { return std::sqrt(factor * path->scheduler().at(t).sigma); };
}

}  // namespace

void SampleOptions::declare(Options& options) {
  options.add_positional("RUN", run, "a run's folder, or a model file (.safetensors)");
  options.add("data", data, "FILE", "where the run's table is now, if not where it was in training",
              Place::kCommandLine);
  options.add("data-dir", data_dir, "FOLDER", "the same of the run's images", Place::kCommandLine);
  options.group("Solver");
  options.add("solver", solver, "NAME", joined(flow::solver_names()));
  options.add("steps", steps, "COUNT", "equal steps from t = 0 to t = 1");
  options.add("rtol", rtol, "SHARE",
              concat("relative error allowed in a step, which then chooses its size; 0 for equal steps (",
                     joined(flow::solver_names(true)), ")"));
  options.add("atol", atol, "DISTANCE", "absolute error allowed in a step; 0 for the number of --rtol");
  options.add("controller", controller, "NAME", concat("of the step size: ", joined(flow::controller_names())));
  options.add("per-sample", per_sample, "", "with --rtol: a step size for each sample instead of each group");
  options.add("overshoot", overshoot, "", "with --rtol: let the last step pass t = 1, and interpolate, as torchdiffeq");
  options.add("max-steps", max_steps, "COUNT", "with --rtol: give up after so many");
  options.add("sde", sde, "NAME",
              concat("add noise on the way, in equal steps of this solver: ", joined(flow::sde_method_names())));
  options.add("noise", noise, "FACTOR", "with --sde: g^2 = FACTOR sigma_t, or g = FACTOR times a bridge's sigma");
  options.add(
      "scheduler", scheduler, "NAME",
      concat("follow the path of another scheduler than that of the training: ", joined(flow::scheduler_names())));
  options.add("guidance", guidance, "WEIGHT", "classifier-free guidance: 1 for none, more for more typical samples");
  options.group("Options");
  options.add("seed", seed, "NUMBER", "fixes everything random");
  options.add("threads", threads, "COUNT", "0 for one for each core that it may use");
}

void SampleOptions::check() const {
  if (run.empty()) throw UsageError("expected the folder of a run, such as runs/annulus");
  require_at_least("steps", static_cast<double>(steps), 1);
  require_at_least("max-steps", static_cast<double>(max_steps), 1);
  require_at_least("rtol", rtol, 0);
  require_at_least("atol", atol, 0);
  require_at_least("noise", noise, 0);
  const flow::Tableau& method = flow::find_tableau(solver);
  flow::find_controller(controller);
  if (!sde.empty()) flow::find_sde_method(sde);
  if (rtol > 0 && !sde.empty()) throw UsageError("--rtol: not together with --sde, whose steps are equal");
  if (rtol > 0 && !method.adaptive()) {
    throw UsageError(concat("--rtol: ", solver, " does not estimate its error; choose one of ",
                            joined(flow::solver_names(true)), " by --solver"));
  }
  if (rtol == 0 && (atol > 0 || per_sample || overshoot)) {
    throw UsageError(concat(atol > 0     ? "--atol"
                            : per_sample ? "--per-sample"
                                         : "--overshoot",
                            ": needs --rtol, which lets steps choose their size"));
  }
}

bool SampleOptions::read(Options& options, int argc, const char* const* argv) const {
  std::string config;
  options.add("config", config, "FILE", "start from the settings in a TOML file", Place::kCommandLine);
  if (!options.read_command_line(argc, argv)) return false;
  for (const std::string& file : options.given("config")) {
    options.read_file(file);
    refuse_unused(options);
  }
  options.apply_command_line();
  refuse_unused(options);
  return true;
}

void SampleOptions::refuse_unused(Options& options) const {
  if (sde.empty()) {
    options.refuse_unused({"noise"}, "needs --sde, which adds it");
  } else {
    options.refuse_unused({"solver"}, "not together with --sde, which names a solver of its own");
  }
  if (rtol > 0) {
    options.refuse_unused({"steps"},
                          "not together with --rtol, by which steps choose their size; --max-steps limits them");
  } else {
    options.refuse_unused({"controller", "max-steps"}, "needs --rtol, which lets steps choose their size");
  }
}

void SampleOptions::locate(datasets::DataDescription& description) const {
  if (!data.empty() && description.kind != "table") {
    throw UsageError(concat("--data: is for runs of a table, but this one's data are ", description.text()));
  }
  if (!data_dir.empty() && description.kind != "images") {
    throw UsageError(concat("--data-dir: is for runs of images, but this one's data are ", description.text()));
  }
  if (!data.empty()) description.source = data;
  if (!data_dir.empty()) description.source = data_dir;
}

flow::GenerateOptions SampleOptions::generate_options(const TrainedModel& trained) const {
  flow::GenerateOptions options;
  if (!sde.empty()) {
    require_known_score(trained.flow);
    const auto path = std::make_shared<const flow::AffinePath>(
        flow::make_path(scheduler.empty() ? trained.flow.path : flow::PathDescription{.name = scheduler}));
    options.solver = flow::StochasticSteps{.method = flow::find_sde_method(sde),
                                           .steps = steps,
                                           .path = path,
                                           .g = noise_level(path, noise),
                                           .seed = seed};
  } else if (rtol > 0) {
    flow::AdaptiveOptions adaptive;
    adaptive.method = &flow::find_tableau(solver);
    adaptive.tolerance = {.rtol = rtol, .atol = atol > 0 ? atol : rtol};
    adaptive.control.controller = flow::find_controller(controller);
    adaptive.max_steps = max_steps;
    adaptive.per_sample = per_sample;
    adaptive.overshoot = overshoot;
    options.solver = adaptive;
  } else {
    options.solver = flow::FixedSteps{&flow::find_tableau(solver), steps};
  }
  return options;
}

std::shared_ptr<const nn::VelocityModel> SampleOptions::model(const TrainedModel& trained) const {
  using ModelPtr = std::shared_ptr<const nn::VelocityModel>;
  ModelPtr model = trained.model;
  const auto around = [&model](const nn::VelocityModel* wrapper) {
    return ModelPtr(wrapper, [inner = model](const nn::VelocityModel* p) { delete p; });  // keeps the inner one alive
  };
  if (guidance != 1) {
    if (trained.description.classes == 0) {
      throw UsageError("--guidance: this model was trained without classes");
    }
    if (trained.flow.label_dropout == 0) {
      throw UsageError("--guidance: this model was trained with every label; train it with --label-dropout 0.1");
    }
    model = around(new flow::GuidedModel(*model, guidance));
  }
  if (!scheduler.empty()) {
    const auto path = std::make_shared<const flow::AffinePath>(flow::make_path(trained.flow.path));
    if (path->noise().kind != flow::PathNoise::kNone) {
      throw UsageError(
          concat("--scheduler: the path ", trained.flow.path.name,
                 " adds noise of its own, which no scheduler has; leave it out, or train on another path"));
    }
    const std::shared_ptr<const flow::Scheduler> from(path, &path->scheduler());
    model = around(new flow::RescheduledModel(*model, from, flow::make_scheduler({.name = scheduler})));
  }
  return model;
}

std::string SampleOptions::solver_text() const {
  if (!sde.empty()) return concat(sde, ", ", steps, " steps, noise ", exact(noise));
  if (rtol > 0) return concat(solver, ", rtol ", exact(rtol), per_sample ? ", each sample for itself" : "");
  return concat(solver, ", ", steps, " steps");
}

}  // namespace rill::tools
