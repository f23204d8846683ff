#include "tools/sample_options.hpp"

#include "autodiff/text.hpp"
#include "flow/tableau.hpp"
#include "tools/text.hpp"

namespace rill::tools {
namespace {

std::string solver_names() {
  std::vector<std::string> names;
  for (const flow::Tableau* tableau : flow::kTableaus) names.emplace_back(tableau->name);
  return joined(names);
}

}  // namespace

void SampleOptions::declare(Options& options) {
  options.add_positional("RUN", run, "a run's folder, or a model file (.safetensors)");
  options.add("solver", solver, "NAME", solver_names());
  options.add("steps", steps, "COUNT", "equal steps from t = 0 to t = 1");
  options.add("seed", seed, "NUMBER", "fixes everything random");
  options.add("threads", threads, "COUNT", "0 for one per core");
}

flow::GenerateOptions SampleOptions::complete() const {
  if (run.empty()) throw UsageError("expected the folder of a run, such as runs/annulus");
  require_at_least("steps", static_cast<double>(steps), 1);
  flow::GenerateOptions options;
  options.method = &flow::find_tableau(solver);
  options.steps = steps;
  return options;
}

bool read_options(Options& options, int argc, const char* const* argv) {
  std::string config;
  options.add("config", config, "FILE", "start from the settings in a TOML file", Place::kCommandLine);
  if (!options.read_command_line(argc, argv)) return false;
  for (const std::string& file : options.given("config")) options.read_file(file);
  options.apply_command_line();
  return true;
}

}  // namespace rill::tools
