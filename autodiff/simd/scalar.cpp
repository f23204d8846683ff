// The kernels in plain C++, one number at a time: what the other sets compute, and what they are tested against.
#include "autodiff/simd/scalar.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/simd/tables.hpp"

namespace rill::simd {
namespace {

constexpr Real kInfinity = std::numeric_limits<Real>::infinity();
constexpr Real kPi = Real(3.14159265358979323846);

using scalar::Wide;
constexpr Wide kSqrtHalf = 0.707106781186547524400844362104849039L;
constexpr Wide kInverseSqrtTwoPi = 0.398942280401432677939946059934381868L;

// ---------------------------------------------------------------------------------------------------------------------
// Functions of one number

Real exp(Real x) { return std::exp(x); }
Real log(Real x) { return std::log(x); }
Real sqrt(Real x) { return std::sqrt(x); }
Real square(Real x) { return x * x; }
Real sin(Real x) { return std::sin(x); }
Real cos(Real x) { return std::cos(x); }
Real tanh(Real x) { return std::tanh(x); }
Wide wide_sigmoid(Wide x) { return 1 / (1 + std::exp(-x)); }
Real sigmoid(Real x) { return static_cast<Real>(wide_sigmoid(x)); }
// ln(1 + e^x), written so that e^x cannot overflow.
Real softplus(Real x) { return static_cast<Real>((x > 0 ? x : 0) + std::log1p(std::exp(-std::abs(Wide(x))))); }
Real relu(Real x) { return x < 0 ? 0 : x; }
// f(x) = x p(x) for a p that falls to 0 faster than x grows: at -infinity the product has no value, but a limit.
Real vanishing_product(Real x, Wide p) { return x == -kInfinity ? Real(-0.) : static_cast<Real>(x * p); }
Real silu(Real x) { return vanishing_product(x, wide_sigmoid(x)); }
// Phi(x) = erfc(-x / sqrt 2) / 2 keeps its digits where 1 + erf would cancel.
Wide normal_cdf(Wide x) { return std::erfc(-x * kSqrtHalf) / 2; }
Wide normal_pdf(Wide x) { return kInverseSqrtTwoPi * std::exp(-x * x / 2); }
Real gelu(Real x) { return vanishing_product(x, normal_cdf(x)); }
// sigmoid(a), a = k (x + c x^3), which is (1 + tanh(a / 2)) / 2.
constexpr Wide kGeluScale = 1.59576912160573071175978423973752747L, kGeluCubic = 0.044715L;  // 2 sqrt(2 / pi)
Wide gelu_sigmoid(Wide x) { return wide_sigmoid(kGeluScale * (x + kGeluCubic * x * x * x)); }
Real gelu_tanh(Real x) { return vanishing_product(x, gelu_sigmoid(x)); }
Real abs(Real x) { return std::abs(x); }
Real sign(Real x) { return x > 0 ? 1 : x < 0 ? -1 : x; }

Real leaky_relu(Real x, Real a) { return x > 0 ? x : a * x; }
Real pow(Real x, Real a) { return std::pow(x, a); }
Real elu(Real x, Real a, Real b) { return x >= 0 ? b * x : b * a * std::expm1(x); }
Real clamp(Real x, Real a, Real b) { return x < a ? a : x > b ? b : x; }
Real affine(Real x, Real a, Real b) { return a * x + b; }

Real tanh_gradient(Real gy, Real y) { return gy * (1 - y * y); }
Real sigmoid_gradient(Real gy, Real y) { return gy * y * (1 - y); }
Real softplus_gradient(Real gy, Real x) { return gy * sigmoid(x); }
Real relu_gradient(Real gy, Real x) { return x > 0 ? gy : 0; }
// Between bounds beyond which the slope is 0 or 1: at infinity the products have no value.
Real gelu_gradient(Real gy, Real x) {
  const Wide c = std::clamp<Wide>(x, -40, 40);
  return static_cast<Real>(gy * (normal_cdf(c) + c * normal_pdf(c)));
}
Real gelu_tanh_gradient(Real gy, Real x) {
  const Wide c = std::clamp<Wide>(x, -40, 40);
  const Wide s = gelu_sigmoid(c), slope = kGeluScale * (1 + 3 * kGeluCubic * c * c);
  return static_cast<Real>(gy * s * (1 + c * (1 - s) * slope));
}
Real silu_gradient(Real gy, Real x) {
  const Wide c = std::clamp<Wide>(x, -800, 800), s = wide_sigmoid(c);
  return static_cast<Real>(gy * s * (1 + c * (1 - s)));
}
Real leaky_relu_gradient(Real gy, Real x, Real a) { return x > 0 ? gy : a * gy; }
Real elu_gradient(Real gy, Real y, Real a, Real b) { return y > 0 ? b * gy : gy * (y + a * b); }
Real clamp_gradient(Real gy, Real x, Real a, Real b) { return a <= x && x <= b ? gy : 0; }

template <Real (*f)(Real)>
void unary(Index n, const Real* x, Real* y) noexcept {
  for (Index i = 0; i < n; ++i) y[i] = f(x[i]);
}
template <Real (*f)(Real, Real)>
void unary1(Index n, const Real* x, Real a, Real* y) noexcept {
  for (Index i = 0; i < n; ++i) y[i] = f(x[i], a);
}
template <Real (*f)(Real, Real, Real)>
void unary2(Index n, const Real* x, Real a, Real b, Real* y) noexcept {
  for (Index i = 0; i < n; ++i) y[i] = f(x[i], a, b);
}
template <Real (*f)(Real, Real)>
void gradient(Index n, const Real* gy, const Real* v, Real* gx) noexcept {
  for (Index i = 0; i < n; ++i) gx[i] = f(gy[i], v[i]);
}
template <Real (*f)(Real), Real (*f_gradient)(Real, Real)>
void with_slope(Index n, const Real* x, Real* y, Real* slope) noexcept {
  for (Index i = 0; i < n; ++i) {
    const Real x_i = x[i];
    y[i] = f(x_i);
    slope[i] = f_gradient(1, x_i);
  }
}
template <Real (*f)(Real, Real, Real)>
void gradient1(Index n, const Real* gy, const Real* v, Real a, Real* gx) noexcept {
  for (Index i = 0; i < n; ++i) gx[i] = f(gy[i], v[i], a);
}
template <Real (*f)(Real, Real, Real, Real)>
void gradient2(Index n, const Real* gy, const Real* v, Real a, Real b, Real* gx) noexcept {
  for (Index i = 0; i < n; ++i) gx[i] = f(gy[i], v[i], a, b);
}

// ---------------------------------------------------------------------------------------------------------------------
// Functions of two or three numbers, broadcast by strides

Real add(Real a, Real b) { return a + b; }
Real subtract(Real a, Real b) { return a - b; }
Real multiply(Real a, Real b) { return a * b; }
Real divide(Real a, Real b) { return a / b; }
Real minimum(Real a, Real b) { return std::isnan(a) || a < b ? a : b; }
Real maximum(Real a, Real b) { return std::isnan(a) || a > b ? a : b; }
Real less(Real a, Real b) { return a < b; }
Real less_equal(Real a, Real b) { return a <= b; }
Real equal(Real a, Real b) { return a == b; }

Real at(const Operand& a, Index r, Index c) { return a.data[r * a.row + c * a.column]; }

template <Real (*f)(Real, Real)>
void binary(Index rows, Index columns, Operand a, Operand b, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < columns; ++c) y[r * columns + c] = f(at(a, r, c), at(b, r, c));
  }
}

void select(Index rows, Index columns, Operand condition, Operand a, Operand b, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < columns; ++c) y[r * columns + c] = at(condition, r, c) != 0 ? at(a, r, c) : at(b, r, c);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Reductions

// Sums of halves, down to 64 terms added in a row: the error grows with the logarithm of n and not with n
// (Higham, "The accuracy of floating point summation", 1993).
template <class Term>
Real pairwise_sum(Index first, Index n, const Term& term) {
  if (n > 64) return pairwise_sum(first, n / 2, term) + pairwise_sum(first + n / 2, n - n / 2, term);
  Real sum = 0;
  for (Index i = first; i < first + n; ++i) sum += term(i);
  return sum;
}

void sum(Index outer, Index reduced, Index inner, const Real* x, Real* y) noexcept {
  for (Index o = 0; o < outer; ++o) {
    for (Index i = 0; i < inner; ++i) {
      y[o * inner + i] = pairwise_sum(0, reduced, [&](Index r) { return x[(o * reduced + r) * inner + i]; });
    }
  }
}

void max(Index outer, Index reduced, Index inner, const Real* x, Real* y) noexcept {
  for (Index o = 0; o < outer; ++o) {
    for (Index i = 0; i < inner; ++i) {
      Real m = -kInfinity;
      for (Index r = 0; r < reduced; ++r) m = maximum(m, x[(o * reduced + r) * inner + i]);
      y[o * inner + i] = m;
    }
  }
}

Real dot(Index n, const Real* a, const Real* b) noexcept {
  return pairwise_sum(0, n, [&](Index i) { return a[i] * b[i]; });
}

// m = max_c x[c] and s = sum_c e^(x[c] - m), so that sum_c e^x[c] = e^m s.
struct RowSum {
  Real m, s;
};
RowSum row_sum(Index columns, const Real* x) {
  Real m;
  max(1, columns, 1, x, &m);
  return {m, pairwise_sum(0, columns, [&](Index c) { return std::exp(x[c] - m); })};
}

void softmax(Index rows, Index columns, const Real* x, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r, x += columns, y += columns) {
    const auto [m, s] = row_sum(columns, x);
    for (Index c = 0; c < columns; ++c) y[c] = std::exp(x[c] - m) / s;
  }
}

void log_softmax(Index rows, Index columns, const Real* x, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r, x += columns, y += columns) {
    const auto [m, s] = row_sum(columns, x);
    const Real log_s = std::log(s);
    for (Index c = 0; c < columns; ++c) y[c] = x[c] - m - log_s;
  }
}

void logsumexp(Index rows, Index columns, const Real* x, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r, x += columns) {
    const auto [m, s] = row_sum(columns, x);
    y[r] = std::isinf(m) ? m : m + std::log(s);  // an infinite m is the answer, and m - m would be NaN
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Matrices

void transpose(Index rows, Index columns, const Real* x, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < columns; ++c) y[c * rows + r] = x[r * columns + c];
  }
}

Index gemm_workspace(const Gemm&) noexcept { return 0; }

void gemm(const Gemm& g, Real*) noexcept {
  for (Index i = 0; i < g.m; ++i) {
    for (Index j = 0; j < g.n; ++j) {
      Real sum = g.bias ? g.bias[j] : 0;
      if (g.accumulate) sum += g.c[i * g.ldc + j];
      for (Index p = 0; p < g.k; ++p) {
        sum += g.a[g.transpose_a ? p * g.lda + i : i * g.lda + p] * g.b[g.transpose_b ? j * g.ldb + p : p * g.ldb + j];
      }
      g.c[i * g.ldc + j] = sum;
    }
  }
  if (g.finish) g.finish(g.context, 0, g.m);
}

// ---------------------------------------------------------------------------------------------------------------------
// Updates in place

void lerp(Index n, const Real* x, Real w, Real* y) noexcept {
  for (Index i = 0; i < n; ++i) y[i] += w * (x[i] - y[i]);
}

// (1 - rest) x as x - rest x, because 1 - rest may round to 1.
void adam(Index n, const Real* gradient, const Adam& step, Real* m, Real* v, Real* p, Real* average) noexcept {
  for (Index i = 0; i < n; ++i) {
    const Real g = step.gradient_scale * gradient[i];
    m[i] = m[i] - step.rest1 * m[i] + step.rest1 * g;
    // A square beyond a Real stays infinite, and the step 0: inf - inf would be NaN.
    v[i] = v[i] - step.rest2 * std::min(v[i], std::numeric_limits<Real>::max()) + step.rest2 * g * g;
    p[i] -= step.decay * p[i] + step.step * m[i] / (std::sqrt(v[i] * step.inverse_correction2) + step.epsilon);
    if (average) average[i] += step.average_weight * (p[i] - average[i]);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Assignment

double cost(const CostRow& row, Index j) {
  if (row.floats) return row.floats[j];
  if (row.doubles) return row.doubles[j];
  double product = 0, squared = 0;
  for (Index d = 0; d < row.dimension; ++d) {
    const double x = row.point[d], y = row.points[d * row.stride + j];
    product += x * y;
    squared += (x - y) * (x - y);
  }
  return row.distance ? std::sqrt(squared) : -product;
}

void lower_prices(const CostRow& row, double discount, Index n, double* price) noexcept {
  for (Index j = 0; j < n; ++j) price[j] = std::min(price[j], cost(row, j) - discount);
}

constexpr double kNone = std::numeric_limits<double>::infinity();

Least two_least(const CostRow& row, const double* price, Index n) noexcept {
  Least least{kNone, 0, kNone};
  for (Index j = 0; j < n; ++j) {
    const double x = cost(row, j) - price[j];
    least.next = std::min(least.next, std::max(least.value, x));
    if (x < least.value) least.value = x, least.at = j;
  }
  return least;
}

Least relax(const CostRow& row, const double* price, double base, double from_row, Index n, double* distance,
            double* from) noexcept {
  Least least{kNone, 0, kNone};
  for (Index j = 0; j < n; ++j) {
    const double through = cost(row, j) - price[j] + base;
    if (through < distance[j]) distance[j] = through, from[j] = from_row;
    if (distance[j] < least.value) least.value = distance[j], least.at = j;
  }
  return least;
}

// ---------------------------------------------------------------------------------------------------------------------
// Random numbers

constexpr int kTileWords = 4 * kRandomTileBlocks;

// The words of one tile. The rounds and constants are those of Salmon et al. 2011, section 3.3.
void philox_tile(const RandomState& state, std::uint32_t* w) {
  for (int b = 0; b < kRandomTileBlocks; ++b) {
    const std::uint64_t counter = state.counter + static_cast<std::uint64_t>(b);
    auto c0 = static_cast<std::uint32_t>(counter), c1 = static_cast<std::uint32_t>(counter >> 32);
    auto c2 = static_cast<std::uint32_t>(state.stream), c3 = static_cast<std::uint32_t>(state.stream >> 32);
    auto k0 = static_cast<std::uint32_t>(state.seed), k1 = static_cast<std::uint32_t>(state.seed >> 32);
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c0, p1 = std::uint64_t{0xCD9E8D57} * c2;
      c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
      c1 = static_cast<std::uint32_t>(p1);
      c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
      c3 = static_cast<std::uint32_t>(p0);
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    w[b] = c0, w[16 + b] = c1, w[32 + b] = c2, w[48 + b] = c3;
  }
}

#ifdef RILL_REAL_DOUBLE
Real uniform(const std::uint32_t* w, int i) {
  return static_cast<Real>((std::uint64_t{w[i]} << 32 | w[i + 32]) >> 11) * 0x1p-53;
}
Real positive_uniform(const std::uint32_t* w, int i) { return uniform(w, i) + 0x1p-53; }
#else
Real uniform(const std::uint32_t* w, int i) { return static_cast<Real>(w[i] >> 8) * 0x1p-24f; }
Real positive_uniform(const std::uint32_t* w, int i) { return (static_cast<Real>(w[i]) + 1) * 0x1p-32f; }
#endif

void uniform_tile(const std::uint32_t* w, Real* u) {
  for (int i = 0; i < kRandomTile; ++i) u[i] = uniform(w, i);
}

void normal_tile(const std::uint32_t* w, Real* z) {
  constexpr int half = kRandomTile / 2;
  for (int i = 0; i < half; ++i) {
    const Real radius = std::sqrt(-2 * std::log(positive_uniform(w, i)));
    const Real angle = 2 * kPi * uniform(w, i + half);
    z[i] = radius * std::cos(angle);
    z[i + half] = radius * std::sin(angle);
  }
}

void bits_tile(const std::uint32_t* w, std::uint32_t* y) {
  for (int i = 0; i < kTileWords; ++i) y[i] = w[i];
}

// Tile after tile; of the last one, as much as is asked for.
template <class T, int size, void (*tile)(const std::uint32_t*, T*)>
void random(RandomState state, Index n, T* y) noexcept {
  for (Index i = 0; i < n; i += size, state.counter += kRandomTileBlocks) {
    std::uint32_t w[kTileWords];
    T numbers[size];
    philox_tile(state, w);
    tile(w, numbers);
    for (Index j = 0; j < size && i + j < n; ++j) y[i + j] = numbers[j];
  }
}

}  // namespace

void scalar::mean(Index outer, Index reduced, Index inner, const Real* x, Real* y) noexcept {
  for (Index o = 0; o < outer; ++o, x += reduced * inner, y += inner) {
    for (Index i = 0; i < inner; ++i) {
      Wide total = 0;
      for (Index r = 0; r < reduced; ++r) total += static_cast<Wide>(x[r * inner + i]);
      y[i] = static_cast<Real>(total / static_cast<Wide>(reduced));
    }
  }
}

constinit const Kernels scalar_kernels = {
    .name = "scalar",
    .lanes = 1,

    .exp = unary<exp>,
    .log = unary<log>,
    .sqrt = unary<sqrt>,
    .square = unary<square>,
    .sin = unary<sin>,
    .cos = unary<cos>,
    .tanh = unary<tanh>,
    .sigmoid = unary<sigmoid>,
    .softplus = unary<softplus>,
    .relu = unary<relu>,
    .gelu = unary<gelu>,
    .gelu_tanh = unary<gelu_tanh>,
    .silu = unary<silu>,
    .abs = unary<abs>,
    .sign = unary<sign>,
    .leaky_relu = unary1<leaky_relu>,
    .pow = unary1<pow>,
    .elu = unary2<elu>,
    .clamp = unary2<clamp>,
    .affine = unary2<affine>,

    .tanh_gradient = gradient<tanh_gradient>,
    .sigmoid_gradient = gradient<sigmoid_gradient>,
    .softplus_gradient = gradient<softplus_gradient>,
    .relu_gradient = gradient<relu_gradient>,
    .gelu_gradient = gradient<gelu_gradient>,
    .gelu_tanh_gradient = gradient<gelu_tanh_gradient>,
    .silu_gradient = gradient<silu_gradient>,
    .leaky_relu_gradient = gradient1<leaky_relu_gradient>,
    .elu_gradient = gradient2<elu_gradient>,
    .clamp_gradient = gradient2<clamp_gradient>,

    .softplus_with_slope = with_slope<softplus, softplus_gradient>,
    .gelu_with_slope = with_slope<gelu, gelu_gradient>,
    .gelu_tanh_with_slope = with_slope<gelu_tanh, gelu_tanh_gradient>,
    .silu_with_slope = with_slope<silu, silu_gradient>,

    .add = binary<add>,
    .subtract = binary<subtract>,
    .multiply = binary<multiply>,
    .divide = binary<divide>,
    .minimum = binary<minimum>,
    .maximum = binary<maximum>,
    .less = binary<less>,
    .less_equal = binary<less_equal>,
    .equal = binary<equal>,
    .select = select,

    .sum = sum,
    .mean = scalar::mean,
    .max = max,
    .dot = dot,
    .softmax = softmax,
    .log_softmax = log_softmax,
    .logsumexp = logsumexp,
    .transpose = transpose,
    .gemm_workspace = gemm_workspace,
    .gemm = gemm,
    .panel = scalar::kPanel,
    .convolution = scalar::convolution,
    .convolution_weight = scalar::convolution_weight,
    .attention_workspace = scalar::attention_workspace,
    .attention = scalar::attention,
    .attention_gradient = scalar::attention_gradient,

    .column_moments = scalar::column_moments,
    .normalize_columns = scalar::normalize_columns,
    .column_products = scalar::column_products,
    .normalize_columns_gradient = scalar::normalize_columns_gradient,
    .normalize_rows = scalar::normalize_rows,
    .normalize_rows_gradient = scalar::normalize_rows_gradient,

    .sum_rectangles = scalar::sum_rectangles,
    .pick_at_maxima = scalar::pick_at_maxima,
    .add_at_maxima = scalar::add_at_maxima,

    .lerp = lerp,
    .adam = adam,

    .lower_prices = lower_prices,
    .two_least = two_least,
    .relax = relax,

    .random_bits = random<std::uint32_t, kTileWords, bits_tile>,
    .random_uniform = random<Real, kRandomTile, uniform_tile>,
    .random_normal = random<Real, kRandomTile, normal_tile>,
};

}  // namespace rill::simd
