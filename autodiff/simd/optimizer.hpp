// In-place updates.
#pragma once

#include "autodiff/real.hpp"

namespace rill::simd {

/// One step of Adam on n numbers, with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2):
///   m = beta1 m + (1 - beta1) s g,   v = beta2 v + (1 - beta2) (s g)^2
///   p = (1 - decay) p - step m / (sqrt(v / (1 - beta2^t)) + epsilon)
/// where s = `gradient_scale`, step = learning rate / (1 - beta1^t) and decay = learning rate * weight decay; and of
/// the exponential moving average, with w = `average_weight`:
///   average = average + w (p - average)
/// A beta is given by its distance from 1, because a Real might round the beta itself to 1. Where (s g)^2 overflows, v
/// becomes and stays infinite, and p no longer changes.
struct Adam {
  Real gradient_scale;
  Real rest1, rest2;  ///< 1 - beta1, 1 - beta2
  Real step;
  Real inverse_correction2;  ///< 1 / (1 - beta2^t)
  Real epsilon, decay, average_weight;
};

struct OptimizerKernels {
  // In place: y += w (x - y), the step of an exponential moving average.
  void (*lerp)(Index n, const Real* x, Real w, Real* y) noexcept;
  /// `average` may be null.
  void (*adam)(Index n, const Real* gradient, const Adam&, Real* m, Real* v, Real* p, Real* average) noexcept;
};

}  // namespace rill::simd

#ifdef RILL_REFERENCE
// In plain C++, one number at a time.
#include "autodiff/simd/reference-inl.hpp"

namespace rill::simd::scalar {
namespace {

void lerp(Index n, const Real* x, Real w, Real* y) noexcept {
  for (Index i = 0; i < n; ++i) y[i] += w * (x[i] - y[i]);
}

// (1 - rest) x as x - rest x, because 1 - rest may round to 1.
void adam(Index n, const Real* gradient, const Adam& step, Real* m, Real* v, Real* p, Real* average) noexcept {
  for (Index i = 0; i < n; ++i) {
    const Real g = step.gradient_scale * gradient[i];
    m[i] = m[i] - step.rest1 * m[i] + step.rest1 * g;
    // A square that overflows stays infinite, which makes the step 0; without the min, inf - inf would be NaN.
    v[i] = v[i] - step.rest2 * std::min(v[i], std::numeric_limits<Real>::max()) + step.rest2 * g * g;
    p[i] -= step.decay * p[i] + step.step * m[i] / (std::sqrt(v[i] * step.inverse_correction2) + step.epsilon);
    if (average) average[i] += step.average_weight * (p[i] - average[i]);
  }
}

}  // namespace

extern constinit const OptimizerKernels optimizer_kernels = {
    .lerp = lerp,
    .adam = adam,
};

}  // namespace rill::simd::scalar
#endif
