// The training runs to measure: data, network, batch and options.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autodiff/random.hpp"
#include "autodiff/real.hpp"
#include "autodiff/tensor.hpp"
#include "datasets/batch.hpp"
#include "flow/model/flow_matching.hpp"
#include "nn/trainer.hpp"

namespace rill::bench {

struct Work {
  std::string name;
  std::function<Tensor(Index points, Generator& rng)> data;
  flow::FlowMatchingDescription model;
  Index batch;
  nn::TrainerOptions options;

  /// The work's data, `points` of them a step, with labels where the model has classes.
  datasets::BatchSource source(Index points) const;
};

/// annulus-plain and annulus: the networks, batch and steps of those presets, at a constant learning rate of 1e-2.
/// checkerboard: what Meta's guide to flow matching trains (Lipman et al. 2024, arXiv 2412.06264), 4 x 512 units, batch
/// 4096, learning rate 1e-3; its Swish is SiLU.
/// mnist-unet: the class-conditional network for MNIST of torchcfm (1,076,641 parameters), batch 128, learning rate
/// 1e-3. Its images are noise, which takes as long.
const std::vector<Work>& works();

/// The work of that name. Throws std::invalid_argument when there is none.
const Work& work(const std::string& name);

}  // namespace rill::bench
