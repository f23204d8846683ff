#include "flow/transport/coupling.hpp"

#include <map>
#include <stdexcept>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "flow/transport/assignment.hpp"
#include "flow/transport/sinkhorn.hpp"

namespace rill::flow {
namespace {

// For every row of x_1, the index of its partner in x_0, both [n, D].
std::vector<Index> pair_up(const CouplingDescription& coupling, const Tensor& x_0, const Tensor& x_1, Generator& rng) {
  if (coupling.name == "ot") return optimal_assignment(x_1, x_0);
  const EntropicPlan plan = sinkhorn(x_1, x_0, {.regularization = coupling.regularization});
  if (!plan.converged) {
    throw std::runtime_error(concat("coupling entropic: at regularization ", coupling.regularization,
                                    " the plan has not converged after ", plan.iterations,
                                    " iterations (marginal error ", plan.marginal_error,
                                    "); use a larger one, or the coupling ot"));
  }
  return plan.draw_columns(rng);
}

Tensor as_rows(const Tensor& x) { return reshape(x, {x.dim(0), x.dim(0) > 0 ? -1 : 1}); }

// The positions of each label's points.
std::map<Index, std::vector<Index>> positions_by_label(const Indices& labels) {
  std::map<Index, std::vector<Index>> positions;
  for (Index i = 0; i < labels.size(); ++i) positions[labels[i]].push_back(i);
  return positions;
}

}  // namespace

std::vector<std::string> coupling_names() { return {"independent", "ot", "entropic"}; }

void check(const CouplingDescription& coupling) {
  require_known("coupling", coupling.name, coupling_names());
  if (coupling.name == "entropic") {
    require(coupling.regularization > 0, "coupling entropic: regularization is ", coupling.regularization,
            ", expected a number above 0 (2 sigma^2 for a Schroedinger bridge), or use the coupling ot");
  } else {
    require(coupling.regularization == 0, "coupling ", coupling.name, ": regularization is ", coupling.regularization,
            ", but only the coupling entropic has one");
  }
}

Indices couple(const CouplingDescription& coupling, const Tensor& x_0, const Tensor& x_1, const Indices& labels,
               Generator& rng) {
  check(coupling);
  require(x_0.shape() == x_1.shape() && x_1.rank() >= 1, "coupling ", coupling.name,
          ": expected equally many source and data points, of the same shape, got ", x_0.shape(), " and ", x_1.shape(),
          "; draw batches of the same size");
  const Index n = x_1.dim(0);
  require(labels.size() == 0 || labels.size() == n, "coupling ", coupling.name, ": ", labels.size(), " labels for ", n,
          " points");
  std::vector<Index> partner(static_cast<std::size_t>(n));
  if (coupling.name == "independent") {
    for (Index i = 0; i < n; ++i) partner[static_cast<std::size_t>(i)] = i;
    return partner;
  }
  const Tensor from = as_rows(x_0), to = as_rows(x_1);
  if (labels.size() == 0) return pair_up(coupling, from, to, rng);
  for (const auto& [label, positions] : positions_by_label(labels)) {
    const Indices rows(positions);
    const std::vector<Index> chosen = pair_up(coupling, gather_rows(from, rows), gather_rows(to, rows), rng);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      partner[static_cast<std::size_t>(positions[i])] = positions[static_cast<std::size_t>(chosen[i])];
    }
  }
  return partner;
}

}  // namespace rill::flow
