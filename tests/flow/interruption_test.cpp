// Long computations end soon after they are canceled.
#include "autodiff/interruption.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/random.hpp"
#include "flow/metrics/likelihood.hpp"
#include "flow/metrics/metrics.hpp"
#include "flow/model/flow_matching.hpp"
#include "flow/transport/sinkhorn.hpp"
#include "nn/trainer.hpp"

namespace rill::flow {
namespace {

using Clock = std::chrono::steady_clock;

struct TooLate : std::exception {};

// Cancels `work`, which takes many times as long, after a tenth of a second.
void expect_given_up(const std::function<void()>& work) {
  const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(100);
  const Interruptible until([deadline] {
    if (Clock::now() > deadline) throw TooLate();
  });
  EXPECT_THROW(work(), TooLate);
  EXPECT_LT(Clock::now() - deadline, std::chrono::seconds(2));
}

Tensor points(Index n, Index dimension, std::uint64_t stream) {
  Generator rng(7, stream);
  return Tensor::randn({n, dimension}, rng);
}

FlowMatchingDescription small_model() {
  FlowMatchingDescription description;
  description.network = {.dimension = 2, .hidden = {16, 16}, .activation = "silu"};
  return description;
}

TEST(Interruption, OfExactTransport) {
  for (const auto& [count, dimension] : {std::pair<Index, Index>{20000, 2}, {5000, 40}}) {
    const Tensor a = points(count, dimension, 0), b = points(count, dimension, 1);
    expect_given_up([&] { wasserstein2(a, b); });
  }
}

TEST(Interruption, OfEntropicTransport) {
  const Tensor a = points(3000, 2, 0), b = points(3000, 2, 1);
  expect_given_up([&] { sinkhorn(a, b, {.regularization = 1e-3}); });
}

TEST(Interruption, OfPairsOfPoints) {
  const Tensor a = points(50000, 2, 0), b = points(50000, 2, 1);
  expect_given_up([&] { energy_distance(a, b); });
  Generator rng(7);
  expect_given_up([&] { sliced_wasserstein2(a, b, rng, 100000); });
}

TEST(Interruption, OfALikelihoodWithManyProbes) {
  Generator rng(7);
  const FlowMatching model(small_model(), rng);
  const Tensor x = points(10, 2, 0);
  const LikelihoodOptions options{.solver = FixedSteps{&kMidpoint, 10}, .trace = Trace::kRademacher, .probes = 20000};
  expect_given_up([&] { log_likelihood(model.dynamics()->velocity, x, {}, options); });
}

// On one thread, and with examples made ahead on separate threads.
TEST(Interruption, OfATrainingStepLeavesItUndone) {
  const int threads = thread_count();
  for (const int count : {1, 2}) {
    set_thread_count(count);
    FlowMatchingDescription description = small_model();
    description.coupling.name = "ot";
    Generator rng(7);
    FlowMatching model(description, rng);
    const auto batches = [](Index, Generator& step_rng) {
      return datasets::Batch{Tensor::randn({20000, 2}, step_rng), {}};
    };
    const auto trainer = model.trainer(batches, {});
    const auto first = model.module().parameters().front().to_vector();
    expect_given_up([&] { trainer->step(); });
    EXPECT_EQ(trainer->steps_done(), 0);
    EXPECT_EQ(model.module().parameters().front().to_vector(), first);
  }
  set_thread_count(threads);
}

TEST(Interruption, EndsWithItsScope) {
  {
    const Interruptible always([] { throw TooLate(); });
    EXPECT_THROW(check_interruption(), TooLate);
    {
      const Interruptible never([] {});
      EXPECT_NO_THROW(check_interruption());
    }
    EXPECT_THROW(check_interruption(), TooLate);
  }
  EXPECT_NO_THROW(check_interruption());
  EXPECT_NO_THROW(wasserstein2(points(20, 2, 0), points(20, 2, 1)));
}

}  // namespace
}  // namespace rill::flow
