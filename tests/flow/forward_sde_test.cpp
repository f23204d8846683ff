// The SDEs that turn data into noise, and every way back.
#include "flow/path/forward_sde.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <variant>
#include <vector>

#include "autodiff/parallel.hpp"
#include "flow/metrics/likelihood.hpp"
#include "flow/model/generate.hpp"
#include "flow/model/scheduler_change.hpp"
#include "tests/flow/exact_diffusion.hpp"
#include "tests/misuse.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;

double average(const Tensor& x) { return static_cast<double>(mean(x).item()); }

// From s = 0 on.
std::unique_ptr<Scheduler> whole(const std::string& name) {
  if (name == "vp") return std::make_unique<VpScheduler>(0.1, 20);
  if (name == "sub-vp") return std::make_unique<SubVpScheduler>(0.1, 20);
  if (name == "cosine") return std::make_unique<CosineScheduler>(0.008);
  return std::make_unique<VeScheduler>(0.01, 50);
}

TEST(ForwardSde, HasTheMomentsOfItsEquation) {
  // dm/ds = f m and dv/ds = 2 f v + g^2, from a known point, with f and g written out as in Song et al. 2021, table 1.
  struct Sde {
    double f, g2;
  };
  constexpr double b = 0.1, B = 20, low = 0.01, high = 50;
  const auto total = [](double s) { return s * b + s * s * (B - b) / 2; };
  const auto equation = [&](const std::string& name, double s) -> Sde {
    const double beta = b + s * (B - b);
    if (name == "vp") return {-beta / 2, beta};
    if (name == "sub-vp") return {-beta / 2, beta * (1 - std::exp(-2 * total(s)))};
    const double sigma = low * std::pow(high / low, s);
    return {0, 2 * sigma * sigma * std::log(high / low)};
  };
  for (const std::string name : {"vp", "sub-vp", "ve"}) {
    const auto scheduler = whole(name);
    constexpr int kSteps = 20'000;
    double m = 1, v = name == "ve" ? low * low : 0;
    const auto slope = [&](double s, double mean, double variance) {
      const auto [f, g2] = equation(name, s);
      return std::pair(f * mean, 2 * f * variance + g2);
    };
    for (int i = 0; i < kSteps; ++i) {
      const double s = static_cast<double>(i) / kSteps, h = 1.0 / kSteps;
      const auto [m1, v1] = slope(s, m, v);
      const auto [m2, v2] = slope(s + h / 2, m + h / 2 * m1, v + h / 2 * v1);
      m += h * m2;
      v += h * v2;
      if ((i + 1) % 5000 != 0) continue;
      const double t = 1 - static_cast<double>(i + 1) / kSteps;
      const Coefficients c = scheduler->at(t);
      EXPECT_NEAR(c.alpha, m, 1e-6) << name << " at " << t;
      EXPECT_NEAR(c.sigma * c.sigma, v, 1e-6 * (1 + v)) << name << " at " << t;
      EXPECT_NEAR(squared_diffusion(c), equation(name, 1 - t).g2, 1e-9 * (1 + v)) << name << " at " << t;
    }
  }
  // beta of cosine is the slope of -ln alpha^2.
  const auto cosine = forward_scheduler({.name = "cosine"});
  const Coefficients c = cosine->at(0.5);
  EXPECT_NEAR(c.alpha * c.alpha + c.sigma * c.sigma, 1, 1e-12);
  EXPECT_NEAR(squared_diffusion(c), 2 * c.d_alpha / c.alpha, 1e-12);
}

TEST(ForwardSde, EndsInNoiseThatHidesTheData) {
  for (const std::string& name : forward_sde_names()) {
    const auto scheduler = forward_scheduler({.name = name});
    const Coefficients start = scheduler->at(0.0), end = scheduler->at(1.0);
    EXPECT_LT(start.alpha / start.sigma, 0.051) << name;
    EXPECT_LE(end.sigma, 0.0106) << name;
    EXPECT_GT(end.sigma, 0) << name << ": a network's error would have no bound";
    EXPECT_NEAR(end.alpha, 1, 1e-4) << name;
    EXPECT_EQ(scheduler->at(0.5).alpha, whole(name)->at(name == "ve" ? 0.5 : 0.4995).alpha) << name;
    EXPECT_NEAR(noise_deviation(*scheduler), name == "ve" ? std::hypot(1, 50) : 1, 1e-4) << name;
    for (const double t : {0.0, 0.3, 0.8, 1.0}) {
      EXPECT_NEAR(scheduler->time_of(3 * scheduler->at(t).alpha, 3 * scheduler->at(t).sigma), t, 1e-7) << name;
      EXPECT_GE(bounded_diffusion(scheduler->at(t)), 0) << name;
      EXPECT_TRUE(std::isfinite(bounded_diffusion(scheduler->at(t)))) << name;
      const double h = 1e-6;
      if (t == 0 || t == 1) continue;
      const Coefficients c = scheduler->at(t), above = scheduler->at(t + h), below = scheduler->at(t - h);
      EXPECT_NEAR(c.d_alpha, (above.alpha - below.alpha) / (2 * h), 1e-6) << name;
      EXPECT_NEAR(c.d_sigma, (above.sigma - below.sigma) / (2 * h), 1e-5 * (1 + std::abs(c.d_sigma))) << name;
    }
  }
}

TEST(ForwardSde, RefusesWhatIsNone) {
  EXPECT_THAT(misuse([] { forward_scheduler({.name = "vpp"}); }),
              HasSubstr("unknown forward SDE 'vpp' (did you mean vp?); known: vp"));
  EXPECT_THAT(misuse([] { forward_scheduler({.name = "ve", .sigma_min = 3, .sigma_max = 2}); }),
              HasSubstr("expected 0 < sigma_min < sigma_max, got 3 and 2"));
  EXPECT_THAT(misuse([] { forward_scheduler({.name = "sub-vp", .beta_min = 3, .beta_max = 2}); }),
              HasSubstr("got 3 and 2"));
}

// Every sampler brings the noise of every SDE to the same data: mean, variance and the weights of both modes.
TEST(WaysBack, AllReachTheSameMixture) {
  const TwoGaussians data;
  const Index n = 4000;
  const struct {
    const char* name;
    GenerateOptions options;
    double bias;  // of the method's steps, on the variance; a tenth of it on the share
  } ways[] = {
      {"Euler", {.solver = FixedSteps{&kEuler, 200}}, 0.03},
      {"RK4", {.solver = FixedSteps{&kRk4, 100}}, 0.01},
      {"dopri5", {.solver = AdaptiveOptions{}}, 0.02},
      {"Euler-Maruyama", {.solver = StochasticSteps{.steps = 200, .seed = 2}}, 0.05},
      {"stochastic Heun", {.solver = StochasticSteps{.method = SdeMethod::kHeun, .steps = 200, .seed = 2}}, 0.05},
      {"ancestral", {.solver = AncestralSteps{.steps = 200, .seed = 2}}, 0.05},
      {"DDIM", {.solver = AncestralSteps{.steps = 200, .eta = 0}}, 0.03},
      {"predictor-corrector", {.solver = AncestralSteps{.steps = 100, .corrections = 1, .seed = 2}}, 0.1},
      {"annealed Langevin", {.solver = LangevinSteps{.levels = 12, .steps = 50, .step_size = 0.1, .seed = 2}}, 0.5},
  };
  for (const std::string& name : forward_sde_names()) {
    const Dynamics dynamics = exact_dynamics(name);
    Generator rng(11);
    const Tensor x_0 = dynamics.sample_source(n, rng);
    for (const auto& way : ways) {
      const Tensor x = generate(dynamics, x_0, {}, way.options).x;
      const double error = 1 / std::sqrt(static_cast<double>(n));
      const std::string what = name + " by " + way.name;
      const double share = average(less(x, Tensor::scalar(-0.5))), m = average(x);
      EXPECT_NEAR(share, data.weight, 4 * error * std::sqrt(data.weight * (1 - data.weight)) + way.bias / 10) << what;
      EXPECT_NEAR(m, data.mean(), 4 * error * std::sqrt(data.variance()) + way.bias / 3) << what;
      EXPECT_NEAR(average(square(x - m)), data.variance(), 6 * error * data.variance() + way.bias) << what;
    }
  }
}

TEST(WaysBack, TheFlowHasTheDensityOfTheData) {
  for (const std::string& name : forward_sde_names()) {
    const Dynamics dynamics = exact_dynamics(name);
    const Tensor x = Tensor::from({-2, 0.2, 1}, {3, 1});
    LikelihoodOptions options;
    options.source = dynamics.source_log_density;
    const Tensor log_p = log_likelihood(dynamics.velocity, x, {}, options).log_p;
    for (Index i = 0; i < 3; ++i) {
      EXPECT_NEAR(static_cast<double>(log_p.data()[i]),
                  std::log(TwoGaussians().density(static_cast<double>(x.data()[i]))), 0.01)
          << name;
    }
  }
}

TEST(WaysBack, DoNotDependOnGroupsOrThreads) {
  const Dynamics dynamics = exact_dynamics("vp");
  Generator rng(3);
  const Tensor x_0 = dynamics.sample_source(3000, rng);
  const GenerateOptions ways[] = {{.solver = AncestralSteps{.steps = 5, .corrections = 1, .seed = 4}},
                                  {.solver = LangevinSteps{.levels = 2, .steps = 3, .seed = 4}}};
  for (const GenerateOptions& options : ways) {
    const int threads = thread_count();
    set_thread_count(1);
    const std::vector<Real> alone = generate(dynamics, x_0, {}, options).x.to_vector();
    set_thread_count(3);
    EXPECT_EQ(generate(dynamics, x_0, {}, options).x.to_vector(), alone);
    set_thread_count(threads);
    // The first rows are the same in a smaller batch.
    const Tensor few = generate(dynamics, slice(x_0, 0, 0, 700), {}, options).x;
    EXPECT_EQ(few.to_vector(), std::vector<Real>(alone.begin(), alone.begin() + 700));
  }
}

TEST(WaysBack, KeepTheirTrajectories) {
  const Dynamics dynamics = exact_dynamics("ve");
  Generator rng(3);
  const Tensor x_0 = dynamics.sample_source(10, rng);
  GenerateOptions options{.solver = AncestralSteps{.steps = 4, .corrections = 2}, .keep_trajectory = true};
  Generated found = generate(dynamics, x_0, {}, options);
  EXPECT_EQ(found.evaluations, 4 * 3 - 2);
  ASSERT_EQ(found.trajectory.size(), 5U);
  EXPECT_EQ(found.trajectory.front().to_vector(), x_0.to_vector());
  EXPECT_EQ(found.trajectory.back().to_vector(), found.x.to_vector());
  options.solver = LangevinSteps{.levels = 3, .steps = 7};
  found = generate(dynamics, x_0, {}, options);
  EXPECT_EQ(found.evaluations, 3 * 7 + 1);
  ASSERT_EQ(found.trajectory.size(), found.times.size());
  for (const Tensor& x : found.trajectory) EXPECT_NE(average(square(x)), 0) << "a report is missing";
  EXPECT_EQ(found.trajectory.back().to_vector(), found.x.to_vector());
}

TEST(WaysBack, NeedAScore) {
  Dynamics dynamics = exact_dynamics("vp");
  dynamics.no_score = "it was lost";
  Generator rng(3);
  const Tensor x_0 = dynamics.sample_source(4, rng);
  for (const GenerateOptions& options :
       {GenerateOptions{.solver = AncestralSteps{}}, GenerateOptions{.solver = LangevinSteps{}}}) {
    EXPECT_THAT(misuse([&] { generate(dynamics, x_0, {}, options); }), HasSubstr("score: it was lost"));
  }
  dynamics.no_score = "";
  EXPECT_THAT(misuse([&] { generate(dynamics, x_0, {}, {.solver = AncestralSteps{.eta = 2}}); }),
              HasSubstr("expected 0 <= eta <= 1, got 2"));
  EXPECT_THAT(misuse([&] { generate(dynamics, x_0, {}, {.solver = LangevinSteps{.levels = 0}}); }),
              HasSubstr("levels: expected 1 to 1000, got 0"));
  EXPECT_THAT(misuse([&] { generate(dynamics, x_0, {}, {.solver = LangevinSteps{.least_noise = 30}}); }),
              HasSubstr("below 20, got 30"));
  EXPECT_THAT(misuse([&] { generate(dynamics, x_0, {}, {.solver = LangevinSteps{.step_size = 0}}); }),
              HasSubstr("step size above 0"));
}

// A diffusion's flow can be moved to a path whose source has another width.
TEST(WaysBack, AnExplodingVarianceFitsAnotherScheduler) {
  const Dynamics straight = on_scheduler(exact_dynamics("ve"), "cond-ot");
  Generator rng(12);
  const Tensor x_0 = straight.sample_source(5'000, rng);
  EXPECT_NEAR(average(square(x_0)), 1, 0.05);
  const Tensor x = generate(straight, x_0, {}, {.solver = FixedSteps{&kRk4, 200}}).x;
  const TwoGaussians data;
  EXPECT_NEAR(average(x), data.mean(), 0.08);
  EXPECT_NEAR(average(less(x, Tensor::scalar(-0.5))), data.weight, 0.03);
}

}  // namespace
}  // namespace rill::flow
