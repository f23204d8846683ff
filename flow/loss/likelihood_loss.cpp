#include "flow/loss/likelihood_loss.hpp"

#include <variant>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "flow/metrics/likelihood.hpp"
#include "flow/solver/adjoint.hpp"
#include "flow/solver/ode.hpp"
#include "flow/solver/velocity_divergence.hpp"

namespace rill::flow {

std::vector<std::string> solve_gradient_names() { return {"steps", "adjoint"}; }

ContinuousLikelihood continuous_likelihood(const Velocity& velocity, const std::vector<Tensor>& parameters,
                                           const Tensor& x_1, const std::vector<Tensor>& probes,
                                           const ContinuousLikelihoodOptions& options) {
  require(x_1.rank() == 2 && x_1.dim(0) > 0, "continuous likelihood: expected points [N, D], N > 0, got ", x_1.shape());
  const Index points = x_1.dim(0), dimension = x_1.dim(1);
  // A row of the state is x and the integrals so far.
  // The adjoint calls this again in backward(), so it owns what it refers to.
  const Velocity augmented = [velocity, probes, options, dimension](const Tensor& state, const Tensor& t) {
    const Tensor x = slice(state, 1, 0, dimension);
    const VelocityDivergence at = velocity_and_divergence(velocity, x, t, probes, options.jacobian);
    std::vector<Tensor> slopes = {at.velocity, mean(at.divergence, {.axes = {1}, .keep = true})};
    if (options.kinetic) slopes.push_back(sum(square(at.velocity), {.axes = {1}, .keep = true}));
    if (options.jacobian) slopes.push_back(at.squared_jacobian);
    return concatenate(slopes, 1);
  };
  const Index integrals = 1 + (options.kinetic ? 1 : 0) + (options.jacobian ? 1 : 0);
  const Tensor start = concatenate({x_1, Tensor::zeros({points, integrals})}, 1);
  const Tensor end = [&] {
    if (options.gradients == SolveGradients::kSteps)
      return solve(options.solver, for_any_rows(augmented), start, 1, 0).x;
    const auto* adaptive = std::get_if<AdaptiveOptions>(&options.solver);
    require(adaptive != nullptr,
            "continuous likelihood: the adjoint is solved with adaptive steps; set a tolerance, or take the gradient "
            "through the steps");
    return solve_adjoint(augmented, parameters, start, 1, 0, *adaptive);
  }();
  // Integrals from t = 1 back to 0 are minus those from 0 to 1.
  Index next = dimension;
  const auto take = [&] {
    ++next;
    return reshape(slice(end, 1, next - 1, next), {points});
  };
  ContinuousLikelihood result;
  result.log_p = standard_normal_log_density(slice(end, 1, 0, dimension)) + take();
  if (options.kinetic) result.kinetic = -take();
  if (options.jacobian) result.jacobian = -take();
  return result;
}

}  // namespace rill::flow
