// The common options of sample and evaluate: how to move source points to data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flow/model/generate.hpp"
#include "flow/model/generative_model.hpp"
#include "tools/cli/options.hpp"
#include "tools/run.hpp"
#include "tools/sampling.hpp"

namespace rill::tools {

struct SampleOptions {
  std::string run;
  std::string data, data_dir;
  std::string solver = "euler";
  Index steps = 50;
  double rtol = 0, atol = 0;
  std::string controller = "integral";
  bool per_sample = false, overshoot = false;
  Index max_steps = 10000;
  std::string sde;
  double noise = 1;
  std::string sampler;
  flow::AncestralSteps ancestral = {.eta = 0, .corrections = 1};
  flow::LangevinSteps langevin;
  double guidance = 1;
  std::string scheduler;
  std::uint64_t seed = 0;
  Index threads = 0;

  void declare(Options& options);
  /// Throws UsageError, naming the option, if no run is given, a value is out of range or unknown, or options exclude
  /// each other.
  void check() const;
  /// Reads the command line of a program without presets: defaults, --config, options; and refuses options without
  /// effect (Options::refuse_unused()). False if --help or --version was given.
  bool read(Options& options, int argc, const char* const* argv) const;
  /// Replaces the place of the training data by that of --data or --data-dir. Throws UsageError if data of this kind
  /// does not have one.
  void locate(datasets::DataDescription& description) const;
  /// Sets how this model is sampled: solver, dynamics or scores, seed. Throws as dynamics().
  void apply(const flow::GenerativeModel& model, SampleRequest& request) const;
  /// The solver that they describe for this model.
  flow::GenerateOptions generate_options(const flow::GenerativeModel& model) const;
  /// The model's dynamics with these options: guidance, another scheduler's path. nullopt for a model without dynamics.
  /// Throws UsageError, naming the option, for what this model does not support.
  std::optional<flow::Dynamics> dynamics(const flow::GenerativeModel& model) const;
  /// Whether the same start always ends at the same sample.
  bool is_deterministic() const { return is_ode() || (sampler == "ddim" && ancestral.eta == 0); }
  /// Whether samples follow a velocity.
  bool is_ode() const { return sde.empty() && sampler.empty(); }
  /// How they sample this model: "dopri5, rtol 0.001".
  std::string solver_text(const flow::GenerativeModel& model) const;

 private:
  void refuse_unused(Options& options) const;
  // Options by their names, and whether they were set to other values than their defaults.
  using Changed = std::vector<std::pair<const char*, bool>>;
  Changed of_langevin() const;
  /// Throws UsageError for the first that was changed.
  static void refuse(const Changed& options, const std::string& reason);
  void refuse_without_flow(const flow::GenerativeModel& model) const;
};

}  // namespace rill::tools
