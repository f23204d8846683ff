// Latent flows: what they share with their autoencoder, and what they mend of it.
#include "flow/model/latent_flow.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "autodiff/ops.hpp"
#include "datasets/data.hpp"
#include "flow/metrics/discrepancy.hpp"
#include "tests/misuse.hpp"
#include "tests/nn/parameter_gradients.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;

double number(const Tensor& x) { return static_cast<double>(x.item()); }

std::shared_ptr<Vae> autoencoder(const VaeDescription& description) {
  Generator rng(1);
  return std::make_shared<Vae>(description, rng);
}

LatentFlowDescription on(const Vae& vae, LatentFlowDescription description = {}) {
  description.autoencoder = vae.description();
  description.set_shape(vae.description().shape);
  return description;
}

void train(GenerativeModel& model, const datasets::BatchSource& batches, Index steps, double rate) {
  nn::TrainerOptions options;
  options.learning_rate = {.schedule = "cosine", .peak = rate, .steps = steps};
  const auto loop = model.trainer(batches, options);
  for (Index i = 0; i < steps; ++i) loop->step();
}

// An autoencoder with a weak divergence leaves holes in its latent space, which the prior fills and the flow does not.
TEST(LatentFlow, LearnsWhatThePriorMisses) {
  const auto data = datasets::open_data({.source = "8gaussians"});
  const auto batches = data->batches(256, 0);
  const auto vae = autoencoder({.latent = 2, .coder = {.hidden = {32, 32}}, .beta = 0.2});
  train(*vae, batches, 800, 0.01);
  std::vector<std::vector<Real>> before;
  for (const Tensor& p : vae->module().parameters()) before.push_back(p.to_vector());
  Generator rng(2);
  LatentFlow flow(on(*vae, {.network = {.hidden = {32, 32}}}), vae, rng);
  train(flow, batches, 1500, 0.01);
  const std::vector<Tensor> after = vae->module().parameters();
  for (std::size_t i = 0; i < after.size(); ++i) EXPECT_EQ(after[i].to_vector(), before[i]) << "the autoencoder stays";

  Generator fresh(3);
  const Tensor x = data->draw(2000, fresh).x_1;
  const double of_prior = energy_distance(vae->sample(2000, {}, fresh), x).value;
  const double of_flow = energy_distance(flow.sample(2000, {}, fresh), x).value;
  EXPECT_LT(of_flow, 0.5 * of_prior);

  // Latents come out standardized, and the bound with the learned prior is better.
  const Tensor z = flow.encode(x, {}, fresh);
  EXPECT_NEAR(number(mean(z)), 0, 0.1);
  EXPECT_NEAR(number(mean(square(z))), 1, 0.15);
  const Tensor few = slice(x, 0, 0, 300);
  EXPECT_GT(number(mean(flow.log_density(few, {}))), number(mean(vae->log_density(few, {}))) - 0.05);
}

TEST(LatentFlow, GradientsAreThoseOfTheLoss) {
  const auto vae = autoencoder({.shape = {.classes = 2}, .latent = 3, .coder = {.hidden = {4}}});
  Generator rng(4);
  LatentFlow model(on(*vae, {.network = {.hidden = {5}}, .label_dropout = 0.3}), vae, rng);
  ExampleOptions examples;
  examples.path = {.name = "cosine"};
  examples.no_class = 2;
  const LatentFlowObjective objective(model, examples);
  const Example example = objective.make_example({Tensor::randn({5, 2}, rng), Indices({0, 1, 1, 0, 1})}, rng);
  nn::TimeNetwork& network = const_cast<nn::TimeNetwork&>(*model.velocity_network());
  nn::expect_parameter_gradients(network, [&] { return objective.loss(example); });
}

TEST(LatentFlow, IsWhatItsFileSays) {
  const auto vae = autoencoder({.shape = {.dimension = 16, .classes = 3, .image = {4, 4, 1}},
                                .latent = 2,
                                .encoder = "conv",
                                .decoder = "logistic",
                                .coder = {.channels = 2}});
  Generator rng(5);
  const LatentFlow model(on(*vae, {.network = {.hidden = {5}}, .label_dropout = 0.1}), vae, rng);
  EXPECT_TRUE(model.dynamics_are_latent());
  EXPECT_EQ(model.dynamics()->velocity->dimension(), 2);
  EXPECT_EQ(model.dynamics()->no_guidance, "");
  EXPECT_EQ(model.dimension(), 16);
  EXPECT_EQ(model.sample(4, {}, rng).shape(), (Shape{4, 16}));
  EXPECT_EQ(model.from_dynamics(Tensor::zeros({2, 2}), Indices({3, 1}), 0).shape(), (Shape{2, 16}));
  EXPECT_TRUE(std::isfinite(number(sum(model.log_density(model.sample(4, {}, rng), {})))));
  // Points, unlike images, get the decoder's noise.
  const auto of_points = autoencoder({.latent = 2, .coder = {.hidden = {4}}});
  const LatentFlow points(on(*of_points, {.network = {.hidden = {5}}}), of_points, rng);
  const Tensor z = Tensor::zeros({4000, 2}), x = points.from_dynamics(z, {}, 7);
  EXPECT_EQ(x.to_vector(), points.from_dynamics(z, {}, 7).to_vector());
  EXPECT_NEAR(number(mean(square(x - mean(x, {.axes = {0}})))), 1, 0.1) << "the initial deviation is 1";
  const auto again = std::make_shared<LatentFlow>(LatentFlow::read_description(model.metadata()), rng);
  EXPECT_EQ(again->metadata(), model.metadata());
}

TEST(LatentFlow, RefusesWhatDoesNotFit) {
  const auto vae = autoencoder({.latent = 3});
  LatentFlowDescription description;
  description.autoencoder = vae->description();
  EXPECT_THAT(misuse([&] { description.set_shape({.dimension = 5}); }),
              HasSubstr("knows points of 2 numbers in 0 classes, but the data have 5"));
  Generator rng(0);
  EXPECT_THAT(misuse([&] { LatentFlow(on(*vae, {.network = {.kind = "unet"}}), vae, rng); }),
              HasSubstr("unet is for images, but latents are points; use mlp"));
  EXPECT_THAT(misuse([&] { LatentFlow({.autoencoder = vae->description()}, vae, rng); }),
              HasSubstr("the latents have 3"));
  EXPECT_THAT(misuse([&] { LatentFlow(on(*vae, {.label_dropout = 0.1}), vae, rng); }), HasSubstr("has no classes"));
}

}  // namespace
}  // namespace rill::flow
