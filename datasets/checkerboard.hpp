// A checkerboard of any size in any dimension.
#pragma once

#include <vector>

#include "datasets/density.hpp"

namespace rill::datasets {

/// [low, high]^d divided into cells x ... x cells equal cells, numbered from 0 along each axis. Uniform on those whose
/// indices add up to an even number; 0 on the others. With n = cells, of all n^d cells the fraction
///   (1 + r^d) / 2,   r = (even indices - odd indices) / n: 0 for even n, 1 / n for odd n
/// is occupied, and the entropy is the logarithm of their volume:
///   entropy = d ln(high - low) + ln((1 + r^d) / 2),   p = e^-entropy on the occupied cells
///
/// The board of Meta's guide to flow matching (Lipman et al. 2024, arXiv 2412.06264) is the default: 4 x 4 cells of
/// side 20/9. FFJORD's (Grathwohl et al. 2019) is 4 x 4 on [-4, 4].
class Checkerboard final : public Density {
 public:
  static constexpr double kGuideExtent = 40.0 / 9;

  /// Throws std::invalid_argument unless cells >= 1, low < high and dimension >= 1.
  explicit Checkerboard(Index cells = 4, double low = -kGuideExtent, double high = kGuideExtent, Index dimension = 2);

  std::string name() const override { return "checkerboard"; }
  Index dimension() const override { return dimension_; }
  Tensor sample(Index n, Generator& rng) const override;
  std::optional<Tensor> log_density(const Tensor& x) const override;
  std::optional<double> entropy() const override;
  std::optional<Tensor> distance_to_support(const Tensor& x) const override;
  /// The occupied cells, in the order of their indices (the last axis fastest), each with the same weight.
  /// Throws std::invalid_argument for more than 2^24 cells.
  std::vector<double> mode_weights() const override;
  /// The occupied cell that a point is in; -1 outside.
  std::vector<Index> mode_of(const Tensor& x) const override;

 private:
  /// The fraction of the cells of a `dimension`-dimensional board whose indices add up to an odd or an even number.
  double share(Index dimension, bool odd) const;
  double distance(const Real* x) const;
  /// The largest rounding error of a sample's coordinate, in units of a cell's side.
  double relative_rounding() const;

  Index cells_;
  double low_, high_, side_;
  Index dimension_;
};

}  // namespace rill::datasets
