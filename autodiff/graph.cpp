#include "autodiff/graph.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill {

// --- Modes -----------------------------------------------------------------------------------------------------------

namespace {
constinit thread_local bool recording = true;
}

bool grad_enabled() { return recording; }
GradMode::GradMode(bool enabled) : previous_(recording) { recording = enabled; }
GradMode::~GradMode() { recording = previous_; }

// --- Nodes -----------------------------------------------------------------------------------------------------------

namespace {
std::uint64_t next_id() {
  static constinit std::atomic<std::uint64_t> counter{0};
  return counter.fetch_add(1, std::memory_order_relaxed) + 1;
}
}  // namespace

Node::Node(const char* op_name, const Shape& its_shape) : op(op_name), shape(its_shape), id(next_id()) {}

const NodePtr& Leaf::input(std::size_t) const {
  static const NodePtr none;
  return none;
}

void NodeDeleter::operator()(Node* node) const noexcept {
  constinit thread_local static Node* waiting = nullptr;
  constinit thread_local static bool draining = false;
  node->next_freed_ = waiting;
  waiting = node;
  if (draining) return;
  draining = true;
  while (waiting) {
    Node* next = waiting;
    waiting = next->next_freed_;
    const std::size_t bytes = next->block_bytes_;
    next->~Node();  // may put its inputs on the list
    memory::deallocate(next, bytes);
  }
  draining = false;
}

// --- The backward pass -----------------------------------------------------------------------------------------------

/// One backward pass from some outputs, newest node first. It writes only to the leaves whose gradients are wanted, and
/// frees what the visited nodes had saved.
class GraphWalk {
 public:
  /// Goes all the way to the leaves.
  explicit GraphWalk(const GradOptions& options)
      : keep_graph_(options.create_graph || options.retain_graph), mode_(options.create_graph) {}

  /// Stops at `targets`.
  GraphWalk(const GradOptions& options, const std::vector<Tensor>& outputs, const std::vector<Tensor>& targets)
      : GraphWalk(options) {
    to_leaves_ = false;
    find_way(outputs, targets);
  }
  GraphWalk(const GraphWalk&) = delete;
  GraphWalk& operator=(const GraphWalk&) = delete;

  /// Whether a node lies on a path to a target, or is one.
  bool wants(const Node& node) const { return to_leaves_ || std::binary_search(way_.begin(), way_.end(), node.id); }

  /// The gradient `gy` arrives at the tensor of `node`.
  void arrive(const NodePtr& node, Tensor gy) {
    const auto [place, first] = arrived_.try_emplace(node->id);
    Arrival& arrival = place->second;
    if (first) {
      arrival = {node, std::move(gy)};
    } else {
      arrival.sum = arrival.sum + gy;
    }
  }

  /// Visits the nodes. Calls `finish(node, gradient)` with each one's final gradient.
  template <class Finish>
  void run(const Finish& finish) {
    while (!arrived_.empty()) {
      const auto newest = arrived_.begin();
      const auto [node, gy] = std::move(newest->second);
      arrived_.erase(newest);
      finish(*node, gy);
      if (!goes_on(*node)) continue;
      require(!node->saved_freed(), "backward: the graph below '", node->op,
              "' was freed by an earlier backward pass; pass {.retain_graph = true} to that one");
      Visit visit(*this, node, gy);
      node->bring_gradients(visit);
      if (!keep_graph_) node->free_saved();
    }
  }

 private:
  struct Arrival {
    NodePtr node;
    Tensor sum;  // of the gradients so far
  };
  using Arrivals =
      std::map<std::uint64_t, Arrival, std::greater<>, memory::Allocator<std::pair<const std::uint64_t, Arrival>>>;

  bool goes_on(const Node& node) const {
    for (std::size_t i = 0; i < node.input_count(); ++i) {
      if (node.input(i) && wants(*node.input(i))) return true;
    }
    return false;
  }

  // A node lies on a path if it is a target or one of its inputs lies on a path.
  void find_way(const std::vector<Tensor>& outputs, const std::vector<Tensor>& targets) {
    memory::Vector<std::uint64_t> ends;
    for (const Tensor& x : targets) ends.push_back(x.node()->id);
    std::sort(ends.begin(), ends.end());
    const auto older = [](const Node* a, const Node* b) { return a->id < b->id; };
    memory::Vector<const Node*> met;  // a heap with the newest on top, which may hold a node several times
    const auto meet = [&](const Node* node) {
      if (!node || ends.empty() || node->id < ends.front()) return;  // older than every target
      met.push_back(node);
      std::push_heap(met.begin(), met.end(), older);
    };
    memory::Vector<const Node*> above;  // may lead to a target; newest first
    for (const Tensor& y : outputs) meet(y.node().get());
    while (!met.empty()) {
      std::pop_heap(met.begin(), met.end(), older);
      const Node* node = met.back();
      met.pop_back();
      if (!above.empty() && above.back() == node) continue;
      above.push_back(node);
      for (std::size_t i = 0; i < node->input_count(); ++i) meet(node->input(i).get());
    }
    // Oldest first, so that inputs are decided before what was computed from them.
    for (auto node = above.rbegin(); node != above.rend(); ++node) {
      if (std::binary_search(ends.begin(), ends.end(), (*node)->id) || goes_on(**node)) way_.push_back((*node)->id);
    }
  }

  bool keep_graph_;
  GradMode mode_;
  Arrivals arrived_;  // gradients at the nodes yet to be visited, the newest node first
  bool to_leaves_ = true;
  memory::Vector<std::uint64_t> way_;  // in ascending order
};

bool Visit::wants(std::size_t i) const {
  const NodePtr& input = node_->input(i);
  return input && walk_.wants(*input);
}

void Visit::bring(std::size_t i, Tensor gx) {
  const NodePtr& input = node_->input(i);
  require(gx.defined(), "backward: the gradient of '", node_->op, "' for its input ", i, " of shape ", input->shape,
          " is undefined");
  require(gx.shape() == input->shape, "backward: the gradient of '", node_->op, "' for its input ", i, " has shape ",
          gx.shape(), ", the input ", input->shape);
  walk_.arrive(input, std::move(gx));
}

void Leaf::accumulate(const Tensor& gradient) {
  const std::lock_guard lock(accumulating_);
  grad = grad.defined() ? grad + gradient : gradient;
}

void Tensor::backward(const GradOptions& options) const {
  require(defined(), "backward: the tensor is undefined");
  require(requires_grad(), "backward: this tensor of shape ", shape_,
          " was computed from nothing that requires a gradient");
  require(size_ == 1, "backward: expected a tensor of one number, got shape ", shape_, "; sum or average it first");
  GraphWalk walk(options);
  walk.arrive(node_, Tensor::ones(shape_));
  walk.run([](Node& node, const Tensor& gradient) {
    if (node.is_leaf()) static_cast<Leaf&>(node).accumulate(gradient);
  });
}

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const GradOptions& options, const std::vector<Tensor>& seeds) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    require(inputs[i].defined(), "grad: input ", i, " is undefined");
    require(inputs[i].requires_grad(), "grad: input ", i, " of shape ", inputs[i].shape(),
            " does not require a gradient");
  }
  require(seeds.empty() || seeds.size() == outputs.size(), "grad: ", seeds.size(), " seeds for ", outputs.size(),
          " outputs");
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& y = outputs[i];
    require(y.defined(), "grad: output ", i, " is undefined");
    require(y.requires_grad(), "grad: output ", i, " of shape ", y.shape(),
            " was computed from nothing that requires a gradient");
    require(!seeds.empty() || y.size() == 1, "grad: output ", i, " has shape ", y.shape(),
            "; give it a seed of that shape");
    require(seeds.empty() || seeds[i].defined(), "grad: seed ", i, " is undefined");
    require(seeds.empty() || seeds[i].shape() == y.shape(), "grad: seed ", i, " has shape ",
            seeds.empty() ? Shape{} : seeds[i].shape(), ", its output ", y.shape());
  }

  GraphWalk walk(options, outputs, inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& y = outputs[i];
    if (walk.wants(*y.node())) walk.arrive(y.node(), seeds.empty() ? Tensor::ones(y.shape()) : seeds[i]);
  }
  std::vector<Tensor> result(inputs.size());
  walk.run([&](const Node& node, const Tensor& gradient) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].node().get() == &node) result[i] = gradient;
    }
  });
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!result[i].defined()) result[i] = Tensor::zeros(inputs[i].shape());
  }
  return result;
}

Tensor grad(const Tensor& output, const Tensor& input, const GradOptions& options) {
  return grad(std::vector{output}, std::vector{input}, options)[0];
}

namespace {

// f(x), with x as a new leaf.
struct Evaluation {
  Tensor leaf, y;
};

Evaluation evaluate(const char* what, const Function& f, const Tensor& x) {
  require(x.defined(), what, ": x is undefined");
  const Tensor leaf = x.detach().set_requires_grad();
  const Tensor y = f(leaf);
  require(y.defined(), what, ": f returned an undefined tensor");
  return {leaf, y};
}

}  // namespace

ValueAndProduct vjp(const Function& f, const Tensor& x, const Tensor& v) {
  const GradMode record_graph(true);
  const auto [leaf, y] = evaluate("vjp", f, x);
  require(v.defined() && v.shape() == y.shape(), "vjp: v has shape ", v.shape(), ", f(x) ", y.shape());
  if (!y.requires_grad()) return {y, Tensor::zeros(x.shape())};
  return {y.detach(), grad({y}, {leaf}, {}, {v})[0]};
}

ValueAndProduct jvp(const Function& f, const Tensor& x, const Tensor& v) {
  require(v.defined() && v.shape() == x.shape(), "jvp: v has shape ", v.shape(), ", x ", x.shape());
  const GradMode record_graph(true);
  const auto [leaf, y] = evaluate("jvp", f, x);
  if (!y.requires_grad()) return {y, Tensor::zeros(y.shape())};
  const Tensor u = Tensor::zeros(y.shape()).set_requires_grad();
  const Tensor u_jacobian = grad({y}, {leaf}, {.create_graph = true}, {u})[0];
  if (!u_jacobian.requires_grad()) return {y.detach(), Tensor::zeros(y.shape())};
  return {y.detach(), grad({u_jacobian}, {u}, {}, {v})[0]};
}

}  // namespace rill
