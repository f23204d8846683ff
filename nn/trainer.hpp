// The trainer for all objectives: turns batches into examples and minimizes their loss.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>

#include "autodiff/description.hpp"
#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/random.hpp"
#include "autodiff/random_streams.hpp"
#include "autodiff/tensor.hpp"
#include "datasets/batch.hpp"
#include "nn/ahead.hpp"
#include "nn/dropout.hpp"
#include "nn/named_tensor.hpp"
#include "nn/training_loop.hpp"

namespace rill::nn {

/// What training minimizes, in two parts. make_example() turns a batch of data into a batch of examples: it draws all
/// random numbers, depends on no parameter, and may be called by several threads at once, ahead of the steps if
/// worth_making_ahead(). loss() is the network's part: a scalar with a graph. An objective that changes in the course
/// of training has a second one, loss(example, step).
template <class O>
concept Objective = requires(const O& objective, const datasets::Batch& batch, Generator& rng,
                             const typename O::Example& example) {
  { objective.make_example(batch, rng) } -> std::same_as<typename O::Example>;
  { objective.loss(example) } -> std::same_as<Tensor>;
  { objective.worth_making_ahead() } -> std::same_as<bool>;
};

struct TrainerOptions : TrainingOptions {
  std::uint64_t seed = 0;

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    TrainingOptions::visit_fields(self, visit);
    visit("seed", self.seed,
          {.unit = "NUMBER", .help = "fixes everything random: weights, data, noise, times", .summary = "; seed {}"});
  }
};

/// All random numbers of step k come from stream k of the seed, except for dropout (nn/dropout.hpp), which has a
/// separate stream for every step (autodiff/random_streams.hpp). If examples are worth making ahead and there are
/// several threads, separate threads make those of the next steps; the results are the same.
template <Objective O>
class Trainer final : public TrainingLoop {
 public:
  /// The parameters are those that the objective's loss depends on. Throws std::invalid_argument as TrainingLoop does.
  Trainer(const NamedTensors& parameters, O objective, datasets::BatchSource source, const TrainerOptions& options)
      : TrainingLoop(parameters, options),
        objective_(std::move(objective)),
        source_(std::move(source)),
        seed_(options.seed) {}

 private:
  using Example = typename O::Example;

  Tensor loss(Index step) override {
    Generator dropout_rng(seed_, streams::kDropout + static_cast<std::uint64_t>(step));
    const TrainingScope training(dropout_rng);
    const bool worth_it = objective_.worth_making_ahead() && thread_count() > 1;
    if (!worth_it && !ahead_) return loss(make_example(step), step);
    if (!ahead_ || step != next_ahead_) {  // the first step, or the first after load()
      ahead_.reset();
      ahead_ = std::make_unique<Ahead<Example>>([this](Index of) { return make_example(of); }, step, thread_count());
      next_ahead_ = step;
    }
    ++next_ahead_;
    return loss(ahead_->take(), step);
  }

  Tensor loss(const Example& example, Index step) const {
    if constexpr (requires { objective_.loss(example, step); }) {
      return objective_.loss(example, step);
    } else {
      return objective_.loss(example);
    }
  }

  Example make_example(Index step) {
    Generator rng(seed_, streams::kSteps + static_cast<std::uint64_t>(step));
    std::unique_lock lock(source_mutex_);
    const datasets::Batch batch = source_(step, rng);
    lock.unlock();
    return objective_.make_example(batch, rng);
  }

  O objective_;
  datasets::BatchSource source_;
  std::mutex source_mutex_;
  std::uint64_t seed_;
  Index next_ahead_ = 0;                   // the step of its next example
  std::unique_ptr<Ahead<Example>> ahead_;  // null until needed; uses the members above
};

/// The mean loss over `samples` points of the source, without a graph. `samples` is rounded up to whole batches; NaN
/// for none. Random numbers come from streams of `seed` that no training step uses. Throws
/// std::invalid_argument for a source that gives an empty batch.
template <Objective O>
double mean_loss(const O& objective, const datasets::BatchSource& source, Index samples, std::uint64_t seed) {
  const NoGrad no_grad;
  double total = 0;
  Index drawn = 0, batches = 0;
  while (drawn < samples) {
    Generator rng(seed, streams::kHeldOut + static_cast<std::uint64_t>(batches));
    const datasets::Batch batch = source(batches, rng);
    require(batch.x_1.dim(0) > 0, "mean_loss: the source gave an empty batch");
    total += static_cast<double>(objective.loss(objective.make_example(batch, rng)).item());
    drawn += batch.x_1.dim(0);
    ++batches;
  }
  return batches > 0 ? total / static_cast<double>(batches) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace rill::nn
