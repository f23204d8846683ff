// A line on stderr that says how work goes.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace rill::tools {

/// Joins fields by two spaces, the most important first; of those that do not fit into `width` columns the last are
/// left out. The first field is cut when it alone is too long.
std::string fitted(const std::vector<std::string>& fields, std::size_t width);

/// On a terminal one line that is rewritten some five times a second, elsewhere (a file, a pipe, TERM=dumb) a line
/// every few seconds. There are no colors, whatever NO_COLOR says.
class StatusLine {
 public:
  using Clock = std::chrono::steady_clock;

  StatusLine();
  /// As finish().
  ~StatusLine() { finish(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  /// Whether the last line, or the start, is long enough ago for a new one.
  bool due(Clock::time_point now) const;
  /// Shows the fields, the most important first.
  void show(const std::vector<std::string>& fields, Clock::time_point now);
  /// Leaves a terminal's cursor on a new line, below what was shown last.
  void finish();
  /// Removes from a terminal what was shown last.
  void clear();

 private:
  bool terminal_;
  bool open_ = false;  // the cursor stands behind what was shown last
  Clock::time_point last_time_;
};

}  // namespace rill::tools
