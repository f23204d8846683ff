#include "tools/cli/ticker.hpp"

#include <chrono>
#include <stop_token>

#include "tools/cli/signals.hpp"

namespace rill::tools {

Ticker::Ticker(Phase& phase)
    : thread_([this, &phase](const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (!stop.stop_requested()) {
          wake_.wait_for(lock, stop, std::chrono::milliseconds(200), [] { return false; });
          try {
            phase.advance(0);
          } catch (const Stopped&) {
            return;  // the thread that does the work will stop
          }
        }
      }) {}

}  // namespace rill::tools
