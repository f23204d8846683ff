// Conversions between predictions up to both ends of the path, and the inverse of a scheduler.
#include "flow/path/prediction.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <iterator>
#include <vector>

#include "autodiff/ops.hpp"
#include "flow/path/forward_sde.hpp"
#include "flow/path/scheduler.hpp"

namespace rill::flow {
namespace {

constexpr Prediction kAll[] = {Prediction::kVelocity, Prediction::kData, Prediction::kNoise, Prediction::kScore,
                               Prediction::kV};
constexpr int kCount = std::size(kAll);

std::vector<std::shared_ptr<const Scheduler>> all_schedulers() {
  std::vector<std::shared_ptr<const Scheduler>> result;
  for (const std::string& name : scheduler_names()) result.push_back(make_scheduler({.name = name, .power = 2}));
  return result;
}

// Those of diffusions, too: they do not start from pure standard normal noise, or do not end at data alone.
std::vector<std::shared_ptr<const Scheduler>> with_diffusions() {
  std::vector<std::shared_ptr<const Scheduler>> result = all_schedulers();
  for (const std::string& name : forward_sde_names()) result.push_back(forward_scheduler({.name = name}));
  return result;
}

double apply(const Conversion& c, double value, double point) { return c.of_value * value + c.of_point * point; }

// x_1 = 0.7 and x_0 = -1.3 at time t: the point, and each of the five quantities.
struct Truth {
  double point, value[kCount];
};
Truth truth_at(const Scheduler& scheduler, double t) {
  const double x_1 = 0.7, x_0 = -1.3;
  const Coefficients c = scheduler.at(t);
  return {c.alpha * x_1 + c.sigma * x_0,
          {c.d_alpha * x_1 + c.d_sigma * x_0, x_1, x_0, -x_0 / c.sigma,
           (c.alpha * x_0 - c.sigma * x_1) / std::hypot(c.alpha, c.sigma)}};
}

TEST(Conversion, HoldsInTheMiddleAndCloseToTheEnds) {
  for (const auto& scheduler : with_diffusions()) {
    for (const double t : {1e-6, 1e-3, 0.3, 0.8, 1 - 1e-3, 1 - 1e-6}) {
      const Truth truth = truth_at(*scheduler, t);
      for (int from = 0; from < kCount; ++from) {
        for (int to = 0; to < kCount; ++to) {
          // Data is known from noise to 1e-16 / alpha, which is 1e-12 for the square at t = 1e-6.
          EXPECT_NEAR(apply(conversion(kAll[from], kAll[to], t, *scheduler), truth.value[from], truth.point),
                      truth.value[to], 1e-3 * (1 + std::abs(truth.value[to])))
              << scheduler->name() << " at " << t << " from " << from << " to " << to;
        }
      }
    }
  }
}

TEST(Conversion, IsFiniteAtBothEnds) {
  for (const auto& scheduler : with_diffusions()) {
    for (const double t : {0.0, 1.0}) {
      for (const Prediction from : kAll) {
        for (const Prediction to : kAll) {
          const Conversion c = conversion(from, to, t, *scheduler);
          EXPECT_TRUE(std::isfinite(static_cast<Real>(c.of_value)) && std::isfinite(static_cast<Real>(c.of_point)))
              << scheduler->name() << " at " << t << " from " << static_cast<int>(from) << " to "
              << static_cast<int>(to);
        }
      }
    }
  }
}

void expect_conversion(const Scheduler& scheduler, double t, Prediction from, Prediction to, double of_value,
                       double of_point) {
  const Conversion c = conversion(from, to, t, scheduler);
  const std::string what = scheduler.name() + " from " + std::to_string(static_cast<int>(from)) + " to " +
                           std::to_string(static_cast<int>(to));
  EXPECT_NEAR(c.of_value, of_value, 1e-12) << what;
  EXPECT_NEAR(c.of_point, of_point, 1e-12) << what;
}

TEST(Conversion, AtTheStartThePointIsTheNoise) {
  for (const auto& scheduler : all_schedulers()) {
    const Coefficients c = scheduler->at(0);
    if (c.alpha != 0) continue;  // vp only comes close, and has every conversion
    for (const Prediction from : {Prediction::kVelocity, Prediction::kData}) {
      expect_conversion(*scheduler, 0, from, Prediction::kNoise, 0, 1);
      expect_conversion(*scheduler, 0, from, Prediction::kScore, 0, -1);
    }
    expect_conversion(*scheduler, 0, Prediction::kNoise, Prediction::kScore, -1, 0);
    expect_conversion(*scheduler, 0, Prediction::kData, Prediction::kVelocity, c.d_alpha, c.d_sigma);  // sigma = 1
    if (c.d_alpha != 0) {
      expect_conversion(*scheduler, 0, Prediction::kVelocity, Prediction::kData, 1 / c.d_alpha, -c.d_sigma / c.d_alpha);
    }
  }
}

TEST(Conversion, AtTheEndThePointIsTheData) {
  for (const auto& scheduler : all_schedulers()) {
    const Coefficients c = scheduler->at(1);
    ASSERT_EQ(c.sigma, 0) << scheduler->name();
    for (const Prediction from : {Prediction::kVelocity, Prediction::kNoise, Prediction::kScore}) {
      expect_conversion(*scheduler, 1, from, Prediction::kData, 0, 1);
    }
    expect_conversion(*scheduler, 1, Prediction::kScore, Prediction::kNoise, 0, 0);
    // u = alpha' x_1 + sigma' x_0 with x_0 = -sigma score
    expect_conversion(*scheduler, 1, Prediction::kScore, Prediction::kVelocity, -c.sigma_d_sigma, c.d_alpha);
    if (std::isinf(c.d_sigma)) {
      expect_conversion(*scheduler, 1, Prediction::kVelocity, Prediction::kScore, -1 / c.sigma_d_sigma,
                        c.d_alpha / c.sigma_d_sigma);
      expect_conversion(*scheduler, 1, Prediction::kVelocity, Prediction::kNoise, 0, 0);
    } else {
      expect_conversion(*scheduler, 1, Prediction::kVelocity, Prediction::kNoise, 1 / c.d_sigma,
                        -c.d_alpha / c.d_sigma);
      expect_conversion(*scheduler, 1, Prediction::kNoise, Prediction::kVelocity, c.d_sigma, c.d_alpha);
    }
  }
}

TEST(Scheduler, TheInverseFindsTheTime) {
  for (const auto& scheduler : all_schedulers()) {
    for (const double t : {0.0, 1e-6, 0.01, 0.3, 0.5, 0.9, 1 - 1e-6, 1.0}) {
      const Coefficients c = scheduler->at(t);
      EXPECT_NEAR(scheduler->time_of(c.alpha, c.sigma), t, 1e-10) << scheduler->name();
      EXPECT_NEAR(scheduler->time_of(3 * c.alpha, 3 * c.sigma), t, 1e-10) << "only the ratio counts";
    }
    EXPECT_EQ(scheduler->time_of(0, 1), 0);
    EXPECT_NEAR(scheduler->time_of(1, 0), 1, 1e-15);
  }
  EXPECT_EQ(VpScheduler().time_of(1e-4, 1), 0) << "vp begins with some data";
  EXPECT_EQ(CondOtScheduler(0.1).time_of(1, 0.01), 1) << "and this ends with some noise";
}

TEST(Scheduler, TheVarianceHasAFiniteSlope) {
  for (const auto& scheduler : with_diffusions()) {
    for (const double t : {0.0, 0.4, 0.9}) {
      const Coefficients c = scheduler->at(t);
      EXPECT_NEAR(c.sigma_d_sigma, c.sigma * c.d_sigma, 1e-12) << scheduler->name();
    }
    EXPECT_TRUE(std::isfinite(scheduler->at(1).sigma_d_sigma));
  }
}

}  // namespace
}  // namespace rill::flow
