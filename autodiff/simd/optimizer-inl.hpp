// Updates in place: one pass over the memory of parameters and their averages.
#pragma once

#include "autodiff/simd/batch-inl.hpp"

namespace rill::simd {
namespace {

template <class V>
void lerp(Index n, const Real* x, Real w, Real* y) noexcept {
  for_registers<V>(n, [=](Index i, auto part) {
    const V old = part.load(y + i);
    part.store(y + i, mul_add(V(w), V(part.load(x + i) - old), old));
  });
}

template <class V>
void adam(Index n, const Real* gradient, const Adam& step, Real* m, Real* v, Real* p) noexcept {
  const V scale(step.gradient_scale), beta1(step.beta1), beta2(step.beta2);
  const V rest1(1 - step.beta1), rest2(1 - step.beta2);
  const V keep(1 - step.decay), rate(step.step), inverse_correction2(1 / step.correction2), epsilon(step.epsilon);
  for_registers<V>(n, [=](Index i, auto part) {
    const V g = scale * part.load(gradient + i);
    const V mean = mul_add(beta1, part.load(m + i), V(rest1 * g));
    const V variance = mul_add(beta2, part.load(v + i), V(rest2 * g * g));
    part.store(m + i, mean);
    part.store(v + i, variance);
    const V denominator = square_root(V(variance * inverse_correction2)) + epsilon;
    part.store(p + i, keep * part.load(p + i) - divide(V(rate * mean), V(denominator)));
  });
}

}  // namespace
}  // namespace rill::simd
