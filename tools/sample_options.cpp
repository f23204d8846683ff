#include "tools/sample_options.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/text.hpp"
#include "flow/model/guidance.hpp"
#include "flow/model/scheduler_change.hpp"
#include "flow/solver/sde.hpp"
#include "flow/solver/step_control.hpp"
#include "flow/solver/tableau.hpp"

namespace rill::tools {
namespace {

std::vector<std::string> sampler_names() { return {"ancestral", "ddim", "predictor-corrector", "langevin"}; }

}  // namespace

void SampleOptions::declare(Options& options) {
  options.add_positional("RUN", run, "a run's folder, or a model file (.safetensors)");
  options.add("data", data, "FILE", "the run's table, if it has moved since training", Place::kCommandLine);
  options.add("data-dir", data_dir, "FOLDER", "the same for the run's images", Place::kCommandLine);
  options.group("Solver");
  options.add("solver", solver, "NAME", joined(flow::solver_names()));
  options.add("steps", steps, "COUNT", "equal steps from t = 0 to t = 1");
  options.add(
      "rtol", rtol, "SHARE",
      concat("relative error tolerance of adaptive steps; 0 for equal steps (", joined(flow::solver_names(true)), ")"));
  options.add("atol", atol, "DISTANCE", "absolute error tolerance; 0 for the value of --rtol");
  options.add("controller", controller, "NAME", concat("of the step size: ", joined(flow::controller_names())));
  options.add("per-sample", per_sample, "", "with --rtol: a step size for each sample instead of each group");
  options.add("overshoot", overshoot, "", "with --rtol: let the last step pass t = 1, and interpolate, as torchdiffeq");
  options.add("max-steps", max_steps, "COUNT", "with --rtol: give up after this many steps");
  options.add("sde", sde, "NAME",
              concat("sample by an SDE, in equal steps of this solver: ", joined(flow::sde_method_names())));
  options.add("noise", noise, "FACTOR", "with --sde: g^2 = FACTOR sigma_t, or g = FACTOR times a bridge's sigma");
  options.add("sampler", sampler, "NAME",
              concat("sample by steps that need the score instead of an ODE: ", joined(sampler_names())));
  options.add("eta", ancestral.eta, "SHARE", "ddim: fresh noise in each step, from 0 for none to 1 for ancestral");
  options.add("corrections", ancestral.corrections, "COUNT", "predictor-corrector: Langevin steps after each step");
  options.add("correction-ratio", ancestral.correction_ratio, "RATIO",
              "predictor-corrector: their size relative to the noise");
  options.add("levels", langevin.levels, "COUNT", "langevin: levels of noise, for models that know all of them");
  options.add("least-noise", langevin.least_noise, "RATIO", "langevin: the last of these levels, sigma / alpha");
  options.add("level-steps", langevin.steps, "COUNT", "langevin: steps at each level; 0 for 1000 in all");
  options.add("step-size", langevin.step_size, "SHARE", "langevin: of a step, as a multiple of the level's sigma^2");
  options.add(
      "scheduler", scheduler, "NAME",
      concat("follow the path of a scheduler other than that of the training: ", joined(flow::scheduler_names())));
  options.add("guidance", guidance, "WEIGHT", "classifier-free guidance: 1 for none, more for more typical samples");
  options.group("Options");
  options.add("seed", seed, "NUMBER", "fixes everything random");
  options.add("threads", threads, "COUNT", "0 for one per available core");
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
  if (!sampler.empty()) by_option("sampler", [&] { require_known("sampler", sampler, sampler_names()); });
  if (ancestral.eta < 0 || ancestral.eta > 1) throw UsageError(concat("--eta: expected 0 to 1, got ", ancestral.eta));
  require_at_least("corrections", static_cast<double>(ancestral.corrections), 0);
  require_at_least("levels", static_cast<double>(langevin.levels), 1);
  require_at_least("level-steps", static_cast<double>(langevin.steps), 0);
  for (const auto& [option, value] :
       {std::pair("correction-ratio", ancestral.correction_ratio), std::pair("least-noise", langevin.least_noise),
        std::pair("step-size", langevin.step_size)}) {
    if (!(value > 0)) throw UsageError(concat("--", option, ": expected a number above 0, got ", value));
  }
  if (!sampler.empty() && !sde.empty()) throw UsageError("--sampler: not together with --sde, which is another one");
  if (!sampler.empty() && rtol > 0) throw UsageError("--rtol: not together with --sampler, whose steps are equal");
  if (rtol > 0 && !sde.empty()) throw UsageError("--rtol: not together with --sde, whose steps are equal");
  if (rtol > 0 && !method.adaptive()) {
    throw UsageError(concat("--rtol: ", solver, " does not estimate its error; choose one of ",
                            joined(flow::solver_names(true)), " by --solver"));
  }
  if (rtol == 0 && (atol > 0 || per_sample || overshoot)) {
    throw UsageError(concat(atol > 0     ? "--atol"
                            : per_sample ? "--per-sample"
                                         : "--overshoot",
                            ": needs --rtol, for adaptive steps"));
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
  if (!sampler.empty()) {
    options.refuse_unused({"solver"}, concat("is for an ODE, but --sampler is ", sampler));
    if (sampler == "langevin")
      options.refuse_unused({"steps"}, "is not for --sampler langevin, which has --level-steps");
  }
  const std::string instead = concat(", but --sampler is ", sampler.empty() ? "not given" : sampler);
  if (sampler != "ddim") options.refuse_unused({"eta"}, "is for ddim" + instead);
  if (sampler != "predictor-corrector") {
    options.refuse_unused({"corrections", "correction-ratio"}, "is for predictor-corrector" + instead);
  } else if (ancestral.corrections == 0) {
    options.refuse_unused({"correction-ratio"}, "needs --corrections above 0");
  }
  if (sampler != "langevin" && !sampler.empty()) {
    options.refuse_unused({"levels", "least-noise", "level-steps", "step-size"}, "is for langevin" + instead);
  }
  if (rtol > 0) {
    options.refuse_unused({"steps"}, "not together with --rtol, for adaptive steps; --max-steps limits them");
  } else {
    options.refuse_unused({"controller", "max-steps"}, "needs --rtol, for adaptive steps");
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

flow::GenerateOptions SampleOptions::generate_options(const flow::GenerativeModel& model) const {
  flow::GenerateOptions options;
  if (sampler == "langevin" || model.scores()) {
    flow::LangevinSteps chosen = langevin;
    chosen.seed = seed;
    options.solver = chosen;
  } else if (!sampler.empty()) {
    flow::AncestralSteps chosen{.steps = steps, .seed = seed};
    if (sampler == "ddim") chosen.eta = ancestral.eta;
    if (sampler == "predictor-corrector") {
      chosen.corrections = ancestral.corrections;
      chosen.correction_ratio = ancestral.correction_ratio;
    }
    options.solver = chosen;
  } else if (!sde.empty()) {
    options.solver =
        flow::StochasticSteps{.method = flow::find_sde_method(sde), .steps = steps, .noise = noise, .seed = seed};
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

std::optional<flow::Dynamics> SampleOptions::dynamics(const flow::GenerativeModel& model) const {
  std::optional<flow::Dynamics> dynamics = model.dynamics();
  // A model samples by what it has: a flow, scores, or a method of its own.
  if (!dynamics) {
    refuse_without_flow(model);
    return dynamics;
  }
  if (sampler.empty()) refuse(of_langevin(), "needs --sampler langevin");
  if (guidance != 1) dynamics = by_option("guidance", [&] { return flow::guided(*dynamics, guidance); });
  if (!scheduler.empty()) dynamics = by_option("scheduler", [&] { return flow::on_scheduler(*dynamics, scheduler); });
  const char* needs_score = !sde.empty() ? "sde" : !sampler.empty() ? "sampler" : nullptr;
  if (needs_score != nullptr && !dynamics->no_score.empty()) {
    throw UsageError(concat("--", needs_score, ": ", dynamics->no_score));
  }
  if (!sampler.empty()) by_option("sampler", [&] { flow::require_score(*dynamics); });
  return dynamics;
}

void SampleOptions::apply(const flow::GenerativeModel& model, SampleRequest& request) const {
  request.options = generate_options(model);
  request.dynamics = dynamics(model);
  request.scores = model.scores();
  if (request.scores && guidance != 1) {
    request.scores = by_option("guidance", [&] { return flow::guided(*request.scores, guidance); });
  }
  request.seed = seed;
}

SampleOptions::Changed SampleOptions::of_langevin() const {
  const flow::LangevinSteps by_default;
  return {{"levels", langevin.levels != by_default.levels},
          {"least-noise", langevin.least_noise != by_default.least_noise},
          {"level-steps", langevin.steps != by_default.steps},
          {"step-size", langevin.step_size != by_default.step_size}};
}

void SampleOptions::refuse(const Changed& options, const std::string& reason) {
  for (const auto& [name, changed] : options) {
    if (changed) throw UsageError(concat("--", name, ": ", reason));
  }
}

void SampleOptions::refuse_without_flow(const flow::GenerativeModel& model) const {
  const SampleOptions by_default;
  const bool by_scores = model.scores().has_value();
  const std::string have_none = concat("and those of the family ", model.family(), " have none");
  refuse({{"guidance", guidance != 1 && !by_scores},
          {"scheduler", !scheduler.empty()},
          {"sde", !sde.empty()},
          {"rtol", rtol > 0},
          {"solver", solver != by_default.solver},
          {"steps", steps != by_default.steps},
          {"sampler", !sampler.empty() && !(by_scores && sampler == "langevin")}},
         concat("is for models with a flow, ", have_none, by_scores ? "; they sample by --sampler langevin" : ""));
  if (!by_scores) return refuse(of_langevin(), concat("is for models with a score, ", have_none));
  Changed levels = of_langevin();
  levels.resize(2);  // the number of levels and the last of them
  refuse(levels, "this model's levels of noise are those of its training");
}

std::string SampleOptions::solver_text(const flow::GenerativeModel& model) const {
  const auto scores = model.scores();
  if (sampler == "langevin" || scores) {
    const Index levels = scores ? std::ssize(scores->levels) : langevin.levels;
    return concat("langevin, ", counted(flow::steps_at_level(langevin, levels), "step"), " at ",
                  levels == 1 ? "one level" : concat("each of ", levels, " levels"));
  }
  if (!model.dynamics()) return "in one step";
  if (!sampler.empty()) return concat(sampler, ", ", counted(steps, "step"));
  if (!sde.empty()) return concat(sde, ", ", counted(steps, "step"), ", noise ", exact(noise));
  if (rtol > 0) return concat(solver, ", rtol ", exact(rtol), per_sample ? ", per sample" : "");
  return concat(solver, ", ", counted(steps, "step"));
}

}  // namespace rill::tools
