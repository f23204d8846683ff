// Continuous normalizing flows by maximum likelihood: a network's velocity is learned by solving its ODE in every step.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "autodiff/description.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"
#include "datasets/batch.hpp"
#include "flow/loss/likelihood_loss.hpp"
#include "flow/model/data_shape.hpp"
#include "flow/model/network_model.hpp"
#include "flow/solver/tableau.hpp"
#include "flow/solver/velocity_divergence.hpp"
#include "nn/time_network.hpp"
#include "nn/time_network_description.hpp"

namespace rill::flow {

/// The solvers of its training: solver_names().
std::vector<std::string> ode_solver_names();
/// The ways to the divergence: auto, for default_trace(), and trace_names().
std::vector<std::string> ode_trace_names();

/// The architecture of a continuous flow and its training.
struct ContinuousFlowDescription {
  nn::TimeNetworkDescription network = {};
  std::string solver = "dopri5";
  Index steps = 10;               ///< for a solver of equal steps
  double tolerance = 1e-3;        ///< of adaptive steps, relative and absolute; 0 for equal ones
  Index early_steps = 0;          ///< the first training steps, with ...
  double early_tolerance = 1e-2;  ///< ... this tolerance instead
  std::string gradients = "steps";
  std::string trace = "auto";
  double kinetic = 0, jacobian = 0;  ///< the weights of the regularization

  /// The settings of the training: all but the network.
  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("ode_solver", self.solver,
          {.unit = "NAME", .help = "solver of the training", .names = ode_solver_names, .summary = "likelihood by {}"});
    visit("ode_tolerance", self.tolerance,
          {.unit = "SHARE",
           .help = "error tolerance of its steps, relative and absolute; 0 for equal steps",
           .summary = ", tolerance {}"});
    visit("ode_steps", self.steps,
          {.unit = "COUNT", .help = "equal steps", .only = {.needs = "--ode-tolerance 0", .met = self.tolerance == 0}});
    visit("early_steps", self.early_steps,
          {.unit = "COUNT", .help = "training steps at the beginning that use --early-tolerance; 0 for none"});
    visit("early_tolerance", self.early_tolerance,
          {.unit = "SHARE",
           .help = "cheap, while the flow is far from done",
           .only = {.needs = "--early-steps", .met = self.early_steps > 0}});
    visit("ode_gradients", self.gradients,
          {.unit = "NAME",
           .help = "through the solver's steps, or by the adjoint equation",
           .names = solve_gradient_names,
           .summary = ", gradients by {}"});
    visit("ode_trace", self.trace,
          {.unit = "NAME",
           .help = "how the divergence is computed; auto is exact up to 32 dimensions, else rademacher",
           .names = ode_trace_names,
           .summary = ", {} trace"});
    visit("kinetic", self.kinetic,
          {.unit = "WEIGHT", .help = "penalty on the kinetic energy, per dimension: straighter trajectories"});
    visit("jacobian", self.jacobian,
          {.unit = "WEIGHT", .help = "penalty on the field's Jacobian, per dimension: fewer steps of the solver"});
  }
  void set_shape(const DataShape& shape) { network.set_shape(shape.dimension, shape.classes, shape.image); }
};

/// Data points, and the probes of their divergence, if it is estimated.
struct ContinuousFlowExample {
  Tensor x_1;
  Indices labels;
  std::vector<Tensor> probes;
};

/// An Objective (nn/trainer.hpp): the mean of -ln p in nats, and the penalties, whose integrals are divided by the
/// dimension (Finlay et al. 2020, section 4).
class ContinuousFlowObjective {
 public:
  using Example = ContinuousFlowExample;

  /// Throws std::invalid_argument for invalid settings.
  ContinuousFlowObjective(std::shared_ptr<const nn::TimeNetwork> network, const ContinuousFlowDescription& description);

  Example make_example(const datasets::Batch& batch, Generator& rng) const;
  Tensor loss(const Example& example, Index step) const;
  Tensor loss(const Example& example) const { return loss(example, description_.early_steps); }
  bool worth_making_ahead() const { return false; }

  /// -ln p alone, with a tight tolerance and, in few dimensions, the exact divergence.
  ContinuousFlowObjective held_out() const;

 private:
  std::shared_ptr<const nn::TimeNetwork> network_;
  ContinuousFlowDescription description_;
};

/// Parameters: those of the network (nn/time_networks.hpp).
class ContinuousFlow final : public NetworkModel<ContinuousFlowDescription> {
 public:
  static constexpr const char* kFamily = "continuous-flow";

  /// With weights drawn from `rng`. Throws std::invalid_argument, naming the field, for an invalid description.
  ContinuousFlow(const ContinuousFlowDescription& description, Generator& rng);
  /// The inverse of metadata(). Throws std::invalid_argument, naming the entry.
  static ContinuousFlowDescription read_description(const nn::Metadata& metadata);

  ContinuousFlowObjective objective() const { return {network_, description_}; }

  std::string family() const override { return kFamily; }
  nn::Metadata identity() const override;
  double numbers_of_step(Index batch) const override;
  std::unique_ptr<nn::TrainingLoop> trainer(datasets::BatchSource source, const nn::TrainerOptions& options) override;
  double held_out_loss(const datasets::BatchSource& source, Index samples, std::uint64_t seed) const override;
  /// By 50 Euler steps.
  Tensor sample(Index n, const Indices& labels, Generator& rng) const override;
  /// Without a path: likelihood does not care which way the points take, so the velocity does not say the score.
  std::optional<Dynamics> dynamics() const override;
  DensityKind density_kind() const override { return DensityKind::kOde; }
  Tensor log_density(const Tensor& x, const Indices& labels) const override;
};

}  // namespace rill::flow
