#include "flow/model/vae.hpp"

#include <cmath>
#include <utility>

#include "autodiff/description_json.hpp"
#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/names.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random_streams.hpp"
#include "autodiff/summary.hpp"
#include "flow/loss/evidence_bound.hpp"
#include "flow/metrics/dequantization.hpp"
#include "flow/metrics/likelihood.hpp"
#include "flow/model/label_condition.hpp"
#include "flow/model/metadata.hpp"
#include "flow/solver/row_groups.hpp"
#include "flow/solver/row_normals.hpp"
#include "nn/init.hpp"
#include "nn/trainer.hpp"

namespace rill::flow {
namespace {

// Encoder, decoder and, if there is one, the deviation as one module.
class Parts final : public nn::Module {
 public:
  Parts(std::shared_ptr<nn::Module> encoder, std::shared_ptr<nn::Module> decoder, bool has_deviation) {
    if (has_deviation) log_deviation = register_parameter("log_deviation", nn::constant({1}, 0));
    register_module("encoder", std::move(encoder));
    register_module("decoder", std::move(decoder));
  }
  Tensor log_deviation;
};

void check(const VaeDescription& description) {
  require_known("encoder", description.encoder, encoder_names());
  require_known("decoder", description.decoder, decoder_names());
  for (const auto& [key, size] :
       {std::pair("latent", description.latent), std::pair("channels", description.coder.channels)}) {
    require(1 <= size && size <= nn::kMaxSize, key, ": expected 1 to ", nn::kMaxSize, ", got ", size);
  }
  const bool image = description.shape.is_image();
  require(image || description.encoder == "mlp", "encoder: ", description.encoder,
          " is for images, but these are points; use mlp");
  require(image || description.decoder == "gaussian", "decoder: ", description.decoder,
          " is for images, but these are points; use gaussian");
  require(description.beta >= 0 && std::isfinite(description.beta), "beta: expected a number, 0 or more, got ",
          description.beta);
  require(description.free_bits >= 0 && std::isfinite(description.free_bits),
          "free_bits: expected a number, 0 or more, got ", description.free_bits);
}

Index outputs_each(const VaeDescription& description) { return description.decoder == "logistic" ? 2 : 1; }

std::shared_ptr<nn::ConditionalNetwork> make_encoder(const VaeDescription& d, Generator& rng) {
  const Index outputs = 2 * d.latent;
  if (d.encoder == "conv") {
    return std::make_shared<nn::ImageEncoder>(d.shape.image, d.shape.classes, outputs, d.coder, rng);
  }
  return std::make_shared<nn::ConditionalMlp>(d.shape.dimension, d.shape.classes, outputs, d.coder, rng);
}

std::shared_ptr<nn::ConditionalNetwork> make_decoder(const VaeDescription& d, Generator& rng) {
  if (d.encoder == "conv") {
    return std::make_shared<nn::ImageDecoder>(d.latent, d.shape.classes, d.shape.image,
                                              d.shape.image.channels * outputs_each(d), d.coder, rng);
  }
  return std::make_shared<nn::ConditionalMlp>(d.latent, d.shape.classes, d.shape.dimension * outputs_each(d), d.coder,
                                              rng);
}

// The n-th of the numbers that a decoder says of each coordinate.   [N, 2 D], in pairs -> [N, D]
Tensor every_other(const Tensor& pairs, Index n) {
  const Tensor two = reshape(pairs, {pairs.dim(0), pairs.dim(1) / 2, 2});
  return reshape(slice(two, 2, n, n + 1), {pairs.dim(0), pairs.dim(1) / 2});
}

// [-1, 1] to [0, 1]
Tensor as_share(const Tensor& pixels) { return clamp(0.5 * (pixels + 1), 0, 1); }

}  // namespace

std::vector<std::string> encoder_names() { return {"mlp", "conv"}; }
std::vector<std::string> decoder_names() { return {"gaussian", "bernoulli", "logistic"}; }

VaeExample VaeObjective::make_example(const datasets::Batch& batch, Generator& rng) const {
  const VaeDescription& description = vae_->description();
  // A density of pixels needs them without steps; the other decoders know levels.
  const bool continuous = description.shape.is_image() && description.decoder == "gaussian";
  const Tensor x = continuous ? dequantize(levels_of(batch.x_1), rng) : batch.x_1;
  return {x, Tensor::randn({x.dim(0), description.latent}, rng), batch.labels};
}

Tensor VaeObjective::loss(const VaeExample& example) const {
  const Tensor condition = one_hot(example.labels, vae_->classes(), Vae::kFamily);
  const Latent q = vae_->encode(example.x, condition);
  const Tensor z = q.mean + exp(q.log_deviation) * example.eps;
  Tensor kl = mean(gaussian_kl(q.mean, q.log_deviation), {.axes = {0}});
  if (free_bits_ > 0) kl = maximum(kl, Tensor::scalar(free_bits_));
  return beta_ * sum(kl) - mean(vae_->log_likelihood(example.x, z, condition));
}

Vae::Vae(const VaeDescription& description, Generator& rng) : description_(description) {
  check(description_);
  encoder_ = make_encoder(description_, rng);
  decoder_ = make_decoder(description_, rng);
  const auto parts = std::make_shared<Parts>(encoder_, decoder_, description_.decoder == "gaussian");
  log_deviation_ = parts->log_deviation;
  module_ = parts;
}

Latent Vae::encode(const Tensor& x, const Tensor& condition) const {
  const Tensor both = encoder_->forward(x, condition);
  return {slice(both, 1, 0, description_.latent), slice(both, 1, description_.latent, 2 * description_.latent)};
}

Tensor Vae::decode(const Tensor& z, const Tensor& condition) const {
  const Tensor output = decoder_->forward(z, condition);
  if (description_.decoder == "bernoulli") return 2 * sigmoid(output) - 1;
  if (description_.decoder == "logistic") return clamp(every_other(output, 0), -1, 1);
  return output;
}

Tensor Vae::draw_given(const Tensor& z, const Tensor& condition, Generator& rng) const {
  const Tensor x = decode(z, condition);
  if (description_.shape.is_image()) return x;
  return x + exp(log_deviation_) * Tensor::randn(x.shape(), rng);
}

Tensor Vae::log_likelihood(const Tensor& x, const Tensor& z, const Tensor& condition) const {
  const Tensor output = decoder_->forward(z, condition);
  if (description_.decoder == "bernoulli") return bernoulli_log_likelihood(as_share(x), output);
  if (description_.decoder == "logistic") {
    const double log_cell = std::log(2.0 / static_cast<double>(kLevels));
    return logistic_log_likelihood(x, every_other(output, 0), every_other(output, 1)) -
           static_cast<double>(dimension()) * log_cell;
  }
  return gaussian_log_likelihood(x, output, log_deviation_);
}

Tensor Vae::bound(const Tensor& x, const Tensor& condition, Index samples, std::uint64_t seed, Index first_row) const {
  require(samples >= 1, "vae: expected at least 1 importance sample, got ", samples);
  const NoGrad no_grad;
  const Latent q = encode(x, condition);
  const Tensor deviation = exp(q.log_deviation);
  std::vector<Tensor> log_weights;
  for (Index k = 0; k < samples; ++k) {
    const std::uint64_t stream = streams::kStepNoise + static_cast<std::uint64_t>(k);
    const Tensor eps = row_normals(seed, stream, q.mean.shape(), first_row), z = q.mean + deviation * eps;
    // ln q(z | x) is that of eps, less the logarithms of the deviations.
    const Tensor log_q = standard_normal_log_density(eps) - sum(q.log_deviation, {.axes = {1}});
    log_weights.push_back(
        reshape(log_likelihood(x, z, condition) + standard_normal_log_density(z) - log_q, {x.dim(0), 1}));
  }
  return logsumexp(concatenate(log_weights, 1)) - std::log(static_cast<double>(samples));
}

nn::Metadata Vae::metadata() const { return {{kFamily, description::to_json(description_)}}; }

VaeDescription Vae::read_description(const nn::Metadata& metadata) {
  VaeDescription description;
  require_description(metadata, kFamily, description);
  return description;
}

// beta and free bits may change when a run is resumed.
nn::Metadata Vae::identity() const {
  VaeDescription network = description_;
  network.beta = 1;
  network.free_bits = 0;
  return {{"run.network", description::to_json(network)}};
}

std::string Vae::network_text() const { return summary(description_); }

std::string Vae::training_text() const { return "evidence lower bound"; }

double Vae::numbers_of_step(Index batch) const {
  double units = 4 * static_cast<double>(dimension());
  if (description_.encoder == "mlp") {
    for (const Index hidden : description_.coder.hidden) units += 2 * static_cast<double>(hidden);
  } else {
    units += static_cast<double>(description_.shape.image.height * description_.shape.image.width / 2 *
                                 description_.coder.channels);
  }
  return static_cast<double>(batch) * units;
}

std::unique_ptr<nn::TrainingLoop> Vae::trainer(datasets::BatchSource source, const nn::TrainerOptions& options) {
  return std::make_unique<nn::Trainer<VaeObjective>>(module_->named_parameters(), objective(), std::move(source),
                                                     options);
}

double Vae::held_out_loss(const datasets::BatchSource& source, Index samples, std::uint64_t seed) const {
  return nn::mean_loss(VaeObjective(*this, 1, 0), source, samples, seed);
}

Tensor Vae::sample(Index n, const Indices& labels, Generator& rng) const {
  const NoGrad no_grad;
  const Tensor z = Tensor::randn({n, description_.latent}, rng);
  const Indices chosen = labels_or_uniform(labels, n, classes(), rng, kFamily);
  return draw_given(z, one_hot(chosen, classes(), kFamily), rng);
}

Tensor Vae::from_noise(const Tensor& noise, const Indices& labels) const {
  const NoGrad no_grad;
  return decode(noise, one_hot(labels, classes(), kFamily));
}

Tensor Vae::reconstruct(const Tensor& x, const Indices& labels) const {
  const NoGrad no_grad;
  const Tensor condition = one_hot(labels, classes(), kFamily);
  return decode(encode(x, condition).mean, condition);
}

DensityKind Vae::density_kind() const {
  return description_.decoder == "bernoulli" ? DensityKind::kNone : DensityKind::kBound;
}

std::string Vae::no_density() const {
  if (density_kind() != DensityKind::kNone) return "";
  return "the decoder bernoulli describes black and white pixels, and gives gray ones no probability; train with the "
         "decoder logistic";
}

Tensor Vae::log_density(const Tensor& x, const Indices& labels) const {
  if (density_kind() == DensityKind::kNone) fail("log density: ", no_density());
  return log_density_of_groups(x, labels, classes(), kFamily,
                               [&](const Tensor& rows, const Tensor& condition, Index first_row) {
                                 return bound(rows, condition, kImportanceSamples, 0, first_row);
                               });
}

}  // namespace rill::flow
