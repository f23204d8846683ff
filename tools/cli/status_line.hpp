// A progress line on stderr.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace rill::tools {

/// Joins fields by two spaces, the most important first, leaving out the last ones if they do not fit into `width`
/// columns. The first field is truncated if it alone is too long.
std::string fitted(const std::vector<std::string>& fields, std::size_t width);

/// On a terminal, one line that is rewritten some five times a second; elsewhere (a file, a pipe, TERM=dumb), a line
/// every few seconds. Never in color.
class StatusLine {
 public:
  using Clock = std::chrono::steady_clock;

  StatusLine();
  /// As finish().
  ~StatusLine() { finish(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  /// Whether enough time has passed since the last line, or the start, for a new one.
  bool due(Clock::time_point now) const;
  /// Shows the fields, the most important first.
  void show(const std::vector<std::string>& fields, Clock::time_point now);
  /// Moves a terminal's cursor to a new line, below the last one shown.
  void finish();
  /// Removes the last line shown from a terminal.
  void clear();

 private:
  bool terminal_;
  bool open_ = false;  // the cursor is at the end of a line
  Clock::time_point last_time_;
};

}  // namespace rill::tools
