#include "autodiff/names.hpp"

#include <algorithm>
#include <cstddef>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"

namespace rill {
namespace {

// The optimal string alignment distance: the fewest insertions, deletions, substitutions and swaps of neighbors that
// turn a into b, where no character is edited twice.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before, last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return last[b.size()];
}

}  // namespace

std::string did_you_mean(std::string_view name, const std::vector<std::string>& known) {
  constexpr std::size_t kLongest = 64;  // of a name that is compared at all
  if (name.empty() || name.size() > kLongest) return "";
  std::size_t fewest = std::clamp<std::size_t>(name.size() / 3, 1, 3) + 1;
  std::string_view nearest;
  for (const std::string& candidate : known) {
    const std::size_t count = edits(name, candidate);
    if (count > 0 && count < std::min(fewest, candidate.size())) {
      fewest = count;
      nearest = candidate;
    }
  }
  return nearest.empty() ? "" : concat(" (did you mean ", nearest, "?)");
}

std::string unknown_name(std::string_view what, std::string_view name, const std::vector<std::string>& known) {
  return concat("unknown ", what, " ", in_quotes(name), did_you_mean(name, known), "; known: ", joined(known));
}

void require_known(std::string_view what, std::string_view name, const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), name) == known.end()) fail(unknown_name(what, name, known));
}

}  // namespace rill
