// Tensor: a shape, a buffer and, when it matters, the graph node that computed it.
#pragma once

#include <iosfwd>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "autodiff/shape.hpp"

namespace rill {

class Generator;
class Node;
using NodePtr = std::shared_ptr<Node>;

/// The buffer of one or more tensors: a 64-byte aligned block from the caching allocator.
class Storage {
 public:
  /// Contents undefined. Throws std::bad_alloc, and std::invalid_argument for a negative size.
  explicit Storage(Index size);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  Real* data() & { return data_; }
  Index size() const { return static_cast<Index>(bytes_ / sizeof(Real)); }

 private:
  Real* data_;
  std::size_t bytes_;
};

/// Options of backward() and grad().
struct GradOptions {
  /// Record the graph of the gradients, so that they can be differentiated again. Implies retain_graph.
  /// With backward(), a leaf then holds a gradient whose graph leads back to the leaf: a reference cycle, which keeps
  /// all of the graph in memory. `leaf.clear_grad()` breaks it, as does `leaf.set_grad(leaf.grad().detach())`;
  /// grad() makes no such cycle.
  bool create_graph = false;
  /// Keep what the graph saved, so that gradients can be computed through it again.
  bool retain_graph = false;
};

/// A value: copies share the buffer and the graph node. Row-major and contiguous; there are no strided views.
/// A default-constructed tensor is undefined: it has no buffer. Access to its numbers or its gradient throws
/// std::invalid_argument, as do most ops.
/// Functions that return a view of its memory, such as data(), cannot be called on a temporary:
/// `for (Real x : (2 * y).values())` would read a buffer that is already freed. Give the tensor a name first.
///
/// Threads: ops, backward() and grad() may run on any number of threads at once, on shared tensors. Writes may not:
/// no thread may assign to a tensor object, write through data(), or call set_requires_grad(), set_grad() or
/// clear_grad() while another uses that object, those numbers or that leaf's gradient. See graph.hpp for graphs that
/// threads share.
class Tensor {
 public:
  Tensor() = default;

  // Making tensors. Each throws std::invalid_argument for a negative or overflowing shape.

  /// Contents undefined.
  static Tensor empty(const Shape& shape);
  static Tensor full(const Shape& shape, double value);
  static Tensor zeros(const Shape& shape) { return full(shape, 0); }
  static Tensor ones(const Shape& shape) { return full(shape, 1); }
  /// A scalar: shape [].
  static Tensor scalar(double value) { return full({}, value); }
  /// The values in row-major order; throws std::invalid_argument unless there are shape.size() of them.
  static Tensor from(std::span<const Real> values, const Shape& shape);
  static Tensor from(std::initializer_list<Real> values, const Shape& shape);
  /// `steps` numbers from `start` to `end`, both included; shape [steps].
  static Tensor linspace(double start, double end, Index steps);
  /// Uniform numbers in [0, 1), and standard normal ones, drawn from `rng`.
  static Tensor rand(const Shape& shape, Generator& rng);
  static Tensor randn(const Shape& shape, Generator& rng);

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const& { return shape_; }
  Shape shape() const&& { return shape_; }
  int rank() const { return shape_.rank(); }
  /// The size of an axis; negative axes count from the end.
  Index dim(Index axis) const { return shape_[normalize_axis("dim", axis, rank())]; }
  Index size() const { return size_; }

  /// The numbers, row-major. Write only to a tensor that you have just made, or in an optimizer: a graph saves no
  /// copies, so a tensor must not be changed while a graph that uses it is still to be differentiated.
  const Real* data() const& { return numbers(); }
  Real* data() & { return numbers(); }
  const Real* data() const&& = delete;
  std::span<const Real> values() const& { return {data(), static_cast<std::size_t>(size_)}; }
  std::span<const Real> values() const&& = delete;
  /// The one number of a tensor of size 1; throws std::invalid_argument for any other size.
  Real item() const;
  std::vector<Real> to_vector() const;
  /// A copy of the numbers in a buffer of its own, outside any graph.
  Tensor clone() const;

  // The graph.

  /// True if gradients flow into this tensor: it is a leaf that requires a gradient, or computed from one.
  bool requires_grad() const { return node_ != nullptr; }
  /// Makes this tensor (and later copies of it) a leaf whose gradient backward() accumulates, or no longer one.
  /// Throws std::invalid_argument for a tensor that was computed by an op: detach() it first. Returns *this.
  Tensor& set_requires_grad(bool value = true) &;
  Tensor set_requires_grad(bool value = true) && { return std::move(set_requires_grad(value)); }
  /// The same numbers outside the graph.
  Tensor detach() const;
  /// The gradient that backward() has accumulated for this leaf since clear_grad(); undefined if there is none.
  /// Throws std::invalid_argument for a tensor that is not a leaf requiring a gradient. Read it only when no other
  /// thread is in a backward pass that ends at this leaf.
  const Tensor& grad() const&;
  const Tensor& grad() const&& = delete;
  /// Replaces the gradient. Throws as grad() does, and for a gradient of a different shape.
  void set_grad(const Tensor& grad);
  void clear_grad();

  /// Adds d this / d leaf to the gradient of every leaf this tensor was computed from. Its size must be 1.
  /// Several threads may add gradients to the same leaf: each is added once, in the order in which they arrive, so the
  /// last digits of a sum of three or more can differ from run to run.
  /// Throws std::invalid_argument for a graph already freed, and if an op's gradient does not have the shape of its
  /// input.
  void backward(const GradOptions& options = {}) const;

  // For ops and the graph.
  /// Throws std::invalid_argument if the storage is too small for the shape.
  Tensor(std::shared_ptr<Storage> storage, const Shape& shape, NodePtr node);
  const std::shared_ptr<Storage>& storage() const& { return storage_; }
  const std::shared_ptr<Storage>& storage() const&& = delete;
  const NodePtr& node() const& { return node_; }
  const NodePtr& node() const&& = delete;

 private:
  Real* numbers() const {
    if (!storage_) [[unlikely]]
      fail_undefined();
    return storage_->data();
  }
  [[noreturn]] static void fail_undefined();

  std::shared_ptr<Storage> storage_;
  Shape shape_;
  Index size_ = 0;
  NodePtr node_;
};

/// Writes the shape and up to twenty values.
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

}  // namespace rill
