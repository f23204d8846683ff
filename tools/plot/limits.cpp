#include "tools/plot/limits.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <utility>

#include "autodiff/error.hpp"

namespace rill::tools {

Range robust_range(std::vector<double> values) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) return {-1, 1};
  std::sort(values.begin(), values.end());
  constexpr double kTail = 0.005, kReach = 0.3, kMargin = 0.05;
  const auto last = static_cast<double>(values.size() - 1);
  const double low = values[static_cast<std::size_t>(std::floor(kTail * last))];
  const double high = values[static_cast<std::size_t>(std::ceil((1 - kTail) * last))];
  const double reach = kReach * (high - low);
  const Range range{*std::lower_bound(values.begin(), values.end(), low - reach),
                    *std::prev(std::upper_bound(values.begin(), values.end(), high + reach))};
  // Some five units in the last place, and what ticks can divide.
  const double least = std::max(1e-300, 1e-15 * std::max(std::abs(range.low), std::abs(range.high)));
  const double width = range.high - range.low;
  const double margin = width > least ? kMargin * range.high - kMargin * range.low : std::max(1.0, 4 * least);
  constexpr double kLargest = std::numeric_limits<double>::max();
  return {std::max(range.low - margin, -kLargest), std::min(range.high + margin, kLargest)};
}

Limits robust_limits(std::span<const std::span<const double>> point_sets) {
  std::vector<double> x, y;
  for (const auto& values : point_sets) {
    require(values.size() % 2 == 0, "plot: points in the plane are pairs, not ", values.size(), " numbers");
    for (std::size_t i = 0; i < values.size(); i += 2) {
      if (!std::isfinite(values[i]) || !std::isfinite(values[i + 1])) continue;
      x.push_back(values[i]);
      y.push_back(values[i + 1]);
    }
  }
  const Range across = robust_range(std::move(x)), up = robust_range(std::move(y));
  return {across.low, across.high, up.low, up.high};
}

}  // namespace rill::tools
