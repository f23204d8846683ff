#include "flow/transport/sinkhorn.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "autodiff/error.hpp"
#include "autodiff/interruption.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "flow/transport/pairwise.hpp"

namespace rill::flow {
namespace {

constexpr Index kCoarse = 20;          // the most iterations at each larger regularization
constexpr double kCoarseError = 0.02;  // the marginal error at which they stop
constexpr Index kAbsorb = 20;          // iterations between absorptions

Index rows(const EntropicPlan& plan) { return std::ssize(plan.f); }
Index columns(const EntropicPlan& plan) { return std::ssize(plan.g); }

// (f_i + g_j - cost_ij) / e, rounded to a Real only at the end: where the plan has mass, these numbers are near 0.
Tensor exponents(const EntropicPlan& plan, double e) {
  constexpr double kLowest = static_cast<double>(std::numeric_limits<Real>::lowest()) / 2;  // where exp() is 0
  const Index n = rows(plan), m = columns(plan);
  Tensor result = Tensor::empty({n, m});
  const double* cost = plan.cost.data();
  Real* out = result.data();
  parallel_for(n, std::max<Index>(1, (Index{1} << 15) / m), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const double f = plan.f[static_cast<std::size_t>(i)];
      for (Index j = 0; j < m; ++j) {
        const double total = f + plan.g[static_cast<std::size_t>(j)] - cost[i * m + j];
        out[i * m + j] = static_cast<Real>(std::max(total / e, kLowest));
      }
    }
  });
  return result;
}

void add(std::vector<double>& potential, const Tensor& change, double e) {
  for (std::size_t i = 0; i < potential.size(); ++i) potential[i] += e * static_cast<double>(change.data()[i]);
}

// Iterates at regularization e until the marginal error is at most `goal`, at most `limit` times.
void iterate(EntropicPlan& plan, double e, double goal, Index limit) {
  const double log_n = std::log(static_cast<double>(rows(plan)));
  const double log_m = std::log(static_cast<double>(columns(plan)));
  plan.marginal_error = INFINITY;
  for (Index done = 0; done < limit && plan.marginal_error > goal;) {
    // f = f + e u, g = g + e v with small u and v
    const Tensor by_row = exponents(plan, e), by_column = transpose(by_row);
    Tensor u = Tensor::zeros({rows(plan)}), v;
    for (Index k = 0; k < kAbsorb && done < limit && plan.marginal_error > goal; ++k, ++done) {
      check_interruption();
      v = log_n - logsumexp(by_column + u);
      const Tensor before = u;
      u = log_m - logsumexp(by_row + v);
      // The sum of row i was exp(before_i - u_i) times its marginal.
      plan.marginal_error = static_cast<double>(mean(abs(exp(before - u) - 1)).item());
      ++plan.iterations;
    }
    add(plan.f, u, e);
    add(plan.g, v, e);
  }
}

}  // namespace

EntropicPlan sinkhorn(const Tensor& x, const Tensor& y, const SinkhornOptions& options) {
  require(x.rank() == 2 && y.rank() == 2 && x.dim(1) == y.dim(1) && x.size() > 0 && y.size() > 0,
          "sinkhorn: expected points [n, D] and [m, D], got ", x.shape(), " and ", y.shape());
  require(options.regularization > 0 && std::isfinite(options.regularization), "sinkhorn: regularization ",
          options.regularization, ", expected a positive number; optimal_assignment() is the limit 0");
  require(options.tolerance > 0, "sinkhorn: tolerance ", options.tolerance, ", expected a positive number");
  require(options.max_iterations >= 1, "sinkhorn: at most ", options.max_iterations,
          " iterations, expected at least 1");
  const double unit = common_unit("sinkhorn", x, y);
  EntropicPlan plan{.cost = SquaredDistances(x, y, unit).all_in_double(),
                    .regularization = options.regularization,
                    .f = std::vector<double>(static_cast<std::size_t>(x.dim(0)), 0),
                    .g = std::vector<double>(static_cast<std::size_t>(y.dim(0)), 0),
                    .converged = false,
                    .marginal_error = INFINITY,
                    .iterations = 0};
  for (double& cost : plan.cost) cost *= unit * unit;
  const double largest = *std::max_element(plan.cost.begin(), plan.cost.end());
  for (double e = largest / 2; e > options.regularization; e /= 2) {
    iterate(plan, e, std::max(kCoarseError, options.tolerance), kCoarse);
  }
  iterate(plan, options.regularization, options.tolerance, options.max_iterations);
  plan.converged = plan.marginal_error <= options.tolerance;
  return plan;
}

Tensor EntropicPlan::matrix() const {
  const double pairs = static_cast<double>(cost.size());
  return exp(exponents(*this, regularization)) / pairs;
}

std::vector<Index> EntropicPlan::draw_columns(Generator& rng) const {
  const Index n = rows(*this), m = flow::columns(*this);
  const Tensor p = softmax(exponents(*this, regularization)), u = Tensor::rand({n}, rng);
  std::vector<Index> columns;
  for (Index i = 0; i < n; ++i) {
    const Real* row = p.data() + i * m;
    double rest = static_cast<double>(u.data()[i]);
    Index j = 0, last = 0;  // `last`: the last column with positive probability, in case rounding leaves a remainder
    for (; j < m && rest >= 0; ++j) {
      rest -= static_cast<double>(row[j]);
      if (row[j] > 0) last = j;
    }
    columns.push_back(last);
  }
  return columns;
}

}  // namespace rill::flow
