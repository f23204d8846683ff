// A run: the folder that training leaves behind.
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

  /// True when there is something that a new run would replace: a state, a model, or settings, unless they and metrics
  /// are all that a training left which ended before it saved anything.
  bool any_exist() const;
  /// All of them.
  std::vector<std::string> all() const { return {state, model, metrics, samples, pairs, config}; }
  /// Makes the folder. Throws FileError.
  void create_folder() const;
  /// Removes every file of a run, perhaps but for its pairs; others stay. The state goes first, so that a removal cut
  /// short leaves no run to resume. Throws FileError.
  void remove(bool keep_pairs) const;

  std::string folder;
  std::string config;   ///< config.toml: the settings, readable by --config
  std::string state;    ///< state.safetensors: all that --resume needs besides
  std::string model;    ///< model.safetensors: all that sampling needs
  std::string metrics;  ///< metrics.csv
  std::string samples;  ///< samples.png
  std::string pairs;    ///< pairs.safetensors: what a reflow learns from
};

/// A trained model and what it was trained on.
struct TrainedModel {
  std::shared_ptr<flow::GenerativeModel> model;  ///< with the averaged weights, where there are some
  datasets::DataDescription data;
};

/// The model file of a run's folder; any other path is one already. Throws FileError when there is none.
std::string model_file(const std::string& path);

/// Loads a run's folder, or its model file. Throws FileError as flow::load_model() does (flow/model/model_file.hpp).
TrainedModel load_trained_model(const std::string& path);

/// A trained classifier of images, and what it was trained on.
struct TrainedClassifier {
  std::shared_ptr<nn::ImageClassifier> classifier;  ///< with the averaged weights, where there are some
  datasets::DataDescription data;
};

/// What save_classifier() should keep with the weights; the share of test images that it recognizes comes under
/// kTestAccuracyKey once it is known.
nn::Metadata classifier_metadata(const datasets::DataDescription& data);
inline constexpr const char* kTestAccuracyKey = "test_accuracy";

/// Loads a run's folder, or its model file, as load_trained_model() does. Throws FileError, naming the file, when it
/// holds no classifier.
TrainedClassifier load_trained_classifier(const std::string& path);

/// Whichever of the two a run holds.
std::variant<TrainedModel, TrainedClassifier> load_run(const std::string& path);

/// What makes a training this run and no other: kept in the metadata of its state under keys that begin with "run.".
/// `network` are those entries that the model gives (flow::GenerativeModel::identity()). Settings that may change when
/// a run is resumed are no part of it, nor is the place of a table or of images.
nn::Metadata run_identity(const datasets::DataDescription& data, std::uint64_t seed, nn::Metadata network);
/// Throws FileError, which names `file`, when the state's metadata say that it is of another run. States of before
/// there were such keys pass.
void require_same_run(const nn::Metadata& state, const nn::Metadata& identity, const std::string& file);

}  // namespace rill::tools
