// A family of your own: a Gaussian whose parameters maximize the likelihood. It has an exact density and no flow.
#include <cmath>
#include <cstdio>
#include <memory>
#include <numbers>
#include <string>
#include <utility>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/model/generative_model.hpp"
#include "nn/module.hpp"
#include "nn/trainer.hpp"

using namespace rill;

/// The parameters: mean and log_deviation, [D] each.
class GaussianParameters final : public nn::Module {
 public:
  explicit GaussianParameters(Index dimension)
      : mean(register_parameter("mean", Tensor::zeros({dimension}))),
        log_deviation(register_parameter("log_deviation", Tensor::zeros({dimension}))) {}

  /// ln p(x) = -|z|^2 / 2 - sum_j ln s_j - D/2 ln 2 pi,   z = (x - mean) / s        [N, D] -> [N]
  Tensor log_density(const Tensor& x) const {
    const Tensor z = (x - mean) * exp(-log_deviation);
    const double constant = 0.5 * static_cast<double>(x.dim(1)) * std::log(2 * std::numbers::pi);
    return -0.5 * sum(square(z), {.axes = {1}}) - sum(log_deviation) - constant;
  }

  const Tensor mean, log_deviation;
};

/// What its training minimizes: nothing is random in an example, and the loss is -E[ln p].
struct NegativeLogLikelihood {
  using Example = datasets::Batch;

  Example make_example(const datasets::Batch& batch, Generator&) const { return batch; }
  Tensor loss(const Example& example) const { return -mean(gaussian->log_density(example.x_1)); }
  bool worth_making_ahead() const { return false; }

  std::shared_ptr<const GaussianParameters> gaussian;
};

class Gaussian final : public flow::GenerativeModel {
 public:
  explicit Gaussian(Index dimension)
      : dimension_(dimension), parameters_(std::make_shared<GaussianParameters>(dimension)) {}

  std::string family() const override { return "gaussian"; }
  Index dimension() const override { return dimension_; }
  Index classes() const override { return 0; }
  nn::Module& module() override { return *parameters_; }
  const nn::Module& module() const override { return *parameters_; }
  nn::Metadata metadata() const override { return {{"gaussian", std::to_string(dimension_)}}; }
  nn::Metadata identity() const override { return {{"run.gaussian", std::to_string(dimension_)}}; }
  std::string network_text() const override { return "mean and deviation"; }
  std::string training_text() const override { return "maximum likelihood"; }
  double numbers_of_step(Index batch) const override { return 2.0 * static_cast<double>(batch * dimension_); }

  std::unique_ptr<nn::TrainingLoop> trainer(datasets::BatchSource source, const nn::TrainerOptions& options) override {
    return std::make_unique<nn::Trainer<NegativeLogLikelihood>>(
        parameters_->named_parameters(), NegativeLogLikelihood{parameters_}, std::move(source), options);
  }
  double held_out_loss(const datasets::BatchSource& source, Index samples, std::uint64_t seed) const override {
    return nn::mean_loss(NegativeLogLikelihood{parameters_}, source, samples, seed);
  }

  Tensor sample(Index n, const Indices&, Generator& rng) const override {
    return parameters_->mean + exp(parameters_->log_deviation) * Tensor::randn({n, dimension_}, rng);
  }
  flow::DensityKind density_kind() const override { return flow::DensityKind::kExact; }
  Tensor log_density(const Tensor& x, const Indices&) const override { return parameters_->log_density(x); }

 private:
  Index dimension_;
  std::shared_ptr<GaussianParameters> parameters_;
};

int main() {
  Gaussian model(2);
  const auto batches = [](Index, Generator& rng) {
    return datasets::Batch{3 + 0.5 * Tensor::randn({256, 2}, rng), {}};
  };
  nn::TrainerOptions options;
  options.learning_rate = {.schedule = "cosine", .peak = 0.05, .steps = 500};
  const auto trainer = model.trainer(batches, options);
  for (int step = 0; step < 500; ++step) trainer->step();

  // No density has a loss below the entropy of the data, here ln(2 pi e 0.5^2).
  const double loss = model.held_out_loss(batches, 10'000, /*seed=*/1);
  const double entropy = std::log(2 * std::numbers::pi * std::numbers::e * 0.25);
  std::printf("loss %.3f nats, entropy %.3f nats\n", loss, entropy);
  return std::abs(loss - entropy) < 0.05 ? 0 : 1;
}
