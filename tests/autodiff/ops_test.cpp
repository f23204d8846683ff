// Every op: its value where there is a formula, its first and second derivative against central differences on random
// shapes with broadcasting, and its errors.
#include "autodiff/ops.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/random.hpp"
#include "tests/gradcheck.hpp"
#include "tests/misuse.hpp"

namespace rill {
namespace {

using ::testing::ElementsAre;
using testing::expect_gradients;
using ::testing::HasSubstr;
using Inputs = std::vector<Tensor>;

Tensor normal(const Shape& shape, std::uint64_t stream = 0) {
  Generator rng(3, stream);
  return Tensor::randn(shape, rng);
}

// Random numbers at least 0.2 away from 0, where kinks are.
Tensor away_from_zero(const Shape& shape, std::uint64_t stream = 0) {
  const Tensor x = normal(shape, stream);
  return x + where(less(x, Tensor::scalar(0)), Tensor::scalar(-0.2), Tensor::scalar(0.2));
}

Tensor positive(const Shape& shape, std::uint64_t stream = 0) { return abs(normal(shape, stream)) + 0.5; }

// --- Elementwise -----------------------------------------------------------------------------------------------------

const std::vector<std::pair<Shape, Shape>> kBroadcasts = {
    {{}, {}},         {{3}, {}},           {{}, {2, 3}},        {{4, 3}, {3}},
    {{4, 1}, {1, 5}}, {{2, 3, 4}, {3, 1}}, {{2, 1, 4}, {3, 4}}, {{2, 1, 3, 1}, {4, 1, 5}},
    {{5}, {5}},       {{1}, {1, 1}},       {{0, 3}, {3}}};

TEST(Arithmetic, GradientsWithBroadcasting) {
  for (const auto& [a, b] : kBroadcasts) {
    SCOPED_TRACE(concat(a, " ", b));
    expect_gradients([](const Inputs& x) { return x[0] + x[1]; }, {normal(a, 1), normal(b, 2)});
    expect_gradients([](const Inputs& x) { return x[0] - x[1]; }, {normal(a, 1), normal(b, 2)});
    expect_gradients([](const Inputs& x) { return x[0] * x[1]; }, {normal(a, 1), normal(b, 2)});
    expect_gradients([](const Inputs& x) { return x[0] / x[1]; }, {normal(a, 1), 1 + positive(b, 2)});
    expect_gradients([](const Inputs& x) { return minimum(x[0], x[1]); }, {normal(a, 1), 20 * away_from_zero(b, 2)});
    expect_gradients([](const Inputs& x) { return maximum(x[0], x[1]); }, {normal(a, 1), 20 * away_from_zero(b, 2)});
    const Tensor condition = less(normal(a, 5), Tensor::scalar(0));
    expect_gradients([&](const Inputs& x) { return where(condition, square(x[0]), x[1]); },
                     {normal(a, 1), normal(b, 2)});
  }
}

TEST(Arithmetic, ValuesWithBroadcasting) {
  const Tensor a = normal({2, 1, 3, 1}, 1), b = normal({4, 1, 5}, 2);
  const Tensor y = a * b - a / b;
  ASSERT_EQ(y.shape(), (Shape{2, 4, 3, 5}));
  for (Index i = 0; i < 2; ++i) {
    for (Index j = 0; j < 4; ++j) {
      for (Index k = 0; k < 3; ++k) {
        for (Index l = 0; l < 5; ++l) {
          const Real u = a.data()[3 * i + k], v = b.data()[5 * j + l];
          EXPECT_NEAR(y.data()[((i * 4 + j) * 3 + k) * 5 + l], u * v - u / v, 1e-5 * (1 + std::abs(u / v)));
        }
      }
    }
  }
}

TEST(Arithmetic, NumbersOnEitherSide) {
  const Tensor x = Tensor::from({1, 2, 4}, {3});
  EXPECT_THAT((1 - x).to_vector(), ElementsAre(0, -1, -3));
  EXPECT_THAT((x - 1).to_vector(), ElementsAre(0, 1, 3));
  EXPECT_THAT((2 * x + 1).to_vector(), ElementsAre(3, 5, 9));
  EXPECT_THAT((4 / x).to_vector(), ElementsAre(4, 2, 1));
  EXPECT_THAT((x / 2).to_vector(), ElementsAre(0.5, 1, 2));
  EXPECT_THAT((-x).to_vector(), ElementsAre(-1, -2, -4));
  expect_gradients([](const Inputs& v) { return 3 / (2 * v[0] - 1) + (1 - v[0]) / 4; }, {x});
}

// Correctly rounded, as a product with the rounded 1 / c is not; and 1 / c may overflow where x / c does not.
TEST(Arithmetic, DivisionByANumberIsADivision) {
  const Tensor x = Tensor::from({169, 1, static_cast<Real>(1e-40)}, {3}).set_requires_grad();
  EXPECT_THAT((x / 13.).to_vector(), ElementsAre(13, Real(1) / 13, static_cast<Real>(1e-40) / 13));
  EXPECT_EQ((x / 1e-40).to_vector()[2], static_cast<Real>(1e-40) / static_cast<Real>(1e-40));
  for (Index n = 1; n <= 300; ++n) {
    const Tensor ones = Tensor::ones({n}).set_requires_grad();
    const auto count = static_cast<double>(n);
    ASSERT_EQ(mean(ones).item(), 1) << n;
    ASSERT_EQ(mean(reshape(ones, {n, 1}), {.axes = {0}}).item(), 1) << n;
    ASSERT_EQ(mse_loss(ones, Tensor::zeros({n})).item(), 1) << n;
    ASSERT_EQ((Tensor::scalar(count * 7) / count).item(), 7) << n;
    ASSERT_EQ(grad(count * mean(ones), ones).to_vector()[0], 1) << n;
    ASSERT_EQ(grad({ones / count}, {ones}, {}, {Tensor::full({n}, count)})[0].to_vector()[0], 1) << n;
    ASSERT_EQ(grad(max(ones) * count, ones).to_vector()[0], 1) << n;  // shared equally by n equal maxima
  }
}

TEST(Arithmetic, TheSignOfZero) {
  const Tensor zero = Tensor::scalar(0), minus = Tensor::scalar(-0.0);
  const Real infinity = std::numeric_limits<Real>::infinity();
  EXPECT_EQ((1 / (-zero)).item(), -infinity);
  EXPECT_EQ((1 / (-minus)).item(), infinity);
  EXPECT_EQ((1 / (minus * 3)).item(), -infinity);
  EXPECT_EQ((1 / (-3 * zero)).item(), -infinity);
  EXPECT_EQ((1 / (minus / 3)).item(), -infinity);
  EXPECT_EQ((1 / (0 - zero)).item(), infinity);
  EXPECT_EQ((1 / (minus + 0)).item(), infinity);
}

// sqrt' is infinite at 0, but none of that belongs to what was not chosen.
TEST(Arithmetic, WhatIsNotChosenGetsNoGradientEvenOfInfinity) {
  const Tensor a = Tensor::from({-1, 4}, {2}).set_requires_grad(), b = Tensor::zeros({2}).set_requires_grad();
  EXPECT_THAT(grad(sum(sqrt(maximum(a, b))), a).to_vector(), ElementsAre(0, 0.25));
  EXPECT_THAT(grad(sum(sqrt(-minimum(-a, -b))), a).to_vector(), ElementsAre(0, 0.25));
  EXPECT_THAT(grad(sum(sqrt(max(minimum(a, b)))), a).to_vector(), ElementsAre(0, 0));
}

TEST(Arithmetic, EqualArgumentsShareTheGradient) {
  const Tensor a = Tensor::from({1, 2, 3}, {3}).set_requires_grad(),
               b = Tensor::from({1, 3, 2}, {3}).set_requires_grad();
  sum(minimum(a, b)).backward();
  EXPECT_THAT(a.grad().to_vector(), ElementsAre(0.5, 1, 0));
  EXPECT_THAT(b.grad().to_vector(), ElementsAre(0.5, 0, 1));
}

TEST(Arithmetic, ShapesThatDoNotBroadcastAreNamed) {
  EXPECT_EQ(misuse([] { return Tensor::zeros({3, 2}) + Tensor::zeros({3}); }), "add: [3, 2] and [3] do not broadcast");
}

TEST(Clamp, ValueGradientAndMisuse) {
  const Tensor x = Tensor::from({-2, -0.5, 0.25, 3}, {4}).set_requires_grad();
  EXPECT_THAT(clamp(x, -1, 1).to_vector(), ElementsAre(-1, -0.5, 0.25, 1));
  sum(clamp(x, -1, 1)).backward();
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(0, 1, 1, 0));
  expect_gradients([](const Inputs& v) { return square(clamp(v[0], -1, 1)); }, {x});
  EXPECT_THAT(misuse([&] { return clamp(x, 1, -1); }), HasSubstr("clamp: low 1 is above high -1"));
}

struct Named {
  const char* name;
  Tensor (*f)(const Tensor&);
  double (*reference)(double);
  bool positive_only = false;
};
const std::vector<Named> kFunctions = {
    {"exp", exp, std::exp},
    {"log", log, std::log, true},
    {"sqrt", sqrt, std::sqrt, true},
    {"square", square, [](double x) { return x * x; }},
    {"pow 2.5", [](const Tensor& x) { return pow(x, 2.5); }, [](double x) { return std::pow(x, 2.5); }, true},
    {"pow -1", [](const Tensor& x) { return pow(x, -1); }, [](double x) { return 1 / x; }},
    {"pow 3", [](const Tensor& x) { return pow(x, 3); }, [](double x) { return x * x * x; }},
    {"pow 0", [](const Tensor& x) { return pow(x, 0); }, [](double) { return 1.0; }},
    {"sin", sin, std::sin},
    {"cos", cos, std::cos},
    {"abs", abs, std::abs},
    {"tanh", tanh, std::tanh},
    {"sigmoid", sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }},
    {"relu", relu, [](double x) { return std::max(x, 0.0); }},
    {"leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.1); }, [](double x) { return x > 0 ? x : 0.1 * x; }},
    {"elu", [](const Tensor& x) { return elu(x, 1.5); }, [](double x) { return x > 0 ? x : 1.5 * std::expm1(x); }},
    {"selu", selu, [](double x) { return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * std::expm1(x)); }},
    {"gelu", [](const Tensor& x) { return gelu(x); },
     [](double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2.0)); }},
    {"gelu_tanh", [](const Tensor& x) { return gelu(x, {.tanh = true}); },
     [](double x) { return 0.5 * x * (1 + std::tanh(0.79788456080286536 * (x + 0.044715 * x * x * x))); }},
    {"silu", silu, [](double x) { return x / (1 + std::exp(-x)); }},
    {"softplus", softplus, [](double x) { return std::log1p(std::exp(x)); }},
};

TEST(Functions, ValuesAndGradients) {
  for (const Named& function : kFunctions) {
    SCOPED_TRACE(function.name);
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{17}, Shape{3, 5}}) {
      const Tensor x = function.positive_only ? positive(shape) : away_from_zero(shape);
      const Tensor y = function.f(x);
      ASSERT_EQ(y.shape(), shape);
      for (Index i = 0; i < x.size(); ++i) {
        const double expected = function.reference(static_cast<double>(x.data()[i]));
        EXPECT_NEAR(y.data()[i], expected, (sizeof(Real) == 8 ? 1e-14 : 1e-6) * (1 + std::abs(expected)));
      }
      expect_gradients([&](const Inputs& v) { return function.f(v[0]); }, {x});
    }
  }
}

TEST(Functions, ThirdDerivative) {
  // d^3/dx^3 of x e^x is (x + 3) e^x.
  const Tensor x = Tensor::scalar(0.7).set_requires_grad();
  const GradOptions keep{.create_graph = true};
  const Tensor third = grad(grad(grad(x * exp(x), x, keep), x, keep), x);
  EXPECT_NEAR(third.item(), 3.7 * std::exp(0.7), 1e-4);
}

// --- Reductions ------------------------------------------------------------------------------------------------------

TEST(Reductions, GradientsOverAnyAxes) {
  const Tensor x = normal({2, 3, 4, 2});
  for (const Axes& axes : {Axes{}, Axes{0}, Axes{-1}, Axes{1, 2}, Axes{0, 2}, Axes{0, 1, 2, 3}, Axes{3, 1}}) {
    for (const bool keep : {false, true}) {
      SCOPED_TRACE(concat(axes, keep));
      const Over over{axes, keep};
      expect_gradients([&](const Inputs& v) { return sum(square(v[0]), over); }, {x});
      expect_gradients([&](const Inputs& v) { return mean(exp(v[0]), over); }, {x});
      expect_gradients([&](const Inputs& v) { return max(square(v[0]), over); }, {x});
    }
  }
}

TEST(Reductions, TheMeanOfEqualNumbersIsThatNumber) {
  const double large = std::numeric_limits<Real>::max();
  for (const double value : {1., 0.1, -1e-30, large / 3, -large}) {
    // Rows and columns on either side of registers and blocks, pieces of threads, and axes that are not neighbors.
    for (const Shape& shape : {Shape{4096}, Shape{41}, Shape{70000}, Shape{70001, 2}, Shape{300, 40}, Shape{40, 300},
                               Shape{5000, 17}, Shape{7, 11, 13}, Shape{}}) {
      for (const Axes& axes : {Axes{}, Axes{0}, Axes{-1}, Axes{0, -1}}) {
        if (shape.rank() < 2 && axes.rank() > 0) continue;
        const Tensor x = Tensor::full(shape, value).set_requires_grad();
        const Tensor y = mean(x, {.axes = axes, .keep = true});
        for (const Real v : y.values()) ASSERT_EQ(v, static_cast<Real>(value)) << shape << " over " << axes;
        const auto count = static_cast<double>(x.size() / y.size());
        const Tensor gx = grad(sum(y), x);
        for (const Real v : gx.values()) ASSERT_EQ(v, static_cast<Real>(1 / count)) << shape << " over " << axes;
      }
    }
  }
}

TEST(Reductions, TheMeanIsNotItsArgumentsMemory) {
  Tensor x = Tensor::scalar(2);
  const Tensor y = mean(x), total = sum(x), largest = max(x);
  x.data()[0] = 3;
  EXPECT_EQ(y.item(), 2);
  EXPECT_EQ(total.item(), 2);
  EXPECT_EQ(largest.item(), 2);
}

TEST(Reductions, Values) {
  const Tensor x = Tensor::from({1, 2, 3, 4, 5, 6}, {2, 3});
  EXPECT_EQ(sum(x).item(), 21);
  EXPECT_THAT(sum(x, {.axes = {0}}).to_vector(), ElementsAre(5, 7, 9));
  EXPECT_THAT(sum(x, {.axes = {1}}).to_vector(), ElementsAre(6, 15));
  EXPECT_EQ(sum(x, {.axes = {1}, .keep = true}).shape(), (Shape{2, 1}));
  EXPECT_THAT(mean(x, {.axes = {-1}}).to_vector(), ElementsAre(2, 5));
  EXPECT_THAT(max(x, {.axes = {0}}).to_vector(), ElementsAre(4, 5, 6));
  EXPECT_EQ(max(-x).item(), -1);
}

TEST(Reductions, NothingToReduce) {
  const Tensor none = Tensor::zeros({0, 3});
  EXPECT_EQ(sum(none).item(), 0);
  EXPECT_THAT(sum(none, {.axes = {0}}).to_vector(), ElementsAre(0, 0, 0));
  EXPECT_EQ(sum(none, {.axes = {1}}).shape(), Shape{0});
  EXPECT_TRUE(std::isnan(mean(none).item()));
  EXPECT_THAT(misuse([&] { return max(none, {.axes = {0}}); }),
              HasSubstr("max: no elements to reduce in shape [0, 3]"));
}

TEST(Reductions, EqualMaximaShareTheGradient) {
  const Tensor x = Tensor::from({1, 3, 3, 2}, {4}).set_requires_grad();
  max(x).backward();
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(0, 0.5, 0.5, 0));
}

TEST(Reductions, LongSumsAreAccurateAndTheSameForAnyNumberOfThreads) {
  const Index n = 3'000'001;
  const Tensor x = Tensor::full({n}, 0.1);
  const int threads = thread_count();
  set_thread_count(1);
  const Real one = sum(x).item();
  set_thread_count(3);
  const Real three = sum(x).item();
  set_thread_count(threads);
  EXPECT_EQ(one, three);
  EXPECT_NEAR(one, static_cast<double>(n) * static_cast<double>(Real(0.1)), 1e-6 * static_cast<double>(n));
}

TEST(Reductions, AxesAreChecked) {
  EXPECT_EQ(misuse([] { return sum(Tensor::zeros({2}), {.axes = {1}}); }), "sum: axis 1 of a tensor of rank 1");
  EXPECT_EQ(misuse([] { return sum(Tensor::zeros({2}), {.axes = {0, -1}}); }), "sum: axis 0 is given twice");
}

TEST(Reductions, UnbroadcastRefusesWhatIsNoBroadcast) {
  EXPECT_EQ(misuse([] {
              return unbroadcast(Tensor::zeros({2, 3}), {3, 2});
            }),
            "unbroadcast: [3, 2] and [2, 3] do not broadcast");
  EXPECT_EQ(misuse([] {
              return unbroadcast(Tensor::zeros({2, 3}), {2, 3, 1});
            }),
            "unbroadcast: [2, 3, 1] does not broadcast to [2, 3]");
  EXPECT_EQ(misuse([] {
              return unbroadcast(Tensor::zeros({2, 3}), {6});
            }),
            "unbroadcast: [6] and [2, 3] do not broadcast");
}

// --- Products --------------------------------------------------------------------------------------------------------

TEST(Matmul, FourTranspositions) {
  for (const auto& [m, n, k] : {std::array<Index, 3>{3, 4, 5}, {1, 1, 1}, {17, 2, 33}, {2, 0, 3}, {2, 3, 0}}) {
    for (const bool ta : {false, true}) {
      for (const bool tb : {false, true}) {
        SCOPED_TRACE(concat(m, " ", n, " ", k, " ", ta, tb));
        const Tensor a = normal(ta ? Shape{k, m} : Shape{m, k}, 1), b = normal(tb ? Shape{n, k} : Shape{k, n}, 2);
        const Tensor c = matmul(a, b, {ta, tb});
        ASSERT_EQ(c.shape(), (Shape{m, n}));
        for (Index i = 0; i < m; ++i) {
          for (Index j = 0; j < n; ++j) {
            double expected = 0;
            for (Index l = 0; l < k; ++l) {
              expected += static_cast<double>(a.data()[ta ? l * m + i : i * k + l]) *
                          static_cast<double>(b.data()[tb ? j * k + l : l * n + j]);
            }
            EXPECT_NEAR(c.data()[i * n + j], expected, 1e-5 * (1 + static_cast<double>(k)));
          }
        }
        if (m * n * k < 100) {
          expect_gradients([&](const Inputs& x) { return matmul(x[0], x[1], {ta, tb}); }, {a, b});
        }
      }
    }
  }
}

TEST(Matmul, LeadingAxesAreABatch) {
  const Tensor a = normal({2, 3, 4, 5}, 1), b = normal({2, 3, 6, 5}, 2);
  const Tensor c = matmul(a, b, {.b = true});
  ASSERT_EQ(c.shape(), (Shape{2, 3, 4, 6}));
  const Tensor last = matmul(reshape(slice(reshape(a, {6, 4, 5}), 0, 5, 6), {4, 5}),
                             reshape(slice(reshape(b, {6, 6, 5}), 0, 5, 6), {6, 5}), {.b = true});
  for (Index i = 0; i < 24; ++i) EXPECT_EQ(c.data()[5 * 24 + i], last.data()[i]);
  expect_gradients([](const Inputs& x) { return matmul(x[0], x[1], {.a = true}); },
                   {normal({2, 3, 2}, 1), normal({2, 3, 4}, 2)});
}

TEST(Matmul, MisuseNamesTheShapes) {
  EXPECT_EQ(misuse([] {
              return matmul(Tensor::zeros({256, 3}), Tensor::zeros({4, 64}));
            }),
            "matmul: [256, 3] x [4, 64]: inner dimensions 3 and 4 differ");
  EXPECT_EQ(misuse([] {
              return matmul(Tensor::zeros({2, 5, 3}), Tensor::zeros({3, 3, 4}));
            }),
            "matmul: [2, 5, 3] x [3, 3, 4]: leading axes differ");
}

TEST(Matmul, TheSameForAnyNumberOfThreads) {
  const int threads = thread_count();
  const Index sizes[][3] = {{300, 250, 200}, {193, 64, 200}, {98, 97, 200},  {200, 900, 100}, {64, 205, 200},
                            {1200, 1, 900},  {1, 1200, 900}, {1300, 2, 500}, {2, 1300, 500},  {3, 1210, 400},
                            {1111, 17, 100}, {17, 1111, 64}, {1000, 333, 4}, {500, 70, 600},  {208, 1200, 5}};
  for (const auto& [m, n, k] : sizes) {
    for (const bool transpose_a : {false, true}) {
      for (const bool transpose_b : {false, true}) {
        const Tensor a = normal(transpose_a ? Shape{k, m} : Shape{m, k}, 1);
        const Tensor b = normal(transpose_b ? Shape{n, k} : Shape{k, n}, 2);
        set_thread_count(1);
        const auto one = matmul(a, b, {transpose_a, transpose_b}).to_vector();
        for (const int count : {2, 5}) {
          set_thread_count(count);
          EXPECT_EQ(one, matmul(a, b, {transpose_a, transpose_b}).to_vector())
              << m << " x " << n << " x " << k << (transpose_a ? " T" : " N") << (transpose_b ? "T" : "N");
        }
      }
    }
  }
  set_thread_count(threads);
}

TEST(Linear, ValueGradientsAndMisuse) {
  const Tensor x = Tensor::from({1, 2}, {1, 2}), w = Tensor::from({1, 0, 0, 1, 1, 1}, {3, 2}),
               bias = Tensor::from({10, 20, 30}, {3});
  EXPECT_THAT(linear(x, w, bias).to_vector(), ElementsAre(11, 22, 33));
  EXPECT_THAT(linear(x, w).to_vector(), ElementsAre(1, 2, 3));
  expect_gradients([](const Inputs& v) { return linear(v[0], v[1], v[2]); },
                   {normal({5, 3}, 1), normal({4, 3}, 2), normal({4}, 3)});
  expect_gradients([](const Inputs& v) { return square(linear(v[0], v[1])); }, {normal({5, 3}, 1), normal({2, 3}, 2)});
  EXPECT_THAT(misuse([&] { return linear(x, w, Tensor::zeros({2})); }), HasSubstr("bias of shape [2] for 3 outputs"));
}

TEST(Linear, WithAnActivationIsTheSameAsOneAfterTheOther) {
  const std::vector<Tensor> inputs = {normal({700, 30}, 1), normal({20, 30}, 2), normal({20}, 3)};
  for (const Activation& f : activations()) {
    SCOPED_TRACE(f.name);
    const auto run = [&](bool at_once, bool create_graph = false) {
      std::vector<Tensor> leaves;
      for (const Tensor& x : inputs) leaves.push_back(x.clone().set_requires_grad());
      const Tensor y =
          at_once ? linear(leaves[0], leaves[1], leaves[2], f) : f.apply(linear(leaves[0], leaves[1], leaves[2]));
      std::vector<Tensor> result = grad({sum(square(y))}, leaves, {.create_graph = create_graph});
      result.push_back(y);
      return result;
    };
    const std::vector<Tensor> fused = run(true), separate = run(false), differentiable = run(true, true);
    EXPECT_EQ(fused[3].to_vector(), separate[3].to_vector());
    for (std::size_t i = 0; i < 3; ++i) {
      for (Index j = 0; j < fused[i].size(); ++j) {
        // Sums of up to 700 terms of order 10, rounded in another order or with f' rounded once more.
        const double size = 1 + std::abs(static_cast<double>(separate[i].data()[j]));
        const double tolerance = 1e3 * static_cast<double>(std::numeric_limits<Real>::epsilon()) * size;
        ASSERT_NEAR(fused[i].data()[j], separate[i].data()[j], tolerance);
        ASSERT_NEAR(differentiable[i].data()[j], separate[i].data()[j], tolerance);
      }
    }
    {
      const NoGrad no_grad;
      EXPECT_EQ(linear(inputs[0], inputs[1], inputs[2], f).to_vector(), fused[3].to_vector());
    }
    const std::string name = f.name;
    if (name == "relu" || name == "leaky_relu") continue;  // not differentiable everywhere
    expect_gradients([&f](const Inputs& v) { return linear(v[0], v[1], v[2], f); },
                     {normal({5, 3}, 1), normal({4, 3}, 2), normal({4}, 3)});
  }
}

// --- Layout ----------------------------------------------------------------------------------------------------------

TEST(Layout, Reshape) {
  const Tensor x = normal({2, 6});
  EXPECT_EQ(reshape(x, {3, -1}).shape(), (Shape{3, 4}));
  const Tensor y = reshape(x, {3, 4});
  EXPECT_EQ(y.data(), x.data());
  EXPECT_EQ(reshape(Tensor::zeros({0, 3}), {-1, 3}).shape(), (Shape{0, 3}));
  expect_gradients([](const Inputs& v) { return square(reshape(v[0], {4, 3})); }, {x});
  EXPECT_EQ(misuse([&] { return reshape(x, {5, -1}); }), "reshape: [2, 6] does not fit [5, -1]");
  EXPECT_EQ(misuse([&] { return reshape(x, {-1, -1}); }), "reshape: more than one -1 in [-1, -1]");
}

TEST(Layout, PermuteAndTranspose) {
  const Tensor x = normal({2, 3, 4});
  const Tensor y = permute(x, {2, 0, 1});
  ASSERT_EQ(y.shape(), (Shape{4, 2, 3}));
  for (Index i = 0; i < 2; ++i) {
    for (Index j = 0; j < 3; ++j) {
      for (Index k = 0; k < 4; ++k) EXPECT_EQ(y.data()[(k * 2 + i) * 3 + j], x.data()[(i * 3 + j) * 4 + k]);
    }
  }
  EXPECT_EQ(transpose(x).to_vector(), permute(x, {0, 2, 1}).to_vector());
  expect_gradients([](const Inputs& v) { return square(permute(v[0], {1, 2, 0})); }, {x});
  expect_gradients([](const Inputs& v) { return square(transpose(v[0])); }, {x});
  EXPECT_EQ(misuse([&] { return permute(x, {0, 0, 1}); }), "permute: axis 0 is given twice in [0, 0, 1]");
}

TEST(Layout, BroadcastTo) {
  const Tensor x = Tensor::from({1, 2}, {2, 1});
  EXPECT_THAT(broadcast_to(x, {2, 3}).to_vector(), ElementsAre(1, 1, 1, 2, 2, 2));
  expect_gradients([](const Inputs& v) { return square(broadcast_to(v[0], {4, 2, 3})); }, {normal({2, 1})});
  EXPECT_THAT(misuse([&] { return broadcast_to(x, {3, 2}); }), HasSubstr("broadcast"));
  const Tensor same = broadcast_to(x, x.shape());
  EXPECT_NE(same.data(), x.data()) << "a copy, even of the same shape";
}

TEST(Layout, ConcatenateAndSlice) {
  const Tensor a = normal({2, 1, 3}, 1), b = normal({2, 4, 3}, 2), none = Tensor::zeros({2, 0, 3});
  const Tensor y = concatenate({a, none, b}, 1);
  ASSERT_EQ(y.shape(), (Shape{2, 5, 3}));
  EXPECT_EQ(slice(y, 1, 0, 1).to_vector(), a.to_vector());
  EXPECT_EQ(slice(y, -2, 1, 5).to_vector(), b.to_vector());
  EXPECT_EQ(slice(y, 1, 2, 2).shape(), (Shape{2, 0, 3}));
  for (const Index axis : {0, 1, 2}) {
    expect_gradients(
        [&](const Inputs& v) {
          return square(concatenate({v[0], v[1], v[0]}, axis));
        },
        {normal({2, 3, 2}, 1), normal({2, 3, 2}, 2)});
    expect_gradients([&](const Inputs& v) { return square(slice(v[0], axis, 1, 2)); }, {normal({2, 3, 2}, 1)});
  }
  EXPECT_THAT(misuse([&] {
                return concatenate({a, b}, 0);
              }),
              HasSubstr("concatenate: [2, 4, 3] and [2, 1, 3] differ outside axis 0"));
  EXPECT_THAT(misuse([&] { return slice(a, 2, 1, 4); }), HasSubstr("slice: [1, 4) of axis 2 of shape [2, 1, 3]"));
}

TEST(Layout, GatherAndScatterRows) {
  const Tensor x = Tensor::from({1, 2, 3, 4, 5, 6}, {3, 2});
  const Indices rows({2, 0, 2});
  EXPECT_THAT(gather_rows(x, rows).to_vector(), ElementsAre(5, 6, 1, 2, 5, 6));
  EXPECT_THAT(scatter_rows(x, rows, 4).to_vector(), ElementsAre(3, 4, 0, 0, 6, 8, 0, 0));
  expect_gradients([&](const Inputs& v) { return square(gather_rows(v[0], rows)); }, {x});
  expect_gradients([&](const Inputs& v) { return square(scatter_rows(v[0], rows, 3)); }, {x});
  EXPECT_EQ(misuse([&] { return gather_rows(x, Indices({3})); }), "gather_rows: row 3 of 3");
  EXPECT_EQ(misuse([&] { return gather_rows(x, Indices({-1})); }), "gather_rows: row -1 of 3");
}

// --- Softmax and losses ----------------------------------------------------------------------------------------------

TEST(Softmax, ValuesAndGradients) {
  const Tensor x = Tensor::from({1, 2, 3, 1000, 1000, 999}, {2, 3});
  const Tensor y = softmax(x);
  for (Index row = 0; row < 2; ++row) {
    double total = 0;
    for (Index c = 0; c < 3; ++c) total += static_cast<double>(y.data()[3 * row + c]);
    EXPECT_NEAR(total, 1, 1e-6);
  }
  EXPECT_NEAR(y.data()[0], 0.09003057, 1e-6);
  EXPECT_NEAR(y.data()[3], 0.42231880, 1e-6);
  EXPECT_NEAR(log_softmax(x).to_vector()[5], std::log(0.15536240), 1e-5);
  EXPECT_NEAR(logsumexp(x).to_vector()[1], 1000 + std::log(2 + std::exp(-1.0)), 1e-3);
  const Real infinity = std::numeric_limits<Real>::infinity();
  EXPECT_EQ(logsumexp(Tensor::full({2}, -infinity)).item(), -infinity);
  for (const Shape& shape : {Shape{5}, Shape{3, 4}, Shape{2, 2, 7}}) {
    expect_gradients([](const Inputs& v) { return softmax(v[0]); }, {normal(shape)});
    expect_gradients([](const Inputs& v) { return log_softmax(v[0]); }, {normal(shape)});
    expect_gradients([](const Inputs& v) { return logsumexp(v[0]); }, {normal(shape)});
  }
}

TEST(Losses, MeanSquaredError) {
  const Tensor a = normal({4, 3}, 1), b = normal({4, 3}, 2);
  EXPECT_NEAR(mse_loss(a, b).item(), mean(square(a - b)).item(), 1e-6);
  expect_gradients([](const Inputs& v) { return mse_loss(v[0], v[1]); }, {a, b});
  EXPECT_EQ(misuse([&] { return mse_loss(a, Tensor::zeros({3})); }), "mse_loss: shapes [4, 3] and [3] differ");
}

TEST(Losses, CrossEntropy) {
  const Indices labels({2, 0});
  EXPECT_NEAR(cross_entropy(Tensor::zeros({2, 3}), labels).item(), std::log(3.0), 1e-6);
  expect_gradients([&](const Inputs& v) { return cross_entropy(v[0], labels); }, {normal({2, 3})});
  EXPECT_EQ(misuse([&] {
              return cross_entropy(Tensor::zeros({2, 2}), labels);
            }),
            "cross_entropy: label 2 at 0, expected 0 to 1");
}

}  // namespace
}  // namespace rill
