// The four faces of one regression: velocity, data, noise and score say the same thing at a given x_t.
#pragma once

#include "autodiff/tensor.hpp"
#include "flow/scheduler.hpp"

namespace rill::flow {

/// What a network predicts at (x_t, t), each an expectation given x_t:
///   velocity u = E[dx_t],   data E[x_1],   noise E[x_0],   score = grad log p_t(x_t) = -E[x_0] / sigma  (x_0 Gaussian)
enum class Prediction { kVelocity, kData, kNoise, kScore };

/// Turns one prediction into another. With x_t = alpha x_1 + sigma x_0 and u = alpha' x_1 + sigma' x_0 there are two
/// equations for E[x_1] and E[x_0]; any one of the four quantities settles both
/// (Lipman et al., "Flow Matching Guide and Code", 2024, table 1).
///   value, x_t: [N, ...], t: [N]
/// At an end of the path the answer may not be determined: data and noise cannot be told from each other where one of
/// them is absent. There the result is infinite or NaN: dividing by sigma = 0 from kData or to kScore, and by alpha = 0
/// from kNoise or kScore.
Tensor convert(const Tensor& value, Prediction from, Prediction to, const Tensor& x_t, const Tensor& t,
               const Scheduler& scheduler);

}  // namespace rill::flow
