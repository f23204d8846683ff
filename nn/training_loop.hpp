// The training loop: loss, gradients, clipping, optimizer, average, and a state that resumes bit for bit.
#pragma once

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
  LearningRate learning_rate;  ///< takes the place of optimizer.learning_rate
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

/// What a step did.
struct StepReport {
  Index step;  ///< counted from 1
  double loss, gradient_norm, learning_rate;
};

/// The loss or the gradient became NaN or infinite. Raised before the weights are touched.
class DivergedError : public std::runtime_error {
 public:
  DivergedError(Index step, double loss, double gradient_norm);
};

/// What all trainings share. One that derives from it says what the loss of a step is.
class TrainingLoop {
 public:
  virtual ~TrainingLoop() = default;
  TrainingLoop(const TrainingLoop&) = delete;
  TrainingLoop& operator=(const TrainingLoop&) = delete;

  /// One optimization step, from no gradients: what was left by a step that threw, or by anyone else, is dropped.
  /// Throws DivergedError, and what loss() throws; nothing has then changed and the next call does the same step.
  StepReport step();

  Index steps_done() const { return steps_done_; }
  /// Null when ema_decay is 0.
  Ema* ema() & { return ema_ ? &*ema_ : nullptr; }

  /// The mean loss of the steps since the last call; NaN when there were none. Survives save() and load().
  double take_mean_loss();

  /// Writes everything that training depends on to one file, at once: weights, average, optimizer, step.
  /// `metadata` is kept with it. Throws FileError, and std::invalid_argument for metadata with the key "step",
  /// "loss_sum" or "loss_count", which hold the loop's own.
  void save(const std::string& file, const std::map<std::string, std::string>& metadata = {}) const;
  /// Continues from a saved file, bit for bit. Returns the metadata that save() was given. Throws FileError, naming
  /// file and tensor, when it does not belong to this model and optimizer, or holds weights that are NaN or infinite;
  /// the loop must then not be used.
  std::map<std::string, std::string> load(const std::string& file);

 protected:
  /// Throws std::invalid_argument for options that make no sense, and for parameters that distinct() refuses
  /// (nn/named_tensor.hpp).
  TrainingLoop(const NamedTensors& parameters, const TrainingOptions& options);

  /// The loss, a scalar, of step 0, 1, 2, ... It depends on the parameters and the step alone: whatever is random in it
  /// comes from streams that the step chooses.
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
