#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "nn/activation.hpp"
#include "nn/embedding.hpp"
#include "nn/init.hpp"
#include "nn/linear.hpp"
#include "nn/sequential.hpp"
#include "nn/time_embedding.hpp"
#include "tests/gradcheck.hpp"
#include "tests/misuse.hpp"
#include "tests/nn/parameter_gradients.hpp"

namespace rill::nn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Property;

TEST(Init, UniformByFanInFillsItsRangeEvenly) {
  Generator rng(1);
  constexpr Index kFanIn = 25;
  const double bound = 0.2;  // 1 / sqrt(25)
  const std::vector<Real> w = uniform_by_fan_in({400, kFanIn}, kFanIn, rng).to_vector();
  double mean = 0, square = 0;
  for (const Real v : w) mean += v, square += v * v;
  mean /= static_cast<double>(w.size());
  square /= static_cast<double>(w.size());
  const auto [least, most] = std::minmax_element(w.begin(), w.end());
  EXPECT_GE(*least, static_cast<Real>(-bound));
  EXPECT_LE(*most, static_cast<Real>(bound));
  // Of 10,000 numbers the extremes miss the ends by 2 bound / 10,000 on average.
  EXPECT_LT(*least, -0.998 * bound);
  EXPECT_GT(*most, 0.998 * bound);
  EXPECT_NEAR(mean, 0, 5 * bound / std::sqrt(3e4));                  // 5 standard errors
  EXPECT_NEAR(square, bound * bound / 3, 0.05 * bound * bound / 3);  // 5.6 standard errors
  EXPECT_THROW(uniform_by_fan_in({1}, 0, rng), std::invalid_argument);
}

TEST(Linear, ComputesXTimesWTransposedPlusBias) {
  const Linear layer(Tensor::from({1, 2, 3, 4, 5, 6}, {3, 2}), Tensor::from({10, 20, 30}, {3}));
  const Tensor y = layer.forward(Tensor::from({1, 0, 1, -1}, {2, 2}));
  EXPECT_EQ(y.shape(), Shape({2, 3}));
  EXPECT_THAT(y.to_vector(), ElementsAre(11, 23, 35, 9, 19, 29));
}

TEST(Linear, StartsAsPyTorchDoes) {
  Generator rng(2);
  const Linear layer(16, 100, rng);
  for (const auto& [name, parameter] : layer.named_parameters()) {
    const std::vector<Real> v = parameter.to_vector();
    const Real most = *std::max_element(v.begin(), v.end()), least = *std::min_element(v.begin(), v.end());
    EXPECT_LE(std::max(most, -least), Real(0.25)) << name;  // 1 / sqrt(16)
    EXPECT_GT(std::min(most, -least), Real(0.22)) << name;  // the chance of less is 0.94^100 = 0.2 % per end
  }
  const auto zeros = Linear::zeros(2, 3);
  for (const Tensor& parameter : zeros->parameters()) {
    for (const Real v : parameter.values()) EXPECT_EQ(v, 0);
  }
}

TEST(Linear, GradientsOfItsParameters) {
  Generator rng(3);
  Linear layer(3, 4, rng);
  const Tensor x = Tensor::randn({5, 3}, rng);
  expect_parameter_gradients(layer, [&] { return square(layer.forward(x)); });
}

TEST(Linear, RefusesABiasOfAnotherSize) {
  EXPECT_THROW(Linear(Tensor::zeros({3, 2}), Tensor::zeros({2})), std::invalid_argument);
}

TEST(Activation, EveryNameIsItsFunction) {
  const Tensor x = Tensor::from({-1.5, 0.5}, {2});
  const double phi = 0.5 * std::erfc(1.5 / std::numbers::sqrt2), sigmoid = 1 / (1 + std::exp(1.5));
  const struct {
    const char* name;
    double at_minus_1_5;
  } expected[] = {{"relu", 0},
                  {"leaky_relu", -0.015},
                  {"elu", std::exp(-1.5) - 1},
                  {"selu", 1.0507009873554805 * 1.6732632423543772 * (std::exp(-1.5) - 1)},
                  {"tanh", std::tanh(-1.5)},
                  {"sigmoid", sigmoid},
                  {"softplus", std::log1p(std::exp(-1.5))},
                  {"gelu", -1.5 * phi},
                  {"gelu_tanh", -0.10042842301976707},  // -1.5 (1 + tanh(sqrt(2 / pi) (-1.5 - 0.044715 1.5^3))) / 2
                  {"silu", -1.5 * sigmoid}};
  for (const auto& [name, value] : expected) {
    const Tensor y = Activation(name).forward(x);
    EXPECT_EQ(y.shape(), x.shape());
    EXPECT_NEAR(y.data()[0], value, 1e-6) << name;
  }
}

TEST(Activation, AnUnknownNameListsTheKnownOnes) {
  const std::string message = misuse([] { Activation("swish"); });
  EXPECT_THAT(message, HasSubstr("unknown activation 'swish'"));
  for (const std::string& name : activation_names()) EXPECT_THAT(message, HasSubstr(name));
}

TEST(Sequential, AppliesItsLayersInOrderAndNamesThemByNumber) {
  const Sequential layers({std::make_shared<Linear>(Tensor::from({2}, {1, 1}), Tensor::from({-3}, {1})),
                           std::make_shared<Activation>("relu"),
                           std::make_shared<Linear>(Tensor::from({10}, {1, 1}), Tensor::from({1}, {1}))});
  EXPECT_THAT(layers.forward(Tensor::from({1, 2}, {2, 1})).to_vector(), ElementsAre(1, 11));
  std::vector<std::string> names;
  for (const NamedTensor& parameter : layers.named_parameters()) names.push_back(parameter.name);
  EXPECT_THAT(names, ElementsAre("0.weight", "0.bias", "2.weight", "2.bias"));
}

TEST(Embedding, PicksRowsAndSumsTheirGradients) {
  Generator rng(4);
  Embedding embedding(3, 2, rng);
  const std::vector<Real> w = embedding.parameters()[0].to_vector();
  const Tensor y = embedding.forward(Indices({2, 0, 2}));
  EXPECT_THAT(y.to_vector(), ElementsAre(w[4], w[5], w[0], w[1], w[4], w[5]));
  sum(y * Tensor::from({1, 2, 3, 4, 5, 6}, {3, 2})).backward();
  EXPECT_THAT(embedding.parameters()[0].grad().to_vector(), ElementsAre(3, 4, 0, 0, 6, 8));
  EXPECT_THROW(embedding.forward(Indices({3})), std::invalid_argument);
}

TEST(Embedding, StartsStandardNormal) {
  Generator rng(5);
  const Embedding embedding(100, 100, rng);
  double square = 0;
  for (const Real v : embedding.parameters()[0].values()) square += v * v;
  EXPECT_NEAR(square / 1e4, 1, 0.07);  // 5 standard errors
}

TEST(TimeEmbedding, PlainIsTheTimeItself) {
  const TimeEmbedding embedding("plain", 0);
  EXPECT_EQ(embedding.features(), 1);
  const Tensor y = embedding.forward(Tensor::from({0.25, 1}, {2}));
  EXPECT_EQ(y.shape(), Shape({2, 1}));
  EXPECT_THAT(y.to_vector(), ElementsAre(Real(0.25), Real(1)));
}

TEST(TimeEmbedding, FourierIsTheTimeThenSinesThenCosines) {
  const TimeEmbedding embedding("fourier", 3);
  ASSERT_EQ(embedding.features(), 7);
  const Tensor y = embedding.forward(Tensor::from({0, 0.3, 1}, {3}));
  ASSERT_EQ(y.shape(), Shape({3, 7}));
  for (Index n = 0; n < 3; ++n) {
    const double t = n == 0 ? 0 : n == 1 ? 0.3 : 1;
    const Real* row = y.data() + 7 * n;
    EXPECT_NEAR(row[0], t, 1e-6);
    for (int k = 1; k <= 3; ++k) {
      EXPECT_NEAR(row[k], std::sin(std::numbers::pi * k * t), 1e-5);
      EXPECT_NEAR(row[3 + k], std::cos(std::numbers::pi * k * t), 1e-5);
    }
  }
}

TEST(TimeEmbedding, SinusoidalFrequenciesAreGeometric) {
  const TimeEmbedding embedding("sinusoidal", 4);
  ASSERT_EQ(embedding.features(), 8);
  const Tensor y = embedding.forward(Tensor::from({0.05}, {1}));
  for (int k = 0; k < 4; ++k) {
    const double angle = 1000 * 0.05 * std::pow(10, -k);  // 10000^(-k/4) = 10^-k
    EXPECT_NEAR(y.data()[k], std::sin(angle), 2e-5);      // float rounds the angle 50 to 4e-6
    EXPECT_NEAR(y.data()[4 + k], std::cos(angle), 2e-5);
  }
}

TEST(TimeEmbedding, UnscaledIsCosinesThenSinesOfTheTimeItself) {
  const TimeEmbedding embedding("unscaled", 4);
  ASSERT_EQ(embedding.features(), 8);
  const Tensor y = embedding.forward(Tensor::from({0.75}, {1}));
  for (int k = 0; k < 4; ++k) {
    const double angle = 0.75 * std::pow(10, -k);
    EXPECT_NEAR(y.data()[k], std::cos(angle), 1e-6);
    EXPECT_NEAR(y.data()[4 + k], std::sin(angle), 1e-6);
  }
}

TEST(TimeEmbedding, ATimeThatAllPointsShareHasTheFeaturesOfEach) {
  for (const char* kind : {"plain", "fourier", "sinusoidal", "unscaled"}) {
    const TimeEmbedding embedding(kind, 3);
    const Tensor one = embedding.forward(Tensor::full({1}, 0.3)), same = embedding.forward(Tensor::full({4}, 0.3));
    EXPECT_EQ(same.to_vector(), broadcast_to(one, {4, embedding.features()}).to_vector()) << kind;
    const Tensor mixed = embedding.forward(Tensor::from({0.3, 0.3, 0.6, 0.3}, {4}));
    EXPECT_EQ(slice(mixed, 0, 1, 2).to_vector(), one.to_vector()) << kind;
    EXPECT_NE(slice(mixed, 0, 2, 3).to_vector(), one.to_vector()) << kind;
  }
}

TEST(TimeEmbedding, GradientsFlowToTheTime) {
  const TimeEmbedding embedding("fourier", 2);
  rill::testing::expect_gradients([&](const std::vector<Tensor>& x) { return embedding.forward(x[0]); },
                                  {Tensor::from({0.1, 0.6}, {2})});
}

TEST(TimeEmbedding, RefusesUnknownKindsNoFrequenciesAndOtherShapes) {
  EXPECT_THAT(misuse([] { TimeEmbedding("linear", 4); }),
              HasSubstr("unknown time embedding 'linear'; known: plain, fourier, sinusoidal, unscaled"));
  EXPECT_THAT(misuse([] { TimeEmbedding("fourier", 0); }), HasSubstr("the number of frequencies is 0"));
  EXPECT_THAT(misuse([] { TimeEmbedding("plain", 0).forward(Tensor::zeros({2, 1})); }), HasSubstr("got [2, 1]"));
}

}  // namespace
}  // namespace rill::nn
