// Everything that a training run can be told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/data.hpp"
#include "flow/model/flow_matching.hpp"
#include "nn/image_classifier.hpp"
#include "nn/trainer.hpp"
#include "tools/cli/options.hpp"
#include "tools/reflow_pairs.hpp"
#include "tools/run.hpp"

namespace rill::tools {

/// The defaults suit points in a few dimensions; what each setting means is said where declare() names it.
struct TrainSettings {
  TrainSettings();

  std::string data = "annulus";
  std::vector<std::string> data_parameters;
  std::string data_dir = "/usr/share/datasets/fashion-mnist";
  Index classes = 10;
  datasets::Augmentation augmentation;

  std::string source;
  std::vector<std::string> source_parameters;

  ReflowSettings reflow;

  Index steps = 10000;
  Index batch = 256;
  flow::FlowMatchingDescription flow;         ///< what depends on the data is filled in by flow_matching()
  nn::ImageClassifierDescription classifier;  ///< in place of the flow where flow.network.kind says so
  nn::TrainerOptions trainer;                 ///< learning_rate.steps follows from steps

  Index log_every = 100;
  double save_every = 30;
  Index sample_every = 0;
  Index threads = 0;
  std::string out;
  bool overwrite = false;

  /// Declares all of them; they must outlive the options.
  void declare(Options& options);
  /// Throws UsageError, naming the option, for values out of range. Works out what follows from others: the steps of
  /// the learning rate's schedule, and an absolute path for the data's file, so that a saved configuration works in
  /// any folder.
  void complete();
  /// Tells the options which of them change nothing beside the others: see Options::refuse_unused(). Before complete().
  void refuse_unused(Options& options) const;
  bool is_classifier() const { return flow.network.kind == "classifier"; }
  /// The data that the settings name. Throws UsageError for a parameter that is not of the form name=number.
  datasets::DataDescription data_description() const;
  /// The flow that they ask for, to learn these data. Throws as above.
  flow::FlowMatchingDescription flow_matching(const datasets::Data& data) const;
  /// The classifier that they ask for, of these images.
  nn::ImageClassifierDescription classifier_of(const datasets::Data& data) const;
};

}  // namespace rill::tools
