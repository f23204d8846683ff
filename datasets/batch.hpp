// The data of a training step.
#pragma once

#include <functional>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace rill::datasets {

/// Data points and their labels.   x_1: [N, D];   labels: [N], or empty without classes
struct Batch {
  Tensor x_1;
  Indices labels;
  Tensor x_0 = {};  ///< [N, D], the source points paired with them; undefined if they are still to be drawn
};

/// The batch of step 0, 1, 2, ... It depends only on the step and on draws from `rng`, which is the step's own stream,
/// so to resume a run only the step must be known. Never called by two threads at once.
using BatchSource = std::function<Batch(Index step, Generator& rng)>;

}  // namespace rill::datasets
