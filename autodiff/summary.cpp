#include "autodiff/summary.hpp"

#include <algorithm>
#include <cstddef>

namespace rill::summary_detail {

std::string line(const std::vector<Field>& fields, const std::vector<Field>& defaults) {
  std::string text;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto& [name, pattern, value, counts] = fields[i];
    if (!counts || (pattern.empty() && value == defaults[i].value)) continue;
    std::string shown = pattern;
    if (pattern.empty()) {
      shown = value == "true" ? ", " + name : ", " + name + " {}";
      std::replace(shown.begin(), shown.end(), '-', ' ');
    }
    const std::size_t place = shown.find("{}");
    text += place == shown.npos ? shown : shown.replace(place, 2, value);
  }
  return text;
}

}  // namespace rill::summary_detail
