// The data of a figure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "autodiff/tensor.hpp"
#include "datasets/data.hpp"
#include "tools/cli/options.hpp"

namespace rill::tools {

/// Data in the plane, from the option --data. Tables are shown in standardized units: those of the model, in which
/// noise has the deviation 1.
struct FigureData {
  std::string data = "annulus";
  std::vector<std::string> parameters = {};

  void declare(Options& options);
  /// Throws UsageError for data that are not points in the plane.
  std::unique_ptr<datasets::Data> open() const;
  /// `count` of its points, [count, 2].
  Tensor points(Index count, std::uint64_t seed) const;
};

}  // namespace rill::tools
