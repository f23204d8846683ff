// Which times a flow is trained at.
#pragma once

#include <string>
#include <vector>

#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace rill::flow {

/// n times, [n], in [0, 1). Throws std::invalid_argument, listing the known ones, for an unknown distribution.
///   uniform   t = u
///   late      t = 1 - u^2, u uniform: density 1 / (2 sqrt(1 - t)). Data with sharp edges needs a velocity that is
///             accurate close to t = 1, where it changes fastest; this spends half the samples on the last quarter.
Tensor sample_times(const std::string& distribution, Index n, Generator& rng);

/// The distributions that sample_times knows.
std::vector<std::string> time_distribution_names();

}  // namespace rill::flow
