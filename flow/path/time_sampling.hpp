// The times at which a flow is trained.
#pragma once

#include <string>
#include <vector>

#include "autodiff/description.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace rill::flow {

/// The distributions that sample_times() knows.
std::vector<std::string> time_distribution_names();

/// A distribution on [0, 1], given by the function that maps uniform numbers u to its times:
///   uniform       t = u
///   late          t = 1 - u^2: density 1 / (2 sqrt(1 - t)). Data with sharp edges needs a velocity that is accurate
///                 close to t = 1, where it changes fastest; this spends half the samples on the last quarter.
///   early         t = u^2: the same toward the other end
///   logit-normal  t = 1 / (1 + e^-z), z standard normal: mostly times in the middle, where the regression is hardest
///                 (Esser et al., "Scaling Rectified Flow Transformers", 2024, equation 19 with m = 0, s = 1)
struct TimeSampling {
  std::string distribution = "uniform";
  /// Space a batch's times evenly: u_i = frac(u_0 + i / n) with one uniform u_0, so that the batch mean of the loss
  /// varies less (Kingma et al., "Variational Diffusion Models", 2021, appendix I.1).
  bool low_discrepancy = false;

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("t_sampling", self.distribution,
          {.unit = "NAME", .help = "distribution of t", .names = time_distribution_names, .summary = ", {} times"});
    visit("t_low_discrepancy", self.low_discrepancy, {.help = "spread a batch's times evenly"});
  }
  friend bool operator==(const TimeSampling&, const TimeSampling&) = default;
};

/// n times, [n], in [0, 1]. Throws std::invalid_argument, listing the known ones, for an unknown distribution.
Tensor sample_times(const TimeSampling& sampling, Index n, Generator& rng);

}  // namespace rill::flow
