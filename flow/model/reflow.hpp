// Reflow: a second flow trained on the pairs of a first one, with straight trajectories that need few steps.
#pragma once

#include <cstdint>

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "datasets/batch.hpp"
#include "flow/model/generate.hpp"
#include "flow/path/example.hpp"
#include "nn/time_network.hpp"

namespace rill::flow {

/// Source points and the points to which a flow moves them.   x_0, x_1: [N, D];   labels: [N], or empty without classes
struct Pairs {
  Tensor x_0, x_1;
  Indices labels;
};

/// Moves the points x_0 along a model's flow, from t = 0 to t = 1. Throws as generate() does.
Pairs make_pairs(const Dynamics& dynamics, const Tensor& x_0, const Indices& labels, const GenerateOptions& options);

/// Batches of these pairs, reshuffled in every epoch. A flow trained on them has the same marginals at t = 0 and t = 1,
/// and no larger transport cost, for any convex cost (Liu et al., "Flow Straight and Fast", 2023, theorem 3.5). As the
/// lines between pairs hardly cross, x_t and t nearly determine x_1, and a single step nearly reaches it.
datasets::BatchSource batches_of(Pairs pairs, Index batch, std::uint64_t seed);

}  // namespace rill::flow
