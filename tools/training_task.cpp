#include "tools/training_task.hpp"

#include <algorithm>
#include <functional>
#include <iostream>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/random_streams.hpp"
#include "autodiff/summary.hpp"
#include "autodiff/text.hpp"
#include "datasets/data.hpp"
#include "flow/model/flow_matching.hpp"
#include "flow/model/model_file.hpp"
#include "flow/model/reflow.hpp"
#include "nn/checkpoint.hpp"
#include "nn/classification.hpp"
#include "nn/init.hpp"
#include "nn/trainer.hpp"
#include "tools/cli/text.hpp"
#include "tools/image_measurements.hpp"
#include "tools/memory_limit.hpp"
#include "tools/plot/png.hpp"
#include "tools/reflow_pairs.hpp"
#include "tools/sampling.hpp"

namespace rill::tools {
namespace {

// `model` describes the training of the model beyond the optimizer, if there is more.
std::string training_text(const TrainSettings& settings, const std::string& model) {
  return concat("training  ", counted(settings.steps, "step"), " of ", settings.batch, "; ", model,
                model.empty() ? "" : "; ", summary(settings.trainer), "\n");
}

// The remarks on the data, one per line.
std::string notes(const datasets::Data& data) {
  std::string lines;
  for (const std::string& remark : data.remarks()) lines += concat("note      ", remark, "\n");
  return lines;
}

// Calls use() while the network holds the average of its weights, if there is one.
void with_average(nn::Ema* ema, const std::function<void()>& use) {
  if (ema == nullptr) return use();
  const nn::EmaScope averaged(*ema);
  use();
}

// A model that is trained on data or on the pairs of another flow.
class ModelTask final : public TrainingTask {
 public:
  explicit ModelTask(const TrainSettings& settings)
      : settings_(settings),
        teacher_(settings.reflow.run.empty() ? std::nullopt : std::optional(load_trained_model(settings.reflow.run))),
        data_(datasets::open_data(teacher_ ? teacher_->data : settings.data_description())),
        trained_{make_model(), data_->description()},
        trainer_(trained_.model->trainer(batches(), settings.trainer)) {
    require_fits("batch", settings.batch, trained_.model->numbers_of_step(settings.batch));
    if (teacher_) {
      require_fits("pairs", settings.reflow.pairs,
                   2 * static_cast<double>(settings.reflow.pairs) * static_cast<double>(data_->dimension()));
    }
    // Refuses guidance that the teacher was not trained for, before the folder is made.
    if (teacher_) settings.reflow.sampling().dynamics(*teacher_->model);
  }

  void prepare(const RunFiles& files) override {
    if (!teacher_) return;
    const std::uint64_t seed = settings_.trainer.seed;
    pairs_ = flow::batches_of(reflow_pairs(settings_.reflow, *teacher_, seed, files.pairs), settings_.batch, seed);
  }

  nn::TrainingLoop& loop() override { return *trainer_; }

  std::string text() const override {
    const ReflowSettings& reflow = settings_.reflow;
    const std::string data =
        teacher_ ? concat(grouped(reflow.pairs), " pairs made by ", reflow.run, ", ",
                          reflow.sampling().solver_text(*teacher_->model), ", guidance ", exact(reflow.guidance))
                 : concat(trained_.data.text(), ": ", data_->size_text());
    const flow::GenerativeModel& model = *trained_.model;
    const std::unique_ptr<datasets::Data> source = model.source() ? datasets::open_data(*model.source()) : nullptr;
    return concat("data      ", data, "\n", teacher_ ? "" : notes(*data_),
                  source ? concat("source    ", source->description().text(), "\n", notes(*source)) : "", "model     ",
                  model.network_text(), "; ", grouped(model.module().parameter_count()), " parameters\n",
                  training_text(settings_, model.training_text()));
  }

  nn::Metadata identity() const override {
    nn::Metadata identity = run_identity(trained_.data, settings_.trainer.seed, trained_.model->identity());
    // Flows had no family in the states of old runs.
    const std::string family = trained_.model->family();
    identity["run.task"] = teacher_ ? "reflow" : family == flow::FlowMatching::kFamily ? "flow" : family;
    return identity;
  }

  void save_model(const std::string& file) override {
    flow::save_model(file, *trained_.model, trained_.data, trainer_->ema());
  }

  void draw_samples(const std::string& file) override {
    if (!has_picture(trained_)) return;
    SampleRequest request;
    request.seed = settings_.trainer.seed;
    for (Index label = 0; label < trained_.model->classes(); ++label) request.labels.push_back(label);
    request.count = default_count(trained_);
    with_average(trainer_->ema(), [&] {
      write_png(file, sample_picture(trained_, tools::draw_samples(trained_, request), data_.get(), request.seed));
    });
  }

  void finish(const RunFiles& files) override { draw_samples(files.samples); }

 private:
  std::shared_ptr<flow::GenerativeModel> make_model() const {
    if (!teacher_) {
      Generator rng(settings_.trainer.seed, streams::kWeights);
      return settings_.make_model(*data_, rng);
    }
    // A reflow starts from the averaged weights of its teacher.
    const auto* teacher = dynamic_cast<const flow::FlowMatching*>(teacher_->model.get());
    if (teacher == nullptr) {
      throw UsageError(concat("--reflow: straightens flows, but ", settings_.reflow.run,
                              " holds a model of the family ", teacher_->model->family()));
    }
    flow::FlowMatchingDescription description = settings_.family.of<flow::FlowMatchingDescription>();
    description.network = teacher->description().network;
    description.score = teacher->description().score;
    description.source = teacher->description().source;
    return std::make_shared<flow::FlowMatching>(*teacher, description);
  }

  datasets::BatchSource batches() {
    if (!teacher_) return data_->batches(settings_.batch, settings_.trainer.seed, settings_.augmentation);
    return [this](Index step, Generator& rng) { return pairs_(step, rng); };
  }

  const TrainSettings& settings_;
  std::optional<TrainedModel> teacher_;  // of a reflow
  std::unique_ptr<datasets::Data> data_;
  TrainedModel trained_;
  datasets::BatchSource pairs_;  // of a reflow
  std::unique_ptr<nn::TrainingLoop> trainer_;
};

class ClassifierTask final : public TrainingTask {
 public:
  explicit ClassifierTask(const TrainSettings& settings)
      : settings_(settings),
        data_(datasets::open_data(settings.data_description())),
        test_images_(
            datasets::load_images(data_->description().source, datasets::Split::kTest, data_->description().classes)),
        classifier_(make_classifier()),
        trainer_(classifier_->named_parameters(), nn::Classification(classifier_),
                 data_->batches(settings.batch, settings.trainer.seed, settings.augmentation), settings.trainer) {
    const auto pixels = static_cast<double>(data_->dimension());
    require_fits(
        "batch", settings.batch,
        static_cast<double>(settings.batch) * pixels * (1 + static_cast<double>(settings.classifier.channels.front())));
  }

  nn::TrainingLoop& loop() override { return trainer_; }

  std::string text() const override {
    return concat("data      ", data_->description().text(), ": ", data_->size_text(), "\n", "model     ",
                  summary(classifier_->description()), "; ", grouped(classifier_->parameter_count()), " parameters\n",
                  training_text(settings_, ""));
  }

  nn::Metadata identity() const override {
    return run_identity(data_->description(), settings_.trainer.seed,
                        {{"run.model", to_json(classifier_->description())}});
  }

  void save_model(const std::string& file) override { save(file, {}); }
  void draw_samples(const std::string&) override {}

  void finish(const RunFiles& files) override {
    flow::Estimate accuracy{};
    with_average(trainer_.ema(), [&] { accuracy = test_accuracy(*classifier_, test_images_); });
    save(files.model, {{kTestAccuracyKey, exact(accuracy.value)}});
    std::cerr << "test accuracy " << significant(100 * accuracy.value, 4) << " % of " << grouped(test_images_.size())
              << " images" << std::endl;
  }

 private:
  std::shared_ptr<nn::ImageClassifier> make_classifier() const {
    Generator rng(settings_.trainer.seed, streams::kWeights);
    return std::make_shared<nn::ImageClassifier>(settings_.classifier_of(*data_), rng);
  }

  void save(const std::string& file, nn::Metadata metadata) {
    metadata.merge(classifier_metadata(data_->description()));
    nn::save_classifier(file, *classifier_, trainer_.ema(), std::move(metadata));
  }

  const TrainSettings& settings_;
  std::unique_ptr<datasets::Data> data_;
  datasets::Images test_images_;  // opened before training, so that a missing file does not waste it
  std::shared_ptr<nn::ImageClassifier> classifier_;
  nn::Trainer<nn::Classification> trainer_;
};

}  // namespace

std::unique_ptr<TrainingTask> make_training_task(const TrainSettings& settings) {
  // For every weight, training keeps the weight, its gradient, its average, and two numbers of the optimizer.
  constexpr Index kMostTensors = 1'000'000, kNumbersKept = 5;
  const nn::BuildLimit limit(
      kMostTensors, static_cast<Index>(usable_memory()) / (kNumbersKept * static_cast<Index>(sizeof(Real))),
      "more does not fit into this machine's memory; make the network smaller, by --hidden or its other sizes");
  if (settings.is_classifier()) return std::make_unique<ClassifierTask>(settings);
  return std::make_unique<ModelTask>(settings);
}

}  // namespace rill::tools
