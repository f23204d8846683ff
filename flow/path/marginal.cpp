#include "flow/path/marginal.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/interruption.hpp"
#include "autodiff/parallel.hpp"

namespace rill::flow {

EmpiricalMarginal::EmpiricalMarginal(const Tensor& x_1, std::shared_ptr<const Scheduler> scheduler)
    : x_1_(x_1.detach()), scheduler_(std::move(scheduler)) {
  require(x_1.rank() == 2 && x_1.dim(0) >= 1, "marginal: expected data [M, D] with M >= 1, got ", x_1.shape());
}

namespace {

// Replaces every exponent by its softmax weight, and returns ln sum_i exp(exponent_i).
double softmax_in_place(std::vector<double>& exponents) {
  const double largest = *std::max_element(exponents.begin(), exponents.end());
  double total = 0;
  for (double& e : exponents) total += e = std::exp(e - largest);
  for (double& e : exponents) e /= total;
  return largest + std::log(total);
}

// Calls f(n, coefficients, weights, log_sum) for every point, with the posterior weights of the data and the logarithm
// of the sum of the unnormalized ones.
template <class F>
void for_each_posterior(const Tensor& data, const Scheduler& scheduler, const Tensor& x, const Tensor& t, const F& f) {
  const Index points = x.dim(0), dimension = data.dim(1), count = data.dim(0);
  for (Index n = 0; n < points; ++n) {
    require(scheduler.at(static_cast<double>(t.data()[n])).sigma > 0, "marginal: sigma is 0 at t = ", t.data()[n],
            ", where the velocity is undefined; stop earlier, or use sigma_min > 0");
  }
  const Index grain = std::max<Index>(1, (Index{1} << 15) / std::max<Index>(1, count * dimension));
  parallel_for(points, grain, [&](Index begin, Index end) {
    std::vector<double> weights(static_cast<std::size_t>(count));
    for (Index n = begin; n < end; ++n) {
      check_interruption();
      const Coefficients c = scheduler.at(static_cast<double>(t.data()[n]));
      const Real* at = x.data() + n * dimension;
      for (Index i = 0; i < count; ++i) {
        const Real* x_1 = data.data() + i * dimension;
        double distance = 0;
        for (Index d = 0; d < dimension; ++d) {
          const double difference = static_cast<double>(at[d]) - c.alpha * static_cast<double>(x_1[d]);
          distance += difference * difference;
        }
        weights[static_cast<std::size_t>(i)] = -distance / (2 * c.sigma * c.sigma);
      }
      const double log_sum = softmax_in_place(weights);
      f(n, c, weights, log_sum);
    }
  });
}

void require_points(const Tensor& data, const Tensor& x, const Tensor& t) {
  require(x.rank() == 2 && x.dim(1) == data.dim(1) && t.shape() == Shape{x.dim(0)}, "marginal: expected x [N, ",
          data.dim(1), "] and t [N], got ", x.shape(), " and ", t.shape());
}

}  // namespace

Tensor EmpiricalMarginal::velocity(const Tensor& x, const Tensor& t) const {
  require_points(x_1_, x, t);
  Tensor u = Tensor::empty(x.shape());
  const Index dimension = x.dim(1);
  for_each_posterior(
      x_1_, *scheduler_, x, t, [&](Index n, const Coefficients& c, const std::vector<double>& weights, double) {
        for (Index d = 0; d < dimension; ++d) {
          double mean = 0;  // E[x_1 | x_t = x]
          for (std::size_t i = 0; i < weights.size(); ++i) {
            mean += weights[i] * static_cast<double>(x_1_.data()[static_cast<Index>(i) * dimension + d]);
          }
          const double noise = (static_cast<double>(x.data()[n * dimension + d]) - c.alpha * mean) / c.sigma;
          u.data()[n * dimension + d] = static_cast<Real>(c.d_alpha * mean + c.d_sigma * noise);
        }
      });
  return u;
}

Tensor EmpiricalMarginal::weights(const Tensor& x, const Tensor& t) const {
  require_points(x_1_, x, t);
  Tensor result = Tensor::empty({x.dim(0), x_1_.dim(0)});
  for_each_posterior(x_1_, *scheduler_, x, t,
                     [&](Index n, const Coefficients&, const std::vector<double>& weights, double) {
                       std::transform(weights.begin(), weights.end(), result.data() + n * x_1_.dim(0),
                                      [](double weight) { return static_cast<Real>(weight); });
                     });
  return result;
}

Tensor EmpiricalMarginal::log_density(const Tensor& x, const Tensor& t) const {
  require_points(x_1_, x, t);
  Tensor result = Tensor::empty({x.dim(0)});
  const double dimension = static_cast<double>(x.dim(1)), count = static_cast<double>(x_1_.dim(0));
  for_each_posterior(x_1_, *scheduler_, x, t,
                     [&](Index n, const Coefficients& c, const std::vector<double>&, double log_sum) {
                       const double normalizer = dimension * std::log(c.sigma * std::sqrt(2 * std::numbers::pi));
                       result.data()[n] = static_cast<Real>(log_sum - normalizer - std::log(count));
                     });
  return result;
}

}  // namespace rill::flow
