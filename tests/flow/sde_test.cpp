// The measured orders of SDE solvers, and SDEs that share a flow's marginals.
#include "flow/solver/sde.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/random.hpp"
#include "flow/model/generate.hpp"
#include "flow/model/stochastic.hpp"
#include "flow/path/path.hpp"
#include "flow/path/prediction.hpp"
#include "flow/solver/brownian.hpp"
#include "nn/time_networks.hpp"
#include "tests/misuse.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
constexpr bool kDouble = sizeof(Real) == 8;

double average(const Tensor& x) { return static_cast<double>(mean(x).item()); }
double variance(const Tensor& x) { return static_cast<double>(mean(square(x - mean(x))).item()); }

// --- Solvers, on geometric Brownian motion dX = mu X dt + nu X dW, X = X_0 exp((mu - nu^2 / 2) t + nu W) -------------

constexpr double kMu = 0.5, kNu = 0.8;

Sde geometric() {
  return {.drift = [](const Tensor& x, const Tensor&) { return kMu * x; },
          .diffusion = [](const Tensor& x, const Tensor&) { return kNu * x; }};
}

struct Errors {
  double strong, weak;  // root mean square, and mean, of X - exact at t = 1
};

Errors errors_of(SdeMethod method, Index steps) {
  const Index n = 20'000;
  BrownianPath path(5, {n, 1});
  const Tensor end = solve(geometric(), Tensor::ones({n, 1}), uniform_grid(0, 1, steps), method, path).x;
  const Tensor exact = exp(kNu * path.at(1) + (kMu - kNu * kNu / 2));
  return {std::sqrt(average(square(end - exact))), average(end - exact)};
}

double measured_order(double coarse, double fine, double ratio) { return std::log(coarse / fine) / std::log(ratio); }

TEST(SdeSolvers, HaveTheirStrongOrders) {
  // The error's own higher terms bend the slope by O(sqrt(h)) for Euler-Maruyama and O(h) for the others; h <= 1/32.
  const struct {
    SdeMethod method;
    double order;
  } expected[] = {{SdeMethod::kEulerMaruyama, 0.5}, {SdeMethod::kMilstein, 1}, {SdeMethod::kHeun, 1}};
  for (const auto& [method, order] : expected) {
    const double coarse = errors_of(method, 32).strong, fine = errors_of(method, 256).strong;
    EXPECT_NEAR(measured_order(coarse, fine, 8), order, 0.1) << static_cast<int>(method);
    EXPECT_LT(coarse, method == SdeMethod::kEulerMaruyama ? 0.3 : 0.06);
  }
}

TEST(SdeSolvers, HaveWeakOrderOne) {
  // The mean of Euler-Maruyama and of Milstein is (1 + mu h)^n exactly, that of the solution e^mu.
  for (const SdeMethod method : {SdeMethod::kEulerMaruyama, SdeMethod::kMilstein}) {
    const Index n = 200'000;
    BrownianPath path(6, {n, 1});
    const Tensor end = solve(geometric(), Tensor::ones({n, 1}), uniform_grid(0, 1, 2), method, path).x;
    EXPECT_NEAR(average(end), std::pow(1 + kMu / 2, 2), 5 * std::sqrt(variance(end) / static_cast<double>(n)));
  }
}

TEST(SdeSolvers, WithoutNoiseAreTheirRungeKuttaMethods) {
  const Velocity u = [](const Tensor& x, const Tensor& t) { return sin(x) + per_sample(t, 2); };
  const Sde still = {.drift = u, .diffusion = [](const Tensor& x, const Tensor&) { return Tensor::zeros(x.shape()); }};
  const Tensor x = Tensor::from({0.1, 1, -2}, {3, 1});
  const std::vector<double> times = uniform_grid(0, 1, 5);
  BrownianPath path(7, x.shape());
  const auto compare = [&](SdeMethod method, const Tableau& tableau) {
    const Solution found = solve(still, x, times, method, path), expected = solve(u, x, times, tableau);
    EXPECT_EQ(found.evaluations, expected.evaluations);
    for (Index i = 0; i < 3; ++i) EXPECT_NEAR(found.x.data()[i], expected.x.data()[i], 1e-6);
  };
  compare(SdeMethod::kEulerMaruyama, kEuler);
  compare(SdeMethod::kMilstein, kEuler);
  compare(SdeMethod::kHeun, kHeun2);
}

TEST(SdeSolvers, ASplitBatchGivesTheSame) {
  const Sde sde = geometric();
  const Tensor x = Tensor::linspace(0.5, 2, 50);
  const std::vector<double> times = uniform_grid(0, 1, 7);
  BrownianPath path(8, {50, 1});
  const Tensor all = solve(sde, reshape(x, {50, 1}), times, SdeMethod::kHeun, path).x;
  BrownianPath part(8, {20, 1}, 0, 1, 30);
  const Tensor last = solve(sde, reshape(slice(x, 0, 30, 50), {20, 1}), times, SdeMethod::kHeun, part).x;
  EXPECT_EQ(last.to_vector(), slice(all, 0, 30, 50).to_vector());
}

TEST(SdeSolvers, TellAnObserverEveryTime) {
  BrownianPath path(9, {4, 1});
  std::vector<double> seen;
  solve(geometric(), Tensor::ones({4, 1}), {0, 0.5, 1}, SdeMethod::kMilstein, path,
        [&](Index position, double t, const Tensor& x) {
          EXPECT_EQ(position, static_cast<Index>(seen.size()));
          EXPECT_EQ(x.shape(), (Shape{4, 1}));
          seen.push_back(t);
        });
  EXPECT_THAT(seen, ::testing::ElementsAre(0, 0.5, 1));
}

TEST(SdeSolvers, MisuseIsExplained) {
  BrownianPath path(10, {2, 1});
  const Tensor x = Tensor::ones({2, 1});
  const auto run = [&](const std::vector<double>& times, const Tensor& points) {
    return misuse([&] { solve(geometric(), points, times, SdeMethod::kHeun, path); });
  };
  EXPECT_THAT(run({0}, x), HasSubstr("at least two times"));
  EXPECT_THAT(run({1, 0}, x), HasSubstr("must increase; found 1 then 0"));
  EXPECT_THAT(run({0, 1}, Tensor::ones({3, 1})), HasSubstr("[2, 1], given points [3, 1]"));
  EXPECT_THAT(misuse([] { find_sde_method("euler"); }), HasSubstr("known: euler-maruyama, milstein, heun"));
  for (const std::string& name : sde_method_names()) find_sde_method(name);
  const Sde negative = sde_of_flow(geometric().drift, geometric().drift, [](double) { return -1; });
  EXPECT_THAT(misuse([&] { negative.drift(x, Tensor::zeros({2})); }), HasSubstr("expected g(t) >= 0, got -1 at t = 0"));
}

// --- Equations with the marginals of a flow --------------------------------------------------------------------------

// The velocity of an affine path from N(0, I) to N(m, s^2 I): x_t is N(alpha m, v I) with v = alpha^2 s^2 + sigma^2,
// and
//   u = alpha' m + (alpha alpha' s^2 + sigma sigma') / v (x - alpha m)
Velocity gaussian_flow(std::shared_ptr<const Scheduler> scheduler, double m, double s) {
  return [=](const Tensor& x, const Tensor& t) {
    Tensor shift = Tensor::empty(t.shape()), slope = Tensor::empty(t.shape());
    for (Index i = 0; i < t.size(); ++i) {
      const Coefficients c = scheduler->at(static_cast<double>(t.data()[i]));
      const double rate =
          (c.alpha * c.d_alpha * s * s + c.sigma_d_sigma) / (c.alpha * c.alpha * s * s + c.sigma * c.sigma);
      slope.data()[i] = static_cast<Real>(rate);
      shift.data()[i] = static_cast<Real>(c.d_alpha * m - rate * c.alpha * m);
    }
    return per_sample(slope, x.rank()) * x + per_sample(shift, x.rank());
  };
}

TEST(SdeOfFlow, HasTheMarginalsOfTheFlow) {
  const double m = 1.5, s = 0.5;
  const Index n = 10'000;
  const std::vector<double> times = uniform_grid(0, 1, 64);
  const std::vector<NoiseLevel> levels = {[](double) { return 0; }, [](double) { return 0.7; },
                                          [](double t) { return 2 * (1 - t); }};
  for (const std::string& name : scheduler_names()) {
    const std::shared_ptr<const Scheduler> scheduler = make_scheduler({.name = name});
    for (std::size_t k = 0; k < levels.size(); ++k) {
      SCOPED_TRACE(name + ", noise level " + std::to_string(k));
      const Sde sde = sde_of_flow(gaussian_flow(scheduler, m, s), scheduler, levels[k]);
      Generator rng(11);
      BrownianPath path(12, {n, 1});
      const Tensor x_0 = Tensor::randn({n, 1}, rng);
      const Observer check = [&](Index position, double t, const Tensor& x) {
        if (position % 16 != 0) return;
        const Coefficients c = scheduler->at(t);
        // vp starts from a mean of alpha m = 0.01 that its noise source lacks; the variance's standard error is 1.4 %.
        const double expected = c.alpha * c.alpha * s * s + c.sigma * c.sigma;
        EXPECT_NEAR(average(x), c.alpha * m, 0.03) << "t = " << t;
        EXPECT_NEAR(variance(x), expected, 0.05 * expected) << "t = " << t;
      };
      solve(sde, x_0, times, SdeMethod::kHeun, path, check);
    }
  }
}

TEST(SdeOfFlow, HasItsDriftUpToTheEnds) {
  const double m = 1.5, s = 0.5, g = 0.8;
  const Tensor x = Tensor::from({0.3, 1, 2}, {3, 1});
  for (const std::string& name : scheduler_names()) {
    const std::shared_ptr<const Scheduler> scheduler = make_scheduler({.name = name});
    const Velocity u = gaussian_flow(scheduler, m, s);
    const Sde sde = sde_of_flow(u, scheduler, [=](double) { return g; });
    for (const double t : {0.0, 0.5, 1.0}) {
      const Coefficients c = scheduler->at(t);
      const Tensor now = Tensor::full({3}, t);
      const Tensor score = (c.alpha * m - x) / (c.alpha * c.alpha * s * s + c.sigma * c.sigma);
      const Tensor expected = u(x, now) + g * g / 2 * score, drift = sde.drift(x, now);
      // At t = 1 the times differ by the margin, and the velocities by their slopes, below 100, times that.
      const double tolerance = t == 1 ? 100 * kConversionMargin : kDouble ? 1e-10 : 1e-4;
      for (Index i = 0; i < 3; ++i) EXPECT_NEAR(drift.data()[i], expected.data()[i], tolerance) << name << " at " << t;
    }
  }
}

TEST(SdeOfFlow, TheNoiseIsReal) {
  // The same marginals, but the end is not a function of the start: with much noise they are nearly independent.
  const auto scheduler = std::make_shared<CondOtScheduler>();
  const Index n = 5000;
  Generator rng(13);
  BrownianPath path(14, {n, 1});
  const Tensor x_0 = Tensor::randn({n, 1}, rng);
  const auto correlation = [&](double g) {
    const Sde sde = sde_of_flow(gaussian_flow(scheduler, 0, 1), scheduler, [=](double) { return g; });
    const Tensor x_1 = solve(sde, x_0, uniform_grid(0, 1, 128), SdeMethod::kEulerMaruyama, path).x;
    return average(x_0 * x_1) / std::sqrt(variance(x_0) * variance(x_1));
  };
  EXPECT_GT(correlation(0), 0.99);
  EXPECT_LT(correlation(2), 0.2);
}

TEST(SdeOfFlow, TheSchroedingerBridgeOfTwoGaussians) {
  // N(-a, 1) to N(a, 1): x_t is N(a (2 t - 1), v), v = (1 - t)^2 + t^2 + t (1 - t) sqrt(4 + sigma^4).
  const double a = 1;
  for (const double sigma : {0.5, 1.0, 2.0}) {
    const double cross = std::sqrt(4 + std::pow(sigma, 4));
    const auto v = [=](const Tensor& t) { return square(1 - t) + square(t) + cross * (t * (1 - t)); };
    const Velocity u = [=](const Tensor& x, const Tensor& t) {
      const Tensor time = per_sample(t, 2), slope = (4 * time - 2 + cross * (1 - 2 * time)) / (2 * v(time));
      return slope * (x - a * (2 * time - 1)) + 2 * a;
    };
    const Velocity score = [=](const Tensor& x, const Tensor& t) {
      const Tensor time = per_sample(t, 2);
      return (a * (2 * time - 1) - x) / v(time);
    };
    const Index n = 160'000;  // a variance's standard error is 0.35 %
    Generator rng(15);
    BrownianPath path(16, {n, 1});
    const Sde bridge = sde_of_flow(u, score, [=](double) { return sigma; });
    const Observer check = [&](Index position, double t, const Tensor& x) {
      if (position % 8 != 0) return;
      const double expected = (1 - t) * (1 - t) + t * t + t * (1 - t) * cross;
      EXPECT_NEAR(average(x), a * (2 * t - 1), 0.02) << "sigma " << sigma << ", t = " << t;
      EXPECT_NEAR(variance(x), expected, 0.02 * expected) << "sigma " << sigma << ", t = " << t;
    };
    solve(bridge, Tensor::randn({n, 1}, rng) - a, uniform_grid(0, 1, 32), SdeMethod::kHeun, path, check);
  }
}

TEST(Generate, StochasticStepsDoNotDependOnThreadsOrGroups) {
  Generator rng(19);
  const auto path = std::make_shared<const AffinePath>(make_path({.name = "cosine"}));
  const Dynamics dynamics{.velocity = velocity_of(nn::make_time_network({.hidden = {8}, .classes = 3}, rng)),
                          .path = path};
  const Index n = 2100;
  const Tensor x_0 = Tensor::randn({n, 2}, rng);
  const Indices labels(rng.integers(n, 3));
  const GenerateOptions options{.solver = StochasticSteps{SdeMethod::kHeun, 5, 0.8, 20}, .keep_trajectory = true};
  const int threads = thread_count();
  set_thread_count(1);
  const Generated serial = generate(dynamics, x_0, labels, options);
  set_thread_count(3);
  const Generated parallel = generate(dynamics, x_0, labels, options);
  set_thread_count(threads);
  EXPECT_EQ(serial.x.to_vector(), parallel.x.to_vector());
  EXPECT_EQ(serial.evaluations, 10);
  ASSERT_EQ(serial.trajectory.size(), 6u);
  EXPECT_EQ(serial.trajectory.front().to_vector(), x_0.to_vector());
  EXPECT_EQ(serial.trajectory.back().to_vector(), serial.x.to_vector());
  BrownianPath motion(20, x_0.shape());
  const NoiseLevel g = [&](double t) { return std::sqrt(0.8 * path->scheduler().at(t).sigma); };
  const Sde sde = sde_of(dynamics, labels, g);
  const Tensor whole = solve(sde, x_0, uniform_grid(0, 1, 5), SdeMethod::kHeun, motion).x;
  for (Index i = 0; i < 2 * n; ++i) EXPECT_NEAR(serial.x.data()[i], whole.data()[i], 1e-5);
}

TEST(NoiseLevel, IsTheBridgesOwnOrFadesWithTheNoiseOfThePath) {
  const NoiseLevel bridge = noise_level(
      {.velocity = {},
       .path = std::make_shared<const AffinePath>(make_path({.name = "schroedinger-bridge", .sigma = 0.5}))},
      2);
  EXPECT_DOUBLE_EQ(bridge(0.1), 1);
  EXPECT_DOUBLE_EQ(bridge(0.9), 1);
  const NoiseLevel straight =
      noise_level({.velocity = {}, .path = std::make_shared<const AffinePath>(make_path({}))}, 3);
  EXPECT_NEAR(straight(0.25), std::sqrt(3 * 0.75), 1e-12);
  EXPECT_EQ(straight(1), 0);
}

TEST(ModelSde, UsesTheScoreThatTheModelLearned) {
  Generator rng(21);
  const double sigma = 0.5;
  const Dynamics dynamics{
      .velocity = velocity_of(nn::make_time_network({.hidden = {8}, .classes = 2}, rng)),
      .path = std::make_shared<const AffinePath>(make_path({.name = "schroedinger-bridge", .sigma = sigma})),
      .score_drift = velocity_of(nn::make_time_network({.hidden = {8}, .classes = 2}, rng))};
  const Tensor x = Tensor::randn({4, 2}, rng), t = Tensor::full({4}, 0.3);
  for (const Indices& labels : {Indices(), Indices({0, 1, 1, 2})}) {
    const Tensor with_noise = sde_of(dynamics, labels, [=](double) { return 2 * sigma; }).drift(x, t);
    // g^2 / 2 = 4 sigma^2 / 2
    const Tensor expected = (*dynamics.velocity)(x, t, labels) + 4 * (*dynamics.score_drift)(x, t, labels);
    for (Index i = 0; i < 8; ++i) EXPECT_NEAR(with_noise.data()[i], expected.data()[i], 1e-5);
  }
}

TEST(ModelSde, MisuseIsExplained) {
  Generator rng(22);
  const auto field = velocity_of(nn::make_time_network({.hidden = {8}}, rng)),
             score = velocity_of(nn::make_time_network({.hidden = {8}}, rng));
  const auto straight = std::make_shared<const AffinePath>(make_path({})),
             bridge = std::make_shared<const AffinePath>(make_path({.name = "schroedinger-bridge", .sigma = 1}));
  const NoiseLevel g = [](double) { return 1; };
  EXPECT_THAT(misuse([&] { sde_of({.velocity = field, .path = bridge}, {}, g); }),
              HasSubstr("train a model that also learns a score"));
  EXPECT_THAT(misuse([&] { sde_of({.velocity = field, .path = straight, .score_drift = score}, {}, g); }),
              HasSubstr("needs the Schroedinger bridge"));
  EXPECT_THAT(misuse([&] { sde_of({.velocity = field, .path = straight, .no_score = "not of this one"}, {}, g); }),
              HasSubstr("not of this one"));
  EXPECT_THAT(misuse([&] { sde_of({.velocity = field}, {}, g); }), HasSubstr("no path"));
  const Tensor x_0 = Tensor::zeros({3, 2});
  EXPECT_THAT(misuse([&] { generate({.velocity = field}, x_0, {}, {.solver = StochasticSteps{}}); }),
              HasSubstr("need the path"));
}

}  // namespace
}  // namespace rill::flow
