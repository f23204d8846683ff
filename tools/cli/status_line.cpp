#include "tools/cli/status_line.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

namespace rill::tools {
namespace {

constexpr std::chrono::milliseconds kTerminalInterval(200), kPlainInterval(5000);

// Whether stderr is a terminal that can return to the start of a line and erase it.
bool has_movable_cursor() {
  const char* variable = std::getenv("TERM");
  const std::string_view kind(variable == nullptr ? "" : variable);
  return ::isatty(STDERR_FILENO) != 0 && !kind.empty() && kind != "dumb";
}

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// One write, so that lines of several programs do not mix.
void print(const std::string& text) { std::cerr << text << std::flush; }

}  // namespace

std::string fitted(const std::vector<std::string>& fields, std::size_t width) {
  std::string line = fields.empty() ? "" : fields.front().substr(0, width);
  for (std::size_t i = 1; i < fields.size() && line.size() + 2 + fields[i].size() <= width; ++i) {
    line += "  " + fields[i];
  }
  return line;
}

StatusLine::StatusLine() : terminal_(has_movable_cursor()), last_time_(Clock::now()) {}

bool StatusLine::due(Clock::time_point now) const {
  return now - last_time_ >= (terminal_ ? kTerminalInterval : kPlainInterval);
}

void StatusLine::show(const std::vector<std::string>& fields, Clock::time_point now) {
  last_time_ = now;
  // A line that wraps could not be rewritten, and some terminals wrap as soon as the last column is filled.
  print(terminal_ ? "\r\x1b[K" + fitted(fields, terminal_width() - 1) : fitted(fields, std::string::npos) + "\n");
  open_ = terminal_;
}

void StatusLine::finish() {
  if (open_) print("\n");
  open_ = false;
}

void StatusLine::clear() {
  if (open_) print("\r\x1b[K");
  open_ = false;
}

}  // namespace rill::tools
