#include "tools/training_task.hpp"

#include <iostream>
#include <optional>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"
#include "flow/classifier.hpp"
#include "flow/trainer.hpp"
#include "nn/checkpoint.hpp"
#include "nn/model.hpp"
#include "tools/png.hpp"
#include "tools/sampling.hpp"
#include "tools/text.hpp"

namespace rill::tools {
namespace {

// The initial weights' stream of the seed; steps, held-out batches and shuffles have others (flow/trainer.cpp,
// datasets/batches.hpp).
constexpr std::uint64_t kWeightsStream = std::uint64_t{1} << 60;

// "32-64-128"
std::string sizes_text(const std::vector<Index>& sizes) {
  std::vector<std::string> texts;
  for (const Index size : sizes) texts.push_back(std::to_string(size));
  return joined(texts, "-");
}

std::string network_text(const NetworkSettings& network) {
  if (network.is_classifier()) return concat("classifier ", sizes_text(network.channels), ", ", network.activation);
  const std::string time = concat(", ", network.time_embedding, " time");
  if (network.kind == "dit") {
    return concat("dit of ", network.blocks, " blocks, ", network.width, " wide, patches of ", network.patch, time);
  }
  if (network.kind == "unet") {
    std::vector<Index> channels;
    for (const Index factor : network.multipliers) channels.push_back(factor * network.channels.front());
    return concat("unet ", sizes_text(channels), ", blocks ", network.blocks, network.patch > 1 ? ", patches of " : "",
                  network.patch > 1 ? std::to_string(network.patch) : "", ", ", network.activation, time);
  }
  return concat(network.kind, " ", sizes_text(network.hidden), ", ", network.activation, time);
}

std::string steps_text(const TrainSettings& settings) {
  const flow::TrainerOptions& trainer = settings.trainer;
  return concat(grouped(settings.steps), " steps of ", settings.batch, "; ", trainer.optimizer.kind, ", ",
                trainer.learning_rate.schedule, " learning rate ", trainer.learning_rate.peak);
}

nn::ImageShape image_shape(const DataDescription& data) { return {data.height, data.width, 1}; }

class FlowTask final : public TrainingTask {
 public:
  explicit FlowTask(const TrainSettings& settings)
      : settings_(settings),
        flow_(settings.flow_description()),
        data_(open_data(flow_.data)),
        description_(settings.network.model(data_->dimension(), image_shape(data_->description()),
                                            data_->description().classes)),
        model_(make_model()),
        trainer_(*model_, data_->batches(settings.batch, settings.trainer.seed, settings.augmentation),
                 trainer_options()) {
    flow_.data = data_->description();
  }

  nn::TrainingLoop& loop() override { return trainer_; }

  std::string text() const override {
    const flow::ExampleOptions& examples = settings_.trainer.examples;
    return concat("data      ", flow_.data.text(), ": ", data_->size_text(), "\n",
                  flow_.source ? concat("source    ", flow_.source->text(), "\n") : "", "model     ",
                  network_text(settings_.network), "; ", grouped(model_->parameter_count()), " parameters\n",
                  "training  ", steps_text(settings_), "; ", examples.times.distribution, " times, ",
                  examples.path.name, " path, ", examples.coupling.name, " coupling; seed ", settings_.trainer.seed,
                  "\n");
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
    std::optional<nn::EmaScope> averaged;
    if (trainer_.ema() != nullptr) averaged.emplace(*trainer_.ema());
    write_png(file, sample_picture(trained, tools::draw_samples(trained, request), request.seed));
  }

  void finish(const RunFiles& files) override { draw_samples(files.samples); }

 private:
  std::shared_ptr<nn::VelocityModel> make_model() const {
    Generator rng(settings_.trainer.seed, kWeightsStream);
    return nn::make_model(description_, rng);
  }

  flow::TrainerOptions trainer_options() const {
    flow::TrainerOptions options = settings_.trainer;
    options.examples.source = flow_.examples(data_->dimension()).source;
    return options;
  }

  const TrainSettings& settings_;
  FlowDescription flow_;
  std::unique_ptr<Data> data_;
  nn::ModelDescription description_;
  std::shared_ptr<nn::VelocityModel> model_;
  flow::Trainer trainer_;
};

class ClassifierTask final : public TrainingTask {
 public:
  explicit ClassifierTask(const TrainSettings& settings)
      : settings_(settings),
        data_(open_data(settings.flow_description().data)),
        classifier_(make_classifier()),
        trainer_(*classifier_, data_->batches(settings.batch, settings.trainer.seed, settings.augmentation),
                 settings.trainer, settings.trainer.seed) {}

  nn::TrainingLoop& loop() override { return trainer_; }

  std::string text() const override {
    return concat("data      ", data_->description().text(), ": ", data_->size_text(), "\n", "model     ",
                  network_text(settings_.network), "; ", grouped(classifier_->parameter_count()), " parameters\n",
                  "training  ", steps_text(settings_), "; seed ", settings_.trainer.seed, "\n");
  }

  void save_model(const std::string& file) override { save(file, {}); }
  void draw_samples(const std::string&) override {}

  void finish(const RunFiles& files) override {
    const DataDescription& data = data_->description();
    const datasets::Images images = datasets::load_images(data.source, Split::kTest, data.classes);
    std::optional<nn::EmaScope> averaged;
    if (trainer_.ema() != nullptr) averaged.emplace(*trainer_.ema());
    const flow::Estimate accuracy = test_accuracy(*classifier_, images);
    averaged.reset();
    std::cerr << "test accuracy " << significant(100 * accuracy.value, 4) << " % of " << grouped(images.size())
              << " images" << std::endl;
    save(files.model, {{kTestAccuracyKey, exact(accuracy.value)}});
  }

 private:
  std::shared_ptr<nn::ImageClassifier> make_classifier() const {
    const DataDescription& data = data_->description();
    Generator rng(settings_.trainer.seed, kWeightsStream);
    return std::make_shared<nn::ImageClassifier>(settings_.network.classifier(image_shape(data), data.classes), rng);
  }

  void save(const std::string& file, nn::Metadata metadata) {
    metadata.merge(classifier_metadata(data_->description()));
    nn::save_classifier(file, *classifier_, trainer_.ema(), std::move(metadata));
  }

  const TrainSettings& settings_;
  std::unique_ptr<Data> data_;
  std::shared_ptr<nn::ImageClassifier> classifier_;
  flow::ClassifierTrainer trainer_;
};

}  // namespace

std::unique_ptr<TrainingTask> make_training_task(const TrainSettings& settings) {
  if (settings.network.is_classifier()) return std::make_unique<ClassifierTask>(settings);
  return std::make_unique<FlowTask>(settings);
}

}  // namespace rill::tools
