// What a run trains: a flow, or a classifier of images.
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
  /// Which run its state belongs to: see run_identity().
  virtual nn::Metadata identity() const = 0;
  /// What will be done: "data      ...", "model     ..." and "training  ...", a line each.
  virtual std::string text() const = 0;
  /// Writes model.safetensors.
  virtual void save_model(const std::string& file) = 0;

  // What follows may throw Stopped (tools/cli/signals.hpp): it can take long, and gives up when a signal asks to stop.

  /// What is left to do before the first step, once the folder is there.
  virtual void prepare(const RunFiles&) {}
  /// Draws what the weights' average makes now into samples.png, where there is such a picture. Touches no state that
  /// later steps depend on.
  virtual void draw_samples(const std::string& file) = 0;
  /// What is left to do after the last step, once the model is saved.
  virtual void finish(const RunFiles& files) = 0;
};

/// Opens the data and makes the network that the settings, which must outlive the task, ask for. Throws UsageError and
/// std::invalid_argument for settings that go wrong together, FileError for data.
std::unique_ptr<TrainingTask> make_training_task(const TrainSettings& settings);

}  // namespace rill::tools
