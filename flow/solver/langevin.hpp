// Langevin dynamics: sampling a density from its score alone.
#pragma once

#include "autodiff/graph.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace rill::flow {

struct LangevinOptions {
  double step_size = 0.01;  ///< epsilon, in units of time
  Index steps = 1000;
};

/// One step with the score at x and a standard normal z:   x + step_size / 2 score + sqrt(step_size) z
Tensor langevin_step(const Tensor& x, const Tensor& score, double step_size, const Tensor& z);

/// Unadjusted Langevin dynamics (Song and Ermon, "Generative Modeling by Estimating Gradients of the Data
/// Distribution", 2019, equation 4):
///   x <- x + epsilon / 2 score(x) + sqrt(epsilon) z,    z standard normal
/// For small epsilon and many steps, x becomes a sample of the density with that score, wherever it started. But if
/// modes are separated by a region without mass, the score at one does not depend on the other's weight: the shares of
/// the modes stay those of the start, for a time that grows exponentially with their distance (ibid., section 3.2.2).
///   x: [N, ...];   score: [N, ...] -> [N, ...]
/// Records no graph. Throws std::invalid_argument unless step_size > 0 and steps >= 0.
Tensor langevin(const Function& score, const Tensor& x, const LangevinOptions& options, Generator& rng);

}  // namespace rill::flow
