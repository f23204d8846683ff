#include "flow/model/continuous_flow.hpp"

#include <cmath>
#include <utility>

#include "autodiff/description_json.hpp"
#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/summary.hpp"
#include "flow/metrics/likelihood.hpp"
#include "flow/model/generate.hpp"
#include "flow/model/network_model_texts.hpp"
#include "nn/time_networks.hpp"
#include "nn/trainer.hpp"

namespace rill::flow {
namespace {

OdeSolver solver_of(const ContinuousFlowDescription& description, double tolerance) {
  const Tableau& method = find_tableau(description.solver);
  if (tolerance == 0) return FixedSteps{&method, description.steps};
  AdaptiveOptions options;
  options.method = &method;
  options.tolerance = {.rtol = tolerance, .atol = tolerance};
  return options;
}

Trace trace_of(const ContinuousFlowDescription& description) {
  return description.trace == "auto" ? default_trace(description.network.dimension) : find_trace(description.trace);
}

void check(const ContinuousFlowDescription& description) {
  const Tableau& method = find_tableau(description.solver);
  require_known("ode_trace", description.trace, ode_trace_names());
  require_known("ode_gradients", description.gradients, solve_gradient_names());
  for (const auto& [key, value] :
       {std::pair("ode_tolerance", description.tolerance), std::pair("kinetic", description.kinetic),
        std::pair("jacobian", description.jacobian)}) {
    require(value >= 0 && std::isfinite(value), key, ": expected a number, 0 or more, got ", value);
  }
  require(description.steps >= 1, "ode_steps: expected at least 1, got ", description.steps);
  require(description.early_steps >= 0, "early_steps: expected 0 or more, got ", description.early_steps);
  require(description.early_tolerance > 0, "early_tolerance: expected a number above 0, got ",
          description.early_tolerance);
  require(description.tolerance == 0 || method.adaptive(), "ode_tolerance: ", description.solver,
          " does not estimate its error; choose one of ", joined(solver_names(true)), ", or a tolerance of 0");
  require(description.tolerance > 0 || description.gradients == "steps",
          "ode_gradients: the adjoint needs adaptive steps; set an ode_tolerance above 0");
  require(description.tolerance > 0 || description.early_steps == 0,
          "early_steps: need adaptive steps; set an ode_tolerance above 0");
}

}  // namespace

std::vector<std::string> ode_solver_names() { return solver_names(); }
std::vector<std::string> ode_trace_names() {
  std::vector<std::string> names = trace_names();
  names.insert(names.begin(), "auto");
  return names;
}

ContinuousFlowObjective::ContinuousFlowObjective(std::shared_ptr<const nn::TimeNetwork> network,
                                                 const ContinuousFlowDescription& description)
    : network_(std::move(network)), description_(description) {
  check(description_);
}

ContinuousFlowExample ContinuousFlowObjective::make_example(const datasets::Batch& batch, Generator& rng) const {
  const Trace trace = trace_of(description_);
  return {batch.x_1, batch.labels,
          trace == Trace::kExact ? std::vector<Tensor>() : draw_probes(trace, 1, batch.x_1.shape(), rng)};
}

Tensor ContinuousFlowObjective::loss(const ContinuousFlowExample& example, Index step) const {
  const bool early = step < description_.early_steps;
  ContinuousLikelihoodOptions options;
  options.solver = solver_of(description_, early ? description_.early_tolerance : description_.tolerance);
  options.gradients = description_.gradients == "adjoint" ? SolveGradients::kAdjoint : SolveGradients::kSteps;
  options.kinetic = description_.kinetic > 0;
  options.jacobian = description_.jacobian > 0;
  const Velocity velocity = [network = network_, labels = example.labels](const Tensor& x, const Tensor& t) {
    return network->forward(x, t, labels);
  };
  const ContinuousLikelihood found =
      continuous_likelihood(velocity, network_->parameters(), example.x_1, example.probes, options);
  const auto dimension = static_cast<double>(network_->dimension());
  Tensor loss = -mean(found.log_p);
  if (options.kinetic) loss = loss + description_.kinetic / dimension * mean(found.kinetic);
  if (options.jacobian) loss = loss + description_.jacobian / dimension * mean(found.jacobian);
  return loss;
}

ContinuousFlowObjective ContinuousFlowObjective::held_out() const {
  ContinuousFlowDescription description = description_;
  description.solver = "dopri5";
  description.gradients = "steps";
  description.tolerance = 1e-5;
  description.early_steps = 0;
  description.kinetic = description.jacobian = 0;
  description.trace = "auto";
  return {network_, description};
}

ContinuousFlow::ContinuousFlow(const ContinuousFlowDescription& description, Generator& rng)
    : NetworkModel(description, rng) {
  objective();  // throws for invalid options
}

ContinuousFlowDescription ContinuousFlow::read_description(const nn::Metadata& metadata) {
  return read_network_description<ContinuousFlowDescription>(metadata, kFamily);
}

nn::Metadata ContinuousFlow::identity() const { return {{"run.network", nn::to_json(description_.network)}}; }

// One evaluation with its derivatives; through the steps, as many as the solver takes, which is not known before.
double ContinuousFlow::numbers_of_step(Index batch) const {
  const bool exact = trace_of(description_) == Trace::kExact;
  const double derivatives = exact ? static_cast<double>(dimension()) : 1;
  const double each = (1 + derivatives) * nn::units_kept(description_.network) + 4 * static_cast<double>(dimension());
  const bool kept = description_.gradients == "steps" && description_.tolerance == 0;
  const double steps = kept ? static_cast<double>(description_.steps * find_tableau(description_.solver).stages) : 1;
  return static_cast<double>(batch) * each * steps;
}

std::unique_ptr<nn::TrainingLoop> ContinuousFlow::trainer(datasets::BatchSource source,
                                                          const nn::TrainerOptions& options) {
  return std::make_unique<nn::Trainer<ContinuousFlowObjective>>(network_->named_parameters(), objective(),
                                                                std::move(source), options);
}

double ContinuousFlow::held_out_loss(const datasets::BatchSource& source, Index samples, std::uint64_t seed) const {
  return nn::mean_loss(objective().held_out(), source, samples, seed);
}

Tensor ContinuousFlow::sample(Index n, const Indices& labels, Generator& rng) const {
  const Dynamics flow = *dynamics();
  return generate(flow, flow.sample_source(n, rng), labels).x;
}

std::optional<Dynamics> ContinuousFlow::dynamics() const {
  Dynamics dynamics{.velocity = velocity_of(network_)};
  dynamics.no_score = "a flow trained by likelihood follows no known path, so its velocity does not say the score";
  dynamics.no_guidance = classes() == 0 ? "this model was trained without classes"
                                        : "a flow trained by likelihood learns no field without a class";
  return dynamics;
}

Tensor ContinuousFlow::log_density(const Tensor& x, const Indices& labels) const {
  return log_likelihood(velocity_of(network_), x, labels).log_p;
}

}  // namespace rill::flow
