// Signals that ask to stop.
#pragma once

#include <exception>

namespace rill::tools {

/// From now on, SIGINT (Ctrl-C), SIGTERM, SIGHUP (the terminal closes) and SIGXCPU (the soft limit of ulimit -t or of a
/// batch system) are only recorded; a second SIGINT or SIGTERM ends the program at once. (A second SIGHUP or SIGXCPU
/// does not: a closing terminal often sends SIGHUP twice, and SIGXCPU repeats every second.) A signal that was ignored
/// when the program began, as under nohup, stays ignored.
void remember_stop_signals();

/// The signal that asked to stop, or 0.
int stop_signal();

/// Work was abandoned because a signal asked to stop.
class Stopped : public std::exception {
 public:
  const char* what() const noexcept override { return "stopped by a signal"; }
};

/// Throws Stopped if a signal asked to stop. Call it from any thread.
void heed_stop_signal();

}  // namespace rill::tools
