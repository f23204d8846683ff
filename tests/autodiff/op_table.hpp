// Every op in one table: how to draw arguments, the op, its definition in plain loops. Common properties are tested
// once, in op_properties_test.cpp, which fails if an op that autodiff/ops.hpp declares is missing from the table.
#pragma once

#include <array>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "tests/gradcheck.hpp"

namespace rill::testing {

/// What references compute in: more digits than any Real, where the machine has them.
using Wide = long double;

/// A sum, and the size of what was summed, whose rounding errors a sum of Reals has.
struct Sum {
  Wide value = 0, size = 0;
  void add(Wide term);
};

/// What an op should give. The numbers are correct to some roundings of `sizes`; if that is empty, of themselves.
struct Array {
  Shape shape;
  std::vector<Wide> values, sizes = {};

  explicit Array(const Shape& shape_) : shape(shape_) {}
  explicit Array(const Tensor& x);
  void push_back(Wide value) { values.push_back(value); }
  void push_back(const Sum& sum);
  void push_back(Wide value, Wide size);
};

/// Draws shapes and numbers.
class Draw {
 public:
  enum class Sizes { kSmall, kPerhapsEmpty, kLarge };  ///< large: worth several threads
  Draw(std::uint64_t seed, Sizes sizes) : rng_(seed), sizes_(sizes) {}

  Generator& rng() { return rng_; }
  /// From `least` to `most`, both included.
  Index integer(Index least, Index most);
  bool coin() { return integer(0, 1) == 1; }
  /// The size of an axis that may be empty: up to `most`, or close to `large`.
  Index size(Index most, Index large);
  /// `rank` axes; large ones have some 10^5 elements in all.
  Shape shape(int rank);
  Shape shape(int least_rank, int most_rank) { return shape(static_cast<int>(integer(least_rank, most_rank))); }
  /// A random shape that broadcasts to `to`.
  Shape broadcast_from(const Shape& to);

  Tensor normal(const Shape& shape) { return Tensor::randn(shape, rng_); }
  /// Some 0.5 to 2.
  Tensor positive(const Shape& shape);
  /// Multiples of 0.4, plus an offset that keeps them off a kink.
  Tensor grid(const Shape& shape, double offset);
  /// No two equal, or nearly so.
  Tensor distinct(const Shape& shape);
  Indices rows(Index n, Index count);

 private:
  Generator rng_;
  Sizes sizes_;
};

/// An op, its options and arguments, with what it should give.
struct Case {
  std::vector<Tensor> inputs;
  TensorFunction apply;
  std::function<Array(const std::vector<Array>&)> reference;
};

/// A function of one number, and its derivatives; or of two.
struct OfOne {
  std::function<Wide(Wide)> value, slope, curvature;
};
struct OfTwo {
  using Function = Wide (*)(Wide a, Wide b);
  Function value, a, b, aa, ab, bb;
};

struct Op {
  std::string name;     ///< as ops.hpp declares it: "operator+"
  std::string form;     ///< which of its overloads or options; empty where there is one
  std::string message;  ///< the start of its error messages: "add"
  std::function<Case(Draw&)> draw;
  /// How many roundings, in units of epsilon, the value may be off.
  double roundings = 8;
  /// The largest magnitude it is tested with, besides infinity.
  double largest = 1e30;
  /// Inputs from here on may be undefined.
  std::size_t required = 99;
  /// Inputs from here on are tried with finite numbers only: an infinite one tells nothing.
  std::size_t finite = 99;
  std::optional<OfOne> of_one = {};
  std::optional<OfTwo> of_two = {};
  /// The definition determines the sign of a zero.
  bool signed_zero = false;
  /// The additional error of the slope and the curvature, in roundings of 1.
  double slope_roundings = 0;
};
std::ostream& operator<<(std::ostream& out, const Op& op);

/// All of them.
const std::vector<Op>& op_table();

// Its parts.
std::vector<Op> elementwise_ops();
std::vector<Op> activation_ops();
std::vector<Op> axis_ops();
std::vector<Op> product_ops();
std::vector<Op> image_ops();

/// The entry of an activation as Activation calls it: "gelu_tanh" is the tanh form of gelu.
const OfOne& activation_reference(std::string_view name);

/// Calls body(index, position) for every index of a shape, row-major. The index has kMaxRank numbers.
template <class Body>
void for_each_index(const Shape& shape, const Body& body) {
  std::array<Index, kMaxRank> index{};
  const Index size = shape.size();
  for (Index position = 0; position < size; ++position) {
    Index rest = position;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      index[static_cast<std::size_t>(axis)] = rest % shape[axis];
      rest /= shape[axis];
    }
    body(index, position);
  }
}

/// The number of x that broadcasting puts at an index of a shape of `rank` axes.
Wide broadcast_at(const Array& x, const std::array<Index, kMaxRank>& index, int rank);

}  // namespace rill::testing
