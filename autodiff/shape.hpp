// Shapes: the sizes of a tensor's axes, and the rules by which two shapes broadcast.
#pragma once

#include <array>
#include <initializer_list>
#include <iosfwd>
#include <span>

#include "autodiff/real.hpp"

namespace rill {

/// The largest number of axes a tensor may have.
inline constexpr int kMaxRank = 6;

/// The largest number of elements a tensor may have: more than memory holds, yet small enough that no sum or difference
/// of a few sizes, and no size in bytes, overflows.
inline constexpr Index kMaxElements = Index{1} << 48;

/// A short list of sizes, stored inline: [] is a scalar's shape, [256, 2] that of 256 points in the plane.
class Shape {
 public:
  Shape() = default;
  /// Throws std::invalid_argument for more than kMaxRank sizes. Negative sizes are rejected when a tensor is made.
  Shape(std::initializer_list<Index> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  explicit Shape(std::span<const Index> sizes);

  int rank() const { return rank_; }
  Index operator[](int axis) const& { return sizes_[static_cast<std::size_t>(axis)]; }
  Index& operator[](int axis) & { return sizes_[static_cast<std::size_t>(axis)]; }
  void push_back(Index size);

  const Index* begin() const& { return sizes_.data(); }
  const Index* end() const& { return sizes_.data() + rank_; }
  const Index* begin() const&& = delete;  // of a temporary: it would point to nothing
  const Index* end() const&& = delete;

  /// The number of elements: the product of the sizes, 1 for a scalar.
  /// Throws std::invalid_argument for a negative size, and if the product of the nonzero sizes exceeds
  /// kMaxElements; so no product of a subset of the sizes overflows either.
  Index size() const;

  friend bool operator==(const Shape& a, const Shape& b);

 private:
  std::array<Index, kMaxRank> sizes_{};
  int rank_ = 0;
};

/// A short list of axes has the same form as a shape: {0, 2}, or {-1} for the last one.
using Axes = Shape;

/// Writes "[256, 2]".
std::ostream& operator<<(std::ostream& out, const Shape& shape);

/// The product and the sum of sizes that come unchecked from a caller.
/// Throw std::invalid_argument, naming `op` and the sizes, if the result overflows an Index.
Index checked_product(const char* op, std::initializer_list<Index> factors);
Index checked_sum(const char* op, std::initializer_list<Index> terms);

/// The position of an axis counted from the front; -1 is the last one.
/// Throws std::invalid_argument, naming `op`, when there is no such axis.
int normalize_axis(const char* op, Index axis, int rank);

/// The shape that `a` and `b` broadcast to by NumPy's rule: aligned at the last axis, equal sizes or 1.
/// Throws std::invalid_argument, naming `op` and both shapes, when they do not.
Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b);

}  // namespace rill
