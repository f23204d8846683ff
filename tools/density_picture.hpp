// Pictures of learned densities.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "autodiff/tensor.hpp"
#include "datasets/data.hpp"
#include "flow/metrics/likelihood.hpp"
#include "tools/plot/canvas.hpp"

namespace rill::tools {

/// A density under a title. It maps points [n, 2] in the model's units to ln p [n] in nats in the data's units.
struct TitledDensity {
  std::string title;
  flow::LogDensity log_density;
};

/// Heat maps of ln p over the part of the plane that holds the data: the data's density and learned ones, with the same
/// colors, which span the eight nats below the data's largest value. If the data's density is not known, only the
/// learned ones. The axes have the data's units; a map is `width` units wide (tools/plot/plot_grid.hpp).
/// Throws std::invalid_argument unless the data has two dimensions.
Image density_picture(const datasets::Data& data, std::span<const TitledDensity> learned, std::uint64_t seed,
                      double width = 320);

}  // namespace rill::tools
