// Which part of the plane a plot shows.
#pragma once

#include <span>
#include <vector>

namespace rill::tools {

struct Range {
  double low = -1;
  double high = 1;
};

/// The part of the plane that a plot shows.
struct Limits {
  double x_low = -1;
  double x_high = 1;
  double y_low = -1;
  double y_high = 1;

  double width() const { return x_high - x_low; }
  double height() const { return y_high - y_low; }
  /// The position of a number along the axis: 0 at the low end, 1 at the high end. Halving avoids overflow.
  double x_share(double x) const { return (x / 2 - x_low / 2) / (x_high / 2 - x_low / 2); }
  double y_share(double y) const { return (y / 2 - y_low / 2) / (y_high / 2 - y_low / 2); }
};

/// A range of the numbers that is robust to a few outliers: from the 0.5 % to the 99.5 % quantile, extended to the
/// outermost numbers within 30 % of that range on either side, plus a margin of 5 %. NaNs and infinities are skipped. A
/// range of numbers that are equal, or nearly so in double precision, is widened by 1, the unit of a constant column,
/// or by a few rounding errors. No numbers at all give [-1, 1].
Range robust_range(std::vector<double> values);

/// robust_range() of both coordinates of the points in all sets (each x, y, x, y, ...); a point with a NaN or an
/// infinity is skipped. Throws std::invalid_argument for an odd number of values.
Limits robust_limits(std::span<const std::span<const double>> point_sets);

}  // namespace rill::tools
