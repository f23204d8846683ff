// Conversions between equivalent predictions: velocity, data, noise, score and v.
#pragma once

#include "autodiff/tensor.hpp"
#include "flow/path/scheduler.hpp"

namespace rill::flow {

/// What a network predicts at (x_t, t), each an expectation given x_t:
///   velocity u = E[dx_t],   data E[x_1],   noise E[x_0],   score = grad log p_t(x_t) = -E[x_0] / sigma  (x_0 Gaussian)
///   v = (alpha E[x_0] - sigma E[x_1]) / sqrt(alpha^2 + sigma^2)
/// The last, of Salimans and Ho ("Progressive Distillation for Fast Sampling of Diffusion Models", 2022, appendix D),
/// is noise where the point is data, and minus the data where the point is noise: there is always something to learn.
/// The root, 1 on a variance-preserving path, extends it to others.
enum class Prediction { kVelocity, kData, kNoise, kScore, kV };

/// A conversion at one time: result = value * of_value + x_t * of_point.
struct Conversion {
  double of_value, of_point;
};

/// Converts one prediction to another. x_t = alpha x_1 + sigma x_0 and u = alpha' x_1 + sigma' x_0 are two equations
/// for E[x_1] and E[x_0]; any one of the five quantities determines both, linearly in it and in x_t (Lipman et al.,
/// "Flow Matching Guide and Code", 2024, equation 4.55 and table 1).
///
/// Always finite. Where alpha = 0 the point is noise, E[x_0] = x_t / sigma; where sigma = 0 it is data,
/// E[x_1] = x_t / alpha; where sigma' is infinite, a finite velocity still gives a score, since sigma sigma' is finite.
/// Three cases remain undetermined: data where alpha = 0 (from noise or score, or from the velocity if alpha' = 0,
/// too), noise and score where sigma = 0 (from data, or from the velocity if sigma' is finite), and a velocity that
/// would be infinite or needs one of these. Then the conversion is that at the time kConversionMargin inside the ends
/// of [0, 1].
Conversion conversion(Prediction from, Prediction to, double t, const Scheduler& scheduler);

/// The square root of a Real's precision: 3.5e-4, or 1.5e-8 in double. Closer to the end, the rounding errors of x_t,
/// divided by sigma, would exceed the error of stopping short of it.
extern const double kConversionMargin;

/// Converts every point at its own time.   value, x_t: [N, ...], t: [N]
/// Gradients flow to value and x_t. Throws std::invalid_argument for other shapes.
Tensor convert(const Tensor& value, Prediction from, Prediction to, const Tensor& x_t, const Tensor& t,
               const Scheduler& scheduler);

}  // namespace rill::flow
