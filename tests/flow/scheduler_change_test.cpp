// One flow on the paths of several schedulers.
#include "flow/model/scheduler_change.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "autodiff/ops.hpp"
#include "flow/model/generate.hpp"
#include "flow/path/path.hpp"
#include "flow/path/prediction.hpp"
#include "flow/solver/ode.hpp"
#include "nn/time_networks.hpp"
#include "tests/misuse.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
constexpr bool kDouble = sizeof(Real) == 8;

std::vector<std::shared_ptr<const Scheduler>> all_schedulers() {
  std::vector<std::shared_ptr<const Scheduler>> result;
  for (const std::string& name : scheduler_names()) result.push_back(make_scheduler({.name = name, .power = 2}));
  return result;
}

// The velocity of a scheduler's path from N(0, 1) to N(m, s^2), at one point.
double gaussian_velocity(const Scheduler& scheduler, double m, double s, double x, double t) {
  const Coefficients c = scheduler.at(t);
  const double rate = (c.alpha * c.d_alpha * s * s + c.sigma_d_sigma) / (c.alpha * c.alpha * s * s + c.sigma * c.sigma);
  return c.d_alpha * m + rate * (x - c.alpha * m);
}

Velocity gaussian_flow(std::shared_ptr<const Scheduler> scheduler, double m, double s) {
  return [=](const Tensor& x, const Tensor& t) {
    Tensor u = Tensor::empty(x.shape());
    for (Index i = 0; i < x.size(); ++i) {
      u.data()[i] = static_cast<Real>(
          gaussian_velocity(*scheduler, m, s, static_cast<double>(x.data()[i]), static_cast<double>(t.data()[i])));
    }
    return u;
  };
}

TEST(SchedulerChange, GivesTheVelocityThatTheOtherSchedulerHas) {
  const double m = 1.5, s = 0.5, x = 0.8;
  for (const auto& from : all_schedulers()) {
    for (const auto& to : all_schedulers()) {
      for (const double r : {1e-6, 0.1, 0.4, 0.7, 0.99, 1 - 1e-6}) {
        // vp begins at alpha = 0.0066: it lacks the first moments of the others.
        if (from->name() == "vp" && to->at(r).alpha < 0.01 * to->at(r).sigma) continue;
        const PathChange change = path_change(*from, *to, r);
        const double u = gaussian_velocity(*from, m, s, x / change.scale, change.t);
        const double found = change.d_log_scale * x + change.scale * change.d_t * u;
        const double expected = gaussian_velocity(*to, m, s, x, r);
        // Close to t = 1 the times of score-based schedulers carry 1e-16 / (1 - t) into sigma'.
        EXPECT_NEAR(found, expected, 1e-6 * (1 + std::abs(expected)))
            << from->name() << " to " << to->name() << " at " << r;
      }
    }
  }
}

TEST(SchedulerChange, IsFiniteAtBothEndsAndExactWhereItIsDetermined) {
  for (const auto& from : all_schedulers()) {
    for (const auto& to : all_schedulers()) {
      for (const double r : {0.0, 1.0}) {
        const PathChange change = path_change(*from, *to, r);
        EXPECT_TRUE(std::isfinite(change.scale) && change.scale > 0 && std::isfinite(change.d_t) &&
                    std::isfinite(change.d_log_scale) && 0 <= change.t && change.t <= 1)
            << from->name() << " to " << to->name() << " at " << r;
      }
    }
  }
  const CondOtScheduler straight;
  const CosineScheduler cosine;
  const PathChange start = path_change(straight, cosine, 0), end = path_change(straight, cosine, 1);
  // t = tan / (1 + tan), s = cos + sin of pi r / 2: t' = pi / 2 and s' / s = pi / 2 at the start, -pi / 2 at the end.
  const double quarter = std::acos(0.0);
  EXPECT_NEAR(start.t, 0, 1e-15);
  EXPECT_NEAR(end.t, 1, 1e-15);
  for (const PathChange& change : {start, end}) {
    EXPECT_NEAR(change.scale, 1, 1e-15);
    EXPECT_NEAR(change.d_t, quarter, 1e-12);
  }
  EXPECT_NEAR(start.d_log_scale, quarter, 1e-12);
  EXPECT_NEAR(end.d_log_scale, -quarter, 1e-12);
}

TEST(SchedulerChange, KeepsTheEndPoint) {
  // u = x t^2 carries x_0 to e^(1/3) x_0, on the path of any scheduler that starts and ends at pure noise and data.
  const Velocity u = [](const Tensor& x, const Tensor& t) { return x * per_sample(square(t), 2); };
  const auto straight = std::make_shared<CondOtScheduler>();
  const Tensor x_0 = Tensor::from({1, -2}, {2, 1});
  for (const auto& to : all_schedulers()) {
    if (to->name() == "vp") continue;
    const Velocity changed = change_scheduler(u, straight, to);
    // Quadratically finer toward t = 1, where a variance-preserving scheduler's sigma falls like a root.
    std::vector<double> times = uniform_grid(0, 1, 400);
    for (double& t : times) t = 1 - (1 - t) * (1 - t);
    const Tensor x_1 = solve(changed, x_0, times, kRk4).x;
    const double tolerance = to->name() == "linear-vp" ? 2e-3 : kDouble ? 1e-6 : 1e-4;
    EXPECT_NEAR(x_1.data()[0], 1.395612, tolerance) << to->name();
    EXPECT_NEAR(x_1.data()[1], -2 * 1.395612, 2 * tolerance) << to->name();
  }
}

TEST(SchedulerChange, ThereAndBackIsTheVelocity) {
  const auto straight = std::make_shared<CondOtScheduler>();
  const Velocity u = gaussian_flow(straight, 1, 0.5);
  const Tensor x = Tensor::from({0.3, -1, 2, 0.5}, {4, 1}), t = Tensor::from({0.05, 0.4, 0.7, 0.95}, {4});
  const Tensor expected = u(x, t);
  for (const auto& to : all_schedulers()) {
    const Tensor found = change_scheduler(change_scheduler(u, straight, to), to, straight)(x, t);
    for (Index i = 0; i < 4; ++i) EXPECT_NEAR(found.data()[i], expected.data()[i], kDouble ? 1e-9 : 2e-4) << to->name();
  }
}

TEST(SchedulerChange, StandsStillBeyondTheSharesOfTheFirst) {
  const VpScheduler vp;
  const CondOtScheduler straight;
  const PathChange change = path_change(vp, straight, 1e-4);
  EXPECT_EQ(change.t, 0);
  EXPECT_EQ(change.d_t, 0);
  EXPECT_NEAR(change.scale, 1, 1e-3);
  EXPECT_THAT(misuse([] { change_scheduler({}, nullptr, nullptr); }), HasSubstr("expected two schedulers"));
}

TEST(SchedulerChange, OfAModel) {
  Generator rng(7);
  const auto model = nn::make_time_network({.hidden = {8}, .classes = 2}, rng);
  const auto straight = std::make_shared<const AffinePath>(make_path({}));
  const Dynamics dynamics{.velocity = velocity_of(model), .path = straight};
  const Dynamics other = on_scheduler(dynamics, "cosine");
  const Tensor x_0 = Tensor::randn({5, 2}, rng);
  const Indices labels({0, 1, 0, 2, 1});
  const Tensor end = generate(dynamics, x_0, labels, {.solver = FixedSteps{&kRk4, 100}}).x;
  const Tensor same = generate(other, x_0, labels, {.solver = FixedSteps{&kRk4, 100}}).x;
  for (Index i = 0; i < 10; ++i) EXPECT_NEAR(same.data()[i], end.data()[i], kDouble ? 1e-7 : 1e-4);
  EXPECT_EQ(other.path->scheduler().at(0.5).alpha, make_scheduler({.name = "cosine"})->at(0.5).alpha);
  const RescheduledVelocity field(velocity_of(model), make_scheduler({}), make_scheduler({.name = "cosine"}));
  const Tensor t = Tensor::full({5}, 0.3);
  EXPECT_EQ(field(x_0, t, labels).to_vector(), (*other.velocity)(x_0, t, labels).to_vector());
}

TEST(SchedulerChange, OfDynamicsNeedsAPathWithoutNoise) {
  Generator rng(8);
  const auto field = velocity_of(nn::make_time_network({.hidden = {4}}, rng));
  EXPECT_THAT(misuse([&] { on_scheduler({.velocity = field}, "cosine"); }), HasSubstr("these dynamics have no path"));
  const auto noisy = std::make_shared<const AffinePath>(make_path({.name = "i-cfm", .sigma = 0.1}));
  EXPECT_THAT(misuse([&] { on_scheduler({.velocity = field, .path = noisy}, "cosine"); }),
              HasSubstr("noise of its own, which no scheduler has"));
  const auto straight = std::make_shared<const AffinePath>(make_path({}));
  EXPECT_THAT(misuse([&] { on_scheduler({.velocity = field, .path = straight}, "slow"); }), HasSubstr("slow"));
}

}  // namespace
}  // namespace rill::flow
