// Pictures of learned densities.
#pragma once

#include <functional>

#include "autodiff/tensor.hpp"
#include "datasets/data.hpp"
#include "flow/metrics/likelihood.hpp"
#include "tools/plot/canvas.hpp"

namespace rill::tools {

/// Heat maps of ln p over the part of the plane that holds the data: the data's density and the learned one, with the
/// same colors, which span the eight nats below the data's largest value. If the data's density is not known, only the
/// learned one. `learned` maps points [n, 2] in the model's units to ln p [n] in nats in the data's units, which are
/// those of the axes. Throws std::invalid_argument unless the data has two dimensions.
Image density_picture(const datasets::Data& data, const flow::LogDensity& learned, std::uint64_t seed);

}  // namespace rill::tools
