// Training a flow: the loss of a step is made of data, noise, times and the path.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"
#include "datasets/batch.hpp"
#include "flow/model/ahead.hpp"
#include "flow/path/example.hpp"
#include "flow/path/path.hpp"
#include "nn/training_loop.hpp"
#include "nn/velocity_model.hpp"

namespace rill::flow {

struct TrainerOptions : nn::TrainingOptions {
  std::uint64_t seed = 0;
  ExampleOptions examples;  ///< no_class is the model's
};

/// Everything random in step k is drawn from stream k of the seed, but for the dropout of the network (nn/dropout.hpp),
/// which has a stream of its own for every step. Where examples take time to make, which is when they are coupled, and
/// there is more than one thread, those of the next steps are made ahead by threads of their own; the steps are the
/// same.
class Trainer final : public nn::TrainingLoop {
 public:
  /// The model must outlive the trainer. Throws std::invalid_argument for options that make no sense.
  Trainer(nn::VelocityModel& model, datasets::BatchSource source, const TrainerOptions& options);

  const TrainerOptions& options() const& { return options_; }
  const TrainerOptions& options() const&& = delete;
  const ExampleMaker& examples() const& { return examples_; }
  const ExampleMaker& examples() const&& = delete;

 private:
  Tensor loss(Index step) override;
  Example make_example(Index step);

  nn::VelocityModel& model_;
  datasets::BatchSource source_;
  std::mutex source_mutex_;
  TrainerOptions options_;
  ExampleMaker examples_;
  Index next_ahead_ = 0;                   // the step whose example it gives next
  std::unique_ptr<Ahead<Example>> ahead_;  // null until there is a use for it; uses what stands above
};

/// The loss of a model on `samples` points of the source, on examples made as in training but at uniform times and with
/// every label; no graph. The mean over batches of equal size, so `samples` is rounded up to whole batches.
/// Random numbers come from streams of `seed` that no training step uses.
double held_out_loss(const nn::VelocityModel& model, const ExampleOptions& examples,
                     const datasets::BatchSource& source, Index samples, std::uint64_t seed);

}  // namespace rill::flow
