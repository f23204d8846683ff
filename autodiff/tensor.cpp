#include "autodiff/tensor.hpp"

#include <algorithm>
#include <ostream>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/memory.hpp"
#include "autodiff/random.hpp"

namespace rill {

namespace {
std::size_t bytes_of(Index size) {
  require(size >= 0, "storage: negative size ", size);
  return memory::bytes_of(static_cast<std::size_t>(size), sizeof(Real));
}
}  // namespace

Storage::Storage(Index size) : bytes_(bytes_of(size)) { data_ = static_cast<Real*>(memory::allocate(bytes_)); }

Storage::~Storage() { memory::deallocate(data_, bytes_); }

Tensor::Tensor(std::shared_ptr<Storage> storage, const Shape& shape, NodePtr node)
    : storage_(std::move(storage)), shape_(shape), size_(shape.size()), node_(std::move(node)) {
  require(!storage_ || size_ <= storage_->size(), "tensor: ", storage_ ? storage_->size() : 0, " numbers for shape ",
          shape_);
}

void Tensor::fail_undefined() { fail("the tensor is undefined: it has no numbers"); }

Tensor Tensor::empty(const Shape& shape) {
  return Tensor(std::allocate_shared<Storage>(memory::Allocator<Storage>{}, shape.size()), shape, nullptr);
}

Tensor Tensor::full(const Shape& shape, double value) {
  Tensor y = empty(shape);
  std::fill_n(y.data(), y.size(), static_cast<Real>(value));
  return y;
}

Tensor Tensor::from(std::span<const Real> values, const Shape& shape) {
  require(static_cast<Index>(values.size()) == shape.size(), "from: ", values.size(), " values for shape ", shape);
  Tensor y = empty(shape);
  std::copy(values.begin(), values.end(), y.data());
  return y;
}

Tensor Tensor::from(std::initializer_list<Real> values, const Shape& shape) {
  return from(std::span(values.begin(), values.size()), shape);
}

Tensor Tensor::linspace(double start, double end, Index steps) {
  require(steps >= 1, "linspace: expected at least 1 step, got ", steps);
  Tensor y = empty({steps});
  for (Index i = 0; i < steps; ++i) {
    // A weighted sum of both ends gives each of them exactly.
    const double w = steps > 1 ? static_cast<double>(i) / static_cast<double>(steps - 1) : 0;
    y.data()[i] = static_cast<Real>((1 - w) * start + w * end);
  }
  return y;
}

Tensor Tensor::rand(const Shape& shape, Generator& rng) {
  Tensor y = empty(shape);
  rng.uniform(y.size(), y.data());
  return y;
}

Tensor Tensor::randn(const Shape& shape, Generator& rng) {
  Tensor y = empty(shape);
  rng.normal(y.size(), y.data());
  return y;
}

Real Tensor::item() const {
  require(defined(), "item: the tensor is undefined");
  require(size_ == 1, "item: expected a tensor of one number, got shape ", shape_);
  return *data();
}

std::vector<Real> Tensor::to_vector() const { return {values().begin(), values().end()}; }

Tensor Tensor::clone() const { return from(values(), shape_); }

Tensor Tensor::detach() const { return Tensor(storage_, shape_, nullptr); }

Tensor& Tensor::set_requires_grad(bool value) & {
  require(defined(), "set_requires_grad: the tensor is undefined");
  require(!node_ || node_->is_leaf(), "set_requires_grad: this tensor of shape ", shape_, " was computed by '",
          node_ ? node_->op : "", "'; detach() it first");
  if (!value) node_ = nullptr;
  if (value && !node_) node_ = make_node<Leaf>(shape_);
  return *this;
}

namespace {
Leaf& leaf_of(const char* what, const Tensor& x) {
  require(x.defined(), what, ": the tensor is undefined");
  require(x.requires_grad() && x.node()->is_leaf(), what, ": this tensor of shape ", x.shape(),
          x.requires_grad() ? " was computed; only leaves keep a gradient (use rill::grad for others)"
                            : " does not require a gradient");
  return static_cast<Leaf&>(*x.node());
}
}  // namespace

const Tensor& Tensor::grad() const& { return leaf_of("grad", *this).grad; }

void Tensor::set_grad(const Tensor& grad) {
  Leaf& leaf = leaf_of("set_grad", *this);
  require(grad.defined(), "set_grad: the gradient is undefined; clear_grad() drops it");
  require(grad.shape() == shape_, "set_grad: a gradient of shape ", grad.shape(), " for a tensor of shape ", shape_);
  leaf.grad = grad;
}

void Tensor::clear_grad() { leaf_of("clear_grad", *this).grad = Tensor(); }

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) {
  if (!tensor.defined()) return out << "undefined tensor";
  constexpr Index kShown = 20;
  out << "Tensor" << tensor.shape() << " {";
  for (Index i = 0; i < std::min(tensor.size(), kShown); ++i) out << (i ? ", " : "") << tensor.data()[i];
  return out << (tensor.size() > kShown ? ", ...}" : "}");
}

}  // namespace rill
