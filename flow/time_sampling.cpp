#include "flow/time_sampling.hpp"

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill::flow {

std::vector<std::string> time_distribution_names() { return {"uniform", "late"}; }

Tensor sample_times(const std::string& distribution, Index n, Generator& rng) {
  require(distribution == "uniform" || distribution == "late", "unknown distribution of times '", distribution,
          "'; known: uniform, late");
  const Tensor u = Tensor::rand({n}, rng);
  return distribution == "uniform" ? u : 1 - square(u);
}

}  // namespace rill::flow
