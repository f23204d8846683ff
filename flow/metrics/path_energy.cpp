#include "flow/metrics/path_energy.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/interruption.hpp"
#include "flow/transport/pairwise.hpp"

namespace rill::flow {
namespace {

void require_trajectory(const char* what, std::span<const double> t, std::span<const Tensor> x) {
  require(t.size() == x.size() && t.size() >= 2, what, ": ", t.size(), " times and ", x.size(),
          " sets of points, expected as many, at least 2");
  for (std::size_t k = 0; k + 1 < t.size(); ++k) {
    require(t[k] != t[k + 1] && (t[k] < t[k + 1]) == (t[0] < t[1]), what, ": expected increasing or decreasing times, ",
            "got ", t[k], " and then ", t[k + 1]);
    require(x[k].rank() == 2 && x[k].shape() == x[k + 1].shape(), what,
            ": expected points [n, D], of one shape at all times, got ", x[k].shape(), " and ", x[k + 1].shape());
  }
  for (const Tensor& points : x) require_finite(what, points);
}

// sum_k |x[k + 1]_i - x[k]_i - (t[k + 1] - t[k]) v_i|^2 / |t[k + 1] - t[k]| of every point i
std::vector<double> energies(std::span<const double> t, std::span<const Tensor> x, std::span<const double> v) {
  const Index d = x[0].dim(1);
  std::vector<double> result(static_cast<std::size_t>(x[0].dim(0)), 0);
  for (std::size_t k = 0; k + 1 < t.size(); ++k) {
    check_interruption();
    const double dt = t[k + 1] - t[k];
    for (Index i = 0; i < x[k].size(); ++i) {
      const double step = static_cast<double>(x[k + 1].data()[i]) - static_cast<double>(x[k].data()[i]);
      const double rest = step - dt * v[static_cast<std::size_t>(i)];
      result[static_cast<std::size_t>(i / d)] += rest * rest / std::abs(dt);
    }
  }
  return result;
}

}  // namespace

Estimate path_energy(std::span<const double> t, std::span<const Tensor> x) {
  require_trajectory("path_energy", t, x);
  return mean_of(energies(t, x, std::vector<double>(static_cast<std::size_t>(x[0].size()), 0)));
}

Estimate normalized_path_energy(const Estimate& energy, const Estimate& wasserstein2) {
  const double least = wasserstein2.value * wasserstein2.value;
  const double ratio = energy.value / least;
  // the errors of energy and least, propagated to (energy / least)
  return {std::abs(energy.value - least) / least,
          std::hypot(energy.standard_error / least, ratio * 2 * wasserstein2.standard_error / wasserstein2.value)};
}

Estimate straightness(std::span<const double> t, std::span<const Tensor> x) {
  require_trajectory("straightness", t, x);
  require(std::min(t.front(), t.back()) == 0 && std::max(t.front(), t.back()) == 1,
          "straightness: expected times from 0 to 1 or back, got ", t.front(), " to ", t.back());
  std::vector<double> chord;
  for (Index i = 0; i < x[0].size(); ++i) {
    chord.push_back((static_cast<double>(x.back().data()[i]) - static_cast<double>(x[0].data()[i])) /
                    (t.back() - t.front()));
  }
  return mean_of(energies(t, x, chord));
}

}  // namespace rill::flow
