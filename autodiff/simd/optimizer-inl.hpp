// Updates in place: parameters, what an optimizer remembers of them and their average, in one pass over memory.
#pragma once

#include "autodiff/simd/batch-inl.hpp"

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
  const V scale(step.gradient_scale), beta1(step.beta1), beta2(step.beta2);
  const V rest1(1 - step.beta1), rest2(1 - step.beta2);
  const V keep(1 - step.decay), rate(step.step), inverse_correction2(1 / step.correction2), epsilon(step.epsilon);
  const V weight(step.average_weight);
  for_registers<V>(n, [=](Index i, auto part) {
    const V g = scale * part.load(gradient + i);
    const V mean = mul_add(beta1, part.load(m + i), V(rest1 * g));
    const V variance = mul_add(beta2, part.load(v + i), V(rest2 * g * g));
    part.store(m + i, mean);
    part.store(v + i, variance);
    const V denominator = square_root(V(variance * inverse_correction2)) + epsilon;
    const V moved = keep * part.load(p + i) - divide(V(rate * mean), V(denominator));
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
}  // namespace rill::simd
