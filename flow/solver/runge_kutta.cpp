#include "flow/solver/runge_kutta.hpp"

#include <algorithm>

#include "autodiff/error.hpp"
#include "autodiff/interruption.hpp"
#include "autodiff/parallel.hpp"
#include "flow/solver/row_groups.hpp"

namespace rill::flow {

namespace {

constexpr Index kGrain = 16384;  // numbers that justify waking a thread
constexpr Index kBlock = 1024;   // numbers that stay in L1 while all slopes are added

// y = x + sum_j weights_j k_j over elements [begin, end), which belong to one row.
void add_to_elements(Index begin, Index end, const double* weights, std::span<const Tensor> k, const Real* x, Real* y) {
  std::copy(x + begin, x + end, y + begin);
  for (std::size_t j = 0; j < k.size(); ++j) {
    const auto weight = static_cast<Real>(weights[j]);
    const Real* slope = k[j].data();
    for (Index i = begin; i < end; ++i) y[i] += weight * slope[i];
  }
}

// The weights of slope j as a tensor that broadcasts over [N, ...].
Tensor column(const std::vector<double>& weights, std::size_t j, std::size_t columns, int rank) {
  const std::size_t rows = weights.size() / columns;
  Shape shape{static_cast<Index>(rows)};
  while (shape.rank() < rank) shape.push_back(1);
  Tensor result = Tensor::empty(shape);
  for (std::size_t n = 0; n < rows; ++n) result.data()[n] = static_cast<Real>(weights[n * columns + j]);
  return result;
}

// The weights without columns of zeros, and x followed by the slopes that remain.
struct Compact {
  std::vector<double> weights;
  std::vector<Tensor> inputs;
};
Compact without_zeros(const Tensor& x, const std::vector<double>& weights, std::span<const Tensor> k) {
  Compact result{.weights = {}, .inputs = {x}};
  const std::size_t rows = weights.size() / k.size();
  std::vector<std::size_t> used;
  for (std::size_t j = 0; j < k.size(); ++j) {
    for (std::size_t n = 0; n < rows; ++n) {
      if (weights[n * k.size() + j] != 0) {
        used.push_back(j);
        result.inputs.push_back(k[j]);
        break;
      }
    }
  }
  result.weights.reserve(rows * used.size());
  for (std::size_t n = 0; n < rows; ++n) {
    for (const std::size_t j : used) result.weights.push_back(weights[n * k.size() + j]);
  }
  return result;
}

// t_n + c h_n for every row.
Tensor stage_times(const Step& step, double c) {
  const Index rows = step.x.dim(0);
  if (step.clocks() == 1) return Tensor::full({rows}, step.t[0] + c * step.h[0]);
  Tensor times = Tensor::empty({rows});
  for (std::size_t n = 0; n < step.clocks(); ++n) times.data()[n] = static_cast<Real>(step.t[n] + c * step.h[n]);
  return times;
}

// x + h sum_j weights_j k_j over the slopes computed so far.
Tensor moved(const Step& step, const Weights& weights) {
  const std::size_t slopes = step.k.size();
  std::vector<double> scaled(step.clocks() * slopes);
  for (std::size_t n = 0; n < step.clocks(); ++n) {
    for (std::size_t j = 0; j < slopes; ++j) scaled[n * slopes + j] = step.h[n] * weights[j];
  }
  return add_slopes(step.x, scaled, step.k);
}

void add_stage(const Tableau& method, Field& field, Step& step) {
  check_interruption();
  const std::size_t i = step.k.size();
  step.k.push_back(field(moved(step, method.a[i]), stage_times(step, method.c[i]), step.rows));
}

}  // namespace

RowVelocity for_any_rows(const Velocity& velocity) {
  return [&velocity](const Tensor& x, const Tensor& t, const Indices&) { return velocity(x, t); };
}

RowVelocity with_row_labels(std::shared_ptr<const VelocityField> field, const Indices& labels) {
  return [field = std::move(field), labels](const Tensor& x, const Tensor& t, const Indices& rows) {
    return (*field)(x, t, labels_of_rows(labels, rows));
  };
}

Tensor Field::operator()(const Tensor& x, const Tensor& t, const Indices& rows) {
  ++evaluations;
  evaluated_rows += x.dim(0);
  Tensor u = velocity(x, t, rows);
  require(u.shape() == x.shape(), "solve: the velocity at points of shape ", x.shape(), " has shape ", u.shape(),
          "; expected the same");
  return u;
}

Tensor add_slopes(const Tensor& x, const std::vector<double>& weights, std::span<const Tensor> k) {
  if (k.empty()) return x;
  const Compact used = without_zeros(x, weights, k);
  const std::span<const Tensor> slopes = std::span(used.inputs).subspan(1);
  if (slopes.empty()) return x;

  Tensor y = Tensor::empty(x.shape());
  const Index width = x.size() / static_cast<Index>(used.weights.size() / slopes.size());
  Real* out = y.data();  // taken here: threads must not race for the non-const access
  parallel_for(x.size(), kGrain, [&](Index begin, Index end) {
    for (Index i = begin; i < end;) {
      const Index row = i / width, stop = std::min({end, (row + 1) * width, i + kBlock});
      add_to_elements(i, stop, &used.weights[static_cast<std::size_t>(row) * slopes.size()], slopes, x.data(), out);
      i = stop;
    }
  });
  return record_each(
      "add_slopes", y, used.inputs,
      [weights = used.weights, columns = slopes.size(), rank = x.rank()](const Tensor& gy, std::size_t i) {
        if (i == 0) return gy;
        if (weights.size() == columns) return gy * weights[i - 1];
        return gy * column(weights, i - 1, columns, rank);
      });
}

void take_step(const Tableau& method, Field& field, Step& step) {
  if (step.k.empty()) step.k.push_back(field(step.x, stage_times(step, 0), step.rows));
  while (step.k.size() < static_cast<std::size_t>(method.stages)) add_stage(method, field, step);
  step.x_next = moved(step, method.b);
}

void add_next_slope(Field& field, Step& step) { step.k.push_back(field(step.x_next, stage_times(step, 1), step.rows)); }

void add_dense_slopes(const Tableau& method, Field& field, Step& step) {
  for (int i = 0; i < method.dense.extra_stages; ++i) add_stage(method, field, step);
}

Step select(const Step& step, const std::vector<Index>& clocks) {
  if (clocks.size() == step.clocks()) return step;
  const Indices positions(clocks);
  Step part{.x = gather_rows(step.x, positions),
            .rows = {},
            .t = {},
            .h = {},
            .k = {},
            .x_next = gather_rows(step.x_next, positions)};
  std::vector<Index> rows;
  for (const Index position : clocks) {
    rows.push_back(step.rows[position]);
    part.t.push_back(step.t[static_cast<std::size_t>(position)]);
    part.h.push_back(step.h[static_cast<std::size_t>(position)]);
  }
  part.rows = Indices(std::move(rows));
  for (const Tensor& slope : step.k) part.k.push_back(gather_rows(slope, positions));
  return part;
}

}  // namespace rill::flow
