#include "flow/model/trainer.hpp"

#include <limits>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/parallel.hpp"
#include "flow/loss/loss.hpp"
#include "nn/dropout.hpp"

namespace rill::flow {
namespace {

// Streams of the seed: training steps count up from 0, held-out batches and the dropout of training steps from here.
// Shuffles of data, Brownian motion and initial weights have streams of their own (datasets/batches.hpp, brownian.cpp,
// tools).
constexpr std::uint64_t kHeldOutStream = std::uint64_t{1} << 61;
constexpr std::uint64_t kDropoutStream = std::uint64_t{5} << 60;

ExampleOptions with_no_class(ExampleOptions options, const nn::VelocityModel& model) {
  require(options.label_dropout == 0 || model.classes() > 0,
          "label_dropout: the model has no classes; train on labelled data, or leave it at 0");
  options.no_class = model.classes();
  return options;
}

// The loss that a model is trained on: velocity, and score where it learns one.
Tensor flow_loss(const nn::VelocityModel& model, const AffinePath& path, const Example& example) {
  // Two references fit into a Velocity; velocity_of() would put a copy of the labels on the heap in every step.
  const auto velocity = [&](const Tensor& x, const Tensor& t) { return model.forward(x, t, example.labels); };
  const Tensor loss = conditional_flow_matching_loss(velocity, example.sample);
  if (!model.has_score()) return loss;
  const auto drift = [&](const Tensor& x, const Tensor& t) { return model.score_drift(x, t, example.labels); };
  return loss + bridge_score_loss(drift, example.sample, path.noise().sigma);
}

void require_bridge_for_score(const nn::VelocityModel& model, const AffinePath& path) {
  require(!model.has_score() || path.noise().kind == PathNoise::kBridge,
          "a model that learns a score needs the path schroedinger-bridge, whose noise has one");
}

}  // namespace

Trainer::Trainer(nn::VelocityModel& model, datasets::BatchSource source, const TrainerOptions& options)
    : TrainingLoop(model.named_parameters(), options),
      model_(model),
      source_(std::move(source)),
      options_(options),
      examples_(with_no_class(options.examples, model)) {
  require_bridge_for_score(model_, examples_.path());
}

Example Trainer::make_example(Index step) {
  Generator rng(options_.seed, static_cast<std::uint64_t>(step));
  std::unique_lock lock(source_mutex_);
  const datasets::Batch batch = source_(step, rng);
  lock.unlock();
  return examples_.make(batch, rng);
}

Tensor Trainer::loss(Index step) {
  Generator dropout_rng(options_.seed, kDropoutStream + static_cast<std::uint64_t>(step));
  const nn::TrainingScope training(dropout_rng);
  const bool worth_it = options_.examples.coupling.name != "independent" && thread_count() > 1;
  if (!worth_it && !ahead_) return flow_loss(model_, examples_.path(), make_example(step));
  if (!ahead_ || step != next_ahead_) {  // the first step, or the first after load()
    ahead_.reset();
    ahead_ = std::make_unique<Ahead<Example>>([this](Index of) { return make_example(of); }, step, thread_count());
    next_ahead_ = step;
  }
  ++next_ahead_;
  return flow_loss(model_, examples_.path(), ahead_->take());
}

double held_out_loss(const nn::VelocityModel& model, const ExampleOptions& examples,
                     const datasets::BatchSource& source, Index samples, std::uint64_t seed) {
  const NoGrad no_grad;
  ExampleOptions options = examples;
  options.times = {};
  options.label_dropout = 0;
  const ExampleMaker maker(options);
  require_bridge_for_score(model, maker.path());
  double total = 0;
  Index drawn = 0, batches = 0;
  while (drawn < samples) {
    Generator rng(seed, kHeldOutStream + static_cast<std::uint64_t>(batches));
    const datasets::Batch batch = source(batches, rng);
    require(batch.x_1.dim(0) > 0, "held_out_loss: the source gave an empty batch");
    total += static_cast<double>(flow_loss(model, maker.path(), maker.make(batch, rng)).item());
    drawn += batch.x_1.dim(0);
    ++batches;
  }
  return batches > 0 ? total / static_cast<double>(batches) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace rill::flow
