// Updates a phase's line while its work reports no progress.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "tools/cli/phase.hpp"

namespace rill::tools {

/// While it lives, it shows the phase some five times a second. The phase must outlive it.
class Ticker {
 public:
  explicit Ticker(Phase& phase);

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // stopped and joined by the destructor
};

}  // namespace rill::tools
