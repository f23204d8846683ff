#include "flow/solver/velocity_divergence.hpp"

#include <algorithm>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/interruption.hpp"
#include "autodiff/names.hpp"
#include "autodiff/ops.hpp"

namespace rill::flow {
namespace {

// 1 in component i of every point and 0 elsewhere, in the given shape [N, ...].
Tensor unit_vectors(const Shape& shape, Index i) {
  Tensor result = Tensor::zeros(shape);
  const Index points = shape[0], dimension = result.size() / points;
  for (Index n = 0; n < points; ++n) result.data()[n * dimension + i] = 1;
  return result;
}

}  // namespace

std::vector<std::string> trace_names() { return {"exact", "rademacher", "gaussian"}; }

Trace find_trace(std::string_view name) {
  const std::vector<std::string> names = trace_names();
  require_known("trace", name, names);
  return static_cast<Trace>(std::find(names.begin(), names.end(), name) - names.begin());
}

Trace default_trace(Index dimension) {
  constexpr Index kMostExact = 32;
  return dimension <= kMostExact ? Trace::kExact : Trace::kRademacher;
}

std::vector<Tensor> draw_probes(Trace kind, Index count, const Shape& shape, Generator& rng) {
  require(kind != Trace::kExact, "probes: an exact divergence has none; use Rademacher or Gaussian ones");
  require(count >= 1, "probes: expected at least 1, got ", count);
  std::vector<Tensor> probes;
  for (Index k = 0; k < count; ++k) {
    check_interruption();
    probes.push_back(kind == Trace::kGaussian ? Tensor::randn(shape, rng)
                                              : 2 * less(Tensor::rand(shape, rng), Tensor::scalar(0.5)) - 1);
  }
  return probes;
}

VelocityDivergence velocity_and_divergence(const Velocity& velocity, const Tensor& x, const Tensor& t,
                                           const std::vector<Tensor>& probes, bool squared_jacobian) {
  require(x.rank() >= 2 && t.shape() == Shape{x.dim(0)}, "divergence: expected x [N, ...] and t [N], got ", x.shape(),
          " and ", t.shape());
  for (const Tensor& probe : probes) {
    require(probe.shape() == x.shape(), "divergence: a probe of shape ", probe.shape(), " for points ", x.shape());
  }
  const bool differentiable = grad_enabled();
  const GradMode record_graph(true);
  const Tensor at = differentiable && x.requires_grad() ? x : x.detach().set_requires_grad();
  const Tensor u = velocity(at, t);
  require(u.shape() == x.shape(), "divergence: the velocity of points ", x.shape(), " has shape ", u.shape());

  const Index points = x.dim(0), dimension = points > 0 ? x.size() / points : 0;
  const Index products = probes.empty() ? dimension : static_cast<Index>(probes.size());
  std::vector<Tensor> columns;
  Tensor squares = squared_jacobian ? Tensor::zeros({points, 1}) : Tensor();
  // All products share one forward pass, which is 1.15 to 2.6 times as fast as a single product with the batch repeated
  // `products` times.
  for (Index k = 0; k < products && u.requires_grad(); ++k) {
    check_interruption();
    const Tensor e = probes.empty() ? unit_vectors(x.shape(), k) : probes[static_cast<std::size_t>(k)];
    const GradOptions options{.create_graph = differentiable, .retain_graph = k + 1 < products};
    const Tensor product = grad({u}, {at}, options, {e})[0];  // e^T du/dx
    if (squared_jacobian) {
      squares = squares + sum(square(reshape(product, {points, dimension})), {.axes = {1}, .keep = true});
    }
    if (!probes.empty()) {
      columns.push_back(sum(reshape(product * e, {points, dimension}), {.axes = {1}, .keep = true}));
    } else {
      const Tensor diagonal = slice(reshape(product, {points, dimension}), 1, k, k + 1);
      k == 0 ? columns.push_back(diagonal) : void(columns[0] = columns[0] + diagonal);
    }
  }
  if (columns.empty()) {  // no points, or a velocity that does not depend on x
    columns.push_back(Tensor::zeros({points, probes.empty() ? 1 : products}));
  }
  if (squared_jacobian && !probes.empty()) squares = squares / static_cast<double>(products);
  VelocityDivergence result{u, concatenate(columns, 1), squares};
  if (differentiable) return result;
  return {u.detach(), result.divergence.detach(), squared_jacobian ? squares.detach() : Tensor()};
}

}  // namespace rill::flow
