// The training loop: one step is data, noise, times, path, loss, gradients, optimizer and average.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>

#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"
#include "flow/ahead.hpp"
#include "flow/example.hpp"
#include "flow/path.hpp"
#include "nn/ema.hpp"
#include "nn/learning_rate.hpp"
#include "nn/optimizer.hpp"
#include "nn/velocity_model.hpp"

namespace rill::flow {

struct TrainerOptions {
  std::uint64_t seed = 0;
  ExampleOptions examples;  ///< no_class is the model's
  nn::OptimizerDescription optimizer;
  nn::LearningRate learning_rate;  ///< takes the place of optimizer.learning_rate
  double clip_norm = 0;            ///< largest global norm of the gradient; 0 for no limit
  double ema_decay = 0;            ///< of the weights' average; 0 for none
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

class Trainer {
 public:
  /// The model must outlive the trainer. Throws std::invalid_argument for options that make no sense.
  Trainer(nn::VelocityModel& model, BatchSource source, const TrainerOptions& options);

  /// One optimization step. Everything random in step k is drawn from stream k of the seed. Where examples take time
  /// to make, which is when they are coupled, and there is more than one thread, those of the next steps are made
  /// ahead by threads of their own; the steps are the same.
  StepReport step();

  Index steps_done() const { return steps_done_; }
  const TrainerOptions& options() const { return options_; }
  const ExampleMaker& examples() const { return examples_; }
  /// Null when ema_decay is 0.
  nn::Ema* ema() { return ema_ ? &*ema_ : nullptr; }

  /// The mean loss of the steps since the last call; NaN when there were none. Survives save() and load().
  double take_mean_loss();

  /// Writes everything that training depends on to one file, at once: weights, average, optimizer, step.
  /// `metadata` is kept with it. Throws FileError.
  void save(const std::string& file, const std::map<std::string, std::string>& metadata = {}) const;
  /// Continues from a saved file, bit for bit. Returns the metadata. Throws FileError, naming file and tensor, when it
  /// does not belong to this model and optimizer; the trainer must then not be used.
  std::map<std::string, std::string> load(const std::string& file);

 private:
  Example make_example(Index step);

  nn::VelocityModel& model_;
  BatchSource source_;
  std::mutex source_mutex_;
  TrainerOptions options_;
  ExampleMaker examples_;
  nn::NamedTensors parameters_;
  std::unique_ptr<nn::Optimizer> optimizer_;
  std::optional<nn::Ema> ema_;
  Index steps_done_ = 0;
  double loss_sum_ = 0;  // since take_mean_loss()
  Index loss_count_ = 0;
  std::unique_ptr<Ahead<Example>> ahead_;  // null until there is a use for it; uses what stands above
};

/// The loss of a model on `samples` points of the source, on examples made as in training but at uniform times and with
/// every label; no graph. The mean over batches of equal size, so `samples` is rounded up to whole batches.
/// Random numbers come from streams of `seed` that no training step uses.
double held_out_loss(const nn::VelocityModel& model, const ExampleOptions& examples, const BatchSource& source,
                     Index samples, std::uint64_t seed);

}  // namespace rill::flow
