// A run: the folder that training leaves behind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "datasets/data.hpp"
#include "flow/path/example.hpp"
#include "flow/path/path.hpp"
#include "flow/transport/coupling.hpp"
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

/// What a flow runs between, and how it was made to.
struct FlowDescription {
  flow::PathDescription path;
  flow::CouplingDescription coupling;
  double label_dropout = 0;
  datasets::DataDescription data;
  std::optional<datasets::DataDescription> source;  ///< a density; standard normal noise when there is none

  /// How examples for training are made, but for their times and labels. Throws std::invalid_argument when the source
  /// has another dimension than the data.
  flow::ExampleOptions examples(Index dimension) const;
};

/// A trained model and what it was trained on.
struct TrainedModel {
  nn::ModelDescription description;
  std::shared_ptr<nn::VelocityModel> model;  ///< with the averaged weights, where there are some
  FlowDescription flow;

  /// n points x_0 to start from, [n, D].
  Tensor source(Index n, Generator& rng) const;
};

/// What save_model() should keep with the weights: "flow", a JSON object with the keys path, sigma, power, coupling,
/// regularization, label_dropout and source (itself a description of data as JSON text), and "data".
nn::Metadata model_metadata(const FlowDescription& flow);

/// The model file of a run's folder; any other path is one already. Throws FileError when there is none.
std::string model_file(const std::string& path);

/// Loads a run's folder, or its model file. What a file does not say, as one by nn::save_model() alone, has its
/// default: the path cond-ot from normal noise, and data of an empty source, which open_data() refuses. Throws
/// FileError, naming the file, when it holds no such model, or data that do not fit it.
TrainedModel load_trained_model(const std::string& path);

/// A trained classifier and the images that it was trained on.
struct TrainedClassifier {
  std::shared_ptr<nn::ImageClassifier> classifier;  ///< with the averaged weights, where there are some
  datasets::DataDescription data;
};

/// What save_classifier() should keep with the weights; the share of test images that it recognises comes under
/// kTestAccuracyKey once it is known.
nn::Metadata classifier_metadata(const datasets::DataDescription& data);
inline constexpr const char* kTestAccuracyKey = "test_accuracy";

/// True for a run's folder, or its model file, with a classifier instead of a flow. Throws FileError when it cannot be
/// read.
bool holds_classifier(const std::string& path);
/// Loads a run's folder, or its model file, as load_trained_model() does. Throws FileError, naming the file, when it
/// holds no classifier.
TrainedClassifier load_trained_classifier(const std::string& path);

/// What makes a training this run and no other: kept in the metadata of its state under keys that begin with "run.".
/// Settings that may change when a run is resumed are no part of it, nor is the place of a table or of images.
nn::Metadata run_identity(const FlowDescription& flow, const nn::ModelDescription& model, std::uint64_t seed);
/// The same for any network, by its description.
nn::Metadata run_identity(const datasets::DataDescription& data, const std::string& network, std::uint64_t seed);
/// Throws FileError, which names `file`, when the state's metadata say that it is of another run. States of before
/// there were such keys pass.
void require_same_run(const nn::Metadata& state, const nn::Metadata& identity, const std::string& file);

}  // namespace rill::tools
