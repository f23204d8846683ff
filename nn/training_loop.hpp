// The training loop: loss, gradients, clipping, optimizer, EMA, and a state that resumes bit for bit.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "autodiff/description.hpp"
#include "autodiff/tensor.hpp"
#include "nn/ema.hpp"
#include "nn/learning_rate.hpp"
#include "nn/named_tensor.hpp"
#include "nn/optimizer.hpp"

namespace rill::nn {

struct TrainingOptions {
  OptimizerDescription optimizer;
  LearningRate learning_rate;  ///< overrides optimizer.learning_rate
  double clip_norm = 0;        ///< largest global norm of the gradient; 0 for no limit
  double ema_decay = 0;        ///< of the weights' average; 0 for none

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    OptimizerDescription::visit_fields(self.optimizer, visit);
    LearningRate::visit_fields(self.learning_rate, visit);
    visit("clip_norm", self.clip_norm, {.unit = "NORM", .help = "largest norm of the gradient; 0 for no limit"});
    visit("ema", self.ema_decay, {.unit = "DECAY", .help = "of the moving average of the weights; 0 for none"});
  }
};

/// The result of a step.
struct StepReport {
  Index step;  ///< counted from 1
  double loss, gradient_norm, learning_rate;
};

/// The loss or the gradient became NaN or infinite. Raised before the weights are touched.
class DivergedError : public std::runtime_error {
 public:
  DivergedError(Index step, double loss, double gradient_norm);
};

/// The part that all training loops share. A derived class defines the loss of a step.
class TrainingLoop {
 public:
  virtual ~TrainingLoop() = default;
  TrainingLoop(const TrainingLoop&) = delete;
  TrainingLoop& operator=(const TrainingLoop&) = delete;

  /// One optimization step. It first clears all gradients, such as those left by a step that threw.
  /// Throws DivergedError, and what loss() throws; then nothing has changed, and the next call repeats the step.
  StepReport step();

  Index steps_done() const { return steps_done_; }
  /// Null when ema_decay is 0.
  Ema* ema() & { return ema_ ? &*ema_ : nullptr; }

  /// The mean loss of the steps since the last call; NaN when there were none. Survives save() and load().
  double take_mean_loss();

  /// Atomically writes everything that training depends on to one file: weights, average, optimizer, step.
  /// `metadata` is saved with it. Throws FileError, and std::invalid_argument for metadata with the key "step",
  /// "loss_sum" or "loss_count", which the loop uses.
  void save(const std::string& file, const std::map<std::string, std::string>& metadata = {}) const;
  /// Continues from a saved file, bit for bit. Returns the metadata that save() was given. First calls check() with
  /// them, which may throw: it knows better than a tensor's shape why the file does not fit. Throws FileError, naming
  /// the file and the tensor, before anything changes, if the file does not fit this model and optimizer, or holds NaN
  /// or infinite weights.
  std::map<std::string, std::string> load(
      const std::string& file, const std::function<void(const std::map<std::string, std::string>&)>& check = {});

 protected:
  /// Throws std::invalid_argument for invalid options, and for parameters that distinct() rejects
  /// (nn/named_tensor.hpp).
  TrainingLoop(const NamedTensors& parameters, const TrainingOptions& options);

  /// The loss, a scalar, of step 0, 1, 2, ... It must depend only on the parameters and the step: its random numbers
  /// come from streams that the step determines.
  virtual Tensor loss(Index step) = 0;

 private:
  LearningRate learning_rate_;
  double clip_norm_;
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<Ema> ema_;
  Index steps_done_ = 0;
  double loss_sum_ = 0;  // since take_mean_loss()
  Index loss_count_ = 0;
};

}  // namespace rill::nn
