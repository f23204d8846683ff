#include "autodiff/shape.hpp"

#include <algorithm>
#include <ostream>
#include <string>

#include "autodiff/error.hpp"

namespace rill {

Shape::Shape(std::span<const Index> sizes) {
  require(sizes.size() <= kMaxRank, "shape: ", sizes.size(), " axes, at most ", kMaxRank, " are supported");
  std::copy(sizes.begin(), sizes.end(), sizes_.begin());
  rank_ = static_cast<int>(sizes.size());
}

void Shape::push_back(Index size) {
  require(rank_ < kMaxRank, "shape: more than ", kMaxRank, " axes");
  sizes_[static_cast<std::size_t>(rank_++)] = size;
}

Index Shape::size() const {
  Index product = 1;
  bool none = false;
  for (const Index size : *this) {
    require(size >= 0, "shape: negative size in ", *this);
    none |= size == 0;
    require(size == 0 || (!__builtin_mul_overflow(product, size, &product) && product <= kMaxElements),
            "shape: ", *this, " is more than memory can hold: at most 2^48 elements");
  }
  return none ? 0 : product;
}

bool operator==(const Shape& a, const Shape& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << '[';
  for (int axis = 0; axis < shape.rank(); ++axis) out << (axis ? ", " : "") << shape[axis];
  return out << ']';
}

namespace {
[[noreturn]] void too_large(const char* op, const char* sign, std::initializer_list<Index> sizes) {
  std::string text;
  for (const Index size : sizes) text += concat(text.empty() ? "" : sign, size);
  fail(op, ": ", text, " is too large");
}
}  // namespace

Index checked_product(const char* op, std::initializer_list<Index> factors) {
  Index product = 1;
  for (const Index factor : factors) {
    if (__builtin_mul_overflow(product, factor, &product)) too_large(op, " x ", factors);
  }
  return product;
}

Index checked_sum(const char* op, std::initializer_list<Index> terms) {
  Index sum = 0;
  for (const Index term : terms) {
    if (__builtin_add_overflow(sum, term, &sum)) too_large(op, " + ", terms);
  }
  return sum;
}

int normalize_axis(const char* op, Index axis, int rank) {
  require(-rank <= axis && axis < rank, op, ": axis ", axis, " of a tensor of rank ", rank);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b) {
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  Shape result = longer;
  const int offset = longer.rank() - shorter.rank();
  for (int axis = 0; axis < shorter.rank(); ++axis) {
    Index& size = result[axis + offset];
    if (size == 1) size = shorter[axis];
    require(shorter[axis] == size || shorter[axis] == 1, op, ": ", a, " and ", b, " do not broadcast");
  }
  return result;
}

}  // namespace rill
