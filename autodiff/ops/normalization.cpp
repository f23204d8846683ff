// Normalization over groups of a sample's numbers, or over the channels of each place.
#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill {
namespace {

// x - mean over the root of variance + epsilon, with one mean and variance for all numbers along `axes`.
Tensor standardized(const Tensor& x, const Axes& axes, double epsilon) {
  const Tensor centred = x - mean(x, {.axes = axes, .keep = true});
  return centred / sqrt(mean(square(centred), {.axes = axes, .keep = true}) + epsilon);
}

// [C] or [N, C] so that it broadcasts against [N, places, C].
Tensor per_sample(const Tensor& v) { return v.rank() == 2 ? reshape(v, {v.dim(0), 1, v.dim(1)}) : v; }

Tensor scaled_and_shifted(Tensor y, const Tensor& scale, const Tensor& shift) {
  if (scale.defined()) y = y * per_sample(scale);
  if (shift.defined()) y = y + per_sample(shift);
  return y;
}

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

// The number of places of a sample, where x is [N, ..., C].
Index places(const Tensor& x) {
  Index count = 1;
  for (int axis = 1; axis + 1 < x.rank(); ++axis) count *= x.shape()[axis];
  return count;
}

}  // namespace

Tensor group_norm(const Tensor& x, Index groups, const Tensor& scale, const Tensor& shift, double epsilon) {
  check("group_norm", x, scale, shift);
  const Index n = x.dim(0), channels = x.dim(-1);
  require(groups > 0 && channels % groups == 0, "group_norm: ", groups, " groups do not divide the ", channels,
          " channels of x ", x.shape());
  const Tensor grouped = reshape(x, {n, places(x), groups, channels / groups});
  const Tensor xhat = reshape(standardized(grouped, {1, 3}, epsilon), {n, places(x), channels});
  return reshape(scaled_and_shifted(xhat, scale, shift), x.shape());
}

Tensor group_norm(const Tensor& x, Index groups, const Tensor& scale, const Tensor& shift, const Activation& f,
                  double epsilon) {
  return f.apply(group_norm(x, groups, scale, shift, epsilon));
}

Tensor layer_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, double epsilon) {
  check("layer_norm", x, scale, shift);
  const Tensor rows = reshape(x, {x.dim(0), places(x), x.dim(-1)});
  return reshape(scaled_and_shifted(standardized(rows, {-1}, epsilon), scale, shift), x.shape());
}

}  // namespace rill
