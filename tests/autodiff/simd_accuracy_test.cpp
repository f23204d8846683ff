// The error of each function on each set, over all arguments: for float, bit patterns at a fixed
// distance through all 2^32; for double, random ones of every exponent and of the range where the function changes.
#include <bit>
#include <string>
#include <type_traits>

#include "tests/autodiff/simd_testing.hpp"

namespace rill::simd {
namespace {

// Twice the precision of a Real, in which the reference is computed.
using Wide = std::conditional_t<sizeof(Real) == 4, double, long double>;
using Bits = std::conditional_t<sizeof(Real) == 4, std::uint32_t, std::uint64_t>;

std::vector<Real> arguments() {
  std::vector<Real> x = {0,
                         -Real(0),
                         kInf,
                         -kInf,
                         kNan,
                         -kNan,
                         std::numeric_limits<Real>::denorm_min(),
                         std::numeric_limits<Real>::min(),
                         std::numeric_limits<Real>::max()};
  if constexpr (sizeof(Real) == 4) {
    constexpr Bits kStep = 4001;  // prime: visits all mantissas of all 510 exponents
    for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += kStep) {
      x.push_back(std::bit_cast<Real>(static_cast<Bits>(bits)));
    }
  } else {
    TestRandom random(5);
    for (int i = 0; i < 50'000; ++i) {
      x.push_back(std::bit_cast<Real>(static_cast<Bits>(random.bits())));
      for (const double range : {2., 40., 760.}) x.push_back(random.uniform(-range, range));
    }
  }
  return x;
}

// The distance between neighboring Reals at `exact`.
Wide ulp(Wide exact) {
  int exponent = 0;
  std::frexp(exact, &exponent);
  using Limits = std::numeric_limits<Real>;
  const int least = Limits::min_exponent, most = Limits::max_exponent;
  exponent = exact == 0 || exponent < least ? least : exponent > most ? most : exponent;
  return std::ldexp(Wide(1), exponent - Limits::digits);
}

// `y` in ulps from `exact`; where one is NaN or infinite they must be the same Real.
double error_in_ulps(Real y, Wide exact) {
  const Real rounded = static_cast<Real>(exact);
  if (y == rounded || (std::isnan(y) && std::isnan(rounded))) return 0;
  if (std::isfinite(y) != std::isfinite(rounded)) {
    // Only the rounding of the largest numbers may differ.
    return std::isnan(y) || std::isnan(rounded) ? static_cast<double>(kInf)
                                                : error_in_ulps(std::numeric_limits<Real>::max(), std::abs(exact)) + 1;
  }
  return static_cast<double>(std::abs(static_cast<Wide>(y) - exact) / ulp(exact));
}

Wide sigmoid(Wide x) { return 1 / (1 + std::exp(-x)); }
Wide softplus(Wide x) { return (x > 0 ? x : 0) + std::log1p(std::exp(-std::abs(x))); }
Wide expm1_elu(Wide x) { return x > 0 ? x : std::expm1(x); }
// x p(x) for a p that vanishes at -infinity
Wide product(Wide x, Wide p) { return std::isinf(x) && x < 0 ? 0 : x * p; }
Wide silu(Wide x) { return product(x, sigmoid(x)); }
Wide gelu(Wide x) { return product(x, std::erfc(-x * 0.70710678118654752440084436210484903928L) / 2); }
Wide gelu_tanh(Wide x) {
  const Wide k = 1.59576912160573071175978423973752747L, c = 0.044715L;
  return product(x, sigmoid(k * (x + c * x * x * x)));
}

const Real kAlpha = Real(1.6732632), kScale = Real(1.0507010);
Wide selu(Wide x) { return static_cast<Wide>(kScale) * (x > 0 ? x : static_cast<Wide>(kAlpha) * std::expm1(x)); }
void elu_kernel(const Kernels& k, Index n, const Real* x, Real* y) { k.elu(n, x, 1, 1, y); }
void selu_kernel(const Kernels& k, Index n, const Real* x, Real* y) { k.elu(n, x, kAlpha, kScale, y); }
template <Kernels::Unary ElementwiseKernels::*f>
void unary_kernel(const Kernels& k, Index n, const Real* x, Real* y) {
  (k.*f)(n, x, y);
}

struct Function {
  const char* name;
  void (*run)(const Kernels&, Index, const Real*, Real*);
  Wide (*exact)(Wide);
  double ulps;
  bool keeps_zero = false;  // f(-0) = -0
  bool bounded = false;     // |f(x)| <= 1
};
const Function kFunctions[] = {
    {"exp", unary_kernel<&Kernels::exp>, std::exp, 2},
    {"log", unary_kernel<&Kernels::log>, std::log, 2},
    {"sin", unary_kernel<&Kernels::sin>, std::sin, 4, true, true},
    {"cos", unary_kernel<&Kernels::cos>, std::cos, 4, false, true},
    {"tanh", unary_kernel<&Kernels::tanh>, std::tanh, 4, true, true},
    {"sigmoid", unary_kernel<&Kernels::sigmoid>, sigmoid, 4, false, true},
    {"softplus", unary_kernel<&Kernels::softplus>, softplus, 4},
    {"gelu", unary_kernel<&Kernels::gelu>, gelu, 4, true},
    {"gelu_tanh", unary_kernel<&Kernels::gelu_tanh>, gelu_tanh, 4, true},
    {"silu", unary_kernel<&Kernels::silu>, silu, 4, true},
    {"elu", elu_kernel, expm1_elu, 4, true},
    {"selu", selu_kernel, selu, 4, true},
};

TEST(SimdAccuracy, EveryFunctionOverAllArguments) {
  const std::vector<Real> x = arguments();
  const auto n = static_cast<Index>(x.size());
  std::vector<Wide> exact(x.size());
  std::vector<Real> y(x.size());
  for (const Function& f : kFunctions) {
    for (std::size_t i = 0; i < x.size(); ++i) exact[i] = f.exact(static_cast<Wide>(x[i]));
    for (const Kernels* kernels : available_kernels()) {
      f.run(*kernels, n, x.data(), y.data());
      double worst = 0, at = 0, largest = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double error = error_in_ulps(y[i], exact[i]);
        if (error > worst) worst = error, at = static_cast<double>(x[i]);
        if (std::abs(y[i]) > largest) largest = static_cast<double>(std::abs(y[i]));
      }
      RecordProperty(std::string(f.name) + "_" + kernels->name, std::to_string(worst));
      // tanh and gelu's last bits lean on fused multiply-adds, which SSE2 lacks.
      const double allowed = f.ulps + (std::string(kernels->name) == "sse2" && f.ulps == 4 ? 1 : 0);
      EXPECT_LE(worst, allowed) << f.name << ' ' << kernels->name << " at " << at;
      EXPECT_TRUE(!f.bounded || largest <= 1) << f.name << ' ' << kernels->name << " reaches " << largest;
      EXPECT_TRUE(!f.keeps_zero || (y[1] == 0 && std::signbit(y[1]))) << f.name << ' ' << kernels->name;
    }
  }
}

// Multiples of pi/2 are where an inexact reduction shows: the nearest Real to k pi/2 has a sine or cosine near 0.
TEST(SimdAccuracy, SineAndCosineNextToTheirZeros) {
  const Wide half_pi = 1.57079632679489661923132169163975144L;
  std::vector<Real> x;
  for (double k = 1; k < 1e7; k *= 1.01) {
    const Real nearest = static_cast<Real>(std::floor(static_cast<Wide>(k)) * half_pi);
    for (const Real sign : {Real(1), Real(-1)}) {
      x.push_back(sign * nearest);
      x.push_back(sign * std::nextafter(nearest, kInf));
    }
  }
  std::vector<Real> s(x.size()), c(x.size());
  for (const Kernels* kernels : available_kernels()) {
    kernels->sin(static_cast<Index>(x.size()), x.data(), s.data());
    kernels->cos(static_cast<Index>(x.size()), x.data(), c.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto at = static_cast<Wide>(x[i]);
      ASSERT_LE(error_in_ulps(s[i], std::sin(at)), 4) << kernels->name << " sin " << x[i];
      ASSERT_LE(error_in_ulps(c[i], std::cos(at)), 4) << kernels->name << " cos " << x[i];
    }
  }
}

}  // namespace
}  // namespace rill::simd
