#include "flow/bijection/rational_quadratic.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/simd/kernels.hpp"

namespace rill::flow {
namespace {

constexpr Real kLeast = Real(1e-3);  // width and height as a share of the whole, and slope

// softplus(kShift) = 1 - kLeast
const Real kShift = std::log(std::expm1(1 - kLeast));

Real sigmoid(Real x) { return 1 / (1 + std::exp(-x)); }
Real slope_of(Real raw) {
  return kLeast + std::max(raw + kShift, Real(0)) + std::log1p(std::exp(-std::abs(raw + kShift)));
}

// The bin of a number, and its spline there.
struct Bin {
  Index k;
  Real x, y;       // the left knot
  Real w, h;       // width and height
  Real d, d_next;  // slopes at both knots
};

// The parameters of one number: softmaxes of K widths and of K heights, and the raw slopes.
struct Spline {
  const Real *widths, *heights, *raw_slopes;
  Index bins;
  Real bound;

  Real share(Real softmax) const { return 2 * bound * (kLeast + (1 - kLeast * static_cast<Real>(bins)) * softmax); }

  // The bin that contains `at`, a point among the knots of `shares`.
  Bin find(Real at, bool by_height) const {
    const Real* shares = by_height ? heights : widths;
    Bin bin{.k = 0, .x = -bound, .y = -bound, .w = share(widths[0]), .h = share(heights[0]), .d = 1, .d_next = 1};
    for (Real left = -bound, size = share(shares[0]); bin.k + 1 < bins && at >= left + size;) {
      left += size;
      bin.x += bin.w;
      bin.y += bin.h;
      ++bin.k;
      bin.w = share(widths[bin.k]);
      bin.h = share(heights[bin.k]);
      size = share(shares[bin.k]);
    }
    if (bin.k > 0) bin.d = slope_of(raw_slopes[bin.k - 1]);
    if (bin.k + 1 < bins) bin.d_next = slope_of(raw_slopes[bin.k]);
    return bin;
  }
};

// The formula at xi, with what its derivatives share.
struct Value {
  Real s, q, numerator, denominator, slope_part;  // slope = s^2 slope_part / denominator^2

  Value(const Bin& b, Real xi)
      : s(b.h / b.w),
        q(xi * (1 - xi)),
        numerator(b.h * (s * xi * xi + b.d * q)),
        denominator(s + (b.d + b.d_next - 2 * s) * q),
        slope_part(b.d_next * xi * xi + 2 * s * q + b.d * (1 - xi) * (1 - xi)) {}
  Real log_slope() const { return 2 * std::log(s) + std::log(slope_part) - 2 * std::log(denominator); }
};

// The softmaxes of all numbers, in the layout of the raw parameters; slopes are copied.
std::vector<Real> softmaxes(const Tensor& raw, Index bins) {
  const Index each = spline_parameters(bins), numbers = raw.size() / each;
  std::vector<Real> all(static_cast<std::size_t>(raw.size()));
  constexpr Index kGrain = 256;
  parallel_for(numbers, kGrain, [&](Index begin, Index end) {
    const Real* from = raw.data() + begin * each;
    Real* to = all.data() + begin * each;
    const Index count = (end - begin) * each;
    for (Index n = 0; n < end - begin; ++n) {
      for (Index part = 0; part < 2; ++part) {
        const Real* x = from + n * each + part * bins;
        const Real largest = *std::max_element(x, x + bins);
        for (Index k = 0; k < bins; ++k) to[n * each + part * bins + k] = x[k] - largest;
      }
      std::copy_n(from + n * each + 2 * bins, bins - 1, to + n * each + 2 * bins);
    }
    std::vector<Real> exps(static_cast<std::size_t>(count));
    simd::kernels().exp(count, to, exps.data());
    for (Index n = 0; n < end - begin; ++n) {
      for (Index part = 0; part < 2; ++part) {
        const Real* e = exps.data() + n * each + part * bins;
        Real total = 0;
        for (Index k = 0; k < bins; ++k) total += e[k];
        for (Index k = 0; k < bins; ++k) to[n * each + part * bins + k] = e[k] / total;
      }
    }
  });
  return all;
}

Spline spline_at(const std::vector<Real>& shares, Index number, Index bins, Real bound) {
  const Real* own = shares.data() + number * spline_parameters(bins);
  return {own, own + bins, own + 2 * bins, bins, bound};
}

void check(const char* op, const Tensor& x, const Tensor& raw, Index bins, double bound) {
  require(bins >= 1 && static_cast<double>(bins) * static_cast<double>(kLeast) < 0.5 && bound > 0, op,
          ": expected 1 to 499 bins and a bound above 0, got ", bins, " and ", bound);
  require(x.rank() == 2 && raw.shape() == Shape({x.dim(0), x.dim(1) * spline_parameters(bins)}), op,
          ": expected x [M, T] and parameters [M, T ", spline_parameters(bins), "], got ", x.shape(), " and ",
          raw.shape());
}

constexpr Index kGrain = 256;  // numbers, of some 100 ns each

// dL/dx and dL/draw from dL/dy and dL/d(log slope), [2, M, T].
class Backward {
 public:
  Backward(Tensor x, std::vector<Real> shares, Shape raw_shape, Index bins, Real bound)
      : x_(std::move(x)), shares_(std::move(shares)), raw_shape_(raw_shape), bins_(bins), bound_(bound) {}

  const Tensor& gradient(const Tensor& gy, std::size_t input) {
    require(!grad_enabled(), "rational_quadratic: its gradient cannot be differentiated again");
    if (solved_for_ != gy.storage()) {
      solve(gy);
      solved_for_ = gy.storage();
    }
    return input == 0 ? gx_ : graw_;
  }

 private:
  void solve(const Tensor& gy) {
    gx_ = Tensor::empty(x_.shape());
    graw_ = Tensor::zeros(raw_shape_);
    const Index numbers = x_.size();
    parallel_for(numbers, kGrain, [&](Index begin, Index end) {
      std::vector<Real> of_widths(static_cast<std::size_t>(bins_)), of_heights(static_cast<std::size_t>(bins_));
      for (Index n = begin; n < end; ++n) {
        const Real x = x_.data()[n], g_y = gy.data()[n], g_l = gy.data()[numbers + n];
        if (!(std::abs(x) < bound_)) {
          gx_.data()[n] = g_y;
          continue;
        }
        const Spline spline = spline_at(shares_, n, bins_, bound_);
        const Bin b = spline.find(x, false);
        const Real xi = (x - b.x) / b.w;
        const Value v(b, xi);
        const Real s = v.s, q = v.q, den = v.denominator, num = v.numerator, a = v.slope_part, q_xi = 1 - 2 * xi;
        const Real d_sum = b.d + b.d_next - 2 * s;
        // A quantity z of xi, s, d or d_next has dy/dz = (num_z den - num den_z) / den^2 and, of L = ln slope,
        // dL/dz = [2 / s for z = s] + a_z / a - 2 den_z / den.
        const auto both = [&](Real num_z, Real den_z, Real a_z, Real extra) {
          return g_y * (num_z * den - num * den_z) / (den * den) + g_l * (extra + a_z / a - 2 * den_z / den);
        };
        const Real g_xi =
            both(b.h * (2 * s * xi + b.d * q_xi), d_sum * q_xi, 2 * (b.d_next * xi + s * q_xi - b.d * (1 - xi)), 0);
        const Real g_s = both(b.h * xi * xi, 1 - 2 * q, 2 * q, 2 / s);
        const Real g_d = both(b.h * q, q, (1 - xi) * (1 - xi), 0);
        const Real g_next = both(0, q, xi * xi, 0);
        const Real g_h = g_y * num / (den * b.h) + g_s / b.w;  // num is proportional to h, besides s = h / w
        const Real g_w = -(g_s * s + g_xi * xi) / b.w, g_left = -g_xi / b.w;
        gx_.data()[n] = g_xi / b.w;
        // The left knot is the sum of the sizes before it.
        for (Index k = 0; k < bins_; ++k) {
          of_widths[static_cast<std::size_t>(k)] = k < b.k ? g_left : k == b.k ? g_w : 0;
          of_heights[static_cast<std::size_t>(k)] = k < b.k ? g_y : k == b.k ? g_h : 0;
        }
        Real* graw = graw_.data() + n * spline_parameters(bins_);
        through_softmax(spline.widths, of_widths.data(), graw);
        through_softmax(spline.heights, of_heights.data(), graw + bins_);
        if (b.k > 0) graw[2 * bins_ + b.k - 1] = g_d * sigmoid(spline.raw_slopes[b.k - 1] + kShift);
        if (b.k + 1 < bins_) graw[2 * bins_ + b.k] = g_next * sigmoid(spline.raw_slopes[b.k] + kShift);
      }
    });
  }

  // size_k = 2 bound (least + (1 - least K) p_k), p = softmax(raw)
  void through_softmax(const Real* p, const Real* g, Real* graw) const {
    Real dot = 0;
    for (Index k = 0; k < bins_; ++k) dot += g[k] * p[k];
    const Real scale = 2 * bound_ * (1 - kLeast * static_cast<Real>(bins_));
    for (Index k = 0; k < bins_; ++k) graw[k] = scale * p[k] * (g[k] - dot);
  }

  Tensor x_;
  std::vector<Real> shares_;
  Shape raw_shape_;
  Index bins_;
  Real bound_;
  std::shared_ptr<Storage> solved_for_;  // the incoming gradient for which the two below were computed
  Tensor gx_, graw_;
};

}  // namespace

Index spline_parameters(Index bins) { return 3 * bins - 1; }

Warped rational_quadratic(const Tensor& x, const Tensor& raw, Index bins, double bound) {
  check("rational_quadratic", x, raw, bins, bound);
  const auto limit = static_cast<Real>(bound);
  const Index numbers = x.size();
  std::vector<Real> shares = softmaxes(raw, bins);
  Tensor both = Tensor::empty({2, x.dim(0), x.dim(1)});  // y and ln slope
  parallel_for(numbers, kGrain, [&](Index begin, Index end) {
    for (Index n = begin; n < end; ++n) {
      const Real at = x.data()[n];
      const bool inside = std::abs(at) < limit;
      if (!inside) {
        both.data()[n] = at;
        both.data()[numbers + n] = 0;
        continue;
      }
      const Bin bin = spline_at(shares, n, bins, limit).find(at, false);
      const Value value(bin, (at - bin.x) / bin.w);
      both.data()[n] = bin.y + value.numerator / value.denominator;
      both.data()[numbers + n] = value.log_slope();
    }
  });
  const auto backward = std::make_shared<Backward>(x.detach(), std::move(shares), raw.shape(), bins, limit);
  const Tensor inputs[] = {x, raw};
  const Tensor recorded =
      record_each("rational_quadratic", both, inputs,
                  [backward](const Tensor& gy, std::size_t input) { return backward->gradient(gy, input); });
  return {reshape(slice(recorded, 0, 0, 1), x.shape()), reshape(slice(recorded, 0, 1, 2), x.shape())};
}

Warped inverse_rational_quadratic(const Tensor& y, const Tensor& raw, Index bins, double bound) {
  check("inverse_rational_quadratic", y, raw, bins, bound);
  const NoGrad no_grad;
  const auto limit = static_cast<Real>(bound);
  const std::vector<Real> shares = softmaxes(raw, bins);
  Warped result{Tensor::empty(y.shape()), Tensor::empty(y.shape())};
  parallel_for(y.size(), kGrain, [&](Index begin, Index end) {
    for (Index n = begin; n < end; ++n) {
      const Real at = y.data()[n];
      if (!(std::abs(at) < limit)) {
        result.y.data()[n] = at;
        result.log_slope.data()[n] = 0;
        continue;
      }
      const Bin bin = spline_at(shares, n, bins, limit).find(at, true);
      // a xi^2 + b xi + c = 0, solved without cancellation
      const Real s = bin.h / bin.w, above = at - bin.y, d_sum = bin.d + bin.d_next - 2 * s;
      const Real a = bin.h * (s - bin.d) + above * d_sum, b = bin.h * bin.d - above * d_sum, c = -s * above;
      const Real root = std::sqrt(std::max(b * b - 4 * a * c, Real(0)));
      const Real xi = std::clamp(-2 * c / (b + root), Real(0), Real(1));
      result.y.data()[n] = bin.x + xi * bin.w;
      result.log_slope.data()[n] = -Value(bin, xi).log_slope();
    }
  });
  return result;
}

}  // namespace rill::flow
