// Embeddings of the time t in [0, 1].
#pragma once

#include <string>
#include <vector>

#include "autodiff/tensor.hpp"

namespace rill::nn {

/// t: [N] -> [N, features()], without parameters. With K = `frequencies`:
///
///   plain       (t). One number. Enough for small problems, where the velocity changes slowly with t.
///   fourier     (t, sin(pi k t), cos(pi k t)), k = 1..K. 2 K + 1 numbers. The cosines are a complete basis of the
///               functions on [0, 1]; with pi instead of 2 pi the two ends of the interval look different.
///   sinusoidal  (sin(1000 w_k t), cos(1000 w_k t)), w_k = 10000^(-k / K), k = 0..K-1. 2 K numbers, periods from
///               2 pi / 1000 to some 60. The positional encoding of Vaswani et al. 2017, as Ho et al. 2020 (DDPM) use
///               it for 1000 diffusion steps.
///   unscaled    (cos(w_k t), sin(w_k t)), the same w_k, without the factor 1000. 2 K numbers. Used by TorchCFM's image
///               networks; at these low frequencies it holds little more than t, t^2, ...
class TimeEmbedding {
 public:
  /// `frequencies` is ignored by plain. Throws std::invalid_argument, listing the kinds, for an unknown one, and for
  /// frequencies < 1.
  TimeEmbedding(const std::string& kind, Index frequencies);

  Index features() const;
  Tensor forward(const Tensor& t) const;

 private:
  Tensor angular_;         // [1, K] radians per unit of time; undefined for plain
  bool with_time_ = true;  // t itself comes first
  bool cosines_first_ = false;
};

/// plain, fourier, sinusoidal, unscaled.
std::vector<std::string> time_embedding_names();

}  // namespace rill::nn
