#include "flow/solver/langevin.hpp"

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/interruption.hpp"
#include "autodiff/ops.hpp"

namespace rill::flow {

Tensor langevin(const Function& score, const Tensor& x, const LangevinOptions& options, Generator& rng) {
  require(options.step_size > 0, "langevin: expected a step size above 0, got ", options.step_size);
  require(options.steps >= 0, "langevin: expected 0 or more steps, got ", options.steps);
  const NoGrad no_grad;
  Tensor current = x.detach();
  for (Index i = 0; i < options.steps; ++i) {
    check_interruption();
    const Tensor drift = (options.step_size / 2) * score(current);
    current = current + drift + std::sqrt(options.step_size) * Tensor::randn(x.shape(), rng);
  }
  return current;
}

}  // namespace rill::flow
