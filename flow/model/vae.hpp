// Variational autoencoders: an encoder to a small latent space, a decoder back, and a bound on the likelihood.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "autodiff/description.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"
#include "datasets/batch.hpp"
#include "flow/model/data_shape.hpp"
#include "flow/model/generative_model.hpp"
#include "nn/activation.hpp"
#include "nn/image_coder.hpp"

namespace rill::flow {

std::vector<std::string> encoder_names();  ///< mlp, conv
std::vector<std::string> decoder_names();  ///< gaussian, bernoulli, logistic

/// The architecture of a variational autoencoder and its training.
struct VaeDescription {
  DataShape shape = {};
  Index latent = 8;             ///< dimension of the latent space
  std::string encoder = "mlp";  ///< and decoder: perceptrons, or convolutions
  std::string decoder = "gaussian";
  nn::CoderOptions coder = {};
  double beta = 1;       ///< weight of the divergence from the prior
  double free_bits = 0;  ///< nats of each latent dimension that cost nothing

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("shape", self.shape, {});
    visit("latent", self.latent,
          {.unit = "COUNT", .help = "dimensions of the latent space", .summary = "{} latent dimensions"});
    visit("encoder", self.encoder,
          {.unit = "KIND", .help = "networks of encoder and decoder", .names = encoder_names, .summary = ", {}"});
    visit("decoder", self.decoder,
          {.unit = "NAME",
           .help = "distribution of the data given the latent",
           .names = decoder_names,
           .summary = ", {} decoder"});
    visit("hidden", self.coder.hidden,
          {.unit = "SIZES",
           .help = "hidden layers of encoder and decoder",
           .summary = " {}",
           .only = {"encoder", self.encoder, {"mlp"}}});
    visit("channels", self.coder.channels,
          {.unit = "COUNT", .help = "channels of the first convolution", .only = {"encoder", self.encoder, {"conv"}}});
    visit("activation", self.coder.activation, {.unit = "NAME", .names = nn::activation_names, .summary = ", {}"});
    visit("beta", self.beta, {.unit = "WEIGHT", .help = "weight of the divergence from the prior"});
    visit("free_bits", self.free_bits,
          {.unit = "NATS",
           .help = "divergence of each latent dimension that costs nothing, so that none falls out of use"});
  }
  void set_shape(const DataShape& of_data) { shape = of_data; }
};

/// Data points and the noise of their latents.   x: [N, D], eps: [N, L]
struct VaeExample {
  Tensor x, eps;
  Indices labels;
};

/// The distribution of a point's latent, N(mean, e^(2 log_deviation)).   [N, L] each
struct Latent {
  Tensor mean, log_deviation;
};

class Vae;

/// An Objective (nn/trainer.hpp): minus the evidence lower bound in nats, with one latent z = mean + deviation eps for
/// each point (Kingma and Welling, "Auto-Encoding Variational Bayes", 2014, equation 10):
///   -E[ln p(x | z)] + beta sum_j max(KL_j, free_bits)
/// with beta of Higgins et al. ("beta-VAE", 2017) and free bits, on the batch mean of KL_j, of Kingma et al.
/// ("Improving Variational Inference with Inverse Autoregressive Flow", 2016, equation 15).
class VaeObjective {
 public:
  using Example = VaeExample;

  VaeObjective(const Vae& vae, double beta, double free_bits) : vae_(&vae), beta_(beta), free_bits_(free_bits) {}

  Example make_example(const datasets::Batch& batch, Generator& rng) const;
  Tensor loss(const Example& example) const;
  bool worth_making_ahead() const { return false; }

 private:
  const Vae* vae_;
  double beta_, free_bits_;
};

/// p(x, z) = p(x | z) N(z; 0, I), with the decoder's
///   gaussian    N(x; mean(z), s^2), one learned s
///   bernoulli   black and white pixels: see bernoulli_log_likelihood(). It has no density of gray ones.
///   logistic    256 levels, each pixel with its own mean and scale: logistic_log_likelihood(). In model units a
///   level's
///               probability is spread evenly over its cell.
/// The label, one-hot, is a condition of encoder and decoder; without labels, log_density() is that of the mixture of
/// all classes in equal parts, and sample() draws from it.
/// Parameters: "encoder.", "decoder.", and "log_deviation" of a Gaussian decoder.
class Vae final : public GenerativeModel {
 public:
  using Description = VaeDescription;
  static constexpr const char* kFamily = "vae";

  /// With weights drawn from `rng`. Throws std::invalid_argument, naming the field, for an invalid description.
  Vae(const VaeDescription& description, Generator& rng);
  /// The inverse of metadata(). Throws std::invalid_argument, naming the entry.
  static VaeDescription read_description(const nn::Metadata& metadata);

  const VaeDescription& description() const& { return description_; }
  const VaeDescription& description() const&& = delete;
  VaeObjective objective() const { return {*this, description_.beta, description_.free_bits}; }

  /// x: [N, D], condition: one_hot() -> [N, L] each
  Latent encode(const Tensor& x, const Tensor& condition) const;
  /// The mean of x given z, in the data's range for images.   z: [N, L] -> [N, D]
  Tensor decode(const Tensor& z, const Tensor& condition) const;
  /// A sample given z: with the noise of a Gaussian decoder of points. For images the mean, as is usual: noise that is
  /// independent between pixels only makes them grainy.
  Tensor draw_given(const Tensor& z, const Tensor& condition, Generator& rng) const;
  /// ln p(x | z).   [N]
  Tensor log_likelihood(const Tensor& x, const Tensor& z, const Tensor& condition) const;
  /// ln 1/K sum_k p(x, z_k) / q(z_k | x), z_k from the encoder: the importance-weighted bound, which for K = 1 is the
  /// evidence bound, never falls with K in expectation, and tends to ln p(x) (Burda et al., "Importance Weighted
  /// Autoencoders", 2016, theorem 1). The noise depends on the seed and on the row: that of row 0 is first_row's.
  Tensor bound(const Tensor& x, const Tensor& condition, Index samples, std::uint64_t seed, Index first_row = 0) const;

  std::string family() const override { return kFamily; }
  Index dimension() const override { return description_.shape.dimension; }
  Index classes() const override { return description_.shape.classes; }
  std::optional<nn::ImageShape> image_shape() const override { return description_.shape.image_shape(); }
  nn::Module& module() override { return *module_; }
  const nn::Module& module() const override { return *module_; }
  /// The same, for a model that contains this one.
  std::shared_ptr<nn::Module> shared_module() const { return module_; }
  nn::Metadata metadata() const override;
  nn::Metadata identity() const override;
  std::string network_text() const override;
  std::string training_text() const override;
  double numbers_of_step(Index batch) const override;
  std::unique_ptr<nn::TrainingLoop> trainer(datasets::BatchSource source, const nn::TrainerOptions& options) override;
  /// Minus the plain evidence bound.
  double held_out_loss(const datasets::BatchSource& source, Index samples, std::uint64_t seed) const override;
  Tensor sample(Index n, const Indices& labels, Generator& rng) const override;
  Index noise_dimension() const override { return description_.latent; }
  /// The decoder's mean.
  Tensor from_noise(const Tensor& noise, const Indices& labels) const override;
  bool reconstructs() const override { return true; }
  /// The decoder's mean at the encoder's.
  Tensor reconstruct(const Tensor& x, const Indices& labels) const override;
  DensityKind density_kind() const override;
  std::string no_density() const override;
  /// bound() with kImportanceSamples.
  Tensor log_density(const Tensor& x, const Indices& labels) const override;
  static constexpr Index kImportanceSamples = 64;

 private:
  VaeDescription description_;
  std::shared_ptr<nn::ConditionalNetwork> encoder_, decoder_;
  Tensor log_deviation_;  // of a Gaussian decoder
  std::shared_ptr<nn::Module> module_;
};

}  // namespace rill::flow
