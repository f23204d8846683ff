// What a training step learns from.
#pragma once

#include <functional>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace rill::datasets {

/// Data to learn from.   x_1: [N, D];   labels: [N], or empty without classes
struct Batch {
  Tensor x_1;
  Indices labels;
  Tensor x_0 = {};  ///< [N, D], the source points that belong to them; undefined where they are to be drawn
};

/// The batch of step 0, 1, 2, ... It depends on the step and on what it draws from `rng`, which is the step's own
/// stream: so a run that stops needs to remember nothing but the step. Never called by two threads at once.
using BatchSource = std::function<Batch(Index step, Generator& rng)>;

}  // namespace rill::datasets
