#include "flow/solver/dense_output.hpp"

namespace rill::flow {

Weights dense_weights(const Tableau& method, double theta) {
  const auto last = static_cast<std::size_t>(method.stages);
  const DenseOutput& dense = method.dense;
  Weights result;
  for (std::size_t j = 0; j < result.size(); ++j) {
    const double b = method.b[j], first_slope = j == 0 ? 1 : 0, last_slope = j == last ? 1 : 0;
    double w = 0;
    for (int i = dense.corrections - 1; i >= 0; --i) {
      w = (i % 2 == 0 ? 1 - theta : theta) * (dense.d[static_cast<std::size_t>(i)][j] + w);
    }
    w = theta * (2 * b - first_slope - last_slope + w);
    w = (1 - theta) * (first_slope - b + w);
    result[j] = theta * (b + w);
  }
  return result;
}

void prepare_dense_output(const Tableau& method, Field& field, Step& step) {
  if (step.k.size() == static_cast<std::size_t>(method.stages)) add_next_slope(field, step);
  if (step.k.size() == static_cast<std::size_t>(method.stages) + 1) add_dense_slopes(method, field, step);
}

Tensor interpolate(const Tableau& method, const Step& step, const std::vector<double>& theta) {
  std::vector<double> weights;
  weights.reserve(step.clocks() * step.k.size());
  for (std::size_t n = 0; n < step.clocks(); ++n) {
    const Weights w = dense_weights(method, theta[n]);
    for (std::size_t j = 0; j < step.k.size(); ++j) weights.push_back(step.h[n] * w[j]);
  }
  return add_slopes(step.x, weights, step.k);
}

}  // namespace rill::flow
