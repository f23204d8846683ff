#include "tools/training_task.hpp"

#include <algorithm>
#include <functional>
#include <iostream>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"
#include "flow/model/classifier.hpp"
#include "flow/model/reflow.hpp"
#include "flow/model/trainer.hpp"
#include "flow/transport/assignment.hpp"
#include "nn/checkpoint.hpp"
#include "nn/init.hpp"
#include "nn/model.hpp"
#include "tools/cli/text.hpp"
#include "tools/image_measurements.hpp"
#include "tools/memory_limit.hpp"
#include "tools/plot/png.hpp"
#include "tools/reflow_pairs.hpp"
#include "tools/sampling.hpp"

namespace rill::tools {
namespace {

// The initial weights' stream of the seed; steps, held-out batches and shuffles have others (flow/model/trainer.cpp,
// datasets/batches.hpp).
constexpr std::uint64_t kWeightsStream = std::uint64_t{1} << 60;

// "32-64-128"
std::string sizes_text(const std::vector<Index>& sizes) {
  std::vector<std::string> texts;
  for (const Index size : sizes) texts.push_back(std::to_string(size));
  return joined(texts, "-");
}

std::string network_text(const nn::ModelDescription& model) {
  const std::string time = concat(", ", model.time_embedding, " time");
  if (model.kind == "dit") {
    const nn::DitDescription& dit = model.dit;
    return concat("dit of ", dit.blocks, " blocks, ", dit.width, " wide, patches of ", dit.patch, time);
  }
  if (model.kind == "unet") {
    std::vector<Index> channels = model.unet.multipliers;
    for (Index& factor : channels) factor *= model.unet.base_channels;
    const std::string patches = model.unet.patch > 1 ? concat(", patches of ", model.unet.patch) : "";
    return concat("unet ", sizes_text(channels), ", blocks ", model.unet.blocks, patches, ", ", model.activation, time);
  }
  return concat(model.kind, " ", sizes_text(model.hidden), ", ", model.activation, time);
}

std::string steps_text(const TrainSettings& settings) {
  const flow::TrainerOptions& trainer = settings.trainer;
  return concat(grouped(settings.steps), " steps of ", settings.batch, "; ", trainer.optimizer.kind, ", ",
                trainer.learning_rate.schedule, " learning rate ", exact(trainer.learning_rate.peak));
}

// What a person should know of the data, a line each.
std::string notes(const datasets::Data& data) {
  std::string lines;
  for (const std::string& remark : data.remarks()) lines += concat("note      ", remark, "\n");
  return lines;
}

// Calls use() while the network holds the average of its weights, where one is kept.
void with_average(nn::Ema* ema, const std::function<void()>& use) {
  if (ema == nullptr) return use();
  const nn::EmaScope averaged(*ema);
  use();
}

// Numbers that a network must keep of a point for its gradient, at least: of an image those of its first layer.
double units_kept(const nn::ModelDescription& model) {
  const auto pixels = static_cast<double>(model.image.height * model.image.width);
  if (model.kind == "unet") {
    return pixels * static_cast<double>(model.unet.base_channels) /
           static_cast<double>(model.unet.patch * model.unet.patch);
  }
  if (model.kind == "dit") {
    return pixels * static_cast<double>(model.dit.width) / static_cast<double>(model.dit.patch * model.dit.patch);
  }
  return static_cast<double>(std::accumulate(model.hidden.begin(), model.hidden.end(), Index{0}));
}

nn::ImageShape image_shape(const datasets::DataDescription& data) { return {data.height, data.width, 1}; }

class FlowTask final : public TrainingTask {
 public:
  explicit FlowTask(const TrainSettings& settings)
      : settings_(settings),
        teacher_(settings.reflow.run.empty() ? std::nullopt : std::optional(load_trained_model(settings.reflow.run))),
        flow_(describe_flow()),
        data_(datasets::open_data(flow_.data)),
        description_(describe_model()),
        model_(make_model()),
        trainer_(*model_, batches(), trainer_options()) {
    flow_.data = data_->description();
    require_fits("batch", settings.batch, numbers_of_step(settings.batch));
    if (teacher_) {
      require_fits("pairs", settings.reflow.pairs,
                   2 * static_cast<double>(settings.reflow.pairs) * static_cast<double>(data_->dimension()));
    }
    // Refuses a guidance that the teacher was not trained for, while there is no folder yet.
    if (teacher_) settings.reflow.sampling().model(*teacher_);
  }

  void prepare(const RunFiles& files) override {
    if (!teacher_) return;
    const std::uint64_t seed = settings_.trainer.seed;
    pairs_ = flow::batches_of(reflow_pairs(settings_.reflow, *teacher_, seed, files.pairs), settings_.batch, seed);
  }

  nn::TrainingLoop& loop() override { return trainer_; }

  std::string text() const override {
    const flow::ExampleOptions& examples = settings_.trainer.examples;
    const ReflowSettings& reflow = settings_.reflow;
    const std::string data = teacher_ ? concat(grouped(reflow.pairs), " pairs made by ", reflow.run, ", ",
                                               reflow.sampling().solver_text(), ", guidance ", exact(reflow.guidance))
                                      : concat(flow_.data.text(), ": ", data_->size_text());
    const std::string source =
        flow_.source ? concat("source    ", flow_.source->text(), "\n", notes(*datasets::open_data(*flow_.source)))
                     : "";
    return concat("data      ", data, "\n", teacher_ ? "" : notes(*data_), source, "model     ",
                  network_text(description_), "; ", grouped(model_->parameter_count()), " parameters\n", "training  ",
                  steps_text(settings_), "; ", examples.times.distribution, " times, ", examples.path.name, " path, ",
                  examples.coupling.name, " coupling; seed ", settings_.trainer.seed, "\n");
  }

  nn::Metadata identity() const override {
    nn::Metadata identity = run_identity(flow_, description_, settings_.trainer.seed);
    identity["run.task"] = teacher_ ? "reflow" : "flow";
    return identity;
  }

  void save_model(const std::string& file) override {
    nn::save_model(file, description_, *model_, trainer_.ema(), model_metadata(flow_));
  }

  void draw_samples(const std::string& file) override {
    const TrainedModel trained{description_, model_, flow_};
    if (!has_picture(trained)) return;
    SampleRequest request;
    request.seed = settings_.trainer.seed;
    for (Index label = 0; label < description_.classes; ++label) request.labels.push_back(label);
    if (flow_.data.kind == "images") request.count = 10;
    with_average(trainer_.ema(), [&] {
      write_png(file, sample_picture(trained, tools::draw_samples(trained, request), data_.get(), request.seed));
    });
  }

  void finish(const RunFiles& files) override { draw_samples(files.samples); }

 private:
  // That a step holds at once, at least: x_0, x_1, x_t, dx_t and what the network keeps of each, and the costs of all
  // pairs where they are needed.
  double numbers_of_step(Index batch) const {
    const double points = static_cast<double>(batch), dimension = static_cast<double>(data_->dimension());
    const std::string& coupling = flow_.coupling.name;
    const bool matrix = coupling == "entropic" || (coupling == "ot" && data_->dimension() > flow::kDirectDimension);
    const double pairs = points * points / static_cast<double>(std::max<Index>(1, description_.classes));
    return points * (4 * dimension + units_kept(description_)) + (matrix ? pairs : 0);
  }

  FlowDescription describe_flow() const {
    if (!teacher_) return settings_.flow_description();
    const flow::ExampleOptions& examples = settings_.trainer.examples;
    return {examples.path, examples.coupling, examples.label_dropout, teacher_->flow.data, teacher_->flow.source};
  }

  nn::ModelDescription describe_model() const {
    if (teacher_) return teacher_->description;
    const datasets::DataDescription& data = data_->description();
    return settings_.network.model(data_->dimension(), image_shape(data), data.classes);
  }

  // A reflow goes on from the weights' average of the run that it learns from.
  std::shared_ptr<nn::VelocityModel> make_model() const {
    if (teacher_) return teacher_->model;
    Generator rng(settings_.trainer.seed, kWeightsStream);
    return nn::make_model(description_, rng);
  }

  datasets::BatchSource batches() {
    if (!teacher_) return data_->batches(settings_.batch, settings_.trainer.seed, settings_.augmentation);
    return [this](Index step, Generator& rng) { return pairs_(step, rng); };
  }

  flow::TrainerOptions trainer_options() const {
    flow::TrainerOptions options = settings_.trainer;
    options.examples.source = flow_.examples(data_->dimension()).source;
    return options;
  }

  const TrainSettings& settings_;
  std::optional<TrainedModel> teacher_;  // of a reflow
  FlowDescription flow_;
  std::unique_ptr<datasets::Data> data_;
  nn::ModelDescription description_;
  std::shared_ptr<nn::VelocityModel> model_;
  datasets::BatchSource pairs_;  // of a reflow
  flow::Trainer trainer_;
};

class ClassifierTask final : public TrainingTask {
 public:
  explicit ClassifierTask(const TrainSettings& settings)
      : settings_(settings),
        data_(datasets::open_data(settings.flow_description().data)),
        test_images_(
            datasets::load_images(data_->description().source, datasets::Split::kTest, data_->description().classes)),
        classifier_(make_classifier()),
        trainer_(*classifier_, data_->batches(settings.batch, settings.trainer.seed, settings.augmentation),
                 settings.trainer, settings.trainer.seed) {
    const auto pixels = static_cast<double>(data_->dimension());
    require_fits(
        "batch", settings.batch,
        static_cast<double>(settings.batch) * pixels * (1 + static_cast<double>(settings.network.channels.front())));
  }

  nn::TrainingLoop& loop() override { return trainer_; }

  std::string text() const override {
    return concat("data      ", data_->description().text(), ": ", data_->size_text(), "\n", "model     ",
                  "classifier ", sizes_text(settings_.network.channels), ", ", settings_.network.activation, "; ",
                  grouped(classifier_->parameter_count()), " parameters\n", "training  ", steps_text(settings_),
                  "; seed ", settings_.trainer.seed, "\n");
  }

  nn::Metadata identity() const override {
    return run_identity(data_->description(), to_json(classifier_->description()), settings_.trainer.seed);
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
    const datasets::DataDescription& data = data_->description();
    Generator rng(settings_.trainer.seed, kWeightsStream);
    return std::make_shared<nn::ImageClassifier>(settings_.network.classifier(image_shape(data), data.classes), rng);
  }

  void save(const std::string& file, nn::Metadata metadata) {
    metadata.merge(classifier_metadata(data_->description()));
    nn::save_classifier(file, *classifier_, trainer_.ema(), std::move(metadata));
  }

  const TrainSettings& settings_;
  std::unique_ptr<datasets::Data> data_;
  datasets::Images test_images_;  // opened before training, which would otherwise be for nothing
  std::shared_ptr<nn::ImageClassifier> classifier_;
  flow::ClassifierTrainer trainer_;
};

}  // namespace

std::unique_ptr<TrainingTask> make_training_task(const TrainSettings& settings) {
  // Of every number a training keeps itself, its gradient, its average, and the optimizer's two.
  constexpr Index kMostTensors = 1'000'000, kNumbersKept = 5;
  const nn::BuildLimit limit(
      kMostTensors, static_cast<Index>(usable_memory()) / (kNumbersKept * static_cast<Index>(sizeof(Real))),
      "this machine's memory trains no more; make --hidden, or what else sizes the network, smaller");
  if (settings.network.is_classifier()) return std::make_unique<ClassifierTask>(settings);
  return std::make_unique<FlowTask>(settings);
}

}  // namespace rill::tools
