// Bits per dimension: the likelihood of integer pixels under a continuous density.
#pragma once

#include <functional>

#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"
#include "flow/metrics/estimate.hpp"
#include "flow/metrics/likelihood.hpp"

namespace rill::flow {

/// The gray levels of a pixel: 0 to 255.
inline constexpr Index kLevels = 256;

/// Makes integer levels continuous: level k becomes a number uniform in the cell [2 k / 256 - 1, 2 (k + 1) / 256 - 1),
/// so that the cells tile [-1, 1)   (Uria et al., "RNADE", 2013; Theis et al., "A note on the evaluation of generative
/// models", 2016, section 3.1).
///   levels: [N, ...], integers 0 to 255. Throws std::invalid_argument for other numbers.
Tensor dequantize(const Tensor& levels, Generator& rng);

/// The levels of pixels that are scaled to [-1, 1], as datasets::Images returns them.
Tensor levels_of(const Tensor& pixels);

struct BitsPerDimension {
  Tensor bits;       ///< [N], for each image
  Estimate average;  ///< over images
};

/// -log2 P(levels) / D, where the model's probability of a cell is estimated from `draws` points y_s uniform in it, and
/// 2 / 256 is the width of a cell in each of the D dimensions:
///   P = integral over the cell of p(y) dy,   ln P ~= ln 1/S sum_s p(y_s) + D ln (2 / 256)
/// With one draw its expectation is an upper bound on the true number of bits (Theis et al. 2016, section 3.1); more
/// draws tighten the bound, since the estimate of P is unbiased (Burda et al., "Importance Weighted Autoencoders",
/// 2016, theorem 1; Hoogeboom et al., "Learning Discrete Distributions by Dequantization", 2020).
///   levels: [N, ...], integers 0 to 255;   log_density: ln p of points [N, ...] in [-1, 1), in nats
/// Throws std::invalid_argument for other levels, for no images, and for draws < 1.
BitsPerDimension bits_per_dimension(const LogDensity& log_density, const Tensor& levels, Index draws, Generator& rng);

}  // namespace rill::flow
