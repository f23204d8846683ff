// Langevin dynamics by the exact score of two distant modes, for docs/roads.md: prints each mode's share.
//
//   bench_exact_langevin [STEPS]
#include <cstdlib>
#include <iostream>

#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "datasets/known_densities.hpp"
#include "flow/metrics/mode_masses.hpp"
#include "flow/solver/langevin.hpp"

int main(int argc, char** argv) {
  using namespace rill;
  constexpr Index kPoints = 10'000;
  const Index steps = argc > 1 ? std::atoll(argv[1]) : 2000;
  const auto density = datasets::make_density("two-modes");
  const Function score = [&](const Tensor& x) {
    const GradMode record_graph(true);
    const Tensor at = x.detach().set_requires_grad();
    return grad(sum(density->log_density(at).value()), at);
  };
  Generator rng(0);
  const Tensor start = Tensor::randn({kPoints, 2}, rng);
  const flow::ModeMasses masses =
      flow::mode_masses(*density, flow::langevin(score, start, {.step_size = 0.01, .steps = steps}, rng));
  for (const flow::Estimate& share : masses.shares) std::cout << share.value << ' ' << share.standard_error << '\n';
}
