#include "tools/cli/phase.hpp"

#include <algorithm>
#include <utility>

#include "autodiff/error.hpp"
#include "tools/cli/text.hpp"

namespace rill::tools {

Phase::Phase(std::string name, double total)
    : name_(std::move(name)), total_(total), start_(Clock::now()), last_time_(start_) {}

void Phase::advance(double units) {
  heed_stop_signal();
  done_ += units;
  const Clock::time_point now = Clock::now();
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock && now - start_ >= std::chrono::seconds(1) && line_.due(now)) show(now);
}

void Phase::show(Clock::time_point now) {
  const double done = done_;
  pace_.add(done - last_done_, std::chrono::duration<double>(now - last_time_).count());
  last_time_ = now;
  last_done_ = done;
  const double left = std::max(0.0, total_ - done);
  line_.show({total_ > 0 ? concat(name_, " ", static_cast<int>(100 * (total_ - left) / total_), " %, ",
                                  duration(pace_.seconds_per_unit() * left), " left")
                         : concat(name_, ", for ", duration(std::chrono::duration<double>(now - start_).count()))},
             now);
}

}  // namespace rill::tools
