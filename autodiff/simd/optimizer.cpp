// In-place updates: parameters, optimizer state and average, in one pass over memory.
#include "autodiff/simd/optimizer.hpp"

#include <limits>

#include "autodiff/simd/batch-inl.hpp"
#include "autodiff/simd/set-inl.hpp"

namespace rill::simd {
namespace {

/// y + w (x - y)
template <class V>
V lerp(V x, V w, V y) {
  return mul_add(w, V(x - y), y);
}

template <class V>
void lerp(Index n, const Real* x, Real w, Real* y) noexcept {
  for_registers<V>(n, [=](Index i, auto part) { part.store(y + i, lerp(part.load(x + i), V(w), part.load(y + i))); });
}

template <class V, bool averaged>
void adam_loop(Index n, const Real* gradient, const Adam& step, Real* m, Real* v, Real* p, Real* average) noexcept {
  const V scale(step.gradient_scale), rest1(step.rest1), rest2(step.rest2), decay(step.decay), rate(step.step);
  const V inverse_correction2(step.inverse_correction2), epsilon(step.epsilon), weight(step.average_weight);
  for_registers<V>(n, [=](Index i, auto part) {
    const V g = scale * part.load(gradient + i), m_i = part.load(m + i), v_i = part.load(v + i), p_i = part.load(p + i);
    // (1 - rest) x as x - rest x, because 1 - rest would round
    const V mean = mul_add(rest1, g, neg_mul_add(rest1, m_i, m_i));
    // A square that overflows stays infinite, which makes the step 0; without the min, inf - inf would be NaN.
    const V finite = xsimd::min(v_i, V(std::numeric_limits<Real>::max()));
    const V variance = mul_add(V(rest2 * g), g, neg_mul_add(rest2, finite, v_i));
    part.store(m + i, mean);
    part.store(v + i, variance);
    const V denominator = square_root(V(variance * inverse_correction2)) + epsilon;
    const V moved = p_i - mul_add(decay, p_i, divide(V(rate * mean), denominator));
    part.store(p + i, moved);
    if constexpr (averaged) part.store(average + i, lerp(moved, weight, part.load(average + i)));
  });
}

template <class V>
void adam(Index n, const Real* gradient, const Adam& step, Real* m, Real* v, Real* p, Real* average) noexcept {
  average ? adam_loop<V, true>(n, gradient, step, m, v, p, average)
          : adam_loop<V, false>(n, gradient, step, m, v, p, nullptr);
}

}  // namespace

namespace RILL_SET {

extern constinit const OptimizerKernels optimizer_kernels = {
    .lerp = lerp<Registers>,
    .adam = adam<Registers>,
};

}

}  // namespace rill::simd
