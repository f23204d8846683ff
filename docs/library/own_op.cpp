// An op of one's own: ln cosh x, a smooth |x|, with its gradient, which finite differences confirm.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

using namespace rill;

// ln cosh x = |x| + ln(1 + e^{-2|x|}) - ln 2, which does not overflow;   d/dx ln cosh x = tanh x
// The gradient is made of ops, so that it can be differentiated again.
Tensor log_cosh(const Tensor& x) {
  Tensor y = Tensor::empty(x.shape());
  const Real* from = x.data();
  Real* to = y.data();
  parallel_for(x.size(), /*grain=*/4096, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Real size = std::abs(from[i]);
      to[i] = size + std::log1p(std::exp(-2 * size)) - std::log(Real{2});
    }
  });
  return record("log_cosh", y, wrt(x, [x](const Tensor& gy) { return gy * tanh(x); }));
}

// The largest difference between a gradient and (f(x + h) - f(x - h)) / 2h, number by number, for f summed.
template <class F>
double largest_error(const F& f, const Tensor& x, const Tensor& gradient) {
  constexpr Real kStep = 1e-2;
  double worst = 0;
  for (Index i = 0; i < x.size(); ++i) {
    Tensor above = x.clone(), below = x.clone();
    above.data()[i] += kStep;
    below.data()[i] -= kStep;
    const double slope = static_cast<double>((sum(f(above)) - sum(f(below))).item()) / (2 * kStep);
    worst = std::max(worst, std::abs(slope - static_cast<double>(gradient.data()[i])));
  }
  return worst;
}

int main() {
  Generator rng(/*seed=*/0);
  const Tensor x = Tensor::randn({8}, rng).set_requires_grad();
  const Tensor first = grad(sum(log_cosh(x)), x, {.create_graph = true});
  const Tensor second = grad(sum(first), x);

  const auto slope = [](const Tensor& at) {
    const Tensor leaf = at.detach().set_requires_grad();
    return grad(sum(log_cosh(leaf)), leaf);
  };
  const double first_error = largest_error(log_cosh, x.detach(), first);
  const double second_error = largest_error(slope, x.detach(), second);
  std::printf("largest errors of the first and second derivative: %.1e, %.1e\n", first_error, second_error);
  return first_error < 1e-3 && second_error < 1e-3 ? 0 : 1;
}
