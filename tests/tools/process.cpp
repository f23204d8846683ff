#include "tests/tools/process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace rill::testing_support {
namespace {

// An empty file of a name of its own.
std::string temporary_file() {
  std::string path = testing::TempDir() + "rill-output-XXXXXX";
  const int descriptor = ::mkstemp(path.data());
  if (descriptor < 0) ADD_FAILURE() << "cannot make " << path;
  ::close(descriptor);
  return path;
}

// In the child: only calls that are safe after fork().
void redirect(int descriptor, const char* path) {
  const int file = ::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (file < 0 || ::dup2(file, descriptor) < 0) ::_exit(127);
}

// The tests' environment, with these variables set.
std::vector<std::string> environment_with(const std::vector<std::string>& changes) {
  std::vector<std::string> all;
  for (char** variable = environ; *variable != nullptr; ++variable) all.emplace_back(*variable);
  for (const std::string& change : changes) {
    const std::string name = change.substr(0, change.find('=') + 1);
    std::erase_if(all, [&](const std::string& variable) { return variable.starts_with(name); });
    all.push_back(change);
  }
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

std::string program_path(const std::string& name) {
  const char* folder = std::getenv("RILL_PROGRAMS");
  if (folder == nullptr) {
    ADD_FAILURE() << "the environment variable RILL_PROGRAMS should name the folder of the programs";
    return name;
  }
  return std::string(folder) + "/" + name;
}

bool has_terminals() {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal >= 0) ::close(terminal);
  return terminal >= 0;
}

Process::Process(const Launch& launch)
    : out_path_(launch.out_file.empty() ? temporary_file() : launch.out_file),
      err_path_(temporary_file()),
      keep_out_(launch.out_file.empty()) {
  std::vector<std::string> words = launch.command;
  if (words[0].find('/') == std::string::npos) words[0] = program_path(words[0]);
  std::vector<std::string> changes = launch.environment;
  if (launch.terminal) changes.insert(changes.begin(), "TERM=xterm");
  std::vector<std::string> variables = environment_with(changes);
  const std::vector<char*> argv = pointers(words), envp = pointers(variables);
  if (launch.terminal) {
    ::unlink(err_path_.c_str());
    terminal_ = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal_ < 0 || ::grantpt(terminal_) != 0 || ::unlockpt(terminal_) != 0) {
      throw std::runtime_error("the system gave no pseudo-terminal");
    }
    err_path_ = ::ptsname(terminal_);
  }
  pid_ = ::fork();
  if (pid_ != 0) return;
  redirect(STDOUT_FILENO, out_path_.c_str());
  redirect(STDERR_FILENO, err_path_.c_str());
  if (launch.largest_file) {
    const rlimit limit{*launch.largest_file, *launch.largest_file};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  // A job in the background of a script, or under nohup, starts with signals ignored, which its children inherit.
  for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGXCPU, SIGPIPE}) std::signal(signal, SIG_DFL);
  if (launch.before) launch.before();
  ::execve(argv[0], argv.data(), envp.data());
  ::_exit(127);
}

Process::~Process() {
  if (!status_) {
    send(SIGKILL);
    reap(0);
  }
  if (keep_out_) ::unlink(out_path_.c_str());
  if (terminal_ >= 0) {
    ::close(terminal_);
  } else {
    ::unlink(err_path_.c_str());
  }
}

void Process::take_from_terminal() {
  char buffer[4096];
  for (pollfd ready{terminal_, POLLIN, 0}; ::poll(&ready, 1, 0) > 0 && (ready.revents & POLLIN) != 0;) {
    const ssize_t count = ::read(terminal_, buffer, sizeof buffer);
    if (count <= 0) return;
    on_terminal_.append(buffer, static_cast<std::size_t>(count));
  }
}

void Process::drain_terminal() {
  char buffer[4096];
  // Once the last process has closed its end, reading fails.
  for (ssize_t count = 0; (count = ::read(terminal_, buffer, sizeof buffer)) > 0;) {
    on_terminal_.append(buffer, static_cast<std::size_t>(count));
  }
}

std::string Process::printed() const { return terminal_ >= 0 ? on_terminal_ : contents(err_path_); }

void Process::pause() {
  send(SIGSTOP);
  int status = 0;
  ::waitpid(pid_, &status, WUNTRACED);
  if (!WIFSTOPPED(status)) {
    status_ = status;
    ADD_FAILURE() << "the process ended before it could be stopped: " << printed();
  }
}

void Process::wait_for_text(const std::string& text) {
  const bool found = wait_until(
      [&] {
        if (terminal_ >= 0) take_from_terminal();
        return printed().find(text) != std::string::npos;
      },
      *this);
  if (!found) ADD_FAILURE() << "'" << text << "' was not printed: " << printed();
}

bool wait_until(const std::function<bool()>& condition, Process& process) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (!condition()) {
    if (!process.is_running() || std::chrono::steady_clock::now() > deadline) return condition();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

void Process::send(int signal) const { ::kill(pid_, signal); }

void Process::reap(int flags) {
  int status = 0;
  pid_t result = 0;
  do result = ::waitpid(pid_, &status, flags);
  while (result < 0 && errno == EINTR);
  if (result == pid_) status_ = status;
}

bool Process::is_running() {
  if (!status_) reap(WNOHANG);
  return !status_;
}

Finished Process::wait() {
  if (terminal_ >= 0) drain_terminal();
  if (!status_) reap(0);
  return {.code = WIFEXITED(*status_) ? WEXITSTATUS(*status_) : -WTERMSIG(*status_),
          .out = keep_out_ ? contents(out_path_) : "",
          .err = printed()};
}

Finished run(const Launch& launch) { return Process(launch).wait(); }

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) ADD_FAILURE() << "cannot read " << path;
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

void write_contents(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  if (!file.flush()) ADD_FAILURE() << "cannot write " << path;
}

}  // namespace rill::testing_support
