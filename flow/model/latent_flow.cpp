#include "flow/model/latent_flow.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "autodiff/description_json.hpp"
#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random_streams.hpp"
#include "autodiff/summary.hpp"
#include "flow/loss/loss.hpp"
#include "flow/metrics/likelihood.hpp"
#include "flow/model/generate.hpp"
#include "flow/model/guidance.hpp"
#include "flow/model/label_condition.hpp"
#include "flow/model/metadata.hpp"
#include "flow/model/network_model_texts.hpp"
#include "flow/solver/row_normals.hpp"
#include "nn/init.hpp"
#include "nn/time_networks.hpp"
#include "nn/trainer.hpp"

namespace rill::flow {
namespace {

// Mean and deviation of the latents.
class Scale final : public nn::Module {
 public:
  explicit Scale(Index latent)
      : mean(register_parameter("mean", nn::constant({latent}, 0))),
        deviation(register_parameter("deviation", nn::constant({latent}, 1))) {}
  const Tensor mean, deviation;
};

class Parts final : public nn::Module {
 public:
  Parts(std::shared_ptr<nn::Module> autoencoder, std::shared_ptr<nn::Module> scale,
        std::shared_ptr<nn::Module> velocity) {
    register_module("autoencoder", std::move(autoencoder));
    register_module("latents", std::move(scale));
    register_module("velocity", std::move(velocity));
  }
};

std::shared_ptr<Vae> untrained(const LatentFlowDescription& description, Generator& rng) {
  return std::make_shared<Vae>(description.autoencoder, rng);
}

}  // namespace

void LatentFlowDescription::set_shape(const DataShape& shape) {
  const DataShape& known = autoencoder.shape;
  require(shape == known, "autoencoder: knows points of ", known.dimension, " numbers in ", known.classes,
          " classes, but the data have ", shape.dimension, " in ", shape.classes, "; train it on the same data");
  network.set_shape(autoencoder.latent, shape.classes, {});
}

Example LatentFlowObjective::make_example(const datasets::Batch& batch, Generator& rng) const {
  return examples_.make({model_->encode(batch.x_1, batch.labels, rng), batch.labels, {}}, rng);
}

Tensor LatentFlowObjective::loss(const Example& example) const {
  const auto velocity = [&](const Tensor& x, const Tensor& t) {
    return model_->velocity_network()->forward(x, t, example.labels);
  };
  return conditional_flow_matching_loss(velocity, example.sample);
}

LatentFlow::LatentFlow(const LatentFlowDescription& description, Generator& rng)
    : LatentFlow(description, untrained(description, rng), rng) {}

LatentFlow::LatentFlow(const LatentFlowDescription& description, std::shared_ptr<Vae> autoencoder, Generator& rng)
    : description_(description), autoencoder_(std::move(autoencoder)) {
  require(!description_.network.sees_images(), "model: ", description_.network.kind,
          " is for images, but latents are points; use mlp or residual-mlp");
  require(description_.network.dimension == description_.autoencoder.latent &&
              description_.network.classes == description_.autoencoder.shape.classes,
          "latent flow: the network is for ", description_.network.dimension, " numbers, the latents have ",
          description_.autoencoder.latent);
  velocity_ = nn::make_time_network(description_.network, rng);
  const auto scale = std::make_shared<Scale>(description_.autoencoder.latent);
  mean_ = scale->mean;
  deviation_ = scale->deviation;
  module_ = std::make_shared<Parts>(autoencoder_->shared_module(), scale, velocity_);
  path_ = std::make_shared<AffinePath>(make_path(description_.path));
  objective(false);  // throws for invalid options
}

LatentFlowObjective LatentFlow::objective(bool held_out) const {
  ExampleOptions examples;
  examples.path = description_.path;
  examples.coupling = description_.coupling;
  examples.no_class = classes();
  if (!held_out) {
    examples.times = description_.times;
    examples.label_dropout = description_.label_dropout;
  }
  return {*this, examples};
}

Tensor LatentFlow::encode(const Tensor& x, const Indices& labels, Generator& rng) const {
  const NoGrad no_grad;
  const Latent q = autoencoder_->encode(x, one_hot(labels, classes(), kFamily));
  const Tensor z = q.mean + exp(q.log_deviation) * Tensor::randn(q.mean.shape(), rng);
  return (z - mean_) / deviation_;
}

nn::Metadata LatentFlow::metadata() const {
  return {{nn::kNetworkKey, nn::to_json(description_.network)},
          {Vae::kFamily, description::to_json(description_.autoencoder)},
          {kFamily, description::to_json(description_)}};
}

LatentFlowDescription LatentFlow::read_description(const nn::Metadata& metadata) {
  auto description = read_network_description<LatentFlowDescription>(metadata, kFamily);
  require_description(metadata, Vae::kFamily, description.autoencoder);
  return description;
}

nn::Metadata LatentFlow::identity() const {
  return {{"run.network", nn::to_json(description_.network)},
          {"run.autoencoder", description::to_json(description_.autoencoder)},
          {"run.path", description::to_json(description_.path)}};
}

std::string LatentFlow::network_text() const {
  return concat(summary(description_.network), " in ", summary(description_.autoencoder));
}

std::string LatentFlow::training_text() const { return summary(description_); }

double LatentFlow::numbers_of_step(Index batch) const {
  return autoencoder_->numbers_of_step(batch) / 2 + static_cast<double>(batch) * nn::units_kept(description_.network);
}

std::unique_ptr<nn::TrainingLoop> LatentFlow::trainer(datasets::BatchSource source, const nn::TrainerOptions& options) {
  constexpr Index kBatches = 16;
  std::vector<Tensor> latents;
  for (Index step = 0; step < kBatches; ++step) {
    Generator rng(options.seed, streams::kSteps + static_cast<std::uint64_t>(step));
    const datasets::Batch batch = source(step, rng);
    latents.push_back(encode(batch.x_1, batch.labels, rng) * deviation_.detach() + mean_.detach());
  }
  const NoGrad no_grad;
  const Tensor all = concatenate(latents, 0), center = mean(all, {.axes = {0}});
  const Tensor spread = sqrt(mean(square(all - center), {.axes = {0}}) + 1e-8);  // an unused latent stays finite
  std::copy_n(center.data(), center.size(), mean_.data());
  std::copy_n(spread.data(), spread.size(), deviation_.data());
  return std::make_unique<nn::Trainer<LatentFlowObjective>>(module_->named_parameters(), objective(false),
                                                            std::move(source), options);
}

double LatentFlow::held_out_loss(const datasets::BatchSource& source, Index samples, std::uint64_t seed) const {
  return nn::mean_loss(objective(true), source, samples, seed);
}

Tensor LatentFlow::sample(Index n, const Indices& labels, Generator& rng) const {
  const Dynamics flow = *dynamics();
  const Indices chosen = labels_or_uniform(labels, n, classes(), rng, kFamily);
  const Tensor z = generate(flow, flow.sample_source(n, rng), chosen).x;
  return from_dynamics(z, chosen, static_cast<std::uint64_t>(rng.integers(1, Index{1} << 62).front()));
}

std::optional<Dynamics> LatentFlow::dynamics() const {
  Dynamics dynamics{.velocity = velocity_of(velocity_), .path = path_};
  if (description_.coupling.name != "independent") {
    dynamics.no_score = concat("this model has the coupling ", description_.coupling.name,
                               ", but the score follows from the velocity only for independent pairs");
  }
  dynamics.no_guidance = why_no_guidance(classes(), description_.label_dropout);
  return dynamics;
}

Tensor LatentFlow::from_dynamics(const Tensor& z, const Indices& labels, std::uint64_t seed) const {
  const NoGrad no_grad;
  // The decoder knows only classes; a model that is asked for none takes the first ones in turn.
  std::vector<Index> known;
  for (Index i = 0; i < z.dim(0) && classes() > 0; ++i) {
    const Index label = labels.size() > 0 ? labels[i] : classes();
    known.push_back(label < classes() ? label : i % classes());
  }
  Generator rng(seed, streams::kDecoderNoise);
  return autoencoder_->draw_given(z * deviation_ + mean_, one_hot(Indices(std::move(known)), classes(), kFamily), rng);
}

Tensor LatentFlow::log_density(const Tensor& x, const Indices& labels) const {
  if (density_kind() == DensityKind::kNone) fail("log density: ", no_density());
  const auto flow = velocity_of(velocity_);
  // The error of so few steps is far below that of so few importance samples.
  LikelihoodOptions options;
  options.solver = FixedSteps{&kRk4, 10};
  return log_density_of_groups(
      x, labels, classes(), kFamily, [&](const Tensor& rows, const Tensor& condition, Index first_row) {
        const Latent q = autoencoder_->encode(rows, condition);
        std::vector<Index> own;
        for (Index i = 0; condition.defined() && i < rows.dim(0); ++i) {
          const Real* one = condition.data() + i * classes();
          own.push_back(std::max_element(one, one + classes()) - one);
        }
        const Indices own_labels(std::move(own));
        const Tensor log_volume = sum(log(deviation_));
        std::vector<Tensor> log_weights;
        for (Index k = 0; k < kImportanceSamples; ++k) {
          const std::uint64_t stream = streams::kStepNoise + static_cast<std::uint64_t>(k);
          const Tensor eps = row_normals(0, stream, q.mean.shape(), first_row);
          const Tensor z = q.mean + exp(q.log_deviation) * eps;
          const Tensor log_q = standard_normal_log_density(eps) - sum(q.log_deviation, {.axes = {1}});
          const Tensor log_p = log_likelihood(flow, (z - mean_) / deviation_, own_labels, options).log_p - log_volume;
          log_weights.push_back(
              reshape(autoencoder_->log_likelihood(rows, z, condition) + log_p - log_q, {rows.dim(0), 1}));
        }
        return logsumexp(concatenate(log_weights, 1)) - std::log(static_cast<double>(kImportanceSamples));
      });
}

}  // namespace rill::flow
