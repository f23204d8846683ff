// Arcs between points, and mixtures of classes.
#include "flow/model/interpolation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "autodiff/random.hpp"
#include "flow/model/guidance.hpp"
#include "nn/time_networks.hpp"

namespace rill::flow {
namespace {

constexpr double kRounding = sizeof(Real) == 4 ? 1e-5 : 1e-12;

TEST(SphericalInterpolation, FollowsTheArc) {
  const Tensor a = Tensor::from({1, 0, 1, 0, 1, 0}, {3, 2}), b = Tensor::from({0, 1, 0, 1, 0, 1}, {3, 2});
  const Tensor x = spherical_interpolation(a, b, Tensor::from({0, Real(1) / 3, 1}, {3}));
  const double angles[] = {0, std::numbers::pi / 6, std::numbers::pi / 2};
  for (Index n = 0; n < 3; ++n) {
    EXPECT_NEAR(x.data()[2 * n], std::cos(angles[n]), kRounding);
    EXPECT_NEAR(x.data()[2 * n + 1], std::sin(angles[n]), kRounding);
  }
}

TEST(SphericalInterpolation, KeepsTheNormOfNoise) {
  Generator rng(1);
  const Index d = 784;
  const Tensor a = Tensor::randn({50, d}, rng), b = Tensor::randn({50, d}, rng);
  const Tensor x = spherical_interpolation(a, b, Tensor::full({50}, 0.5));
  // The mean square stays 1 to within sqrt(2 / (50 * 784)); the straight line's would be 1/2.
  EXPECT_NEAR(mean(square(x)).item(), 1, 0.02);
}

TEST(SphericalInterpolation, OneDirectionIsAStraightLine) {
  const Tensor a = Tensor::from({2, 0, 0, 0}, {2, 2}), b = Tensor::from({4, 0, 3, 1}, {2, 2});
  const Tensor x = spherical_interpolation(a, b, Tensor::full({2}, 0.25));
  EXPECT_NEAR(x.data()[0], 2.5, kRounding);
  EXPECT_NEAR(x.data()[1], 0, kRounding);
  EXPECT_NEAR(x.data()[2], 0.75, kRounding);  // from the origin, which has no direction
  EXPECT_NEAR(x.data()[3], 0.25, kRounding);
}

TEST(ClassMixtures, MixTheVelocities) {
  Generator rng(2);
  const auto model = nn::make_time_network({.dimension = 2, .hidden = {16}, .classes = 3}, rng);
  const ClassMixtures mixtures(velocity_of(model), {{0, 1, 0}, {0, 2, 0.25}, {1, 2, 1}});
  EXPECT_EQ(mixtures.classes(), 3);
  const Tensor x = Tensor::randn({4, 2}, rng), t = Tensor::rand({4}, rng);
  const Tensor v = mixtures(x, t, Indices({0, 1, 2, 3}));
  const auto of = [&](Index label) { return model->forward(x, t, Indices({label, label, label, label})).to_vector(); };
  const std::vector<Real> v_0 = of(0), v_2 = of(2), no_class = model->forward(x, t).to_vector();
  for (std::size_t d = 0; d < 2; ++d) {
    EXPECT_NEAR(v.data()[d], v_0[d], kRounding);
    EXPECT_NEAR(v.data()[2 + d], 0.75 * v_0[2 + d] + 0.25 * v_2[2 + d], kRounding);
    EXPECT_NEAR(v.data()[4 + d], v_2[4 + d], kRounding);
    EXPECT_NEAR(v.data()[6 + d], no_class[6 + d], kRounding);  // no mixture: no class
  }
}

TEST(ClassMixtures, OfAGuidedModel) {
  Generator rng(3);
  const auto model = nn::make_time_network({.dimension = 2, .hidden = {16}, .classes = 2}, rng);
  const auto strong = std::make_shared<const GuidedVelocity>(velocity_of(model), 3);
  const ClassMixtures mixtures(strong, {{0, 1, 0.5}});
  const Tensor x = Tensor::randn({1, 2}, rng), t = Tensor::rand({1}, rng);
  const Tensor v = mixtures(x, t, Indices({0}));
  const Tensor a = (*strong)(x, t, Indices({0})), b = (*strong)(x, t, Indices({1}));
  for (Index d = 0; d < 2; ++d) EXPECT_NEAR(v.data()[d], (a.data()[d] + b.data()[d]) / 2, kRounding);
}

TEST(Interpolation, MisuseIsExplained) {
  Generator rng(4);
  const auto model = nn::make_time_network({.dimension = 2, .hidden = {4}, .classes = 2}, rng);
  EXPECT_THROW(ClassMixtures(velocity_of(model), {}), std::invalid_argument);
  EXPECT_THROW(ClassMixtures(velocity_of(model), {{0, 2, 0.5}}), std::invalid_argument);
  EXPECT_THROW(ClassMixtures(velocity_of(model), {{0, 1, 1.5}}), std::invalid_argument);
  EXPECT_THROW(spherical_interpolation(Tensor::zeros({2, 3}), Tensor::zeros({2, 2}), Tensor::zeros({2})),
               std::invalid_argument);
  EXPECT_THROW(spherical_interpolation(Tensor::zeros({2, 3}), Tensor::zeros({2, 3}), Tensor::zeros({3})),
               std::invalid_argument);
}

}  // namespace
}  // namespace rill::flow
