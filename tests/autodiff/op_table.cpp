#include "tests/autodiff/op_table.hpp"

#include <algorithm>
#include <cmath>
#include <ostream>

namespace rill::testing {

void Sum::add(Wide term) {
  value += term;
  size += std::abs(term);
}

Array::Array(const Tensor& x) : shape(x.shape()), values(x.values().begin(), x.values().end()) {}

void Array::push_back(const Sum& sum) { push_back(sum.value, sum.size); }

void Array::push_back(Wide value, Wide size) {
  values.push_back(value);
  sizes.push_back(size);
}

Index Draw::integer(Index least, Index most) { return least + rng_.integers(1, most - least + 1)[0]; }

Index Draw::size(Index most, Index large) {
  if (sizes_ == Sizes::kLarge) return integer(large - large / 8, large);
  if (sizes_ == Sizes::kPerhapsEmpty && integer(0, 2) == 0) return 0;
  return integer(1, most);
}

Shape Draw::shape(int rank) {
  Shape shape;
  for (int axis = 0; axis < rank; ++axis) {
    shape.push_back(size(rank <= 2 ? 5 : 3, static_cast<Index>(std::pow(1.5e5, 1. / rank))));
  }
  return shape;
}

Shape Draw::broadcast_from(const Shape& to) {
  Shape from;
  const int dropped = static_cast<int>(integer(0, to.rank()));
  const bool same = integer(0, 2) == 0;
  for (int axis = same ? 0 : dropped; axis < to.rank(); ++axis) {
    from.push_back(!same && integer(0, 2) == 0 ? 1 : to[axis]);
  }
  return from;
}

Tensor Draw::positive(const Shape& shape) { return 1.5 * Tensor::rand(shape, rng_) + 0.5; }

Tensor Draw::grid(const Shape& shape, double offset) {
  Tensor x = Tensor::empty(shape);
  for (Index i = 0; i < x.size(); ++i) {
    x.data()[i] = static_cast<Real>(0.4 * static_cast<double>(integer(-5, 4)) + offset);
  }
  return x;
}

Tensor Draw::distinct(const Shape& shape) {
  Tensor x = Tensor::empty(shape);
  const std::vector<Index> order = rng_.permutation(x.size());
  for (Index i = 0; i < x.size(); ++i) {
    x.data()[i] = static_cast<Real>(0.1 * static_cast<double>(order[static_cast<std::size_t>(i)] - x.size() / 2));
  }
  return x;
}

Indices Draw::rows(Index n, Index count) { return Indices(rng_.integers(n, count)); }

std::ostream& operator<<(std::ostream& out, const Op& op) {
  return out << op.name << (op.form.empty() ? "" : ", ") << op.form;
}

const std::vector<Op>& op_table() {
  static const std::vector<Op> table = [] {
    std::vector<Op> all;
    for (const auto part : {elementwise_ops, activation_ops, axis_ops, product_ops, image_ops}) {
      for (Op& op : part()) all.push_back(std::move(op));
    }
    return all;
  }();
  return table;
}

Wide broadcast_at(const Array& x, const std::array<Index, kMaxRank>& index, int rank) {
  Index position = 0;
  const int offset = rank - x.shape.rank();
  for (int axis = 0; axis < x.shape.rank(); ++axis) {
    const Index at = x.shape[axis] == 1 ? 0 : index[static_cast<std::size_t>(axis + offset)];
    position = position * x.shape[axis] + at;
  }
  return x.values[static_cast<std::size_t>(position)];
}

}  // namespace rill::testing
