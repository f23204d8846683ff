// All settings of a training run.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "autodiff/random.hpp"
#include "datasets/data.hpp"
#include "flow/model/generative_model.hpp"
#include "nn/image_classifier.hpp"
#include "nn/trainer.hpp"
#include "tools/cli/options.hpp"
#include "tools/family_settings.hpp"
#include "tools/reflow_pairs.hpp"
#include "tools/run.hpp"

namespace rill::tools {

/// The defaults suit points in a few dimensions; declare() documents each setting.
struct TrainSettings {
  TrainSettings();

  std::string data = "annulus";
  std::vector<std::string> data_parameters;
  std::string data_dir = "/usr/share/datasets/fashion-mnist";
  Index classes = 10;
  datasets::Augmentation augmentation;

  std::string autoencoder;  ///< a run
  std::string source;
  std::vector<std::string> source_parameters;

  ReflowSettings reflow;

  Index steps = 10000;
  Index batch = 256;
  FamilySettings family;                      ///< of the model
  nn::ImageClassifierDescription classifier;  ///< used instead of the model if family.network.kind says so
  nn::TrainerOptions trainer;                 ///< learning_rate.steps follows from steps

  Index log_every = 100;
  double save_every = 30;
  Index sample_every = 0;
  Index threads = 0;
  std::string out;
  bool overwrite = false;

  /// Declares all of them; they must outlive the options.
  void declare(Options& options);
  /// Throws UsageError, naming the option, for values out of range. Derives dependent settings: the steps of the
  /// learning rate's schedule, and an absolute path of the data's file, so that a saved configuration works from any
  /// folder.
  void complete();
  /// Declares which options have no effect, given the others: see Options::refuse_unused(). Call it before complete().
  void refuse_unused(Options& options) const;
  bool is_classifier() const { return family.network.kind == "classifier"; }
  /// The chosen data. Throws UsageError for a parameter that is not of the form name=number.
  datasets::DataDescription data_description() const;
  /// The density to start from, if one was chosen. Throws as above.
  std::optional<datasets::DataDescription> source_description() const;
  /// The trained autoencoder, for a family that needs one; null for others. Throws UsageError for a run of another
  /// family or other data, FileError as load_trained_model() does.
  std::shared_ptr<flow::Vae> load_autoencoder(const datasets::DataDescription& data) const;
  /// A new model to train on this data, with weights drawn from `rng`. Throws as above, and std::invalid_argument.
  std::shared_ptr<flow::GenerativeModel> make_model(const datasets::Data& data, Generator& rng) const;
  /// The classifier for these images.
  nn::ImageClassifierDescription classifier_of(const datasets::Data& data) const;
};

}  // namespace rill::tools
