// Reflow: a second flow learned from what the first one does, whose ways are straight and so need few steps.
#pragma once

#include <cstdint>

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "datasets/batch.hpp"
#include "flow/model/generate.hpp"
#include "flow/path/example.hpp"
#include "nn/time_network.hpp"

namespace rill::flow {

/// Source points and what a flow moved them to.   x_0, x_1: [N, D];   labels: [N], or empty without classes
struct Pairs {
  Tensor x_0, x_1;
  Indices labels;
};

/// Moves the points x_0 along a model's flow, all the way. Throws as generate() does.
Pairs make_pairs(const Dynamics& dynamics, const Tensor& x_0, const Indices& labels, const GenerateOptions& options);

/// Batches of these pairs, shuffled anew in every pass. A flow trained on them keeps the first one's ends, and no pair
/// of its straight ways costs more transport (Liu et al., "Flow Straight and Fast", 2023, theorem 3.5); as pairs hardly
/// cross, a point on the way and its time nearly tell the end, and one step from any of them nearly reaches it.
datasets::BatchSource batches_of(Pairs pairs, Index batch, std::uint64_t seed);

}  // namespace rill::flow
