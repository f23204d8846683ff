// Normalization over groups of a sample's numbers, or over the channels of each position.
//
//   xhat = (x - mean) rstd,   rstd = 1 / sqrt(variance + epsilon),   y = xhat scale + shift
//   gshift = sum gy,   gscale = sum gy xhat,   gx = rstd (h - mean(h) - xhat mean(h xhat)),   h = gy scale
// where the means are over a group, and the sums over all numbers that share a scale. The forward pass saves x and
// three numbers per group, its moments: the mean, rstd, and `low`, which is -rstd times the mean's rounding error:
//   xhat = (x - mean) rstd + low
// xhat and the input of an activation are recomputed, which is faster than reading them.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/elementwise.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/simd/kernels.hpp"

namespace rill {
namespace {

// The number of moments of a group.
constexpr Index kMoments = 3;

// Few enough numbers to stay in L1 while they are scaled, activated and summed.
constexpr Index kBlock = 1 << 11;

// What is normalized and how. A sample is [places, channels], a place being a position; a group is `size` channels at
// all its places or, if `rows`, all channels of one place.
struct Normalization {
  Tensor x, scale, shift;
  double epsilon;
  bool rows;
  Index groups = 1;
  std::optional<Activation> f = {};

  Index samples() const { return x.dim(0); }
  Index channels() const { return x.dim(-1); }
  Index places() const {
    Index count = 1;
    for (int axis = 1; axis + 1 < x.rank(); ++axis) count *= x.shape()[axis];
    return count;
  }
  Index size() const { return channels() / groups; }
  // The shape of x with each group's numbers along separate axes, and those axes.
  Shape grouped() const {
    return rows ? Shape{samples(), places(), channels()} : Shape{samples(), places(), groups, size()};
  }
  Over over_group() const { return {.axes = rows ? Axes{2} : Axes{1, 3}, .keep = true}; }
};

// Squares that underflow err by at most the smallest number. This matters only if epsilon is as small; then the
// reference is used, which has twice the precision.
const simd::Kernels& kernels_for(double epsilon) {
  constexpr double kVanishes = static_cast<double>(std::numeric_limits<Real>::min()) * (Index{1} << 31);
  return epsilon > kVanishes ? simd::kernels() : **simd::available_kernels().begin();
}

void check(const char* op, const Tensor& x, const Tensor& scale, const Tensor& shift, double epsilon) {
  require(x.rank() >= 2, op, ": expected x [N, ..., C], got ", x.shape());
  const auto check_one = [&](const char* name, const Tensor& v) {
    require(!v.defined() || v.shape() == Shape{x.dim(-1)} || v.shape() == Shape{x.dim(0), x.dim(-1)}, op, ": ", name,
            " of shape ", v.shape(), " for x of shape ", x.shape(), "; expected [", x.dim(-1), "] or [", x.dim(0), ", ",
            x.dim(-1), "]");
  };
  check_one("scale", scale);
  check_one("shift", shift);
  require(epsilon >= 0 && std::isfinite(epsilon), op, ": epsilon is ", epsilon, ", expected a number >= 0");
}

// The scale or shift of sample n; `otherwise` if undefined.
const Real* of_sample(const Tensor& v, Index n, const Tensor& otherwise) {
  if (!v.defined()) return otherwise.data();
  return v.data() + (v.rank() == 2 ? n * v.dim(1) : 0);
}

// The gradient of v from those of each sample's scale or shift.
Tensor shared(const Tensor& each, const Tensor& v) { return v.rank() == 2 ? each : sum(each, {.axes = {0}}); }

// ---------------------------------------------------------------------------------------------------------------------
// With ops, for gradients of gradients

// [N, C] -> [N, 1, C], and [C] as is, so that it broadcasts against [N, places, C].
Tensor per_sample(const Tensor& v) { return v.rank() == 2 ? reshape(v, {v.dim(0), 1, v.dim(1)}) : v; }

// The rounded mean and rstd of the groups, as constants that broadcast against x.
struct Known {
  Tensor mean, rstd, epsilon;  // epsilon rstd^2
  Known(const Normalization& z, const Tensor& moments, const Shape& shape)
      : mean(Tensor::empty(shape)), rstd(Tensor::empty(shape)), epsilon(Tensor::empty(shape)) {
    for (Index i = 0; i < mean.size(); ++i) {
      const auto r = static_cast<double>(moments.data()[kMoments * i + 1]);
      mean.data()[i] = moments.data()[kMoments * i];
      rstd.data()[i] = static_cast<Real>(r);
      epsilon.data()[i] = static_cast<Real>(z.epsilon * r * r);
    }
  }
};

// With the known numbers, u = (x - mean) rstd has a mean near 0 and squares near 1, and no digits or squares are lost:
//   v = u - mean(u),   correction = 1 / sqrt(mean(v^2) + epsilon rstd^2),   xhat = v correction
// is the same function of x, whatever the known numbers are.
std::array<Tensor, 3> gradients_of_ops(const Normalization& z, const Tensor& moments, Tensor gy) {
  const Shape flat{z.samples(), z.places(), z.channels()}, grouped = z.grouped();
  const Over group = z.over_group();
  const Known known(z, moments, z.rows ? Shape{z.samples(), z.places(), 1} : Shape{z.samples(), 1, z.groups, 1});
  const Tensor u = (reshape(z.x, grouped) - known.mean) * known.rstd, v = u - mean(u, group);
  const Tensor correction = pow(mean(square(v), group) + known.epsilon, -0.5);
  const Tensor rstd = known.rstd * correction, xhat = v * correction;
  const Tensor flat_xhat = reshape(xhat, flat);
  gy = reshape(gy, flat);
  if (z.f) {
    Tensor argument = flat_xhat;
    if (z.scale.defined()) argument = argument * per_sample(z.scale);
    if (z.shift.defined()) argument = argument + per_sample(z.shift);
    gy = z.f->apply_gradient(gy, argument);
  }
  const Tensor h = reshape(z.scale.defined() ? gy * per_sample(z.scale) : gy, grouped);
  std::array<Tensor, 3> g;
  if (z.x.requires_grad()) g[0] = reshape(rstd * (h - mean(h, group) - xhat * mean(h * xhat, group)), z.x.shape());
  if (z.scale.requires_grad()) g[1] = shared(sum(gy * flat_xhat, {.axes = {1}}), z.scale);
  if (z.shift.requires_grad()) g[2] = shared(sum(gy, {.axes = {1}}), z.shift);
  return g;
}

// ---------------------------------------------------------------------------------------------------------------------
// Groups of channels, sample by sample. Each argument of the kernels is an array with one number per channel.

// body(n, arrays) for each sample, with `lines` arrays of one number per channel.
template <int lines, class Body>
void for_samples(const Normalization& z, const Body& body) {
  const Index channels = z.channels(), size = std::max<Index>(1, z.places() * channels);
  parallel_for(z.samples(), std::max<Index>(1, detail::kElementGrain / size), [&](Index begin, Index end) {
    Tensor memory = Tensor::empty({lines, channels});
    std::array<Real*, lines> line;
    for (std::size_t i = 0; i < lines; ++i) line[i] = memory.data() + static_cast<Index>(i) * channels;
    for (Index n = begin; n < end; ++n) body(n, line);
  });
}

// body(first number, rows) for each block of a sample's places.
template <class Body>
void for_blocks(const Normalization& z, const Body& body) {
  const Index channels = z.channels(), places = z.places(), most = std::max<Index>(1, kBlock / channels);
  for (Index p = 0; p < places; p += most) body(p * channels, std::min(most, places - p));
}

// The moments of every group, from those of its channels.
void moments_of_groups(const Normalization& z, const Real* mean, const Real* rest, const Real* deviation,
                       Real* moments) {
  const auto size = static_cast<Wide>(z.size());
  const auto wide = [](Real x) { return static_cast<Wide>(x); };
  for (Index g = 0; g < z.groups; ++g, mean += z.size(), rest += z.size(), deviation += z.size(), moments += kMoments) {
    const Wide first = wide(mean[0]);
    const auto offset = [&](Index c) { return (wide(mean[c]) - first) + wide(rest[c]); };
    Wide center = 0, squares = 0;
    for (Index c = 0; c < z.size(); ++c) center += offset(c);
    center /= size;
    for (Index c = 0; c < z.size(); ++c) {
      const Wide between = offset(c) - center, within = wide(deviation[c]);
      squares += within * within + between * between;
    }
    const Wide rstd = 1 / std::sqrt(squares / size + static_cast<Wide>(z.epsilon));
    moments[0] = static_cast<Real>(first + center);
    moments[1] = static_cast<Real>(rstd);
    moments[2] = static_cast<Real>(-((first - wide(moments[0])) + center) * rstd);
  }
}

// The factors of y = (x - mean) factor + offset for every channel:   factor = rstd scale,   offset = low scale + shift
void factors_of_channels(const Normalization& z, const Real* moments, const Real* scale, const Real* shift, Real* mean,
                         Real* factor, Real* offset) {
  const Index size = z.size();
  for (Index g = 0; g < z.groups; ++g, moments += kMoments) {
    for (Index c = g * size; c < (g + 1) * size; ++c) {
      mean[c] = moments[0];
      factor[c] = moments[1] * scale[c];
      offset[c] = moments[2] * scale[c] + shift[c];
    }
  }
}

void group_forward(const Normalization& z, Tensor& y, Tensor& moments) {
  const simd::Kernels& kernels = simd::kernels();
  const auto column_moments = kernels_for(z.epsilon).column_moments;
  const Tensor one = Tensor::ones({z.channels()}), zero = Tensor::zeros({z.channels()});
  const Index each = z.places() * z.channels();
  for_samples<3>(z, [&](Index n, const std::array<Real*, 3>& line) {
    Real *mean = line[0], *rest = line[1], *deviation = line[2], *offset = rest, *factor = deviation;
    const Real* x = z.x.data() + n * each;
    Real *to = y.data() + n * each, *moments_n = moments.data() + n * kMoments * z.groups;
    column_moments(z.places(), z.channels(), x, mean, rest, deviation);
    moments_of_groups(z, mean, rest, deviation, moments_n);
    factors_of_channels(z, moments_n, of_sample(z.scale, n, one), of_sample(z.shift, n, zero), mean, factor, offset);
    for_blocks(z, [&](Index at, Index rows) {
      kernels.normalize_columns(rows, z.channels(), x + at, mean, factor, offset, to + at);
      if (z.f) z.f->forward(rows * z.channels(), to + at, to + at);
    });
  });
}

// gscale and gshift: [N, C]
void group_backward(const Normalization& z, const Tensor& moments, const Tensor& gy, Tensor& gx, Tensor& gscale,
                    Tensor& gshift) {
  const simd::Kernels& kernels = simd::kernels();
  const Index channels = z.channels(), each = z.places() * channels, size = z.size();
  const Tensor one = Tensor::ones({channels}), zero = Tensor::zeros({channels});
  for_samples<5>(z, [&](Index n, const std::array<Real*, 5>& line) {
    Real *mean = line[0], *factor = line[1], *offset = line[2], *rstd = line[3], *slope = line[4];
    const Real *x = z.x.data() + n * each, *gy_n = gy.data() + n * each;
    const Real* moments_n = moments.data() + n * kMoments * z.groups;
    const Real *scale = of_sample(z.scale, n, one), *shift = of_sample(z.shift, n, zero);
    Real *to = gx.data() + n * each, *product = gscale.data() + n * channels, *total = gshift.data() + n * channels;
    factors_of_channels(z, moments_n, scale, shift, mean, factor, offset);
    std::fill_n(product, channels, Real(0));
    std::fill_n(total, channels, Real(0));
    for_blocks(z, [&](Index at, Index rows) {
      const Real* g = gy_n + at;
      if (z.f) {
        kernels.normalize_columns(rows, channels, x + at, mean, factor, offset, to + at);
        z.f->gradient_at(rows * channels, gy_n + at, to + at, to + at);
        g = to + at;
      }
      kernels.column_products(rows, channels, g, x + at, mean, total, product);
    });
    // gx = rstd (scale g - mean(h) - xhat mean(h xhat)): the means of a group are summed over its channels.
    const auto count = static_cast<double>(z.places() * size);
    for (Index g = 0; g < z.groups; ++g) {
      const Real *of_group = moments_n + kMoments * g, low = of_group[2];
      double h_mean = 0, h_slope = 0;
      for (Index c = g * size; c < (g + 1) * size; ++c) {
        product[c] = product[c] * of_group[1] + total[c] * low;
        h_mean += static_cast<double>(scale[c]) * static_cast<double>(total[c]);
        h_slope += static_cast<double>(scale[c]) * static_cast<double>(product[c]);
      }
      h_mean /= count;
      h_slope /= count;
      std::fill_n(rstd + g * size, size, of_group[1]);
      std::fill_n(slope + g * size, size, static_cast<Real>(static_cast<double>(of_group[1]) * h_slope));
      std::fill_n(offset + g * size, size, static_cast<Real>(h_mean + static_cast<double>(low) * h_slope));
    }
    kernels.normalize_columns_gradient(z.places(), channels, z.f ? to : gy_n, x, mean, rstd, scale, slope, offset, to);
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Rows

// body(piece, sample, begin, end) for pieces of the rows of x; no piece spans samples with different scales.
template <class Body>
void for_rows(const Normalization& z, Index piece, const Body& body) {
  const Index rows = z.samples() * z.places();
  parallel_for(rows, piece, [&](Index begin, Index end) {
    body(begin / piece, begin / std::max<Index>(1, z.places()), begin, end);
  });
}

Index rows_per_piece(const Normalization& z) {
  const bool own = (z.scale.defined() && z.scale.rank() == 2) || (z.shift.defined() && z.shift.rank() == 2);
  return std::max<Index>(1, own ? z.places() : detail::kElementGrain / std::max<Index>(1, z.channels()));
}

void row_forward(const Normalization& z, Tensor& y, Tensor& moments) {
  const auto normalize_rows = kernels_for(z.epsilon).normalize_rows;
  const Index channels = z.channels();
  const Tensor one = Tensor::ones({channels}), zero = Tensor::zeros({channels});
  for_rows(z, rows_per_piece(z), [&](Index, Index n, Index begin, Index end) {
    normalize_rows(end - begin, channels, z.x.data() + begin * channels, of_sample(z.scale, n, one),
                   of_sample(z.shift, n, zero), static_cast<Real>(z.epsilon), y.data() + begin * channels,
                   moments.data() + kMoments * begin);
  });
}

// gscale and gshift: [pieces, C]
void row_backward(const Normalization& z, const Tensor& moments, const Tensor& gy, Tensor& gx, Tensor& gscale,
                  Tensor& gshift) {
  const Index channels = z.channels();
  const Tensor one = Tensor::ones({channels});
  for_rows(z, rows_per_piece(z), [&](Index piece, Index n, Index begin, Index end) {
    Real *product = gscale.data() + piece * channels, *total = gshift.data() + piece * channels;
    std::fill_n(product, channels, Real(0));
    std::fill_n(total, channels, Real(0));
    const Index at = begin * channels;
    simd::kernels().normalize_rows_gradient(end - begin, channels, gy.data() + at, z.x.data() + at,
                                            moments.data() + kMoments * begin, of_sample(z.scale, n, one),
                                            gx.data() + at, product, total);
  });
}

// ---------------------------------------------------------------------------------------------------------------------

// Without an epsilon, scaling a group does not change y; a group so small that 1 / deviation would be infinite is
// multiplied by a power of 2.
Tensor large_enough(const Normalization& z) {
  constexpr double kSmall = 0x1p-64, kFactor = sizeof(Real) == 4 ? 0x1p100 : 0x1p500;
  if (z.epsilon > static_cast<double>(std::numeric_limits<Real>::min()) || z.x.size() == 0) return z.x;
  const Shape grouped = z.grouped();
  Tensor factor;
  {
    const NoGrad no_grad;
    const Tensor largest = max(abs(reshape(z.x, grouped)), z.over_group());
    factor = where(less(largest, Tensor::scalar(kSmall)), Tensor::scalar(kFactor), Tensor::scalar(1));
    if (max(factor).item() == 1) return z.x;
  }
  return reshape(reshape(z.x, grouped) * factor, z.x.shape());
}

Tensor normalized(const char* op, Normalization z) {
  z.x = large_enough(z);
  Tensor y = Tensor::empty(z.x.shape());
  const Index rows = z.samples() * z.places(), pieces = (rows + rows_per_piece(z) - 1) / rows_per_piece(z);
  Tensor moments = Tensor::empty({z.rows ? rows : z.samples() * z.groups, kMoments});
  if (y.size() > 0) z.rows ? row_forward(z, y, moments) : group_forward(z, y, moments);
  const Shape sums{z.rows && y.size() > 0 ? pieces : z.samples(), z.channels()};
  const auto gradients = [z, moments, sums](const Tensor& gy) {
    if (grad_enabled()) return gradients_of_ops(z, moments, gy);  // to be differentiated again
    Tensor gx = Tensor::empty(z.x.shape()), gscale = Tensor::empty(sums), gshift = Tensor::empty(sums);
    if (gx.size() > 0) {
      z.rows ? row_backward(z, moments, gy, gx, gscale, gshift) : group_backward(z, moments, gy, gx, gscale, gshift);
    } else {
      std::fill_n(gscale.data(), gscale.size(), Real(0));
      std::fill_n(gshift.data(), gshift.size(), Real(0));
    }
    return std::array{gx, z.scale.requires_grad() ? shared(gscale, z.scale) : Tensor(),
                      z.shift.requires_grad() ? shared(gshift, z.shift) : Tensor()};
  };
  return record_jointly(op, y, gradients, z.x, z.scale, z.shift);
}

Normalization by_groups(const char* op, const Tensor& x, Index groups, const Tensor& scale, const Tensor& shift,
                        double epsilon) {
  check(op, x, scale, shift, epsilon);
  require(groups > 0 && x.dim(-1) % groups == 0, op, ": ", groups, " groups do not divide the ", x.dim(-1),
          " channels of x ", x.shape());
  return {.x = x, .scale = scale, .shift = shift, .epsilon = epsilon, .rows = false, .groups = groups};
}

}  // namespace

Tensor group_norm(const Tensor& x, Index groups, const Tensor& scale, const Tensor& shift, double epsilon) {
  return normalized("group_norm", by_groups("group_norm", x, groups, scale, shift, epsilon));
}

Tensor group_norm(const Tensor& x, Index groups, const Tensor& scale, const Tensor& shift, const Activation& f,
                  double epsilon) {
  Normalization z = by_groups("group_norm", x, groups, scale, shift, epsilon);
  z.f = f;
  return normalized("group_norm", z);
}

Tensor instance_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, double epsilon) {
  constexpr const char* op = "instance_norm";
  check(op, x, scale, shift, epsilon);
  return normalized(op, by_groups(op, x, x.dim(-1), scale, shift, epsilon));
}

Tensor layer_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, double epsilon) {
  check("layer_norm", x, scale, shift, epsilon);
  return normalized("layer_norm", {.x = x, .scale = scale, .shift = shift, .epsilon = epsilon, .rows = true});
}

}  // namespace rill
