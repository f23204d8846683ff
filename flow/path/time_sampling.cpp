#include "flow/path/time_sampling.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/ops.hpp"

namespace rill::flow {
namespace {

// The quantile function of the standard normal distribution, to some seven digits: sqrt(2) erfinv(2 u - 1), with
// erfinv by the two polynomials of Giles, "Approximating the erfinv function" (GPU Computing Gems, 2011), table 5.
double normal_quantile(double u) {
  constexpr double kCenter[] = {2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
                                -0.00125372503, -0.00417768164, 0.246640727,    1.50140941};
  constexpr double kTail[] = {-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
                              -0.0076224613,   0.00943887047,  1.00167406,    2.83297682};
  const double x = 2 * u - 1;
  const double w = -std::log(4 * u * (1 - u));  // -ln(1 - x^2)
  const double at = w < 5 ? w - 2.5 : std::sqrt(w) - 3;
  double p = 0;
  for (const double coefficient : w < 5 ? kCenter : kTail) p = p * at + coefficient;
  return std::numbers::sqrt2 * p * x;
}

// [n] numbers in [0, 1), independent or evenly spaced.
Tensor uniform_numbers(bool low_discrepancy, Index n, Generator& rng) {
  if (!low_discrepancy) return Tensor::rand({n}, rng);
  Tensor u = Tensor::empty({n});
  Real start;
  rng.uniform(1, &start);
  for (Index i = 0; i < n; ++i) {
    const double value = static_cast<double>(start) + static_cast<double>(i) / static_cast<double>(n);
    u.data()[i] = static_cast<Real>(value - std::floor(value));
  }
  return u;
}

Tensor logit_normal(Tensor u) {
  // Half a step of the generator's grid away from 0, whose quantile is minus infinity.
  constexpr double kLeast = std::numeric_limits<Real>::epsilon() / 4;
  for (Index i = 0; i < u.size(); ++i) {
    const double inside = std::max(kLeast, std::min(1 - kLeast, static_cast<double>(u.data()[i])));
    u.data()[i] = static_cast<Real>(1 / (1 + std::exp(-normal_quantile(inside))));
  }
  return u;
}

}  // namespace

std::vector<std::string> time_distribution_names() { return {"uniform", "late", "early", "logit-normal"}; }

Tensor sample_times(const TimeSampling& sampling, Index n, Generator& rng) {
  const Tensor u = uniform_numbers(sampling.low_discrepancy, n, rng);
  if (sampling.distribution == "uniform") return u;
  if (sampling.distribution == "late") return 1 - square(u);
  if (sampling.distribution == "early") return square(u);
  if (sampling.distribution == "logit-normal") return logit_normal(u);
  fail(unknown_name("distribution of times", sampling.distribution, time_distribution_names()));
}

}  // namespace rill::flow
