// A run: the folder that training leaves behind.
#pragma once

#include <string>

#include "flow/scheduler.hpp"
#include "nn/checkpoint.hpp"
#include "tools/data.hpp"

namespace rill::tools {

/// The files of a run.
struct RunFiles {
  explicit RunFiles(std::string folder);

  /// True when one of the files that make a run is there.
  bool any_exist() const;
  /// Makes the folder. Throws FileError.
  void create_folder() const;
  /// Removes every file of a run; others stay. The state goes first, so that a removal cut short leaves no run to
  /// resume. Throws FileError.
  void remove() const;

  std::string folder;
  std::string config;   ///< config.toml: the settings, readable by --config
  std::string state;    ///< state.safetensors: all that --resume needs besides
  std::string model;    ///< model.safetensors: all that sampling needs
  std::string metrics;  ///< metrics.csv
  std::string samples;  ///< samples.png
};

/// A trained model and what it was trained on.
struct TrainedModel {
  nn::ModelDescription description;
  std::shared_ptr<nn::VelocityModel> model;  ///< with the averaged weights, where there are some
  flow::SchedulerDescription scheduler;
  DataDescription data;
};

/// What save_model() should keep with the weights.
nn::Metadata model_metadata(const flow::SchedulerDescription& scheduler, const DataDescription& data);

/// Loads a run's folder, or its model file. Throws FileError, naming the file, when it holds no such model.
TrainedModel load_trained_model(const std::string& path);

}  // namespace rill::tools
