// Normalization over groups of a sample's numbers, or over the channels of each place.
//
//   xhat = (x - mean) rstd,   rstd = 1 / sqrt(variance + epsilon),   y = xhat scale + shift
//   gshift = sum gy,   gscale = sum gy xhat,   gx = rstd (h - mean(h) - xhat mean(h xhat)),   h = gy scale
// where the means are over a group, and the sums over what shares a scale. Of the forward pass, x stays, and the mean
// and rstd of each group; xhat and what an activation needs are computed again, which takes less time than to read
// them.
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/elementwise.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/simd/kernels.hpp"

namespace rill {
namespace {

// Numbers that stay in L1 while they are scaled, activated and summed.
constexpr Index kBlock = 1 << 11;

// What is normalized and how. A sample is [places, channels]; a group is `size` channels of all its places, or if
// `rows` all channels of one place.
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
};

void check(const char* op, const Tensor& x, const Tensor& scale, const Tensor& shift) {
  require(x.rank() >= 2, op, ": expected x [N, ..., C], got ", x.shape());
  const auto check_one = [&](const char* name, const Tensor& v) {
    require(!v.defined() || v.shape() == Shape{x.dim(-1)} || v.shape() == Shape{x.dim(0), x.dim(-1)}, op, ": ", name,
            " of shape ", v.shape(), " for x of shape ", x.shape(), "; expected [", x.dim(-1), "] or [", x.dim(0), ", ",
            x.dim(-1), "]");
  };
  check_one("scale", scale);
  check_one("shift", shift);
}

// The part of a scale or shift that sample n has; `otherwise` if there is none.
const Real* of_sample(const Tensor& v, Index n, const Tensor& otherwise) {
  if (!v.defined()) return otherwise.data();
  return v.data() + (v.rank() == 2 ? n * v.dim(1) : 0);
}

// From the gradients of each sample's own scale or shift to that of v.
Tensor shared(const Tensor& each, const Tensor& v) { return v.rank() == 2 ? each : sum(each, {.axes = {0}}); }

// ---------------------------------------------------------------------------------------------------------------------
// Made of ops, and so differentiable: for gradients of gradients.

// [N, C] -> [N, 1, C], [C] as it is: so that it broadcasts against [N, places, C].
Tensor per_sample(const Tensor& v) { return v.rank() == 2 ? reshape(v, {v.dim(0), 1, v.dim(1)}) : v; }

std::array<Tensor, 3> gradients_of_ops(const Normalization& z, Tensor gy) {
  const Shape flat{z.samples(), z.places(), z.channels()};
  const Shape grouped = z.rows ? flat : Shape{z.samples(), z.places(), z.groups, z.size()};
  const Over group{.axes = z.rows ? Axes{2} : Axes{1, 3}, .keep = true};
  const Tensor x = reshape(z.x, grouped), centred = x - mean(x, group);
  const Tensor rstd = pow(mean(square(centred), group) + z.epsilon, -0.5), xhat = centred * rstd;
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
// Groups of channels, sample by sample. What the kernels want to know stands in one line of numbers per channel each.

// body(n, lines) for each sample, where `lines` are so many arrays of numbers for each channel.
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

// body(first number, rows) for blocks of a sample's places.
template <class Body>
void for_blocks(const Normalization& z, const Body& body) {
  const Index channels = z.channels(), places = z.places(), most = std::max<Index>(1, kBlock / channels);
  for (Index p = 0; p < places; p += most) body(p * channels, std::min(most, places - p));
}

// The mean and rstd of every group, from the mean and the sum of squares of every channel.
void moments_of_groups(const Normalization& z, const Real* mean, const Real* squares, Real* moments) {
  const auto places = static_cast<double>(z.places()), size = static_cast<double>(z.size());
  const double per_channel = 1 / size, per_number = per_channel / places;  // divisions in the loop would take its time
  for (Index g = 0; g < z.groups; ++g, mean += z.size(), squares += z.size()) {
    double center = 0, total = 0;
    for (Index c = 0; c < z.size(); ++c) center += per_channel * static_cast<double>(mean[c]);
    for (Index c = 0; c < z.size(); ++c) {
      const double offset = static_cast<double>(mean[c]) - center;
      total += static_cast<double>(squares[c]) + places * offset * offset;
    }
    moments[2 * g] = static_cast<Real>(center);
    moments[2 * g + 1] = static_cast<Real>(1 / std::sqrt(per_number * total + z.epsilon));
  }
}

// Of every channel, its group's mean and the factor of x - mean in y.
void factors_of_channels(const Normalization& z, const Real* moments, const Real* scale, Real* mean, Real* factor) {
  const Index size = z.size();
  for (Index g = 0; g < z.groups; ++g) {
    for (Index c = g * size; c < (g + 1) * size; ++c) {
      mean[c] = moments[2 * g];
      factor[c] = moments[2 * g + 1] * scale[c];
    }
  }
}

void group_forward(const Normalization& z, Tensor& y, Tensor& moments) {
  const simd::Kernels& kernels = simd::kernels();
  const Tensor one = Tensor::ones({z.channels()}), zero = Tensor::zeros({z.channels()});
  const Index each = z.places() * z.channels();
  for_samples<3>(z, [&](Index n, const std::array<Real*, 3>& line) {
    Real *mean = line[0], *squares = line[1], *factor = line[2];
    const Real *x = z.x.data() + n * each, *shift = of_sample(z.shift, n, zero);
    Real *to = y.data() + n * each, *moments_n = moments.data() + n * 2 * z.groups;
    kernels.column_moments(z.places(), z.channels(), x, mean, squares);
    moments_of_groups(z, mean, squares, moments_n);
    factors_of_channels(z, moments_n, of_sample(z.scale, n, one), mean, factor);
    for_blocks(z, [&](Index at, Index rows) {
      kernels.normalize_columns(rows, z.channels(), x + at, mean, factor, shift, to + at);
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
  for_samples<4>(z, [&](Index n, const std::array<Real*, 4>& line) {
    Real *mean = line[0], *factor = line[1], *slope = line[2], *offset = line[3];
    const Real *x = z.x.data() + n * each, *gy_n = gy.data() + n * each, *moments_n = moments.data() + n * 2 * z.groups;
    const Real *scale = of_sample(z.scale, n, one), *shift = of_sample(z.shift, n, zero);
    Real *to = gx.data() + n * each, *product = gscale.data() + n * channels, *total = gshift.data() + n * channels;
    factors_of_channels(z, moments_n, scale, mean, factor);
    std::fill_n(product, channels, Real(0));
    std::fill_n(total, channels, Real(0));
    for_blocks(z, [&](Index at, Index rows) {
      const Real* g = gy_n + at;
      if (z.f) {
        kernels.normalize_columns(rows, channels, x + at, mean, factor, shift, to + at);
        z.f->gradient_at(rows * channels, gy_n + at, to + at, to + at);
        g = to + at;
      }
      kernels.column_products(rows, channels, g, x + at, mean, total, product);
    });
    // gx = factor g - offset - slope (x - mean): what a group shares is summed over its channels.
    const auto count = static_cast<Real>(z.places() * size);
    for (Index g = 0; g < z.groups; ++g) {
      const Real rstd = moments_n[2 * g + 1];
      Real h_mean = 0, h_slope = 0;
      for (Index c = g * size; c < (g + 1) * size; ++c) {
        product[c] *= rstd;
        h_mean += scale[c] * total[c];
        h_slope += scale[c] * product[c];
      }
      std::fill_n(offset + g * size, size, rstd * h_mean / count);
      std::fill_n(slope + g * size, size, rstd * rstd * h_slope / count);
    }
    kernels.normalize_columns_gradient(z.places(), channels, z.f ? to : gy_n, x, mean, factor, slope, offset, to);
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Rows

// body(piece, sample, begin, end) for pieces of the rows of x, none of them across samples whose scales differ.
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
  const Index channels = z.channels();
  const Tensor one = Tensor::ones({channels}), zero = Tensor::zeros({channels});
  for_rows(z, rows_per_piece(z), [&](Index, Index n, Index begin, Index end) {
    simd::kernels().normalize_rows(end - begin, channels, z.x.data() + begin * channels, of_sample(z.scale, n, one),
                                   of_sample(z.shift, n, zero), static_cast<Real>(z.epsilon),
                                   y.data() + begin * channels, moments.data() + 2 * begin);
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
                                            moments.data() + 2 * begin, of_sample(z.scale, n, one), gx.data() + at,
                                            product, total);
  });
}

// ---------------------------------------------------------------------------------------------------------------------

Tensor normalized(const char* op, const Normalization& z) {
  Tensor y = Tensor::empty(z.x.shape());
  const Index rows = z.samples() * z.places(), pieces = (rows + rows_per_piece(z) - 1) / rows_per_piece(z);
  Tensor moments = Tensor::empty({z.rows ? rows : z.samples() * z.groups, 2});
  if (y.size() > 0) z.rows ? row_forward(z, y, moments) : group_forward(z, y, moments);
  const Shape sums{z.rows && y.size() > 0 ? pieces : z.samples(), z.channels()};
  const auto gradients = [z, moments, sums](const Tensor& gy) {
    if (grad_enabled()) return gradients_of_ops(z, gy);  // to be differentiated again
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

Normalization by_groups(const Tensor& x, Index groups, const Tensor& scale, const Tensor& shift, double epsilon) {
  check("group_norm", x, scale, shift);
  require(groups > 0 && x.dim(-1) % groups == 0, "group_norm: ", groups, " groups do not divide the ", x.dim(-1),
          " channels of x ", x.shape());
  return {.x = x, .scale = scale, .shift = shift, .epsilon = epsilon, .rows = false, .groups = groups};
}

}  // namespace

Tensor group_norm(const Tensor& x, Index groups, const Tensor& scale, const Tensor& shift, double epsilon) {
  return normalized("group_norm", by_groups(x, groups, scale, shift, epsilon));
}

Tensor group_norm(const Tensor& x, Index groups, const Tensor& scale, const Tensor& shift, const Activation& f,
                  double epsilon) {
  Normalization z = by_groups(x, groups, scale, shift, epsilon);
  z.f = f;
  return normalized("group_norm", z);
}

Tensor layer_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, double epsilon) {
  check("layer_norm", x, scale, shift);
  return normalized("layer_norm", {.x = x, .scale = scale, .shift = shift, .epsilon = epsilon, .rows = true});
}

}  // namespace rill
