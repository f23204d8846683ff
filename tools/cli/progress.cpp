#include "tools/cli/progress.hpp"

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/operation_count.hpp"
#include "autodiff/text.hpp"
#include "tools/cli/text.hpp"

namespace rill::tools {

Progress::Progress(Index done, Index steps, Index batch)
    : steps_(steps),
      batch_(batch),
      start_(Clock::now()),
      last_time_(start_),
      last_operations_(operation_count()),
      last_step_(done) {}

void Progress::step(const nn::StepReport& report_now) {
  now_ = report_now;
  loss_sum_ += report_now.loss;
  const Clock::time_point now = Clock::now();
  if (line_.due(now)) report(now);
}

void Progress::finish() {
  if (now_.step > last_step_) report(Clock::now());
  line_.finish();
}

double Progress::seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

std::vector<std::string> Progress::fields(double seconds) const {
  const auto count = static_cast<double>(now_.step - last_step_);
  const double per_step = seconds / count;
  const auto operations = static_cast<double>(operation_count() - last_operations_);
  const Index left = steps_ - now_.step;
  const std::string time_left =
      left > 0 ? concat(", ", duration(pace_.seconds_per_unit() * static_cast<double>(left)), " left") : "";
  return {concat("step ", now_.step, "/", steps_, time_left),
          concat("loss ", significant(loss_sum_ / count, 5)),
          concat("gradient ", significant(now_.gradient_norm, 3)),
          concat("rate ", significant(now_.learning_rate, 3)),
          concat(duration(per_step), "/step"),
          concat(grouped(std::llround(static_cast<double>(batch_) / per_step)), " samples/s"),
          concat(significant(operations / seconds * 1e-9, 3), " GFLOP/s")};
}

void Progress::report(Clock::time_point now) {
  const double seconds = std::chrono::duration<double>(now - last_time_).count();
  pace_.add(static_cast<double>(now_.step - last_step_), seconds);
  line_.show(fields(seconds), now);
  last_time_ = now;
  last_operations_ = operation_count();
  last_step_ = now_.step;
  loss_sum_ = 0;
}

}  // namespace rill::tools
