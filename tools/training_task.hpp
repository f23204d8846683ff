// What a run trains: a flow or an image classifier.
#pragma once

#include <memory>
#include <string>

#include "nn/training_loop.hpp"
#include "tools/run.hpp"
#include "tools/train_settings.hpp"

namespace rill::tools {

class TrainingTask {
 public:
  virtual ~TrainingTask() = default;

  virtual nn::TrainingLoop& loop() = 0;
  /// What identifies the run to which its state belongs: see run_identity().
  virtual nn::Metadata identity() const = 0;
  /// A description of the run: "data      ...", "model     ..." and "training  ...", one line each.
  virtual std::string text() const = 0;
  /// Writes model.safetensors.
  virtual void save_model(const std::string& file) = 0;

  // The functions below can take long, and throw Stopped (tools/cli/signals.hpp) if a signal asks to stop.

  /// Work before the first step, once the folder exists.
  virtual void prepare(const RunFiles&) {}
  /// Draws samples of the averaged weights to samples.png, if they can be drawn. Does not affect later steps.
  virtual void draw_samples(const std::string& file) = 0;
  /// Work after the last step, once the model is saved.
  virtual void finish(const RunFiles& files) = 0;
};

/// Opens the data and makes the network of the settings, which must outlive the task. Throws UsageError and
/// std::invalid_argument for settings that do not fit together, FileError for data.
std::unique_ptr<TrainingTask> make_training_task(const TrainSettings& settings);

}  // namespace rill::tools
