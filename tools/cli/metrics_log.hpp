// metrics.csv: what a run has learned so far, row by row.
#pragma once

#include <limits>
#include <string>

#include "nn/training_loop.hpp"
#include "tools/cli/open_file.hpp"

namespace rill::tools {

/// One row for each `log_every` steps: step, loss (the mean over those steps), gradient_norm and learning_rate (of the
/// last of them). Numbers have as many digits as it takes to read back the same, and nothing depends on the clock: two
/// runs of the same settings write the same bytes, interrupted or not.
class MetricsLog {
 public:
  /// Starts the file, or continues it: rows of steps after `steps_done`, which belong to a checkpoint that was never
  /// written, are cut. Where there is no file to continue, or an empty one, it says so on stderr and starts it. Throws
  /// FileError, also when an existing file is not one of these.
  MetricsLog(const std::string& path, Index steps_done);

  /// Appends a row. Throws FileError.
  void append(const nn::StepReport& report, double mean_loss);
  /// Waits until the rows are on the disk: before a checkpoint that counts on them. Should somebody have removed the
  /// file, it is written again. Throws FileError.
  void sync();

  /// The losses of the first and of the last row; NaN while there is none.
  double first_loss() const { return first_loss_; }
  double last_loss() const { return last_loss_; }

 private:
  void open();
  void remember_loss(double loss);

  std::string path_;
  double first_loss_ = std::numeric_limits<double>::quiet_NaN(), last_loss_ = first_loss_;
  Descriptor file_;
};

}  // namespace rill::tools
