#include "autodiff/graph.hpp"

#include <algorithm>
#include <atomic>
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

Node::Node(const char* op_name) : op(op_name), id(next_id()) {}

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

// --- The walk --------------------------------------------------------------------------------------------------------

/// One walk from some outputs back through the graph, newest node first. An op's gradient may itself walk a graph that
/// shares nodes with this one, parameters above all: what this walk left on them is put aside until that one is done.
class GraphWalk {
 public:
  explicit GraphWalk(const GradOptions& options)
      : keep_graph_(options.create_graph || options.retain_graph), mode_(options.create_graph), outer_(innermost_) {
    innermost_ = this;
    if (!outer_) return;
    for (const NodePtr& node : outer_->queue_) outer_pending_.push_back(std::exchange(node->pending_, Tensor()));
  }

  ~GraphWalk() {
    innermost_ = outer_;
    // When an op threw half way, the next walk must not find our sums.
    for (const NodePtr& node : queue_) node->pending_ = Tensor();
    for (std::size_t i = 0; i < outer_pending_.size(); ++i) {
      outer_->queue_[i]->pending_ = std::move(outer_pending_[i]);
    }
    for (const auto& [node, needed] : outer_needed_) node->needed_ = needed;
  }
  GraphWalk(const GraphWalk&) = delete;
  GraphWalk& operator=(const GraphWalk&) = delete;

  /// The gradient `gy` arrives at the tensor of `node`.
  void arrive(const NodePtr& node, Tensor gy) {
    if (node->pending_.defined()) {
      node->pending_ = node->pending_ + gy;
      return;
    }
    node->pending_ = std::move(gy);
    queue_.push_back(node);
    std::push_heap(queue_.begin(), queue_.end(), older);
  }

  /// Visits the nodes. `finish(node, gradient)` is told each one's final gradient; `wanted(node)` says whether any is
  /// needed at an input.
  template <class Finish, class Wanted>
  void run(const Finish& finish, const Wanted& wanted) {
    while (!queue_.empty()) {
      std::pop_heap(queue_.begin(), queue_.end(), older);
      const NodePtr node = std::move(queue_.back());
      queue_.pop_back();
      const Tensor gy = std::move(node->pending_);
      node->pending_ = Tensor();
      finish(*node, gy);
      if (node->is_leaf()) continue;
      require(!node->saved_freed(), "backward: the graph below '", node->op,
              "' was freed by an earlier walk; pass {.retain_graph = true} to that one");
      const struct Visit {
        const Node& node;
        ~Visit() { node.end_visit(); }
      } visit{*node};
      for (std::size_t i = 0; i < node->input_count(); ++i) {
        const NodePtr& input = node->input(i);
        if (input && wanted(*input)) arrive(input, node->gradient(i, gy, node));
      }
      if (!keep_graph_) node->free_saved();
    }
  }

  /// Marks every node that lies between the outputs and one of `targets`; needed() tells them. Writes to no leaf but
  /// the targets: so several threads may each walk a graph of their own down to the same parameters.
  void mark_needed(const std::vector<Tensor>& outputs, const std::vector<Tensor>& targets) {
    walk_ = next_id();
    memory::Vector<Node*> found;
    const auto meet = [&](Node* node) {
      if (node && !node->is_leaf() && node->seen_ != walk_) {
        node->seen_ = walk_;
        found.push_back(node);
      }
    };
    for (const Tensor& y : outputs) meet(y.node().get());
    for (std::size_t next = 0; next < found.size(); ++next) {
      for (std::size_t i = 0; i < found[next]->input_count(); ++i) meet(found[next]->input(i).get());
    }
    if (outer_) {
      for (Node* node : found) outer_needed_.emplace_back(node, node->needed_);
      for (const Tensor& x : targets) outer_needed_.emplace_back(x.node().get(), x.node()->needed_);
    }
    for (const Tensor& x : targets) x.node()->needed_ = walk_;
    // Oldest first, so that inputs are decided before what was computed from them.
    std::sort(found.begin(), found.end(), [](const Node* a, const Node* b) { return a->id < b->id; });
    for (Node* node : found) {
      for (std::size_t i = 0; i < node->input_count(); ++i) {
        const Node* input = node->input(i).get();
        if (input && input->needed_ == walk_) node->needed_ = walk_;
      }
    }
  }
  bool needed(const Node& node) const { return node.needed_ == walk_; }

 private:
  static bool older(const NodePtr& a, const NodePtr& b) { return a->id < b->id; }

  bool keep_graph_;
  GradMode mode_;
  memory::Vector<NodePtr> queue_;  // a heap: the newest node is on top
  std::uint64_t walk_ = 0;

  constinit static thread_local GraphWalk* innermost_;
  GraphWalk* outer_;                                              // the walk that an op's gradient began this one in
  memory::Vector<Tensor> outer_pending_;                          // of its queue
  memory::Vector<std::pair<Node*, std::uint64_t>> outer_needed_;  // of the nodes that this walk marks
};

constinit thread_local GraphWalk* GraphWalk::innermost_ = nullptr;

void Tensor::backward(const GradOptions& options) const {
  require(requires_grad(), "backward: this tensor of shape ", shape_,
          " was computed from nothing that requires a gradient");
  require(size_ == 1, "backward: expected a tensor of one number, got shape ", shape_, "; sum or average it first");
  GraphWalk walk(options);
  walk.arrive(node_, Tensor::ones(shape_));
  walk.run(
      [](Node& node, const Tensor& gradient) {
        if (!node.is_leaf()) return;
        Tensor& sum = static_cast<Leaf&>(node).grad;
        sum = sum.defined() ? sum + gradient : gradient;
      },
      [](const Node&) { return true; });
}

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const GradOptions& options, const std::vector<Tensor>& seeds) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    require(inputs[i].requires_grad(), "grad: input ", i, " of shape ", inputs[i].shape(),
            " does not require a gradient");
  }
  require(seeds.empty() || seeds.size() == outputs.size(), "grad: ", seeds.size(), " seeds for ", outputs.size(),
          " outputs");

  GraphWalk walk(options);
  walk.mark_needed(outputs, inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& y = outputs[i];
    require(y.requires_grad(), "grad: output ", i, " of shape ", y.shape(),
            " was computed from nothing that requires a gradient");
    require(!seeds.empty() || y.size() == 1, "grad: output ", i, " has shape ", y.shape(),
            "; give it a seed of that shape");
    require(seeds.empty() || seeds[i].shape() == y.shape(), "grad: seed ", i, " has shape ",
            seeds.empty() ? Shape{} : seeds[i].shape(), ", its output ", y.shape());
    if (walk.needed(*y.node())) walk.arrive(y.node(), seeds.empty() ? Tensor::ones(y.shape()) : seeds[i]);
  }

  std::vector<Tensor> result(inputs.size());
  walk.run(
      [&](const Node& node, const Tensor& gradient) {
        for (std::size_t i = 0; i < inputs.size(); ++i) {
          if (inputs[i].node().get() == &node) result[i] = gradient;
        }
      },
      [&](const Node& node) { return walk.needed(node); });
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!result[i].defined()) result[i] = Tensor::zeros(inputs[i].shape());
  }
  return result;
}

Tensor grad(const Tensor& output, const Tensor& input, const GradOptions& options) {
  return grad(std::vector{output}, std::vector{input}, options)[0];
}

ValueAndProduct vjp(const Function& f, const Tensor& x, const Tensor& v) {
  const GradMode record_graph(true);
  const Tensor leaf = x.detach().set_requires_grad();
  const Tensor y = f(leaf);
  if (!y.requires_grad()) return {y, Tensor::zeros(x.shape())};
  return {y.detach(), grad({y}, {leaf}, {}, {v})[0]};
}

ValueAndProduct jvp(const Function& f, const Tensor& x, const Tensor& v) {
  require(v.shape() == x.shape(), "jvp: v has shape ", v.shape(), ", x ", x.shape());
  const GradMode record_graph(true);
  const Tensor leaf = x.detach().set_requires_grad();
  const Tensor y = f(leaf);
  if (!y.requires_grad()) return {y, Tensor::zeros(y.shape())};
  const Tensor u = Tensor::zeros(y.shape()).set_requires_grad();
  const Tensor u_jacobian = grad({y}, {leaf}, {.create_graph = true}, {u})[0];
  if (!u_jacobian.requires_grad()) return {y.detach(), Tensor::zeros(y.shape())};
  return {y.detach(), grad({u_jacobian}, {u}, {}, {v})[0]};
}

}  // namespace rill
