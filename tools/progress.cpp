#include "tools/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <iostream>

#include "autodiff/error.hpp"
#include "autodiff/operation_count.hpp"
#include "tools/text.hpp"

namespace rill::tools {
namespace {

constexpr double kTerminalInterval = 0.2, kPlainInterval = 5;

int terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// Everything on stderr is one write, so that lines of several programs do not mix.
void print(const std::string& text) { std::cerr << text << std::flush; }

}  // namespace

Progress::Progress(Index done, Index steps, Index batch)
    : terminal_(::isatty(STDERR_FILENO) != 0),
      interval_(terminal_ ? kTerminalInterval : kPlainInterval),
      steps_(steps),
      batch_(batch),
      start_(Clock::now()),
      last_time_(start_),
      last_operations_(operation_count()),
      last_step_(done) {}

void Progress::step(const nn::StepReport& report_now) {
  now_ = report_now;
  loss_sum_ += report_now.loss;
  const Clock::time_point now = Clock::now();
  if (std::chrono::duration<double>(now - last_time_).count() >= interval_) report(now);
}

void Progress::finish() {
  if (now_.step > last_step_) report(Clock::now());
  if (terminal_) print("\n");
}

double Progress::seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

std::string Progress::line(double seconds) const {
  const auto count = static_cast<double>(now_.step - last_step_);
  const double per_step = seconds / count;
  const auto operations = static_cast<double>(operation_count() - last_operations_);
  const Index left = steps_ - now_.step;
  return concat("step ", now_.step, "/", steps_,
                left > 0 ? concat(", ", duration(per_step * static_cast<double>(left)), " left") : "", "  loss ",
                significant(loss_sum_ / count, 5), "  gradient ", significant(now_.gradient_norm, 3), "  rate ",
                significant(now_.learning_rate, 3), "  ", duration(per_step), "/step  ",
                grouped(std::llround(static_cast<double>(batch_) / per_step)), " samples/s  ",
                significant(operations / seconds * 1e-9, 3), " GFLOP/s");
}

void Progress::report(Clock::time_point now) {
  std::string text = line(std::chrono::duration<double>(now - last_time_).count());
  if (terminal_) {
    const auto width = static_cast<std::size_t>(terminal_width());
    if (text.size() >= width) text.resize(width - 1);  // a line that wraps could not be rewritten
    print("\r\x1b[K" + text);
  } else {
    print(text + "\n");
  }
  last_time_ = now;
  last_operations_ = operation_count();
  last_step_ = now_.step;
  loss_sum_ = 0;
}

}  // namespace rill::tools
