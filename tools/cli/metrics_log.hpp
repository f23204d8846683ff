// metrics.csv: the progress of a run, row by row.
#pragma once

#include <limits>
#include <string>

#include "nn/training_loop.hpp"
#include "tools/cli/open_file.hpp"

namespace rill::tools {

/// One row for each `log_every` steps: step, loss (the mean over these steps), gradient_norm and learning_rate (of the
/// last one). Numbers have enough digits to read back exactly, and nothing depends on the clock: two runs with the same
/// settings write the same bytes, interrupted or not.
class MetricsLog {
 public:
  /// Starts the file, or continues it: rows of steps after `steps_done`, which are newer than the checkpoint, are
  /// removed. If there is no file to continue, or an empty one, reports that on stderr and starts it. Throws FileError,
  /// also if the file exists but is not a metrics file.
  MetricsLog(const std::string& path, Index steps_done);

  /// Appends a row. Throws FileError.
  void append(const nn::StepReport& report, double mean_loss);
  /// Syncs the rows to the disk, before a checkpoint that depends on them. A file that was removed meanwhile is written
  /// again. Throws FileError.
  void sync();

  /// The losses of the first and last rows; NaN if there is none.
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
