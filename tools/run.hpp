// A run: the folder that training writes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "datasets/data.hpp"
#include "flow/model/generative_model.hpp"
#include "nn/checkpoint.hpp"

namespace rill::tools {

/// The first line of a run's config.toml.
inline constexpr const char* kConfigHeader = "# The settings of a training run: train --config reads them.";

/// The files of a run.
struct RunFiles {
  explicit RunFiles(std::string folder);

  /// Whether there is anything that a new run would replace: a state, a model, or settings, unless the latter (and
  /// metrics) are all that is left of a training that ended before it saved anything.
  bool any_exist() const;
  /// All of them.
  std::vector<std::string> all() const { return {state, model, metrics, samples, pairs, config}; }
  /// Makes the folder. Throws FileError.
  void create_folder() const;
  /// Removes every file of a run, except its pairs if `keep_pairs`; other files stay. Removes the state first, so that
  /// an interrupted removal leaves no run to resume. Throws FileError.
  void remove(bool keep_pairs) const;

  std::string folder;
  std::string config;   ///< config.toml: the settings, readable by --config
  std::string state;    ///< state.safetensors: all else that --resume needs
  std::string model;    ///< model.safetensors: all that sampling needs
  std::string metrics;  ///< metrics.csv
  std::string samples;  ///< samples.png
  std::string pairs;    ///< pairs.safetensors: the training pairs of a reflow
};

/// A trained model and what it was trained on.
struct TrainedModel {
  std::shared_ptr<flow::GenerativeModel> model;  ///< with the averaged weights, if there are any
  datasets::DataDescription data;
};

/// The model file of a run's folder; any other path is returned as is. Throws FileError if there is none.
std::string model_file(const std::string& path);

/// Loads a run's folder, or its model file. Throws FileError as flow::load_model() does (flow/model/model_file.hpp).
TrainedModel load_trained_model(const std::string& path);

/// A trained classifier of images, and what it was trained on.
struct TrainedClassifier {
  std::shared_ptr<nn::ImageClassifier> classifier;  ///< with the averaged weights, if there are any
  datasets::DataDescription data;
};

/// The metadata for save_classifier(); the test accuracy is added under kTestAccuracyKey once it is known.
nn::Metadata classifier_metadata(const datasets::DataDescription& data);
inline constexpr const char* kTestAccuracyKey = "test_accuracy";

/// Loads a run's folder, or its model file, as load_trained_model() does. Throws FileError, naming the file, if it
/// holds no classifier.
TrainedClassifier load_trained_classifier(const std::string& path);

/// Whichever of the two a run holds.
std::variant<TrainedModel, TrainedClassifier> load_run(const std::string& path);

/// What identifies a run, kept in the metadata of its state under keys that begin with "run.". `network` are the
/// entries of the model (flow::GenerativeModel::identity()). Settings that may change when a run is resumed are not
/// part of it, nor is the place of a table or of images.
nn::Metadata run_identity(const datasets::DataDescription& data, std::uint64_t seed, nn::Metadata network);
/// Throws FileError, which names `file`, if the state's metadata belong to another run. States written before there
/// were such keys pass.
void require_same_run(const nn::Metadata& state, const nn::Metadata& identity, const std::string& file);

}  // namespace rill::tools
