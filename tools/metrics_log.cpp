#include "tools/metrics_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "tools/text.hpp"

namespace rill::tools {
namespace {

constexpr std::string_view kHeader = "step,loss,gradient_norm,learning_rate\n";

// The length of the part of the file that ends with the last row of a step up to `steps_done`.
std::size_t length_up_to(std::string_view text, Index steps_done, const std::string& path) {
  require_file(text.starts_with(kHeader), path, "expected the first line ", kHeader.substr(0, kHeader.size() - 1));
  std::size_t length = kHeader.size();
  while (length < text.size()) {
    const std::size_t end = text.find('\n', length);
    if (end == text.npos) break;  // a row that was being written
    Index step = 0;
    const auto [stop, error] = std::from_chars(text.data() + length, text.data() + end, step);
    require_file(error == std::errc{} && *stop == ',', path, "a row does not begin with a step");
    if (step > steps_done) break;
    length = end + 1;
  }
  return length;
}

}  // namespace

MetricsLog::MetricsLog(const std::string& path, Index steps_done) : path_(path) {
  std::string kept(kHeader);
  if (steps_done > 0 && std::filesystem::exists(path)) {
    kept = read_file(path);
    kept.resize(length_up_to(kept, steps_done, path));
  }
  write_file_atomically(path, kept);
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  require_file(descriptor_ >= 0, path, "cannot write: ", std::strerror(errno));
}

MetricsLog::~MetricsLog() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void MetricsLog::append(const nn::StepReport& report, double mean_loss) {
  const std::string row = concat(report.step, ',', exact(mean_loss), ',', exact(report.gradient_norm), ',',
                                 exact(report.learning_rate), '\n');
  for (std::size_t written = 0; written < row.size();) {
    const ssize_t count = ::write(descriptor_, row.data() + written, row.size() - written);
    if (count < 0 && errno == EINTR) continue;
    require_file(count >= 0, path_, "cannot write: ", std::strerror(errno));
    written += static_cast<std::size_t>(count);
  }
}

void MetricsLog::sync() { require_file(::fsync(descriptor_) == 0, path_, "cannot write: ", std::strerror(errno)); }

}  // namespace rill::tools
