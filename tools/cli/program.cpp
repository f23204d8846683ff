#include "tools/cli/program.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>
#include <stdexcept>
#include <streambuf>

#include "autodiff/error.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/real.hpp"
#include "autodiff/simd/kernels.hpp"
#include "autodiff/text.hpp"
#include "tools/cli/text.hpp"
#include "tools/cli/usage_error.hpp"

namespace rill::tools {
namespace {

// std::cout while a program runs: unlike a stream, it remembers why a write failed.
class Stdout : public std::streambuf {
 public:
  Stdout() : before_(std::cout.rdbuf(this)) { setp(buffer_.data(), buffer_.data() + buffer_.size()); }
  ~Stdout() override { std::cout.rdbuf(before_); }

  /// errno of the write that failed, or 0.
  int error() const { return error_; }

 private:
  int sync() override {
    const char* next = pbase();
    while (error_ == 0 && next < pptr()) {
      const ssize_t count = ::write(STDOUT_FILENO, next, static_cast<std::size_t>(pptr() - next));
      if (count >= 0) {
        next += count;
      } else if (errno != EINTR) {
        error_ = errno;
      }
    }
    setp(buffer_.data(), buffer_.data() + buffer_.size());
    return error_ == 0 ? 0 : -1;
  }

  int_type overflow(int_type c) override {
    if (sync() != 0) return traits_type::eof();
    return traits_type::eq_int_type(c, traits_type::eof()) ? traits_type::not_eof(c)
                                                           : sputc(traits_type::to_char_type(c));
  }

  std::array<char, 1 << 16> buffer_;
  std::streambuf* before_;
  int error_ = 0;
};

// The first file opened would otherwise take the descriptor of a closed stdout or stderr. Writing to a file that was
// opened for reading fails, as it should.
void keep_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) == -1 && ::open("/dev/null", O_RDONLY) < 0) return;
  }
}

int report(const std::string& name, const std::string& message, int code) {
  const std::string hint = code == kUsage ? concat("; try ", name, " --help") : "";
  std::cerr << name << ": " << one_line(message) << hint << std::endl;
  return code;
}

}  // namespace

int run_program(const char* path, const std::function<int()>& body) {
  // Makes a file size limit (ulimit -f) and a pipe without a reader errors of write().
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  keep_standard_descriptors();
  const std::string name = program_name(path);
  try {
    Stdout out;
    const int code = body();
    std::cout.flush();
    if (out.error() != 0 && out.error() != EPIPE) {
      throw FileError("stdout", "cannot write: ", std::strerror(out.error()));
    }
    return code;
  } catch (const UsageError& error) {
    return report(name, error.what(), kUsage);
  } catch (const std::invalid_argument& error) {
    return report(name, error.what(), kUsage);
  } catch (const std::bad_alloc&) {
    return report(name, "out of memory", kFailed);
  } catch (const std::exception& error) {
    return report(name, error.what(), kFailed);
  }
}

std::string program_name(const char* path) { return std::filesystem::path(path).filename().string(); }

void use_threads(long count) {
  if (count < 0) throw UsageError(concat("--threads: expected 0 (all cores) or more, got ", count));
  if (count > 0) set_thread_count(static_cast<int>(std::min(count, 1024L)));
}

std::string machine_text() {
  const int threads = thread_count();
  return concat(simd::kernels().name, ", ", counted(threads, "thread"), ", ",
                sizeof(Real) == sizeof(double) ? "double" : "float");
}

}  // namespace rill::tools
