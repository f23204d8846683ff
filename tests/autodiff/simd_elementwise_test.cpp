// Elementwise kernels: each set against the reference, at every length; the reference against exact functions.
#include <functional>
#include <string>

#include "tests/autodiff/simd_testing.hpp"

namespace rill::simd {
namespace {

// The interesting arguments of any function, and others spread over all magnitudes.
std::vector<Real> arguments() {
  const Real tiny = std::numeric_limits<Real>::denorm_min(), normal = std::numeric_limits<Real>::min(),
             largest = std::numeric_limits<Real>::max();
  std::vector<Real> x = {0,   1,   2,   3,    0.5,  1e-3f, 10,   20,     88,         89,      104,
                         500, 710, 746, 1e4f, 2e5f, 1e7f,  tiny, normal, normal / 2, largest, kInf};
  TestRandom random(1);
  for (int i = 0; i < 100; ++i) x.push_back(random.uniform(0, 6));
  for (int i = 0; i < 60; ++i) x.push_back(static_cast<Real>(std::exp(random.uniform(-80, 80))));
  const std::size_t positive = x.size();
  for (std::size_t i = 0; i < positive; ++i) x.push_back(-x[i]);
  x.push_back(kNan);
  return x;
}

struct Tolerance {
  double ulps = 8;  // simd_accuracy_test.cpp asks for less, of the exact value
  double absolute = 8 * static_cast<double>(std::numeric_limits<Real>::denorm_min());
};

// Runs `call(kernels, n, x, y)` and compares with the reference, for all lengths, misalignments and in place.
using Call = std::function<void(const Kernels&, Index, Real*, Real*)>;
void compare(const std::string& name, const Call& call, Tolerance tolerance = {}) {
  static const std::vector<Real> values = arguments();
  for (const Kernels* kernels : available_kernels()) {
    Index start = 0;
    for (const Index misalignment : kMisalignments) {
      for (Index n = 0; n <= 4 * kernels->lanes + 1; ++n, start += n) {
        Numbers x(n, misalignment), y(n, misalignment), in_place(n, misalignment), expected(n, 0);
        for (Index i = 0; i < n; ++i) {
          in_place[i] = x[i] = values[static_cast<std::size_t>(start + i) % values.size()];
        }
        call(reference(), n, x.data(), expected.data());
        call(*kernels, n, x.data(), y.data());
        call(*kernels, n, in_place.data(), in_place.data());
        ASSERT_TRUE(y.intact() && in_place.intact()) << name << ' ' << kernels->name << " n = " << n;
        for (Index i = 0; i < n; ++i) {
          ASSERT_TRUE(close(y[i], expected[i], tolerance.ulps, tolerance.absolute))
              << name << ' ' << kernels->name << " n = " << n << ": f(" << x[i] << ") = " << y[i] << ", expected "
              << expected[i];
          ASSERT_TRUE(close(in_place[i], y[i], 0)) << name << ' ' << kernels->name << " differs in place";
        }
      }
    }
  }
}

TEST(SimdElementwise, UnaryAgreesWithReference) {
  const auto check = [](const char* name, Kernels::Unary Kernels::*f, Tolerance tolerance = {}) {
    compare(
        name, [f](const Kernels& k, Index n, Real* x, Real* y) { (k.*f)(n, x, y); }, tolerance);
  };
  check("exp", &Kernels::exp);
  check("log", &Kernels::log, {4});
  check("sqrt", &Kernels::sqrt, {0});
  check("square", &Kernels::square, {0});
  check("sin", &Kernels::sin);
  check("cos", &Kernels::cos);
  check("tanh", &Kernels::tanh);
  check("sigmoid", &Kernels::sigmoid);
  check("softplus", &Kernels::softplus);
  check("relu", &Kernels::relu, {0});
  check("gelu", &Kernels::gelu);
  check("gelu_tanh", &Kernels::gelu_tanh);
  check("silu", &Kernels::silu);
  check("abs", &Kernels::abs, {0});
  check("sign", &Kernels::sign, {0});
}

TEST(SimdElementwise, UnaryWithConstantsAgreesWithReference) {
  const auto with1 = [](Kernels::Unary1 Kernels::*f, Real a) {
    return [=](const Kernels& k, Index n, Real* x, Real* y) { (k.*f)(n, x, a, y); };
  };
  const auto with2 = [](Kernels::Unary2 Kernels::*f, Real a, Real b) {
    return [=](const Kernels& k, Index n, Real* x, Real* y) { (k.*f)(n, x, a, b, y); };
  };
  compare("leaky_relu", with1(&Kernels::leaky_relu, Real(0.01)));
  compare("elu", with2(&Kernels::elu, Real(1.67326), Real(1.0507)));
  compare("clamp", with2(&Kernels::clamp, -1, 2), {0});
  compare("affine", with2(&Kernels::affine, Real(0.3), Real(-2)), {2, 2 * kEpsilon});
  for (const double a : {0., 1., 2., 3., 7., 16., -1., -2., -3., -5., -16., 0.5, -0.5, 1.5, 2.25, 17., -40., 1e9}) {
    compare("pow " + std::to_string(a), with1(&Kernels::pow, static_cast<Real>(a)), {20});
  }
  compare("pow NaN", with1(&Kernels::pow, kNan));
  compare("pow infinity", with1(&Kernels::pow, kInf));
}

TEST(SimdElementwise, NegativePowersWhereThePositiveOneOverflowsOrVanishes) {
  // Whole powers from -1 to -16 of numbers of all magnitudes, by C's pow in twice the precision.
  using Wide = std::conditional_t<sizeof(Real) == 4, double, long double>;
  using Limits = std::numeric_limits<Real>;
  for (const Kernels* kernels : available_kernels()) {
    for (int a = -1; a >= -16; --a) {
      for (int exponent = Limits::min_exponent - Limits::digits; exponent < Limits::max_exponent; ++exponent) {
        for (const double mantissa : {1., -1.3, 1.9}) {
          const Real x = static_cast<Real>(std::ldexp(mantissa, exponent));
          Real y;
          kernels->pow(1, &x, static_cast<Real>(a), &y);
          const Real exact = static_cast<Real>(std::pow(static_cast<Wide>(x), static_cast<Wide>(a)));
          ASSERT_TRUE(close(y, static_cast<double>(exact), 20, 2 * static_cast<double>(Limits::denorm_min())))
              << kernels->name << ": " << x << " ^ " << a << " = " << y << ", expected " << exact;
        }
      }
    }
  }
}

TEST(SimdElementwise, SlopesOfTheActivationsEverywhere) {
  // Against the formulas in twice the precision, at all magnitudes and where they end: an absolute error, as slopes are
  // between -0.2 and 1.2, and gx = gy slope for a large and a small gy alike.
  using Wide = std::conditional_t<sizeof(Real) == 4, double, long double>;
  const auto sigmoid = [](Wide x) { return 1 / (1 + std::exp(-x)); };
  const auto softplus_slope = [&](Wide x) { return sigmoid(x); };
  const auto silu_slope = [&](Wide x) { return sigmoid(x) * (1 + x * (1 - sigmoid(x))); };
  const auto gelu_slope = [](Wide x) {
    return std::erfc(-x * std::sqrt(Wide(0.5))) / 2 + x * std::exp(-x * x / 2) / std::sqrt(8 * std::atan(Wide(1)));
  };
  const auto gelu_tanh_slope = [&](Wide x) {
    const Wide k = 2 * std::sqrt(2 / (4 * std::atan(Wide(1)))), c = 0.044715L;
    const Wide s = sigmoid(k * (x + c * x * x * x));
    return s * (1 + x * (1 - s) * k * (1 + 3 * c * x * x));
  };
  const struct {
    const char* name;
    Kernels::Gradient Kernels::*gradient;
    Kernels::WithSlope Kernels::*both;
    std::function<Wide(Wide)> slope;
  } all[] = {{"softplus", &Kernels::softplus_gradient, &Kernels::softplus_with_slope, softplus_slope},
             {"silu", &Kernels::silu_gradient, &Kernels::silu_with_slope, silu_slope},
             {"gelu", &Kernels::gelu_gradient, &Kernels::gelu_with_slope, gelu_slope},
             {"gelu_tanh", &Kernels::gelu_tanh_gradient, &Kernels::gelu_tanh_with_slope, gelu_tanh_slope}};
  for (const Kernels* kernels : available_kernels()) {
    for (const auto& f : all) {
      for (const Real x : arguments()) {
        // Beyond +-1000 the slope is that of the limit; NaN fails both comparisons.
        const Wide expected = x < -1000 ? 0 : x > 1000 ? 1 : f.slope(static_cast<Wide>(x));
        Real value, slope;
        (kernels->*f.both)(1, &x, &value, &slope);
        ASSERT_TRUE(close(slope, static_cast<double>(expected), 0, 32 * kEpsilon))
            << kernels->name << ' ' << f.name << " slope " << slope << " at " << x << ", expected " << expected;
        for (const double gy : {1e30, -1e-30}) {
          const Real g = static_cast<Real>(gy);
          Real gx;
          (kernels->*f.gradient)(1, &g, &x, &gx);
          ASSERT_TRUE(
              close(static_cast<Real>(static_cast<double>(gx) / gy), static_cast<double>(expected), 0, 32 * kEpsilon))
              << kernels->name << ' ' << f.name << " gradient " << gx << " at " << x;
        }
      }
    }
  }
}

TEST(SimdElementwise, DivisionIsThatOfTheNumberItself) {
  // Not a product with a rounded reciprocal, which may be infinite or 0; the divisor repeated or not.
  for (const Kernels* kernels : available_kernels()) {
    for (const double b : {3., 13., 41., 1e-40, 1e-30, 1e30, 3e38}) {
      const auto divisor = static_cast<Real>(b);
      for (const double a : {1., 41., 169., 1e-40, 1e-30, 1e30, 3e38}) {
        const Index n = kernels->lanes + 1;
        Numbers x(n, 1, static_cast<Real>(a)), d(n, 3, divisor), y(n, 0);
        for (const Index column : {0, 1}) {
          kernels->divide(1, n, {x.data(), n, 1}, {d.data(), column * n, column}, y.data());
          for (Index i = 0; i < n; ++i) ASSERT_EQ(y[i], static_cast<Real>(a) / divisor) << kernels->name;
        }
      }
    }
  }
}

TEST(SimdElementwise, GradientsAgreeWithReference) {
  // The upstream gradient is a plain function of the position, so that both sides see the same.
  const auto upstream = [](Index n) {
    std::vector<Real> gy(static_cast<std::size_t>(n) + 1);
    for (Index i = 0; i < n; ++i) gy[static_cast<std::size_t>(i)] = static_cast<Real>(1.5 - 0.25 * double(i % 13));
    return gy;
  };
  const auto check = [&](const char* name, Kernels::Gradient Kernels::*f, Tolerance tolerance = {16, kEpsilon}) {
    compare(
        name, [&, f](const Kernels& k, Index n, Real* v, Real* gx) { (k.*f)(n, upstream(n).data(), v, gx); },
        tolerance);
  };
  // 1 - y^2 rounds once or twice: an error of an ulp of y^2, which for |y| > 1 (never a tanh) is relative.
  check("tanh_gradient", &Kernels::tanh_gradient, {16, 4 * kEpsilon});
  check("sigmoid_gradient", &Kernels::sigmoid_gradient);
  check("softplus_gradient", &Kernels::softplus_gradient);
  check("relu_gradient", &Kernels::relu_gradient, {0});
  check("gelu_gradient", &Kernels::gelu_gradient);
  // 1 - s is off by an ulp of 1, times x a' < 50 where it still counts.
  check("gelu_tanh_gradient", &Kernels::gelu_tanh_gradient, {16, 64 * kEpsilon});
  check("silu_gradient", &Kernels::silu_gradient, {16, 16 * kEpsilon});
  compare("leaky_relu_gradient", [&](const Kernels& k, Index n, Real* v, Real* gx) {
    k.leaky_relu_gradient(n, upstream(n).data(), v, Real(0.2), gx);
  });
  compare("elu_gradient",
          [&](const Kernels& k, Index n, Real* v, Real* gx) {
            k.elu_gradient(n, upstream(n).data(), v, Real(1.5), Real(1.25), gx);
          },
          {16, 8 * kEpsilon});
  compare("clamp_gradient",
          [&](const Kernels& k, Index n, Real* v, Real* gx) { k.clamp_gradient(n, upstream(n).data(), v, -1, 2, gx); },
          {0});
}

TEST(SimdElementwise, BinaryAgreesWithReferenceForEveryBroadcast) {
  const std::vector<Real> values = arguments();
  using Binary = Kernels::Binary Kernels::*;
  const Binary all[] = {&Kernels::add,    &Kernels::subtract,   &Kernels::multiply,
                        &Kernels::divide, &Kernels::minimum,    &Kernels::maximum,
                        &Kernels::less,   &Kernels::less_equal, &Kernels::equal};
  for (const Kernels* kernels : available_kernels()) {
    for (const Index rows : {0, 1, 3, 150}) {
      for (Index columns = 0; columns <= 4 * kernels->lanes + 1; ++columns) {
        Numbers a((rows + 1) * (columns + 2), 1), b((rows + 1) * (columns + 2), 3), c((rows + 1) * (columns + 2), 0);
        for (Index i = 0; i < a.size(); ++i) {
          a[i] = values[static_cast<std::size_t>(7 * i) % values.size()];
          b[i] = i % 3 == 0 ? a[i] : values[static_cast<std::size_t>(11 * i + columns) % values.size()];
          c[i] = i % 4 == 0 ? 0 : a[i];
        }
        for (int which = 0; which < 16; ++which) {  // a full row, a strided row, a repeated row, one number a row ...
          const auto operand = [&](Numbers& x, int kind) {
            const Index row = kind == 0 ? columns : kind == 1 ? columns + 2 : kind == 2 ? 0 : 1;
            return Operand{x.data(), row, kind == 3 ? 0 : 1};
          };
          const Operand x = operand(a, which % 4), y = operand(b, which / 4);
          Numbers got(rows * columns, 1), expected(rows * columns, 0);
          for (const Binary f : all) {
            (kernels->*f)(rows, columns, x, y, got.data());
            (reference().*f)(rows, columns, x, y, expected.data());
            for (Index i = 0; i < got.size(); ++i) ASSERT_TRUE(close(got[i], expected[i], 0)) << kernels->name;
          }
          const Operand condition = operand(c, (which + 1) % 4);
          kernels->select(rows, columns, condition, x, y, got.data());
          reference().select(rows, columns, condition, x, y, expected.data());
          for (Index i = 0; i < got.size(); ++i) ASSERT_TRUE(close(got[i], expected[i], 0)) << kernels->name;
          ASSERT_TRUE(got.intact());
        }
      }
    }
  }
}

TEST(SimdElementwise, SpecialValues) {
  for (const Kernels* k : available_kernels()) {
    const auto apply = [](Kernels::Unary f, Real x) {
      Real y;
      f(1, &x, &y);
      return y;
    };
    const auto power = [k](Real x, Real a) {
      Real y;
      k->pow(1, &x, a, &y);
      return y;
    };
    EXPECT_EQ(apply(k->exp, -kInf), 0) << k->name;
    EXPECT_EQ(apply(k->exp, kInf), kInf) << k->name;
    EXPECT_EQ(apply(k->exp, 0), 1) << k->name;
    EXPECT_EQ(apply(k->log, 0), -kInf) << k->name;
    EXPECT_EQ(apply(k->log, -Real(0)), -kInf) << k->name;
    EXPECT_EQ(apply(k->log, 1), 0) << k->name;
    EXPECT_TRUE(std::isnan(apply(k->log, -1))) << k->name;
    EXPECT_TRUE(std::isnan(apply(k->sqrt, -1))) << k->name;
    EXPECT_TRUE(std::isnan(apply(k->sin, kInf))) << k->name;
    EXPECT_TRUE(std::signbit(apply(k->tanh, -Real(0)))) << k->name;
    EXPECT_EQ(apply(k->tanh, kInf), 1) << k->name;
    EXPECT_EQ(apply(k->sigmoid, -kInf), 0) << k->name;
    EXPECT_EQ(apply(k->softplus, 1000), 1000) << k->name;
    EXPECT_EQ(apply(k->softplus, -1000), 0) << k->name;
    for (const Kernels::Unary f : {k->exp, k->log, k->sqrt, k->square, k->sin, k->cos, k->tanh, k->sigmoid, k->softplus,
                                   k->relu, k->gelu, k->gelu_tanh, k->silu, k->abs, k->sign}) {
      EXPECT_TRUE(std::isnan(apply(f, kNan))) << k->name;
    }
    EXPECT_EQ(power(-2, 3), -8) << k->name;
    EXPECT_EQ(power(-2, 2), 4) << k->name;
    EXPECT_TRUE(std::isnan(power(-2, Real(0.5)))) << k->name;
    EXPECT_EQ(power(0, -1), kInf) << k->name;
    EXPECT_EQ(power(-Real(0), -1), -kInf) << k->name;
    EXPECT_EQ(power(kNan, 0), 1) << k->name;
    EXPECT_EQ(power(-kInf, Real(0.5)), kInf) << k->name;
    EXPECT_EQ(power(1, kNan), 1) << k->name;
  }
}

TEST(SimdElementwise, SlopesComeWithTheirFunctions) {
  struct Pair {
    Kernels::WithSlope Kernels::*both;
    Kernels::Unary Kernels::*value;
    Kernels::Gradient Kernels::*gradient;
  };
  for (const Kernels* k : available_kernels()) {
    for (const Pair& f : {Pair{&Kernels::silu_with_slope, &Kernels::silu, &Kernels::silu_gradient},
                          Pair{&Kernels::gelu_with_slope, &Kernels::gelu, &Kernels::gelu_gradient},
                          Pair{&Kernels::gelu_tanh_with_slope, &Kernels::gelu_tanh, &Kernels::gelu_tanh_gradient},
                          Pair{&Kernels::softplus_with_slope, &Kernels::softplus, &Kernels::softplus_gradient}}) {
      for (Index n = 0; n <= 4 * k->lanes + 1; ++n) {
        Numbers x(n, 1), y(n, 1), slope(n, 3);
        TestRandom random(static_cast<std::uint64_t>(n));
        for (Index i = 0; i < n; ++i) y[i] = x[i] = random.uniform(-6, 6);
        (k->*f.both)(n, y.data(), y.data(), slope.data());  // in place, as the ops do
        ASSERT_TRUE(y.intact() && slope.intact()) << k->name;
        for (Index i = 0; i < n; ++i) {
          const Real one = 1;
          Real value, gradient;
          (k->*f.value)(1, &x[i], &value);
          (k->*f.gradient)(1, &one, &x[i], &gradient);
          ASSERT_EQ(y[i], value) << k->name;
          ASSERT_EQ(slope[i], gradient) << k->name;
        }
      }
    }
  }
}

TEST(SimdElementwise, AdamWithBetasNextToOne) {
  // One step from 0 moves by the learning rate whatever the betas; later ones follow the formulas in double.
  for (const Kernels* kernels : available_kernels()) {
    for (const double beta2 : {0., 0.5, 0.999, 0.9999999, 0.99999999}) {
      for (const double beta1 : {0., 0.9, 0.99999999}) {
        Real m = 0, v = 0, p = 1;
        double exact_m = 0, exact_v = 0, exact_p = 1;
        for (int t = 1; t <= 20; ++t) {
          const double g = t % 3 == 0 ? -0.5 : 1.5, rate = 0.01, decay = 1e-3;
          const double step = rate / (1 - std::pow(beta1, t)), correction = 1 - std::pow(beta2, t);
          const Adam adam = {1,
                             static_cast<Real>(1 - beta1),
                             static_cast<Real>(1 - beta2),
                             static_cast<Real>(step),
                             static_cast<Real>(1 / correction),
                             Real(1e-8),
                             static_cast<Real>(decay),
                             0};
          const Real gradient = static_cast<Real>(g);
          kernels->adam(1, &gradient, adam, &m, &v, &p, nullptr);
          exact_m = beta1 * exact_m + (1 - beta1) * g;
          exact_v = beta2 * exact_v + (1 - beta2) * g * g;
          exact_p = (1 - decay) * exact_p - step * exact_m / (std::sqrt(exact_v / correction) + 1e-8);
          ASSERT_NEAR(p, exact_p, 20 * kEpsilon) << kernels->name << ' ' << beta1 << ' ' << beta2 << " step " << t;
        }
      }
    }
  }
}

TEST(SimdElementwise, UpdatesInPlaceAgreeWithReference) {
  const Adam step = {Real(0.5), Real(0.1), Real(0.001), Real(0.01), Real(3.3), Real(1e-8), Real(1e-4), Real(0.2)};
  for (const Kernels* kernels : available_kernels()) {
    for (const Index misalignment : kMisalignments) {
      for (Index n = 0; n <= 4 * kernels->lanes + 1; ++n) {
        TestRandom random(static_cast<std::uint64_t>(n));
        Numbers x(n, misalignment);
        Numbers got[4] = {{n, misalignment}, {n, misalignment}, {n, misalignment}, {n, misalignment}};
        Numbers expected[4] = {{n, 0}, {n, 0}, {n, 0}, {n, 0}};
        for (Index i = 0; i < n; ++i) {
          x[i] = random.uniform(-1, 1);
          for (int j = 0; j < 4; ++j) got[j][i] = expected[j][i] = random.uniform(j == 1 ? 0 : -1, 1);
        }
        for (const bool averaged : {false, true}) {
          kernels->adam(n, x.data(), step, got[0].data(), got[1].data(), got[2].data(),
                        averaged ? got[3].data() : nullptr);
          reference().adam(n, x.data(), step, expected[0].data(), expected[1].data(), expected[2].data(),
                           averaged ? expected[3].data() : nullptr);
        }
        kernels->lerp(n, x.data(), Real(0.1), got[0].data());
        reference().lerp(n, x.data(), Real(0.1), expected[0].data());
        for (int j = 0; j < 4; ++j) {
          for (Index i = 0; i < n; ++i) ASSERT_TRUE(close(got[j][i], expected[j][i], 8, 4 * kEpsilon)) << kernels->name;
          ASSERT_TRUE(got[j].intact());
        }
      }
    }
  }
}

}  // namespace
}  // namespace rill::simd
