// Runs the programs as a user does: a separate process, its exit code, and its output.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rill::testing_support {

/// The path of a program that Meson built: train, sample or evaluate.
std::string program_path(const std::string& name);

struct Finished {
  int code;  ///< the exit code; minus the signal's number for a process that a signal ended
  std::string out, err;
};

struct Launch {
  std::vector<std::string> command;           ///< the first word is a program's name, or a path
  std::string out_file = {};                  ///< where stdout goes; kept in Finished::out when empty
  bool terminal = false;                      ///< whether stderr is a terminal, an xterm
  std::optional<rlim_t> largest_file = {};    ///< bytes that any file it writes may have
  std::vector<std::string> environment = {};  ///< NAME=value, in addition to the tests' own
  /// Called in the new process before the program begins, to change what it finds: descriptors, limits, signals. Only
  /// what is safe after fork().
  std::function<void()> before = {};
};

/// Whether the system can make a pseudo-terminal; a chroot without /dev/pts cannot.
bool has_terminals();

/// A running process. It is killed unless waited for.
class Process {
 public:
  /// Throws std::runtime_error if a terminal is requested and there is none.
  explicit Process(const Launch& launch);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void send(int signal) const;
  /// Stops it, so that signals gather; they arrive together once SIGCONT is sent. Waits until it stands still.
  void pause();
  /// Waits until it has printed this on stderr; fails the test if it ends, or two minutes pass, before that.
  void wait_for_text(const std::string& text);
  bool is_running();
  pid_t id() const { return pid_; }
  /// Waits for the end.
  Finished wait();

 private:
  void reap(int flags);
  // Takes what the terminal holds; the second one waits for the last process to close its end.
  void take_from_terminal();
  void drain_terminal();
  std::string printed() const;

  pid_t pid_ = -1;
  std::optional<int> status_;
  std::string out_path_, err_path_;
  int terminal_ = -1;        // our end of it
  std::string on_terminal_;  // taken from it so far
  bool keep_out_;
};

/// Waits until the condition holds; gives up, and returns false, when the process has ended or two minutes have passed.
bool wait_until(const std::function<bool()>& condition, Process& process);

/// Runs a process to its end.
Finished run(const Launch& launch);
inline Finished run(std::vector<std::string> command) { return run(Launch{.command = std::move(command)}); }

/// The bytes of a file; fails the test when it cannot be read.
std::string contents(const std::string& path);
void write_contents(const std::string& path, const std::string& bytes);

}  // namespace rill::testing_support
