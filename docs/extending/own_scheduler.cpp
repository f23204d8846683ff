// A scheduler of your own: how data and noise are weighed on the way from one to the other.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/path/path.hpp"
#include "flow/path/scheduler.hpp"

using namespace rill;

/// alpha = 2 t / (1 + t),  sigma = (1 - t) / (1 + t): a path that brakes, four times as fast at the noise as at the
/// data.
class Braking final : public flow::Scheduler {
 public:
  using Scheduler::at;
  std::string name() const override { return "braking"; }

  flow::Coefficients at(double t) const override {
    const double sigma = (1 - t) / (1 + t), slope = 2 / ((1 + t) * (1 + t));
    return {.alpha = 1 - sigma, .sigma = sigma, .d_alpha = slope, .d_sigma = -slope, .sigma_d_sigma = -slope * sigma};
  }

  // alpha / sigma = 2 t / (1 - t), solved for t.
  double time_of(double alpha, double sigma) const override { return alpha / (alpha + 2 * sigma); }
};

int main() {
  const flow::AffinePath path(std::make_unique<Braking>());
  Generator rng(/*seed=*/0);
  const Tensor x_0 = Tensor::randn({4, 2}, rng), x_1 = Tensor::randn({4, 2}, rng);

  // dx_t is the derivative of x_t: a central difference says so.
  const Real h = 1e-2;
  const Tensor t = Tensor::full({4}, 0.3);
  const Tensor slope = (path.sample(x_0, x_1, t + h).x_t - path.sample(x_0, x_1, t - h).x_t) / (2 * h);
  const double error = max(abs(slope - path.sample(x_0, x_1, t).dx_t)).item();

  double worst = 0;  // time_of() undoes at()
  for (double time = 0; time <= 1; time += 0.125) {
    const flow::Coefficients c = path.scheduler().at(time);
    worst = std::max(worst, std::abs(path.scheduler().time_of(c.alpha, c.sigma) - time));
  }
  std::printf("largest error of dx_t %.1e, of time_of() %.1e\n", error, worst);
  return error < 3e-3 && worst < 1e-9 ? 0 : 1;
}
