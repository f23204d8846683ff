// The graph: what was computed from what, and how gradients flow back through it.
//
// Each op records a node as it runs. A node is newer than its inputs, so visiting nodes newest first is a reverse
// topological order: a priority queue of ids replaces recursion, and a chain of a million ops needs no more stack than
// one of ten.
//
// Threads: a backward pass keeps its state to itself, so several threads may run one at once, over graphs that share
// leaves, or over the same graph with retain_graph or create_graph. Without either, a backward pass frees what its ops
// saved, so no other thread may be using those nodes. Whether ops record is a setting of each thread.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/memory.hpp"
#include "autodiff/tensor.hpp"

namespace rill {

// ---------------------------------------------------------------------------------------------------------------------
// For users

/// Whether ops record the graph on this thread. True by default on every thread.
bool grad_enabled();

/// Sets whether ops record the graph on this thread, until the end of the scope.
class GradMode {
 public:
  explicit GradMode(bool enabled);
  ~GradMode();
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool previous_;
};

/// In its scope ops record no graph: for sampling, evaluation and optimizer updates.
class NoGrad : public GradMode {
 public:
  NoGrad() : GradMode(false) {}
};

/// The gradient of sum_i <seeds[i], outputs[i]> with respect to each input (a leaf or not), without touching the
/// leaves' grad(). An input that the outputs do not depend on gets zeros. Only the nodes on paths from an output to an
/// input are visited and freed: what an input was itself computed from stays as it is. `seeds` has one tensor per
/// output, of its shape; if empty, they are ones, and outputs must have size 1. Throws std::invalid_argument for an
/// output or input outside any graph, for a graph already freed, and if an op's gradient does not have the shape of its
/// input. May be called from several threads at once: see the top of this file.
std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const GradOptions& options = {}, const std::vector<Tensor>& seeds = {});

/// The same for one output and one input.
Tensor grad(const Tensor& output, const Tensor& input, const GradOptions& options = {});

using Function = std::function<Tensor(const Tensor&)>;
struct ValueAndProduct {
  Tensor value;    ///< f(x)
  Tensor product;  ///< v^T J or J v
};
/// v^T J of f at x, where J = df/dx; v has the shape of f(x), the product that of x.
ValueAndProduct vjp(const Function& f, const Tensor& x, const Tensor& v);
/// J v of f at x; v has the shape of x, the product that of f(x). Two reverse passes: u -> u^T J is linear in u, and
/// its own vector-Jacobian product with v is J v.
ValueAndProduct jvp(const Function& f, const Tensor& x, const Tensor& v);

// ---------------------------------------------------------------------------------------------------------------------
// For ops

/// An input of an op, and the gradient that flows to it: see wrt().
template <class F>
struct Input {
  const Tensor& x;
  F gradient;
};

/// "With respect to x": pairs an op's input with the function that maps the gradient of the output y to the gradient
/// of x. The function takes (gy), or (gy, y) if it needs the output; it is made of ops, so it can be differentiated.
/// A lambda must not capture y: the node would own itself and never be freed.
template <class F>
Input<F> wrt(const Tensor& x, F gradient) {
  return {x, std::move(gradient)};
}

/// Adds an op's output y to the graph and returns it; unchanged if recording is off or no input requires a gradient.
/// `op` is the op's name, a string literal. An undefined x is an input that needs no gradient; throws
/// std::invalid_argument for an undefined y. A gradient must have the shape of its x: the backward pass checks.
///   record("exp", y, wrt(x, [](const Tensor& gy, const Tensor& y) { return gy * y; }))
template <class... F>
Tensor record(const char* op, Tensor y, Input<F>... inputs);

/// The same for any number of inputs and one function (gy, i) -> gradient of input i.
template <class F>
Tensor record_each(const char* op, Tensor y, std::span<const Tensor> inputs, F gradient);

/// The same where one computation gives the gradients of several inputs: gradients(gy) is called once per backward pass
/// and returns a std::array with a tensor for each input, undefined where the input needs none.
template <class F, std::same_as<Tensor>... Inputs>
Tensor record_jointly(const char* op, Tensor y, F gradients, const Inputs&... inputs);

// ---------------------------------------------------------------------------------------------------------------------
// Internals

class GraphWalk;
class Visit;

/// A tensor's place in the graph. Every tensor that requires a gradient has exactly one.
class Node {
 public:
  Node(const char* op, const Shape& shape);
  virtual ~Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// The tensors this one was computed from; null for those that need no gradient.
  virtual std::size_t input_count() const { return 0; }
  virtual const NodePtr& input(std::size_t i) const = 0;
  /// Passes on the gradients of the inputs that the visit wants, given the gradient of this node's tensor.
  virtual void bring_gradients(Visit& visit) const = 0;
  /// Frees what the gradients need; bring_gradients() must not be called afterward.
  virtual void free_saved() = 0;
  virtual bool saved_freed() const = 0;
  virtual bool is_leaf() const { return false; }

  const char* const op;
  const Shape shape;       ///< of the tensor, and so of its gradient
  const std::uint64_t id;  ///< larger than those of all nodes made before, on any thread

 private:
  friend struct NodeDeleter;
  Node* next_freed_ = nullptr;   // links the nodes about to be destroyed
  std::size_t block_bytes_ = 0;  // the size of the block this node was made in
  template <class N, class... Args>
  friend NodePtr make_node(Args&&... args);
};

/// A backward pass at a node, with the gradient of the node's tensor.
class Visit {
 public:
  Visit(GraphWalk& walk, const NodePtr& node, const Tensor& gy) : walk_(walk), node_(node), gy_(gy) {}
  const NodePtr& node() const { return node_; }
  const Tensor& gy() const { return gy_; }
  /// Whether the backward pass needs the gradient of input i.
  bool wants(std::size_t i) const;
  /// Passes on the gradient of input i. Throws std::invalid_argument unless it has that input's shape.
  void bring(std::size_t i, Tensor gx);

 private:
  GraphWalk& walk_;
  const NodePtr& node_;
  const Tensor& gy_;
};

/// A tensor that is not the result of an op: a parameter, or an input whose gradient is wanted.
class Leaf final : public Node {
 public:
  explicit Leaf(const Shape& shape) : Node("leaf", shape) {}
  const NodePtr& input(std::size_t) const override;
  void bring_gradients(Visit&) const override {}
  void free_saved() override {}
  bool saved_freed() const override { return false; }
  bool is_leaf() const override { return true; }
  /// grad += gradient. Safe from several threads at once.
  void accumulate(const Tensor& gradient);

  Tensor grad;

 private:
  std::mutex accumulating_;
};

/// Destroys nodes without recursion: a node's destructor releases its inputs, which go to a list instead of the stack.
struct NodeDeleter {
  void operator()(Node* node) const noexcept;
};

/// A node in cached memory.
template <class N, class... Args>
NodePtr make_node(Args&&... args) {
  void* block = memory::allocate(sizeof(N));
  N* node = new (block) N(std::forward<Args>(args)...);
  node->block_bytes_ = sizeof(N);
  return NodePtr(static_cast<Node*>(node), NodeDeleter{}, memory::Allocator<Node>{});
}

namespace detail {

template <class F>
inline constexpr bool kUsesOutput = std::is_invocable_v<const F&, const Tensor&, const Tensor&>;

template <class... F>
class OpNode final : public Node {
 public:
  OpNode(const char* op_name, const Tensor& y, Input<F>&&... inputs)
      : Node(op_name, y.shape()),
        inputs_{inputs.x.node()...},
        gradients_(std::in_place, std::move(inputs.gradient)...) {
    if constexpr ((kUsesOutput<F> || ...)) output_ = y.storage();
  }

  std::size_t input_count() const override { return sizeof...(F); }
  const NodePtr& input(std::size_t i) const override { return inputs_[i]; }
  bool saved_freed() const override { return !gradients_; }
  void free_saved() override {
    gradients_.reset();
    output_.reset();
  }

  void bring_gradients(Visit& visit) const override { bring_each(visit, std::index_sequence_for<F...>{}); }

 private:
  template <std::size_t... I>
  void bring_each(Visit& visit, std::index_sequence<I...>) const {
    ((visit.wants(I) ? visit.bring(I, call(std::get<I>(*gradients_), visit)) : void()), ...);
  }

  template <class G>
  Tensor call(const G& gradient, const Visit& visit) const {
    if constexpr (kUsesOutput<G>) {
      return gradient(visit.gy(), Tensor(output_, shape, visit.node()));
    } else {
      return gradient(visit.gy());
    }
  }

  std::array<NodePtr, sizeof...(F)> inputs_;
  std::optional<std::tuple<F...>> gradients_;
  std::shared_ptr<Storage> output_;  // the output's numbers without its node, which would be a cycle
};

template <class F>
class EachNode final : public Node {
 public:
  EachNode(const char* op_name, const Tensor& y, std::span<const Tensor> inputs, F gradient)
      : Node(op_name, y.shape()), gradient_(std::move(gradient)) {
    inputs_.reserve(inputs.size());
    for (const Tensor& x : inputs) inputs_.push_back(x.node());
  }

  std::size_t input_count() const override { return inputs_.size(); }
  const NodePtr& input(std::size_t i) const override { return inputs_[i]; }
  bool saved_freed() const override { return !gradient_; }
  void free_saved() override { gradient_.reset(); }
  void bring_gradients(Visit& visit) const override {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (visit.wants(i)) visit.bring(i, (*gradient_)(visit.gy(), i));
    }
  }

 private:
  memory::Vector<NodePtr> inputs_;
  std::optional<F> gradient_;
};

template <class F, std::size_t n>
class JointNode final : public Node {
 public:
  JointNode(const char* op_name, const Tensor& y, F gradients, const std::array<NodePtr, n>& inputs)
      : Node(op_name, y.shape()), inputs_(inputs), gradients_(std::move(gradients)) {}

  std::size_t input_count() const override { return n; }
  const NodePtr& input(std::size_t i) const override { return inputs_[i]; }
  bool saved_freed() const override { return !gradients_; }
  void free_saved() override { gradients_.reset(); }
  void bring_gradients(Visit& visit) const override {
    std::array<Tensor, n> gx = (*gradients_)(visit.gy());
    for (std::size_t i = 0; i < n; ++i) {
      if (visit.wants(i)) visit.bring(i, std::move(gx[i]));
    }
  }

 private:
  std::array<NodePtr, n> inputs_;
  std::optional<F> gradients_;
};

inline void require_result(const char* op, const Tensor& y) {
  require(y.defined(), op, ": recorded with an undefined result");
}

}  // namespace detail

template <class... F>
Tensor record(const char* op, Tensor y, Input<F>... inputs) {
  detail::require_result(op, y);
  if (!grad_enabled() || !(inputs.x.requires_grad() || ...)) return y;
  NodePtr node = make_node<detail::OpNode<F...>>(op, y, std::move(inputs)...);
  return Tensor(y.storage(), y.shape(), std::move(node));
}

template <class F>
Tensor record_each(const char* op, Tensor y, std::span<const Tensor> inputs, F gradient) {
  detail::require_result(op, y);
  bool needed = false;
  for (const Tensor& x : inputs) needed |= x.requires_grad();
  if (!grad_enabled() || !needed) return y;
  NodePtr node = make_node<detail::EachNode<F>>(op, y, inputs, std::move(gradient));
  return Tensor(y.storage(), y.shape(), std::move(node));
}

template <class F, std::same_as<Tensor>... Inputs>
Tensor record_jointly(const char* op, Tensor y, F gradients, const Inputs&... inputs) {
  detail::require_result(op, y);
  if (!grad_enabled() || !(inputs.requires_grad() || ...)) return y;
  NodePtr node = make_node<detail::JointNode<F, sizeof...(Inputs)>>(op, y, std::move(gradients),
                                                                    std::array{NodePtr(inputs.node())...});
  return Tensor(y.storage(), y.shape(), std::move(node));
}

}  // namespace rill
