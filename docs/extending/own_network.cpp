// A network of your own, trained as a flow: the field of Gaussian data is linear in x, so the network is, too.
#include <cmath>
#include <cstdio>
#include <memory>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/model/dynamics.hpp"
#include "flow/model/flow_matching.hpp"
#include "flow/model/generate.hpp"
#include "nn/mlp.hpp"
#include "nn/time_network.hpp"
#include "nn/trainer.hpp"

using namespace rill;

/// u(x, t) = a(t) x + b(t), where one perceptron gives both from t.
class LinearField final : public nn::TimeNetwork {
 public:
  LinearField(Index dimension, Generator& rng)
      : TimeNetwork(dimension, /*classes=*/0),
        coefficients_(register_module(
            "coefficients", std::make_shared<nn::Mlp>(1, std::vector<Index>{32, 32}, 2 * dimension, "silu", rng))) {}

  Tensor forward(const Tensor& x, const Tensor& t, const Indices& labels = {}) const override {
    check_input(x, t, labels);
    const Tensor c = coefficients_->forward(reshape(t, {t.size(), 1}));
    return slice(c, 1, 0, dimension()) * x + slice(c, 1, dimension(), 2 * dimension());
  }

 private:
  std::shared_ptr<nn::Mlp> coefficients_;
};

int main() {
  Generator rng(/*seed=*/0);
  const auto network = std::make_shared<LinearField>(1, rng);

  // Data: N(2, 0.5^2).
  const auto batches = [](Index, Generator& step_rng) {
    return datasets::Batch{2 + 0.5 * Tensor::randn({256, 1}, step_rng), {}};
  };
  nn::TrainerOptions options;
  options.learning_rate = {.schedule = "cosine", .peak = 1e-2, .steps = 1000};
  nn::Trainer<flow::FlowMatchingObjective> trainer(network->named_parameters(), {network, nullptr, {}}, batches,
                                                   options);
  for (int step = 0; step < 1000; ++step) trainer.step();

  const flow::Dynamics dynamics{.velocity = flow::velocity_of(network)};
  const Tensor x = flow::generate(dynamics, Tensor::randn({20'000, 1}, rng), {}, {}).x;
  const double average = mean(x).item(), deviation = std::sqrt(mean(square(x - average)).item());
  std::printf("samples: mean %.3f, deviation %.3f; the data have 2 and 0.5\n", average, deviation);
  return std::abs(average - 2) < 0.05 && std::abs(deviation - 0.5) < 0.05 ? 0 : 1;
}
