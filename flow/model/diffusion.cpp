#include "flow/model/diffusion.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autodiff/description_json.hpp"
#include "autodiff/error.hpp"
#include "autodiff/summary.hpp"
#include "flow/model/generate.hpp"
#include "flow/model/guidance.hpp"
#include "flow/model/network_model_texts.hpp"
#include "flow/path/example.hpp"
#include "flow/path/prediction.hpp"
#include "nn/time_networks.hpp"
#include "nn/trainer.hpp"

namespace rill::flow {
namespace {

// The velocity of the probability-flow ODE, from a network that denoises.
class DenoisingVelocity final : public VelocityField {
 public:
  DenoisingVelocity(std::shared_ptr<const nn::TimeNetwork> network, const DenoisingDescription& denoising,
                    std::shared_ptr<const AffinePath> path)
      : VelocityField(network->dimension(), network->classes()),
        network_(std::move(network)),
        denoising_(denoising),
        path_(std::move(path)) {}

  Tensor operator()(const Tensor& x, const Tensor& t, const Indices& labels) const override {
    const Scheduler& scheduler = path_->scheduler();
    const Tensor output = network_->forward(per_sample(input_scale(t, scheduler), x.rank()) * x, t, labels);
    return from_output(output, denoising_, Prediction::kVelocity, x, t, scheduler);
  }

 private:
  std::shared_ptr<const nn::TimeNetwork> network_;
  DenoisingDescription denoising_;
  std::shared_ptr<const AffinePath> path_;
};

}  // namespace

DiffusionObjective::DiffusionObjective(std::shared_ptr<const nn::TimeNetwork> network,
                                       const DiffusionDescription& description)
    : network_(std::move(network)), description_(description), scheduler_(forward_scheduler(description.forward)) {
  Generator unused(0);
  sample_times(description.times, 0, unused);  // throws for an unknown distribution
  check(description.denoising);
  require_label_dropout(network_->classes(), description.label_dropout);
}

DenoisingExample DiffusionObjective::make_example(const datasets::Batch& batch, Generator& rng) const {
  const Tensor x_0 = Tensor::randn(batch.x_1.shape(), rng);
  const Tensor u = sample_times(description_.times, batch.x_1.dim(0), rng);
  DenoisingExample example = denoising_example(batch.x_1, x_0, u, *scheduler_, description_.denoising);
  example.labels = drop_labels(batch.labels, description_.label_dropout, network_->classes(), rng);
  return example;
}

Tensor DiffusionObjective::loss(const DenoisingExample& example) const {
  const Tensor seen = per_sample(input_scale(example.t, *scheduler_), 2) * example.x_t;
  return denoising_loss(network_->forward(seen, example.t, example.labels), example);
}

DiffusionObjective DiffusionObjective::held_out() const {
  DiffusionDescription description = description_;
  description.times = {};
  description.denoising.weighting = "uniform";
  description.label_dropout = 0;
  return {network_, description};
}

Diffusion::Diffusion(const DiffusionDescription& description, Generator& rng)
    : NetworkModel(description, rng), path_(std::make_shared<AffinePath>(forward_scheduler(description.forward))) {
  objective();  // throws for invalid options
}

DiffusionDescription Diffusion::read_description(const nn::Metadata& metadata) {
  return read_network_description<DiffusionDescription>(metadata, kFamily);
}

nn::Metadata Diffusion::identity() const {
  return {{"run.network", nn::to_json(description_.network)},
          {"run.forward-sde", description::to_json(description_.forward)},
          {"run.prediction", description_.denoising.target}};
}

// x_1, x_0, x_t, the target, and what the network saves for each point.
double Diffusion::numbers_of_step(Index batch) const {
  return static_cast<double>(batch) * (4 * static_cast<double>(dimension()) + nn::units_kept(description_.network));
}

std::unique_ptr<nn::TrainingLoop> Diffusion::trainer(datasets::BatchSource source, const nn::TrainerOptions& options) {
  return std::make_unique<nn::Trainer<DiffusionObjective>>(network_->named_parameters(), objective(), std::move(source),
                                                           options);
}

double Diffusion::held_out_loss(const datasets::BatchSource& source, Index samples, std::uint64_t seed) const {
  return nn::mean_loss(objective().held_out(), source, samples, seed);
}

Tensor Diffusion::sample(Index n, const Indices& labels, Generator& rng) const {
  const Dynamics flow = *dynamics();
  return generate(flow, flow.sample_source(n, rng), labels).x;
}

std::optional<Dynamics> Diffusion::dynamics() const {
  Dynamics dynamics{.velocity = std::make_shared<DenoisingVelocity>(network_, description_.denoising, path_),
                    .path = path_};
  scale_source(dynamics, noise_deviation(path_->scheduler()));
  dynamics.noise_level = [path = path_](double t) { return std::sqrt(bounded_diffusion(path->scheduler().at(t))); };
  dynamics.no_guidance = why_no_guidance(classes(), description_.label_dropout);
  return dynamics;
}

Tensor Diffusion::log_density(const Tensor& x, const Indices& labels) const {
  const Dynamics flow = *dynamics();
  LikelihoodOptions options;
  options.source = flow.source_log_density;
  return log_likelihood(flow.velocity, x, labels, options).log_p;
}

}  // namespace rill::flow
