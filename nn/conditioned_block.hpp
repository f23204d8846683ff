// The convolutional residual block, conditioned on time and class.
#pragma once

#include <memory>
#include <string>

#include "autodiff/random.hpp"
#include "nn/activation.hpp"
#include "nn/convolution.hpp"
#include "nn/dropout.hpp"
#include "nn/linear.hpp"
#include "nn/normalization.hpp"

namespace rill::nn {

struct ConditionedBlockOptions {
  Index norm_groups = 32;
  double dropout = 0;
  bool scale_shift = false;  ///< how the condition enters
  std::string activation = "silu";
};

/// A pre-activation residual block (He et al. 2016; as in Dhariwal and Nichol 2021, section 3):
///   h = in(act(in_norm(x)))
///   h = act(out_norm(h + condition(c)))                            added, or
///   h = act(out_norm(h) (1 + gain) + offset), (gain, offset) = condition(c)       with scale_shift
///   y = skip(x) + out(dropout(h))
/// `in` and `out` are 3 x 3 convolutions, `condition` is linear, `skip` is a 1 x 1 convolution if the number of
/// channels changes and the identity otherwise. `out` starts at zero.
/// x: [N, H, W, in], c: [N, condition] -> [N, H, W, out]
class ConditionedBlock : public Module {
 public:
  /// Throws std::invalid_argument unless the norm's groups divide both channel counts.
  ConditionedBlock(Index in, Index out, Index condition, const ConditionedBlockOptions& options, Generator& rng);

  Tensor forward(const Tensor& x, const Tensor& c) const;

 private:
  bool scale_shift_;
  Activation activation_;
  Dropout dropout_;
  std::shared_ptr<GroupNorm> in_norm_;
  std::shared_ptr<Conv2d> in_;
  std::shared_ptr<Linear> condition_;
  std::shared_ptr<GroupNorm> out_norm_;
  std::shared_ptr<Conv2d> out_;
  std::shared_ptr<Conv2d> skip_;  // null for the identity
};

}  // namespace rill::nn
