#include "tools/sample_options.hpp"

#include <stdexcept>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"
#include "flow/model/guidance.hpp"
#include "flow/model/scheduler_change.hpp"
#include "flow/solver/sde.hpp"
#include "flow/solver/step_control.hpp"
#include "flow/solver/tableau.hpp"

namespace rill::tools {
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

flow::GenerateOptions SampleOptions::generate_options() const {
  flow::GenerateOptions options;
  if (!sde.empty()) {
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

namespace {

// Calls make(); what it throws becomes a UsageError of the option.
template <class Make>
flow::Dynamics by_option(const char* option, const Make& make) {
  try {
    return make();
  } catch (const std::invalid_argument& error) {
    throw UsageError(concat("--", option, ": ", error.what()));
  }
}

}  // namespace

std::optional<flow::Dynamics> SampleOptions::dynamics(const flow::GenerativeModel& model) const {
  std::optional<flow::Dynamics> dynamics = model.dynamics();
  if (!dynamics) {
    const char* option = guidance != 1        ? "guidance"
                         : !scheduler.empty() ? "scheduler"
                         : !sde.empty()       ? "sde"
                         : rtol > 0           ? "rtol"
                                              : nullptr;
    if (option != nullptr) {
      throw UsageError(
          concat("--", option, ": is for models with a flow, and those of the family ", model.family(), " have none"));
    }
    return dynamics;
  }
  if (guidance != 1) dynamics = by_option("guidance", [&] { return flow::guided(*dynamics, guidance); });
  if (!scheduler.empty()) dynamics = by_option("scheduler", [&] { return flow::on_scheduler(*dynamics, scheduler); });
  if (!sde.empty() && !dynamics->no_score.empty()) throw UsageError(concat("--sde: ", dynamics->no_score));
  return dynamics;
}

std::string SampleOptions::solver_text() const {
  if (!sde.empty()) return concat(sde, ", ", steps, " steps, noise ", exact(noise));
  if (rtol > 0) return concat(solver, ", rtol ", exact(rtol), per_sample ? ", per sample" : "");
  return concat(solver, ", ", steps, " steps");
}

}  // namespace rill::tools
