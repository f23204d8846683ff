#include "flow/solver/ancestral.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/interruption.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random_streams.hpp"
#include "flow/solver/langevin.hpp"
#include "flow/solver/row_normals.hpp"

namespace rill::flow {

Solution solve(const Velocity& data, const Scheduler& scheduler, const Tensor& x, const AncestralSteps& options,
               Index first_row, const Observer& observer) {
  require(0 <= options.eta && options.eta <= 1, "ancestral steps: expected 0 <= eta <= 1, got ", options.eta);
  require(options.corrections >= 0 && options.correction_ratio > 0,
          "ancestral steps: expected 0 or more corrections and a ratio above 0, got ", options.corrections, " and ",
          options.correction_ratio);
  const NoGrad no_grad;
  const std::vector<double> times = uniform_grid(0, 1, options.steps);
  Solution solution{.x = x.detach(), .evaluations = 0, .evaluated_rows = 0};
  std::uint64_t drawn = 0;
  const auto fresh = [&] { return row_normals(options.seed, streams::kStepNoise + drawn++, x.shape(), first_row); };
  struct Guess {
    Tensor data, noise;
  };
  const auto guess = [&](double t, const Coefficients& c) {
    ++solution.evaluations;
    const Tensor found = data(solution.x, Tensor::full({x.dim(0)}, t));
    return Guess{found, (solution.x - c.alpha * found) / c.sigma};
  };
  if (observer) observer(0, times[0], solution.x);
  for (std::size_t i = 1; i < times.size(); ++i) {
    check_interruption();
    const bool last = i + 1 == times.size();
    const Coefficients from = scheduler.at(times[i - 1]);
    const Coefficients to = last ? Coefficients{.alpha = 1, .sigma = 0, .d_alpha = 0, .d_sigma = 0, .sigma_d_sigma = 0}
                                 : scheduler.at(times[i]);
    const auto [found, noise] = guess(times[i - 1], from);
    const double kept = from.alpha / to.alpha * to.sigma;
    const double tau = to.sigma / from.sigma * std::sqrt(std::max(0.0, from.sigma * from.sigma - kept * kept));
    const double added = options.eta * tau, rest = std::sqrt(std::max(0.0, to.sigma * to.sigma - added * added));
    solution.x = to.alpha * found + rest * noise;
    if (added > 0) solution.x = solution.x + added * fresh();
    for (Index k = 0; k < options.corrections && !last; ++k) {
      const Tensor score = guess(times[i], to).noise / -to.sigma;
      const double epsilon = 2 * std::pow(options.correction_ratio * to.sigma, 2);
      solution.x = langevin_step(solution.x, score, 2 * epsilon, fresh());
    }
    if (observer) observer(static_cast<Index>(i), times[i], solution.x);
  }
  solution.evaluated_rows = solution.evaluations * x.dim(0);
  return solution;
}

}  // namespace rill::flow
