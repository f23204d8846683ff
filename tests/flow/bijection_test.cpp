// Bijections: inverses, determinants and gradients.
#include "flow/bijection/bijection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "flow/bijection/act_norm.hpp"
#include "flow/bijection/coupling.hpp"
#include "flow/bijection/rational_quadratic.hpp"
#include "flow/bijection/rearrangement.hpp"
#include "tests/misuse.hpp"
#include "tests/nn/parameter_gradients.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
constexpr bool kDouble = sizeof(Real) == 8;
constexpr double kInverse = kDouble ? 1e-12 : 1e-5;

double largest(const Tensor& x) { return static_cast<double>(max(abs(x)).item()); }

// ln |det J| of a square matrix, by Gaussian elimination with pivots.
double log_abs_determinant(std::vector<double> m, Index n) {
  double result = 0;
  const auto at = [&](Index r, Index c) -> double& { return m[static_cast<std::size_t>(r * n + c)]; };
  for (Index k = 0; k < n; ++k) {
    Index pivot = k;
    for (Index r = k; r < n; ++r) pivot = std::abs(at(r, k)) > std::abs(at(pivot, k)) ? r : pivot;
    for (Index c = 0; c < n; ++c) std::swap(at(k, c), at(pivot, c));
    result += std::log(std::abs(at(k, k)));
    for (Index r = k + 1; r < n; ++r) {
      const double factor = at(r, k) / at(k, k);
      for (Index c = k; c < n; ++c) at(r, c) -= factor * at(k, c);
    }
  }
  return result;
}

// The Jacobian of each point by autodiff, row by row.
std::vector<double> jacobian_determinants(const Bijection& bijection, const Tensor& x, const Tensor& condition) {
  const Index n = x.dim(0), d = x.dim(1);
  const Tensor at = x.detach().set_requires_grad();
  const Tensor y = bijection.forward(at, condition).y;
  std::vector<std::vector<double>> all(static_cast<std::size_t>(n),
                                       std::vector<double>(static_cast<std::size_t>(d * d)));
  for (Index row = 0; row < d; ++row) {
    Tensor v = Tensor::zeros(y.shape());
    for (Index i = 0; i < n; ++i) v.data()[i * d + row] = 1;
    const Tensor g = grad({y}, {at}, {.retain_graph = true}, {v})[0];
    for (Index i = 0; i < n; ++i) {
      for (Index c = 0; c < d; ++c) {
        all[static_cast<std::size_t>(i)][static_cast<std::size_t>(row * d + c)] =
            static_cast<double>(g.data()[i * d + c]);
      }
    }
  }
  std::vector<double> result;
  for (const auto& matrix : all) result.push_back(log_abs_determinant(matrix, d));
  return result;
}

struct Example {
  std::string name;
  std::shared_ptr<Bijection> bijection;
  Tensor x, condition;
};

std::vector<Example> examples() {
  Generator rng(3);
  std::vector<Example> all;
  const auto add = [&](const std::string& name, std::shared_ptr<Bijection> bijection, const Shape& shape,
                       Index classes = 0, bool pixels = false) {
    nn::randomize_parameters(*bijection, 0.2, 17);  // slopes of 0.001 would enlarge rounding errors
    const Tensor x = pixels ? 1.9 * Tensor::rand(shape, rng) - 0.95 : 1.5 * Tensor::randn(shape, rng);
    all.push_back({name, std::move(bijection), x, classes > 0 ? Tensor::randn({shape[0], classes}, rng) : Tensor()});
  };
  for (const std::string& transform : coupling_transform_names()) {
    for (const Index d : {1, 2, 3, 5}) {
      for (const Index classes : {0, 2}) {
        for (const bool last : {false, true}) {
          add(transform + " of " + std::to_string(d),
              std::make_shared<Coupling>(
                  nn::ImageShape{1, 1, d}, classes, last,
                  CouplingLayerOptions{
                      .transform = transform, .bins = 5, .bound = 3, .hidden = {7}, .activation = "silu"},
                  rng),
              {6, d}, classes);
        }
      }
    }
    add(transform + " of an image",
        std::make_shared<Coupling>(
            nn::ImageShape{2, 3, 3}, 2, false,
            CouplingLayerOptions{.transform = transform, .bins = 4, .channels = 3, .activation = "silu"}, rng),
        {3, 18}, 2);
  }
  add("act norm", std::make_shared<ActNorm>(1, 4), {6, 4});
  add("act norm of an image", std::make_shared<ActNorm>(6, 2), {6, 12});
  add("permutation", std::make_shared<Permutation>(std::vector<Index>{2, 0, 1}), {6, 3});
  add("squeeze", std::make_shared<Squeeze>(nn::ImageShape{2, 4, 1}), {3, 8});
  add("logit", std::make_shared<Logit>(), {3, 4}, 0, true);
  add("multi-scale", std::make_shared<MultiScale>(nn::ImageShape{2, 1, 3}, std::make_shared<ActNorm>(2, 2)), {3, 6});
  add("chain",
      std::make_shared<Chain>(std::vector<std::shared_ptr<Bijection>>{
          std::make_shared<ActNorm>(1, 3), std::make_shared<Permutation>(std::vector<Index>{1, 2, 0}),
          std::make_shared<Coupling>(nn::ImageShape{1, 1, 3}, 0, true,
                                     CouplingLayerOptions{.hidden = {7}, .activation = "silu"}, rng)}),
      {6, 3});
  return all;
}

TEST(Bijections, GoBackWhereTheyCameFrom) {
  for (const Example& e : examples()) {
    const Mapped forth = e.bijection->forward(e.x, e.condition), back = e.bijection->inverse(forth.y, e.condition);
    ASSERT_EQ(forth.y.shape(), e.x.shape()) << e.name;
    ASSERT_EQ(forth.log_determinant.shape(), Shape{e.x.dim(0)}) << e.name;
    EXPECT_LT(largest(back.y - e.x), 20 * kInverse) << e.name;
    EXPECT_LT(largest(back.log_determinant + forth.log_determinant), 200 * kInverse) << e.name;
  }
}

TEST(Bijections, HaveTheDeterminantOfTheirJacobian) {
  for (const Example& e : examples()) {
    const Tensor found = e.bijection->forward(e.x, e.condition).log_determinant;
    const std::vector<double> expected = jacobian_determinants(*e.bijection, e.x, e.condition);
    for (Index i = 0; i < e.x.dim(0); ++i) {
      EXPECT_NEAR(static_cast<double>(found.data()[i]), expected[static_cast<std::size_t>(i)], kDouble ? 1e-10 : 1e-3)
          << e.name;
    }
  }
}

TEST(Bijections, HaveTheGradientsOfTheirParameters) {
  for (const Example& e : examples()) {
    if (e.bijection->parameter_count() == 0) continue;
    nn::expect_parameter_gradients(*e.bijection, [&] {
      const Mapped mapped = e.bijection->forward(e.x, e.condition);
      // The slope of a spline has kinks at its knots, which the long steps of float's differences would cross.
      const bool kinks = !kDouble && (e.name.starts_with("spline") || e.name == "chain");
      const Tensor all = sum(mapped.y, {.axes = {1}});
      return kinks ? all : all + mapped.log_determinant;
    });
  }
}

TEST(Bijections, DependOnTheirCondition) {
  for (const Example& e : examples()) {
    if (!e.condition.defined()) continue;
    EXPECT_GT(largest(e.bijection->forward(e.x, e.condition + 1).y - e.bijection->forward(e.x, e.condition).y), 1e-3)
        << e.name;
  }
}

TEST(Coupling, StartsAsTheIdentity) {
  Generator rng(4);
  const Tensor x = Tensor::randn({5, 3}, rng);
  for (const std::string& transform : coupling_transform_names()) {
    const Coupling coupling({1, 1, 3}, 0, false, {.transform = transform}, rng);
    EXPECT_LT(largest(coupling.forward(x, {}).y - x), 1e-5) << transform;
    EXPECT_LT(largest(coupling.forward(x, {}).log_determinant), 1e-5) << transform;
  }
}

TEST(Spline, IsTheIdentityOutsideAndSmoothAtTheEnds) {
  Generator rng(6);
  const Index bins = 6;
  const double bound = 2, h = kDouble ? 1e-6 : 1e-3;
  const Tensor x = Tensor::from({-5, -2, 2, 7}, {4, 1});
  const Tensor raw = Tensor::randn({4, spline_parameters(bins)}, rng);
  const Warped found = rational_quadratic(x, raw, bins, bound);
  EXPECT_EQ(found.y.to_vector(), x.to_vector());
  EXPECT_EQ(largest(found.log_slope), 0);
  const Tensor inside = Tensor::from({Real(-2 + h), Real(-2 + 2 * h), Real(2 - 2 * h), Real(2 - h)}, {4, 1});
  const Warped close = rational_quadratic(inside, broadcast_to(slice(raw, 0, 0, 1), raw.shape()), bins, bound);
  EXPECT_LT(largest(close.y - inside), 20 * h);
  EXPECT_LT(largest(close.log_slope), 1000 * h);
}

TEST(Spline, IncreasesAndReachesBothEnds) {
  Generator rng(7);
  const Index bins = 8, points = 401;
  Tensor x = Tensor::empty({points, 1});
  for (Index i = 0; i < points; ++i) x.data()[i] = static_cast<Real>(-3 + 6.0 * static_cast<double>(i) / (points - 1));
  const Tensor raw =
      broadcast_to(3 * Tensor::randn({1, spline_parameters(bins)}, rng), {points, spline_parameters(bins)});
  const Warped found = rational_quadratic(x, raw, bins, 3);
  for (Index i = 1; i < points; ++i) ASSERT_GT(found.y.data()[i], found.y.data()[i - 1]) << i;
  // The slope is that of the values.
  const double h = kDouble ? 1e-6 : 1e-3;
  const Tensor above = rational_quadratic(x + h, raw, bins, 3).y, below = rational_quadratic(x - h, raw, bins, 3).y;
  const Tensor slope = (above - below) / (2 * h);
  Index close = 0;
  for (Index i = 0; i < points; ++i) {
    const double expected = std::exp(static_cast<double>(found.log_slope.data()[i]));
    close += std::abs(static_cast<double>(slope.data()[i]) - expected) < 2e-2 * (1 + expected) ? 1 : 0;
  }
  EXPECT_GT(close, points - 12) << "besides those within h of a knot";
}

TEST(Spline, HasItsGradients) {
  Generator rng(8);
  const Index bins = 4;
  Tensor x = 1.2 * Tensor::randn({6, 2}, rng), raw = Tensor::randn({6, 2 * spline_parameters(bins)}, rng);
  const Tensor v = Tensor::randn({2, 6, 2}, rng);
  const auto value = [&] {
    const Warped w = rational_quadratic(x, raw, bins, 2);
    return sum(reshape(slice(v, 0, 0, 1), {6, 2}) * w.y) + sum(reshape(slice(v, 0, 1, 2), {6, 2}) * w.log_slope);
  };
  x.set_requires_grad();
  raw.set_requires_grad();
  value().backward();
  const double h = kDouble ? 1e-6 : 2e-3;
  for (Tensor input : {x, raw}) {
    const Tensor found = input.grad();
    for (Index i = 0; i < input.size(); ++i) {
      const NoGrad no_grad;
      const Real before = input.data()[i];
      input.data()[i] = static_cast<Real>(before + h);
      const double above = static_cast<double>(value().item()), top = static_cast<double>(input.data()[i]);
      input.data()[i] = static_cast<Real>(before - h);
      const double below = static_cast<double>(value().item()), bottom = static_cast<double>(input.data()[i]);
      input.data()[i] = before;
      EXPECT_NEAR(static_cast<double>(found.data()[i]), (above - below) / (top - bottom), kDouble ? 1e-6 : 2e-2);
    }
  }
  // x alone may need a gradient.
  const Tensor only = x.detach().set_requires_grad();
  sum(rational_quadratic(only, raw.detach(), bins, 2).y).backward();
  EXPECT_TRUE(only.grad().defined());
  EXPECT_THAT(misuse([&] {
                const Tensor y = sum(rational_quadratic(x, raw, bins, 2).y);
                grad({y}, {x}, {.create_graph = true});
              }),
              HasSubstr("cannot be differentiated again"));
}

TEST(Spline, MisuseIsExplained) {
  const Tensor x = Tensor::zeros({2, 3});
  EXPECT_THAT(misuse([&] { rational_quadratic(x, Tensor::zeros({2, 3}), 4, 2); }), HasSubstr("parameters [M, T 11]"));
  EXPECT_THAT(misuse([&] { rational_quadratic(x, Tensor::zeros({2, 6}), 1, 0); }), HasSubstr("a bound above 0"));
  EXPECT_THAT(misuse([&] { inverse_rational_quadratic(x, Tensor::zeros({2, 3}), 0, 1); }), HasSubstr("got 0"));
}

TEST(ActNorm, TheFirstBatchComesOutNormalized) {
  Generator rng(9);
  ActNorm norm(1, 3);
  const Tensor x = Tensor::randn({500, 3}, rng) * Tensor::from({2, 0.1, 5}, {3}) + Tensor::from({1, -7, 0}, {3});
  const Tensor y = norm.initialize(x, {});
  EXPECT_LT(largest(mean(y, {.axes = {0}})), 1e-5);
  EXPECT_LT(largest(mean(square(y), {.axes = {0}}) - 1), 1e-4);
  EXPECT_EQ(y.to_vector(), norm.forward(x, {}).y.to_vector());
  ActNorm constant(1, 1);
  EXPECT_TRUE(std::isfinite(largest(constant.initialize(Tensor::full({4, 1}, 3), {}))));
}

TEST(Squeeze, NeedsEvenSizes) {
  EXPECT_THAT(misuse([] { Squeeze({3, 4, 1}); }), HasSubstr("3 x 4 pixels cannot be halved; use fewer levels"));
}

}  // namespace
}  // namespace rill::flow
