#include "datasets/checkerboard.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "autodiff/memory.hpp"
#include "autodiff/ops.hpp"

namespace rill::datasets {

Checkerboard::Checkerboard(Index cells, double low, double high, Index dimension)
    : cells_(cells), low_(low), high_(high), side_((high - low) / static_cast<double>(cells)), dimension_(dimension) {
  require(cells >= 1, "checkerboard: ", cells, " cells along an axis, expected at least 1");
  require(low < high && std::isfinite(high - low), "checkerboard: extent from ", low, " to ", high,
          ", expected low < high");
  require(dimension >= 1, "checkerboard: dimension ", dimension, ", expected at least 1");
}

double Checkerboard::share(Index dimension, bool odd) const {
  const double r = static_cast<double>(cells_ % 2) / static_cast<double>(cells_);
  const double power = std::pow(r, static_cast<double>(dimension));
  return (odd ? 1 - power : 1 + power) / 2;
}

// Axis by axis: if the indices drawn so far have parity p and `left` axes are still to be drawn, the parity of the next
// index is weighted by the number of ways to complete it to an even sum,
//   P(even) = (even indices / n) share(left - 1, p) / share(left, p);
// then every index of that parity is equally likely. No draw is ever rejected.
Tensor Checkerboard::sample(Index n, Generator& rng) const {
  memory::Vector<std::array<double, 2>> even_probability(static_cast<std::size_t>(dimension_));
  const Index even_indices = (cells_ + 1) / 2, odd_indices = cells_ / 2;
  const double even_share = static_cast<double>(even_indices) / static_cast<double>(cells_);
  for (Index axis = 0; axis < dimension_; ++axis) {
    const Index left = dimension_ - axis;
    for (const int parity : {0, 1}) {
      even_probability[static_cast<std::size_t>(axis)][static_cast<std::size_t>(parity)] =
          even_share * share(left - 1, parity) / share(left, parity);
    }
  }

  const Tensor choice = Tensor::rand({n, dimension_}, rng);
  Tensor x = Tensor::rand({n, dimension_}, rng);  // the position within a cell, in units of its side
  const Real* u = choice.data();
  Real* place = x.data();
  for (Index i = 0; i < n; ++i) {
    std::size_t parity = 0;
    for (const auto& probability : even_probability) {
      const double even = probability[parity];
      const bool odd = *u >= even;
      const double v = odd ? (*u - even) / (1 - even) : *u / even;  // uniform in [0, 1) again
      const Index count = odd ? odd_indices : even_indices;
      const Index index = 2 * std::min(static_cast<Index>(v * static_cast<double>(count)), count - 1) + odd;
      *place = static_cast<Real>(low_ + (static_cast<double>(index) + *place) * side_);
      parity ^= static_cast<std::size_t>(odd);
      ++u, ++place;
    }
  }
  return x;
}

std::optional<Tensor> Checkerboard::log_density(const Tensor& x) const {
  return where(*in_support(x), Tensor::scalar(-*entropy()), Tensor::scalar(-std::numeric_limits<double>::infinity()));
}

std::optional<double> Checkerboard::entropy() const {
  return static_cast<double>(dimension_) * std::log(high_ - low_) + std::log(share(dimension_, false));
}

std::optional<Tensor> Checkerboard::distance_to_support(const Tensor& x) const {
  require_points(x);
  Tensor result = Tensor::empty({x.dim(0)});
  for (Index i = 0; i < x.dim(0); ++i) result.data()[i] = static_cast<Real>(distance(x.data() + i * dimension_));
  return result;
}

double Checkerboard::relative_rounding() const {
  return 8 * std::numeric_limits<Real>::epsilon() * std::max(std::abs(low_), std::abs(high_)) / side_;
}

// The squared distance is a sum over the axes, each of which uses the nearest cell; but if the indices of the nearest
// cells add up to an odd number, one axis must use the next nearest: the axis where that costs least.
double Checkerboard::distance(const Real* x) const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double rounding = relative_rounding();
  double nearest = 0, detour = kInfinity;
  bool odd = false;
  for (Index axis = 0; axis < dimension_; ++axis) {
    const double y = (x[axis] - low_) / side_;
    if (!std::isfinite(y)) return kInfinity;
    const Index last = cells_ - 1;
    const Index index = y <= 0 ? 0 : y >= static_cast<double>(last) ? last : static_cast<Index>(y);
    const auto squared_distance_to = [&](Index cell) {
      if (cell < 0 || cell > last) return kInfinity;
      const double c = static_cast<double>(cell);
      const double gap = std::max({c - y, y - (c + 1), rounding}) - rounding;
      return gap * gap;
    };
    const double own = squared_distance_to(index);
    nearest += own;
    detour = std::min(detour, std::min(squared_distance_to(index - 1), squared_distance_to(index + 1)) - own);
    odd ^= index % 2 == 1;
  }
  return side_ * std::sqrt(odd ? nearest + detour : nearest);
}

std::vector<double> Checkerboard::mode_weights() const {
  const double cells = std::pow(static_cast<double>(cells_), static_cast<double>(dimension_));
  require(cells <= 0x1p24, "checkerboard: ", cells, " cells, too many to enumerate");
  const double occupied = std::round(cells * share(dimension_, false));
  return std::vector<double>(static_cast<std::size_t>(occupied), 1 / occupied);
}

// With the cells in the order of their indices, each pair of cells has one occupied cell if n is even, because the last
// axis alternates. If n is odd the whole sequence alternates, since the sum of the indices has the parity of the cell's
// number. Either way, cell number c is the c / 2-th occupied one, if it is occupied.
std::vector<Index> Checkerboard::mode_of(const Tensor& x) const {
  require_points(x);
  const double rounding = relative_rounding();
  std::vector<Index> result;
  for (Index i = 0; i < x.dim(0); ++i) {
    Index cell = 0, sum = 0;
    Index across = -1;  // the number of the neighboring cell, if x is on a border
    bool inside = true;
    for (Index axis = 0; axis < dimension_ && inside; ++axis) {
      const double y = (static_cast<double>(x.data()[i * dimension_ + axis]) - low_) / side_;
      inside = y >= -rounding && y <= static_cast<double>(cells_) + rounding;
      if (!inside) break;
      const Index index = std::clamp(static_cast<Index>(std::floor(y)), Index{0}, cells_ - 1);
      const double place = y - static_cast<double>(index);
      const Index neighbor = place <= rounding ? index - 1 : place >= 1 - rounding ? index + 1 : -1;
      if (across >= 0) {
        across = across * cells_ + index;
      } else if (neighbor >= 0 && neighbor < cells_) {
        across = cell * cells_ + neighbor;
      }
      cell = cell * cells_ + index;
      sum += index;
    }
    if (sum % 2 == 1) cell = across;
    result.push_back(inside && cell >= 0 ? cell / 2 : -1);
  }
  return result;
}

}  // namespace rill::datasets
