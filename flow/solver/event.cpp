#include "flow/solver/event.hpp"

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "flow/solver/dense_output.hpp"

namespace rill::flow {

std::vector<double> event_values(const Event& event, const Tensor& x, const std::vector<double>& t) {
  const NoGrad no_grad;
  const Index rows = x.dim(0);
  Tensor times = Tensor::full({rows}, t[0]);
  if (t.size() > 1) {
    for (std::size_t n = 0; n < t.size(); ++n) times.data()[n] = static_cast<Real>(t[n]);
  }
  const Tensor values = event.g(x, times);
  require(values.size() == rows, "event: expected one value for each of ", rows, " rows, got shape ", values.shape());
  return {values.values().begin(), values.values().end()};
}

bool crosses(const std::vector<double>& before, const std::vector<double>& after, std::size_t clock,
             std::size_t clocks) {
  const std::size_t width = before.size() / clocks;
  for (std::size_t i = clock * width; i < (clock + 1) * width; ++i) {
    if (before[i] != 0 && before[i] * after[i] <= 0) return true;
  }
  return false;
}

std::vector<double> locate(const Event& event, const Tableau& method, const Step& step,
                           const std::vector<double>& before) {
  const NoGrad no_grad;
  const std::size_t clocks = step.clocks();
  std::vector<double> low(clocks, 0), high(clocks, 1), middle(clocks), times(clocks);
  double width = 0;  // of the longest step; all brackets are halved as many times as this one
  for (const double h : step.h) width = std::max(width, std::abs(h));
  for (; width > event.tolerance; width /= 2) {
    for (std::size_t n = 0; n < clocks; ++n) {
      middle[n] = (low[n] + high[n]) / 2;
      times[n] = step.t[n] + middle[n] * step.h[n];
    }
    const std::vector<double> values = event_values(event, interpolate(method, step, middle), times);
    for (std::size_t n = 0; n < clocks; ++n) (crosses(before, values, n, clocks) ? high : low)[n] = middle[n];
  }
  return high;
}

}  // namespace rill::flow
