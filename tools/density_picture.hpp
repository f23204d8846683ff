// The density that a flow has learned, as colors.
#pragma once

#include <functional>

#include "autodiff/tensor.hpp"
#include "datasets/data.hpp"
#include "flow/metrics/likelihood.hpp"
#include "tools/plot/canvas.hpp"

namespace rill::tools {

/// ln p over the part of the plane where the data are: the data's beside the learned one, on the same colors, which
/// span the eight nats below the greatest value of the data's. Where the data's density is not known, the learned one
/// stands alone. `learned` maps points [n, 2] in the model's units to ln p [n] in nats in the data's, which the axes
/// have. Throws std::invalid_argument for data in other than two dimensions.
Image density_picture(const datasets::Data& data, const flow::LogDensity& learned, std::uint64_t seed);

}  // namespace rill::tools
