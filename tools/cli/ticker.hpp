// A phase's line that moves on while its work does not come by to say how far it is.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "tools/cli/phase.hpp"

namespace rill::tools {

/// While it lives, it has the phase shown some five times a second. The phase must outlive it.
class Ticker {
 public:
  explicit Ticker(Phase& phase);

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // which the destructor asks to stop, and waits for
};

}  // namespace rill::tools
