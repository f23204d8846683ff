#include "flow/solver/langevin.hpp"

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/interruption.hpp"
#include "autodiff/ops.hpp"

namespace rill::flow {

Tensor langevin_step(const Tensor& x, const Tensor& score, double step_size, const Tensor& z) {
  return x + (step_size / 2) * score + std::sqrt(step_size) * z;
}

Tensor langevin(const Function& score, const Tensor& x, const LangevinOptions& options, Generator& rng) {
  require(options.step_size > 0, "langevin: expected a step size above 0, got ", options.step_size);
  require(options.steps >= 0, "langevin: expected 0 or more steps, got ", options.steps);
  const NoGrad no_grad;
  Tensor current = x.detach();
  for (Index i = 0; i < options.steps; ++i) {
    check_interruption();
    const Tensor slope = score(current);
    current = langevin_step(current, slope, options.step_size, Tensor::randn(x.shape(), rng));
  }
  return current;
}

}  // namespace rill::flow
