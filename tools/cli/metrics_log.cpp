#include "tools/cli/metrics_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string_view>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/text.hpp"
#include "tools/cli/open_file.hpp"

namespace rill::tools {
namespace {

constexpr std::string_view kHeader = "step,loss,gradient_norm,learning_rate\n";
constexpr const char* kWayOn = "; move it out of the folder, and training continues with a new one";

struct Row {
  Index step = 0;
  double loss = 0;
};

// `line` without its line break.
Row parse_row(std::string_view line, const std::string& path) {
  Row row;
  const char* const end = line.data() + line.size();
  const auto [comma, step_error] = std::from_chars(line.data(), end, row.step);
  const bool has_step = step_error == std::errc{} && comma < end && *comma == ',';
  require_file(has_step && std::from_chars(comma + 1, end, row.loss).ec == std::errc{}, path,
               "a row does not begin with a step and a loss: ", in_quotes(line), kWayOn);
  return row;
}

void write_all(int descriptor, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    require_file(count >= 0, path, "cannot write: ", std::strerror(errno));
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

// The contents of an open file.
std::string contents_of(int descriptor, const std::string& path) {
  std::string text;
  char buffer[1 << 16];
  while (true) {
    const ssize_t count = ::pread(descriptor, buffer, sizeof buffer, static_cast<off_t>(text.size()));
    if (count < 0 && errno == EINTR) continue;
    require_file(count >= 0, path, "cannot read: ", std::strerror(errno));
    if (count == 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

}  // namespace

MetricsLog::MetricsLog(const std::string& path, Index steps_done) : path_(path) {
  std::string kept(kHeader);
  const std::string text = steps_done > 0 && std::filesystem::exists(path) ? read_file(path) : "";
  if (text.empty()) {
    if (steps_done > 0) std::cerr << path << ": the rows up to step " << steps_done << " are lost" << std::endl;
  } else {
    require_file(text.starts_with(kHeader), path, "expected the first line ", kHeader.substr(0, kHeader.size() - 1),
                 kWayOn);
    // After the last line break there may be an incomplete row.
    std::size_t length = kHeader.size();
    for (std::size_t end = 0; (end = text.find('\n', length)) != text.npos; length = end + 1) {
      const Row row = parse_row(std::string_view(text).substr(length, end - length), path);
      if (row.step > steps_done) break;
      remember_loss(row.loss);
    }
    kept = text.substr(0, length);
  }
  write_file_atomically(path, kept);
  open();
}

void MetricsLog::open() {
  file_ = Descriptor(::open(path_.c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
  require_file(file_.number() >= 0, path_, "cannot write: ", std::strerror(errno));
}

void MetricsLog::remember_loss(double loss) {
  if (std::isnan(first_loss_)) first_loss_ = loss;
  last_loss_ = loss;
}

void MetricsLog::append(const nn::StepReport& report, double mean_loss) {
  write_all(file_.number(),
            concat(report.step, ',', exact(mean_loss), ',', exact(report.gradient_norm), ',',
                   exact(report.learning_rate), '\n'),
            path_);
  remember_loss(mean_loss);
}

void MetricsLog::sync() {
  require_file(::fsync(file_.number()) == 0, path_, "cannot write: ", std::strerror(errno));
  if (names_open_file(path_, file_.number())) return;
  write_file_atomically(path_, contents_of(file_.number(), path_));  // a removed file keeps its rows while it is open
  open();
}

}  // namespace rill::tools
