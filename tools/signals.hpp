// Being asked to stop.
#pragma once

namespace rill::tools {

/// From now on the first SIGINT or SIGTERM is only remembered; a second one ends the program at once.
void remember_stop_signals();

/// The signal that asked to stop, or 0.
int stop_signal();

}  // namespace rill::tools
