#include "flow/trainer.hpp"

#include <charconv>
#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/parallel.hpp"
#include "flow/loss.hpp"
#include "nn/clipping.hpp"
#include "nn/safetensors.hpp"

namespace rill::flow {
namespace {

// Streams of the seed: training steps count up from 0, held-out batches from here. Shuffles of data and initial weights
// have streams of their own (datasets/batches.hpp, tools).
constexpr std::uint64_t kHeldOutStream = std::uint64_t{1} << 61;

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

// A double as text that reads back to the same bits.
std::string to_text(double value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return std::string(text, end);
}

template <class T>
T number_at(const std::map<std::string, std::string>& metadata, const char* key, const std::string& file) {
  const auto entry = metadata.find(key);
  require_file(entry != metadata.end(), file, "the metadata has no '", key,
               "'; this is not the state of a training run");
  T value{};
  const std::string& text = entry->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require_file(error == std::errc{} && end == text.data() + text.size(), file, "the metadata's '", key,
               "' should be a number, found '", text, "'");
  return value;
}

}  // namespace

DivergedError::DivergedError(Index step, double loss, double gradient_norm)
    : std::runtime_error(
          concat("training diverged at step ", step, ": loss ", loss, ", gradient norm ", gradient_norm)) {}

Trainer::Trainer(nn::VelocityModel& model, BatchSource source, const TrainerOptions& options)
    : model_(model),
      source_(std::move(source)),
      options_(options),
      examples_(with_no_class(options.examples, model)),
      parameters_(model.named_parameters()),
      optimizer_(nn::make_optimizer(options.optimizer, parameters_)) {
  options_.learning_rate.check();
  require_bridge_for_score(model_, examples_.path());
  require(options_.clip_norm >= 0, "clip_norm: expected 0 (no limit) or more, got ", options_.clip_norm);
  if (options_.ema_decay != 0) ema_.emplace(parameters_, options_.ema_decay);
}

Example Trainer::make_example(Index step) {
  Generator rng(options_.seed, static_cast<std::uint64_t>(step));
  std::unique_lock lock(source_mutex_);
  const Batch batch = source_(step, rng);
  lock.unlock();
  return examples_.make(batch, rng);
}

StepReport Trainer::step() {
  const bool worth_it = options_.examples.coupling.name != "independent" && thread_count() > 1;
  if (worth_it && !ahead_) {
    ahead_ = std::make_unique<Ahead<Example>>([this](Index step) { return make_example(step); }, steps_done_,
                                              thread_count());
  }
  const Tensor loss = flow_loss(model_, examples_.path(), ahead_ ? ahead_->take() : make_example(steps_done_));
  loss.backward();

  const double norm = nn::gradient_norm(parameters_), value = static_cast<double>(loss.item());
  if (!std::isfinite(value) || !std::isfinite(norm)) throw DivergedError(steps_done_ + 1, value, norm);
  optimizer_->set_learning_rate(options_.learning_rate.at(steps_done_));
  optimizer_->step(options_.clip_norm > 0 ? nn::clip_scale(norm, options_.clip_norm) : 1, ema());
  optimizer_->clear_grad();

  ++steps_done_;
  loss_sum_ += value;
  ++loss_count_;
  return {.step = steps_done_, .loss = value, .gradient_norm = norm, .learning_rate = optimizer_->learning_rate()};
}

double Trainer::take_mean_loss() {
  const double mean =
      loss_count_ > 0 ? loss_sum_ / static_cast<double>(loss_count_) : std::numeric_limits<double>::quiet_NaN();
  loss_sum_ = 0;
  loss_count_ = 0;
  return mean;
}

void Trainer::save(const std::string& file, const std::map<std::string, std::string>& metadata) const {
  nn::SafeTensors contents{.tensors = nn::add_prefix("model.", parameters_), .metadata = metadata};
  const auto append = [&](const nn::NamedTensors& more) {
    contents.tensors.insert(contents.tensors.end(), more.begin(), more.end());
  };
  if (ema_) append(nn::add_prefix("ema.", ema_->averages()));
  append(nn::add_prefix("optimizer.", optimizer_->state()));
  contents.metadata["step"] = std::to_string(steps_done_);
  contents.metadata["loss_sum"] = to_text(loss_sum_);
  contents.metadata["loss_count"] = std::to_string(loss_count_);
  nn::save_safetensors(file, contents);
}

std::map<std::string, std::string> Trainer::load(const std::string& file) {
  nn::SafeTensors contents = nn::load_safetensors(file);
  ahead_.reset();  // what was made ahead belongs to other steps
  const auto step = number_at<Index>(contents.metadata, "step", file);
  loss_sum_ = number_at<double>(contents.metadata, "loss_sum", file);
  loss_count_ = number_at<Index>(contents.metadata, "loss_count", file);
  require_file(step >= 0 && loss_count_ >= 0, file, "the metadata counts ", step, " steps, ", loss_count_, " losses");

  nn::assign(parameters_, nn::take_prefix("model.", contents.tensors), file);
  const nn::NamedTensors averages = nn::take_prefix("ema.", contents.tensors);
  require_file(ema_ || averages.empty(), file, "holds an average of the weights, but ema_decay is 0");
  if (ema_) ema_->load_state(averages, step, file);
  optimizer_->load_state(nn::take_prefix("optimizer.", contents.tensors), step, file);
  steps_done_ = step;
  return std::move(contents.metadata);
}

double held_out_loss(const nn::VelocityModel& model, const ExampleOptions& examples, const BatchSource& source,
                     Index samples, std::uint64_t seed) {
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
    const Batch batch = source(batches, rng);
    require(batch.x_1.dim(0) > 0, "held_out_loss: the source gave an empty batch");
    total += static_cast<double>(flow_loss(model, maker.path(), maker.make(batch, rng)).item());
    drawn += batch.x_1.dim(0);
    ++batches;
  }
  return batches > 0 ? total / static_cast<double>(batches) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace rill::flow
