#include "flow/solver/sde.hpp"

#include <array>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/interruption.hpp"
#include "autodiff/names.hpp"
#include "autodiff/ops.hpp"
#include "flow/path/path.hpp"
#include "flow/path/prediction.hpp"

namespace rill::flow {
namespace {

constexpr std::array<std::pair<const char*, SdeMethod>, 3> kMethods = {
    {{"euler-maruyama", SdeMethod::kEulerMaruyama}, {"milstein", SdeMethod::kMilstein}, {"heun", SdeMethod::kHeun}}};

struct Noise {
  Tensor g;
  Tensor g_slope;  // g g', or undefined where g' = 0
};

// With diagonal noise, the gradient of sum g is the derivative of each g with respect to its own number.
Noise noise_at(const Sde& sde, const Tensor& x, const Tensor& t, bool with_slope) {
  if (!with_slope || sde.additive) return {sde.diffusion(x, t), {}};
  const GradMode record_graph(true);
  const Tensor at = x.detach().set_requires_grad();
  const Tensor g = sde.diffusion(at, t);
  if (!g.requires_grad()) return {g, {}};
  return {g.detach(), g.detach() * grad(sum(g), at)};
}

class Stepper {
 public:
  Stepper(const Sde& sde, SdeMethod method) : sde_(sde), method_(method) {}

  Tensor step(const Tensor& x, double t, double h, const Tensor& dw) {
    const Tensor now = Tensor::full({x.dim(0)}, t);
    const auto [g, g_slope] = noise_at(sde_, x, now, method_ != SdeMethod::kEulerMaruyama);
    if (method_ == SdeMethod::kHeun) {
      const Tensor f = stratonovich_drift(x, now, g_slope);
      const Tensor euler = x + h * f + g * dw;
      const Tensor then = Tensor::full({x.dim(0)}, t + h);
      const auto [g_then, g_slope_then] = noise_at(sde_, euler, then, true);
      const Tensor f_then = stratonovich_drift(euler, then, g_slope_then);
      return x + (h / 2) * (f + f_then) + 0.5 * ((g + g_then) * dw);
    }
    const Tensor euler = x + h * drift(x, now) + g * dw;
    if (method_ == SdeMethod::kEulerMaruyama || !g_slope.defined()) return euler;
    return euler + 0.5 * (g_slope * (square(dw) - h));
  }

  Index evaluations() const { return evaluations_; }

 private:
  Tensor drift(const Tensor& x, const Tensor& t) {
    ++evaluations_;
    return sde_.drift(x, t);
  }
  Tensor stratonovich_drift(const Tensor& x, const Tensor& t, const Tensor& g_slope) {
    const Tensor f = drift(x, t);
    return g_slope.defined() ? f - 0.5 * g_slope : f;
  }

  const Sde& sde_;
  SdeMethod method_;
  Index evaluations_ = 0;
};

// g at each of the times t [N], to broadcast over points of the given rank.
Tensor levels(const NoiseLevel& g, const Tensor& t, int rank) {
  Tensor result = Tensor::empty(t.shape());
  double level = 0;
  for (Index i = 0; i < t.size(); ++i) {
    if (i == 0 || t.data()[i] != t.data()[i - 1]) level = g(static_cast<double>(t.data()[i]));
    require(level >= 0, "noise level: expected g(t) >= 0, got ", level, " at t = ", t.data()[i]);
    result.data()[i] = static_cast<Real>(level);
  }
  return per_sample(result, rank);
}

Velocity diffusion_of(const NoiseLevel& g) {
  return [=](const Tensor& x, const Tensor& t) { return broadcast_to(levels(g, t, x.rank()), x.shape()); };
}

}  // namespace

std::vector<std::string> sde_method_names() {
  std::vector<std::string> names;
  for (const auto& [name, method] : kMethods) names.emplace_back(name);
  return names;
}

SdeMethod find_sde_method(std::string_view name) {
  for (const auto& [known, method] : kMethods) {
    if (name == known) return method;
  }
  fail(unknown_name("SDE solver", name, sde_method_names()));
}

Solution solve(const Sde& sde, const Tensor& x, const std::vector<double>& times, SdeMethod method, BrownianPath& path,
               const Observer& observer) {
  require(times.size() >= 2, "solve: expected at least two times, got ", times.size());
  require(path.shape() == x.shape(), "solve: a Brownian path for points ", path.shape(), ", given points ", x.shape());
  for (std::size_t i = 1; i < times.size(); ++i) {
    require(times[i - 1] < times[i], "solve: the times of an SDE must increase; found ", times[i - 1], " then ",
            times[i]);
  }
  const NoGrad no_grad;
  Stepper stepper(sde, method);
  Solution solution{.x = x.detach(), .evaluations = 0, .evaluated_rows = 0};
  if (observer) observer(0, times[0], solution.x);
  for (std::size_t i = 1; i < times.size(); ++i) {
    check_interruption();
    const double t = times[i - 1];
    solution.x = stepper.step(solution.x, t, times[i] - t, path.increment(t, times[i]));
    if (observer) observer(static_cast<Index>(i), times[i], solution.x);
  }
  solution.evaluations = stepper.evaluations();
  solution.evaluated_rows = solution.evaluations * x.dim(0);
  return solution;
}

Sde sde_of_flow(const Velocity& velocity, const Velocity& score, const NoiseLevel& g) {
  const Velocity drift = [=](const Tensor& x, const Tensor& t) {
    return velocity(x, t) + 0.5 * square(levels(g, t, x.rank())) * score(x, t);
  };
  return {.drift = drift, .diffusion = diffusion_of(g), .additive = true};
}

Sde sde_of_flow(const Velocity& velocity, std::shared_ptr<const Scheduler> scheduler, const NoiseLevel& g) {
  require(scheduler != nullptr, "sde_of_flow: expected a scheduler, got none");
  const Velocity drift = [=](const Tensor& x, const Tensor& t) {
    const Tensor before_end = clamp(t, 0, 1 - kConversionMargin);
    const Tensor u = velocity(x, before_end);
    const Tensor score = convert(u, Prediction::kVelocity, Prediction::kScore, x, before_end, *scheduler);
    return u + 0.5 * square(levels(g, t, x.rank())) * score;
  };
  return {.drift = drift, .diffusion = diffusion_of(g), .additive = true};
}

}  // namespace rill::flow
