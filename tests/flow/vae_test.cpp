// Variational autoencoders: likelihoods and bounds that are known, gradients, and training.
#include "flow/model/vae.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "flow/loss/evidence_bound.hpp"
#include "flow/model/label_condition.hpp"
#include "tests/misuse.hpp"
#include "tests/nn/parameter_gradients.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
constexpr double kLog2Pi = 1.8378770664093454;

double number(const Tensor& x, Index i = 0) { return static_cast<double>(x.data()[i]); }
double average(const Tensor& x) { return number(mean(x)); }

TEST(EvidenceBound, TheDivergenceOfGaussiansIsThatOfTheirLogarithms) {
  const double m = 0.8, s = 0.4;
  const Index n = 400'000;
  Generator rng(2);
  const Tensor eps = Tensor::randn({n, 1}, rng), z = m + s * eps;
  // E_q[ln q - ln p]
  const double sampled = average(-0.5 * square(eps) - std::log(s) + 0.5 * square(z));
  EXPECT_NEAR(number(gaussian_kl(Tensor::full({1, 1}, m), Tensor::full({1, 1}, std::log(s)))), sampled, 5e-3);
  EXPECT_EQ(number(gaussian_kl(Tensor::zeros({1, 1}), Tensor::zeros({1, 1}))), 0);
}

TEST(EvidenceBound, GaussiansAreNormal) {
  const Tensor x = Tensor::from({1, 2}, {1, 2}), mean = Tensor::from({0, 4}, {1, 2});
  const Tensor found = gaussian_log_likelihood(x, mean, Tensor::full({1}, std::log(2)));
  EXPECT_NEAR(number(found), -0.5 * (0.25 + 1) - 2 * std::log(2) - kLog2Pi, 1e-5);
}

TEST(EvidenceBound, LevelsHaveProbabilitiesThatSumToOne) {
  Tensor pixels = Tensor::empty({256, 1});
  for (Index level = 0; level < 256; ++level)
    pixels.data()[level] = static_cast<Real>(static_cast<double>(level) / 127.5 - 1);
  for (const double mean : {-1.2, -0.3, 0.0, 0.99, 4.0}) {
    for (const double log_scale : {-9.0, -5.0, -2.0, 1.0}) {
      const Tensor log_p =
          logistic_log_likelihood(pixels, Tensor::full({256, 1}, mean), Tensor::full({256, 1}, log_scale));
      EXPECT_NEAR(number(sum(exp(log_p))), 1, 1e-3) << mean << ", " << log_scale;
      // The middle of the formula, in double, where it does not cancel.
      const double s = std::exp(std::max(log_scale, -7.0)), h = 1.0 / 255, x = 100 / 127.5 - 1;
      const auto cdf = [&](double y) { return 1 / (1 + std::exp(-(y - mean) / s)); };
      const double p = cdf(x + h) - cdf(x - h);
      if (p > 1e-8) {
        EXPECT_NEAR(number(log_p, 100), std::log(p), 2e-3) << mean << ", " << log_scale;
      }
      const double black = std::log(cdf(-1 + h));
      if (std::isfinite(black)) {
        EXPECT_NEAR(number(log_p, 0), black, 1e-3 * (1 + std::abs(black)));
      }
    }
  }
}

TEST(EvidenceBound, BlackAndWhitePixelsAreBernoulli) {
  const Tensor logits = Tensor::from({0.5, -2}, {1, 2});
  const double q = 1 / (1 + std::exp(-0.5)), r = 1 / (1 + std::exp(2.0));
  EXPECT_NEAR(number(bernoulli_log_likelihood(Tensor::from({1, 0}, {1, 2}), logits)), std::log(q) + std::log(1 - r),
              1e-5);
}

const nn::CoderOptions kLinear = {.hidden = {}};

// With linear networks, p(x) = N(b, W W^T + s^2 I) exactly.
struct LinearModel {
  explicit LinearModel(const Vae& vae) {
    for (const auto& [name, tensor] : vae.module().named_parameters()) {
      if (name == "decoder.layers.0.weight") w = tensor;
      if (name == "decoder.layers.0.bias") b = tensor;
      if (name == "log_deviation") variance = std::exp(2 * number(tensor));
    }
  }
  // ln p for D = 2 and one latent.
  double log_density(double x, double y) const {
    const double w1 = number(w, 0), w2 = number(w, 1);
    const double a = w1 * w1 + variance, c = w2 * w2 + variance, off = w1 * w2, det = a * c - off * off;
    const double dx = x - number(b, 0), dy = y - number(b, 1);
    return -0.5 * ((c * dx * dx - 2 * off * dx * dy + a * dy * dy) / det + std::log(det)) - kLog2Pi;
  }
  Tensor w, b;
  double variance = 0;
};

TEST(Vae, BoundsRiseWithImportanceSamplesToTheLogarithm) {
  Generator rng(3);
  Vae vae({.latent = 1, .coder = kLinear}, rng);
  nn::randomize_parameters(vae.module(), 0.5, 4);
  // The encoder says the prior: a proposal that is wide enough for the weights to have a variance.
  for (auto& [name, tensor] : vae.module().named_parameters()) {
    if (name.starts_with("encoder.")) std::fill_n(tensor.data(), tensor.size(), Real(0));
  }
  const LinearModel model(vae);
  const Index n = 500;
  const Tensor x = Tensor::randn({n, 2}, rng);
  double exact = 0;
  for (Index i = 0; i < n; ++i)
    exact += model.log_density(number(x, 2 * i), number(x, 2 * i + 1)) / static_cast<double>(n);
  double last = -1e9;
  for (const Index samples : {1, 4, 16, 64, 2048}) {
    const double bound = average(vae.bound(x, {}, samples, 7));
    EXPECT_GT(bound, last) << samples;
    EXPECT_LT(bound, exact + 0.005) << samples;
    last = bound;
  }
  EXPECT_NEAR(last, exact, 0.01);
  EXPECT_NEAR(average(vae.log_density(x, {})), exact, 0.03);
  EXPECT_THAT(misuse([&] { vae.bound(x, {}, 0, 7); }), HasSubstr("at least 1 importance sample, got 0"));
}

// Data of probabilistic PCA: the bound of a linear autoencoder reaches ln p, and finds the noise (Lucas et al., "Don't
// Blame the ELBO!", 2019, section 4).
TEST(Vae, ALinearOneIsProbabilisticPca) {
  const Index d = 4;
  const double s = 0.3;
  const Tensor w = Tensor::from({2, 0, 0, 1, 1, 1, 0, 0.5}, {d, 2}), center = Tensor::from({1, -1, 0.5, 0}, {d});
  const auto batches = [&](Index, Generator& rng) {
    return datasets::Batch{linear(Tensor::randn({256, 2}, rng), w) + s * Tensor::randn({256, d}, rng) + center, {}};
  };
  Generator rng(5);
  Vae vae({.shape = {.dimension = d}, .latent = 2, .coder = kLinear}, rng);
  nn::TrainerOptions options;
  options.learning_rate = {.schedule = "cosine", .peak = 0.02, .steps = 1500};
  const auto loop = vae.trainer(batches, options);
  for (int i = 0; i < 1500; ++i) loop->step();
  // ln |W W^T + s^2 I| by the determinant lemma: s^(2 (D - 2)) |W^T W + s^2 I|, W^T W = [[5, 1], [1, 2.25]].
  const double v = s * s, determinant = std::pow(v, d - 2) * ((5 + v) * (2.25 + v) - 1);
  const double entropy = 0.5 * (std::log(determinant) + static_cast<double>(d) * (kLog2Pi + 1));
  const double loss = vae.held_out_loss(batches, 50'000, 1);
  EXPECT_NEAR(loss, entropy, 0.03);
  EXPECT_GT(loss, entropy - 0.015) << "no bound exceeds ln p";
  EXPECT_NEAR(LinearModel(vae).variance, v, 0.1 * v);
}

std::vector<VaeDescription> all_kinds() {
  const DataShape image{.dimension = 32, .image = {4, 8, 1}};
  std::vector<VaeDescription> all = {{.latent = 2, .coder = {.hidden = {5}}},
                                     {.shape = {.classes = 2}, .latent = 2, .coder = {.hidden = {5}}, .beta = 0.5}};
  for (const std::string& encoder : encoder_names()) {
    for (const std::string& decoder : decoder_names()) {
      all.push_back({.shape = image,
                     .latent = 2,
                     .encoder = encoder,
                     .decoder = decoder,
                     .coder = {.hidden = {5}, .channels = 2}});
    }
  }
  all.back().shape.classes = 3;
  return all;
}

TEST(Vae, GradientsAreThoseOfTheLoss) {
  for (const VaeDescription& description : all_kinds()) {
    Generator rng(7);
    Vae vae(description, rng);
    nn::randomize_parameters(vae.module(), 0.2, 8);
    const bool image = description.shape.is_image();
    Tensor x = Tensor::randn({4, description.shape.dimension}, rng);
    if (image) x = clamp(0.5 * x, -1, 1);
    const Indices labels = description.shape.classes > 0 ? Indices({0, 1, 1, 0}) : Indices();
    const VaeExample example{x, Tensor::randn({4, 2}, rng), labels};
    const double numbers = static_cast<double>(description.shape.dimension);
    nn::expect_parameter_gradients(vae.module(), [&] { return vae.objective().loss(example) / numbers; });
  }
}

TEST(Vae, SamplesAndDensitiesOfEveryKind) {
  for (const VaeDescription& description : all_kinds()) {
    Generator rng(7);
    const Vae vae(description, rng);
    const Index classes = description.shape.classes;
    const Tensor x = vae.sample(6, {}, rng);
    EXPECT_EQ(x.shape(), (Shape{6, description.shape.dimension}));
    if (description.shape.is_image()) {
      EXPECT_LE(number(max(abs(x))), description.decoder == "gaussian" ? 10 : 1);
    }
    if (vae.density_kind() == DensityKind::kNone) {
      EXPECT_THAT(misuse([&] { vae.log_density(x, {}); }), HasSubstr("train with the decoder logistic"));
      continue;
    }
    const Tensor log_p = vae.log_density(x, {});
    EXPECT_TRUE(std::isfinite(number(sum(log_p))));
    // Of its own row only, whatever the group.
    EXPECT_EQ(vae.log_density(slice(x, 0, 0, 3), {}).to_vector(), slice(log_p, 0, 0, 3).to_vector());
    if (classes == 0) continue;
    const Tensor of_one = vae.log_density(x, Indices(std::vector<Index>(6, 1)));
    EXPECT_NE(of_one.to_vector(), log_p.to_vector());
    EXPECT_THAT(misuse([&] { vae.log_density(x, Indices(std::vector<Index>(6, classes))); }), HasSubstr("vae: label"));
  }
}

TEST(Vae, DoesNotDependOnThreads) {
  Generator rng(1);
  const Vae vae({.latent = 2, .coder = {.hidden = {8}}}, rng);
  const Tensor x = Tensor::randn({2500, 2}, rng);
  const int threads = thread_count();
  set_thread_count(1);
  const std::vector<Real> alone = vae.log_density(x, {}).to_vector();
  set_thread_count(3);
  EXPECT_EQ(vae.log_density(x, {}).to_vector(), alone);
  set_thread_count(threads);
}

TEST(Vae, BetaAndFreeBitsDoWhatTheySay) {
  Generator rng(9);
  Vae vae({.latent = 3, .coder = {.hidden = {5}}}, rng);
  nn::randomize_parameters(vae.module(), 0.3, 8);
  const VaeExample example{Tensor::randn({50, 2}, rng), Tensor::randn({50, 3}, rng), {}};
  const Latent q = vae.encode(example.x, {});
  const Tensor kl = mean(gaussian_kl(q.mean, q.log_deviation), {.axes = {0}});
  const auto loss = [&](double beta, double free_bits) {
    return number(VaeObjective(vae, beta, free_bits).loss(example));
  };
  const double base = loss(0, 0);
  EXPECT_NEAR(loss(2, 0) - base, 2 * number(sum(kl)), 1e-4);
  double paid = 0;
  for (Index j = 0; j < 3; ++j) paid += std::max(number(kl, j), number(kl, 1));
  EXPECT_NEAR(loss(1, number(kl, 1)) - base, paid, 1e-4);
  EXPECT_NEAR(loss(1, 100) - base, 300, 1e-2);
}

TEST(Vae, RefusesWhatDoesNotFit) {
  const auto refused = [](const VaeDescription& description) {
    return misuse([&] {
      Generator rng(0);
      Vae(description, rng);
    });
  };
  EXPECT_THAT(refused({.encoder = "conv"}), HasSubstr("encoder: conv is for images, but these are points; use mlp"));
  EXPECT_THAT(refused({.decoder = "logistic"}), HasSubstr("decoder: logistic is for images"));
  EXPECT_THAT(refused({.decoder = "gauss"}), HasSubstr("unknown decoder 'gauss'"));
  EXPECT_THAT(refused({.latent = 0}), HasSubstr("latent"));
  EXPECT_THAT(refused({.beta = -1}), HasSubstr("beta: expected a number, 0 or more, got -1"));
  EXPECT_THAT(refused({.free_bits = -1}), HasSubstr("free_bits"));
  EXPECT_THAT(refused({.shape = {.dimension = 36, .image = {6, 6, 1}}, .encoder = "conv"}),
              HasSubstr("4 does not divide images of 6 x 6 pixels; use the encoder mlp"));
}

}  // namespace
}  // namespace rill::flow
