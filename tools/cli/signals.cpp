#include "tools/cli/signals.hpp"

#include <csignal>
#include <initializer_list>

namespace rill::tools {
namespace {

volatile std::sig_atomic_t received = 0;

extern "C" void remember(int signal) {
  if (received == 0) {
    received = signal;
  } else if (signal != SIGHUP && signal != SIGXCPU) {  // delivered as soon as this handler returns
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

}  // namespace

void remember_stop_signals() {
  for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGXCPU}) {
    struct sigaction action {};
    ::sigaction(signal, nullptr, &action);
    if (action.sa_handler == SIG_IGN) continue;
    action.sa_handler = remember;
    action.sa_flags = SA_RESTART;
    ::sigaction(signal, &action, nullptr);
  }
}

int stop_signal() { return received; }

void heed_stop_signal() {
  if (received != 0) throw Stopped();
}

}  // namespace rill::tools
