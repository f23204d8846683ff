#include "tools/program.hpp"

#include <csignal>
#include <exception>
#include <iostream>
#include <new>
#include <stdexcept>

#include "autodiff/error.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/real.hpp"
#include "autodiff/simd/kernels.hpp"
#include "tools/options.hpp"
#include "tools/text.hpp"

namespace rill::tools {
namespace {

int report(const std::string& name, const std::string& message, int code) {
  const std::string hint = code == kUsage ? concat("; try ", name, " --help") : "";
  std::cerr << name << ": " << one_line(message) << hint << std::endl;
  return code;
}

}  // namespace

int run_program(const std::string& name, const std::function<int()>& body) {
  // A file that may not grow (ulimit -f) is then an error of write(), reported like a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    const int code = body();
    std::cout.flush();
    require_file(std::cout.good(), "stdout", "cannot write");
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

void use_threads(long count) {
  if (count < 0) throw UsageError(concat("--threads: expected 0 (all cores) or more, got ", count));
  if (count > 0) set_thread_count(static_cast<int>(std::min(count, 1024L)));
}

std::string machine_text() {
  const int threads = thread_count();
  return concat(simd::kernels().name, ", ", threads, threads == 1 ? " thread, " : " threads, ",
                sizeof(Real) == sizeof(double) ? "double" : "float");
}

}  // namespace rill::tools
