#include "nn/training_loop.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"
#include "nn/clipping.hpp"
#include "nn/safetensors.hpp"

namespace rill::nn {
namespace {

// The keys that save() adds to the metadata.
constexpr const char* kStep = "step";
constexpr const char* kLossSum = "loss_sum";
constexpr const char* kLossCount = "loss_count";

template <class T>
T take_number(std::map<std::string, std::string>& metadata, const char* key, const std::string& file) {
  const auto entry = metadata.find(key);
  require_file(entry != metadata.end(), file, "the metadata has no '", key,
               "'; this is not the state of a training run");
  T value{};
  const std::string& text = entry->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require_file(error == std::errc{} && end == text.data() + text.size(), file, "the metadata's '", key,
               "' should be a number, found '", text, "'");
  metadata.erase(entry);
  return value;
}

}  // namespace

DivergedError::DivergedError(Index step, double loss, double gradient_norm)
    : std::runtime_error(
          concat("training diverged at step ", step, ": loss ", loss, ", gradient norm ", gradient_norm)) {}

TrainingLoop::TrainingLoop(const NamedTensors& parameters, const TrainingOptions& options)
    : learning_rate_(options.learning_rate),
      clip_norm_(options.clip_norm),
      optimizer_(make_optimizer(options.optimizer, parameters)) {
  learning_rate_.check();
  require(clip_norm_ >= 0, "clip_norm: expected 0 (no limit) or more, got ", clip_norm_);
  if (options.ema_decay != 0) ema_.emplace(optimizer_->parameters(), options.ema_decay);
}

StepReport TrainingLoop::step() {
  optimizer_->clear_grad();
  const Tensor loss_now = loss(steps_done_);
  loss_now.backward();

  const double norm = gradient_norm(optimizer_->parameters()), value = static_cast<double>(loss_now.item());
  if (!std::isfinite(value) || !std::isfinite(norm)) throw DivergedError(steps_done_ + 1, value, norm);
  const double scale = clip_norm_ > 0 ? clip_scale(norm, clip_norm_) : 1;
  // Optimizers square gradients, which must not overflow.
  const double largest = std::sqrt(static_cast<double>(std::numeric_limits<Real>::max()));
  if (scale * norm > largest) throw DivergedError(steps_done_ + 1, value, norm);
  optimizer_->set_learning_rate(learning_rate_.at(steps_done_));
  optimizer_->step(scale, ema());
  optimizer_->clear_grad();

  ++steps_done_;
  loss_sum_ += value;
  ++loss_count_;
  return {.step = steps_done_, .loss = value, .gradient_norm = norm, .learning_rate = optimizer_->learning_rate()};
}

double TrainingLoop::take_mean_loss() {
  const double mean =
      loss_count_ > 0 ? loss_sum_ / static_cast<double>(loss_count_) : std::numeric_limits<double>::quiet_NaN();
  loss_sum_ = 0;
  loss_count_ = 0;
  return mean;
}

void TrainingLoop::save(const std::string& file, const std::map<std::string, std::string>& metadata) const {
  SafeTensors contents{.tensors = add_prefix("model.", optimizer_->parameters()), .metadata = metadata};
  const auto describe = [&](const char* key, std::string value) {
    require(contents.metadata.emplace(key, std::move(value)).second, "save: the metadata key '", key,
            "' is reserved; choose another");
  };
  const auto append = [&](const NamedTensors& more) {
    contents.tensors.insert(contents.tensors.end(), more.begin(), more.end());
  };
  if (ema_) append(add_prefix("ema.", ema_->averages()));
  append(add_prefix("optimizer.", optimizer_->state()));
  describe(kStep, std::to_string(steps_done_));
  describe(kLossSum, exact(loss_sum_));
  describe(kLossCount, std::to_string(loss_count_));
  save_safetensors(file, contents);
}

std::map<std::string, std::string> TrainingLoop::load(
    const std::string& file, const std::function<void(const std::map<std::string, std::string>&)>& check) {
  SafeTensors contents = load_safetensors(file);
  if (check) check(contents.metadata);
  const auto step = take_number<Index>(contents.metadata, kStep, file);
  const auto loss_sum = take_number<double>(contents.metadata, kLossSum, file);
  const auto loss_count = take_number<Index>(contents.metadata, kLossCount, file);
  require_file(step >= 0 && loss_count >= 0 && loss_count <= step, file, "the metadata has ", step, " steps and ",
               loss_count, " losses since the last report");
  require_file(std::isfinite(loss_sum), file, "the metadata's '", kLossSum, "' is ", loss_sum,
               ", expected a finite number");
  require_finite(contents.tensors, file);

  // Everything is checked before anything changes.
  const NamedTensors weights = take_prefix("model.", contents.tensors),
                     averages = take_prefix("ema.", contents.tensors);
  require_file(ema_ || averages.empty(), file, "holds an average of the weights, but ema_decay is 0");
  require_matching(optimizer_->parameters(), weights, file);
  if (ema_) require_matching(ema_->averages(), averages, file);
  optimizer_->load_state(take_prefix("optimizer.", contents.tensors), step, file);
  if (ema_) ema_->load_state(averages, step, file);
  assign(optimizer_->parameters(), weights, file);
  steps_done_ = step;
  loss_sum_ = loss_sum;
  loss_count_ = loss_count;
  return std::move(contents.metadata);
}

}  // namespace rill::nn
