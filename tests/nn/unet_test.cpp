#include "nn/unet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "nn/checkpoint.hpp"
#include "nn/time_networks.hpp"
#include "tests/gradcheck.hpp"
#include "tests/misuse.hpp"
#include "tests/nn/golden/unet.hpp"
#include "tests/nn/golden/unet_testing.hpp"
#include "tests/nn/parameter_gradients.hpp"
#include "tests/temporary_folder.hpp"

namespace rill::nn {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

// TorchCFM's class-conditional MNIST network.
TimeNetworkDescription torchcfm_mnist() {
  return {.kind = "unet",
          .dimension = 784,
          .time_embedding = "unscaled",
          .time_frequencies = 16,
          .classes = 10,
          .image = {28, 28, 1},
          .unet = {.base_channels = 32, .multipliers = {1, 2, 2}, .attention = {0}, .no_class = false}};
}

// A few hundred parameters, with every part in use: two sizes, a block that changes channels, attention, patches.
TimeNetworkDescription tiny() {
  return {
      .kind = "unet",
      .dimension = 4 * 8,
      .time_embedding = "fourier",
      .time_frequencies = 1,
      .classes = 2,
      .image = {4, 8, 1},
      .unet = {.base_channels = 2, .multipliers = {1, 2}, .attention = {1}, .heads = 2, .norm_groups = 2, .patch = 2}};
}

std::shared_ptr<TimeNetwork> made(const TimeNetworkDescription& description) {
  Generator rng(1);
  return make_time_network(description, rng);
}

void expect_golden(const TimeNetworkDescription& description, const std::vector<Index>& labels,
                   std::span<const double> golden) {
  const auto model = made(description);
  golden::fill_unet(*model, description.unet.heads);
  Tensor x = Tensor::empty({2, description.dimension});
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<Real>(4 * golden::u(i, 1000));
  const NoGrad no_grad;
  const Tensor y = model->forward(x, Tensor::from({0.25, 0.875}, {2}), Indices(labels));
  ASSERT_EQ(y.size(), std::ssize(golden));
  double most = 0, error = 0;
  for (Index i = 0; i < y.size(); ++i) {
    const double expected = golden[static_cast<std::size_t>(i)];
    const double difference = std::abs(static_cast<double>(y.data()[i]) - expected);
    error = difference <= error ? error : difference;  // a NaN must not pass for a small error
    most = std::max(most, std::abs(expected));
  }
  EXPECT_LT(error / most, sizeof(Real) == 8 ? 1e-9 : 1e-4);  // the file has 12 digits
  EXPECT_GT(most, 1);
}

TEST(UNet, TorchCfmsMnistNetworkIsOneConfiguration) {
  EXPECT_EQ(made(torchcfm_mnist())->parameter_count(), golden::kMnistParameters);
  EXPECT_EQ(golden::kMnistParameters, 1'076'641);
  TimeNetworkDescription guided = torchcfm_mnist();
  guided.unet.no_class = true;
  EXPECT_EQ(made(guided)->parameter_count(), golden::kMnistParameters + 4 * 32);
}

TEST(UNet, ComputesWhatPyTorchDoes) { expect_golden(torchcfm_mnist(), {3, 7}, golden::kMnist); }

TEST(UNet, ComputesWhatPyTorchDoesWithScaleShiftAndHeads) {
  TimeNetworkDescription description = torchcfm_mnist();
  description.dimension = 12 * 8 * 2;
  description.image = {12, 8, 2};
  description.classes = 3;
  description.unet.multipliers = {1, 2};
  description.unet.blocks = 2;
  description.unet.attention = {1};
  description.unet.heads = 2;
  description.unet.scale_shift = true;
  EXPECT_EQ(made(description)->parameter_count(), golden::kSmallParameters);
  expect_golden(description, {1, 2}, golden::kSmall);
}

TEST(UNet, HeadsOfAGivenSizeAreTheSameNetwork) {
  TimeNetworkDescription by_count = tiny(), by_size = tiny();
  by_size.unet.heads = 1;
  by_size.unet.head_channels = 2;  // of the 4 channels of level 1
  const auto a = made(by_count), b = made(by_size);
  randomize_parameters(*a, 0.5, 2);
  randomize_parameters(*b, 0.5, 2);
  Generator rng(3);
  const Tensor x = Tensor::randn({2, 32}, rng), t = Tensor::rand({2}, rng);
  EXPECT_EQ(a->forward(x, t).to_vector(), b->forward(x, t).to_vector());
}

TEST(UNet, GradientsOfInputsAndParameters) {
  for (const bool scale_shift : {false, true}) {
    SCOPED_TRACE(scale_shift);
    TimeNetworkDescription description = tiny();
    description.unet.scale_shift = scale_shift;
    const auto model = made(description);
    randomize_parameters(*model, 0.4, 4);
    Generator rng(5);
    const Tensor x = Tensor::randn({2, 32}, rng), t = Tensor::rand({2}, rng);
    const Indices labels({0, 2});
    rill::testing::expect_gradients(
        [&](const std::vector<Tensor>& inputs) { return model->forward(inputs[0], inputs[1], labels); }, {x, t});
    expect_parameter_gradients(*model, [&] { return model->forward(x, t, labels); });
  }
}

TEST(UNet, StartsAtZeroVelocity) {
  Generator rng(6);
  EXPECT_THAT(made(tiny())->forward(Tensor::randn({2, 32}, rng), Tensor::rand({2}, rng)).to_vector(), Each(0));
}

TEST(UNet, DropsUnitsInTrainingOnly) {
  TimeNetworkDescription description = tiny();
  description.unet.dropout = 0.5;
  const auto model = made(description);
  randomize_parameters(*model, 0.5, 7);
  Generator rng(8);
  const Tensor x = Tensor::randn({2, 32}, rng), t = Tensor::rand({2}, rng);
  const std::vector<Real> whole = model->forward(x, t).to_vector();
  const auto in_training = [&](std::uint64_t seed) {
    Generator draws(seed);
    const TrainingScope training(draws);
    return model->forward(x, t).to_vector();
  };
  EXPECT_NE(in_training(1), whole);
  EXPECT_EQ(in_training(1), in_training(1));
  EXPECT_NE(in_training(1), in_training(2));
  EXPECT_EQ(model->forward(x, t).to_vector(), whole);
}

TEST(UNet, WithoutAVectorForNoClassEveryPointNeedsOne) {
  TimeNetworkDescription description = tiny();
  description.unet.no_class = false;
  const auto model = made(description);
  const Tensor x = Tensor::zeros({2, 32}), t = Tensor::zeros({2});
  EXPECT_NO_THROW(model->forward(x, t, Indices({0, 1})));
  EXPECT_THAT(misuse([&] { model->forward(x, t, Indices({0, 2})); }), HasSubstr("label from 0 to 1"));
  EXPECT_THAT(misuse([&] { model->forward(x, t); }), HasSubstr("a point without a class"));
}

TEST(UNet, ComesBackFromAFile) {
  const testing_support::TemporaryFolder folder;
  const auto model = made(tiny());
  randomize_parameters(*model, 0.5, 9);
  save_network(folder / "model.safetensors", tiny(), *model);
  const LoadedNetwork loaded = load_network(folder / "model.safetensors");
  EXPECT_EQ(loaded.description, tiny());
  Generator rng(10);
  const Tensor x = Tensor::randn({2, 32}, rng), t = Tensor::rand({2}, rng);
  EXPECT_EQ(loaded.network->forward(x, t).to_vector(), model->forward(x, t).to_vector());
}

TEST(UNet, NamesWhatMakesNoNetwork) {
  const auto error = [](auto change) {
    TimeNetworkDescription description = tiny();
    change(description);
    return misuse([&] { made(description); });
  };
  EXPECT_THAT(error([](auto& d) { d.dimension = 31; }),
              HasSubstr("dimension is 31, but images of 4 x 8 x 1 have 32 numbers"));
  EXPECT_THAT(error([](auto& d) { d.image.width = 0; }), HasSubstr("expected sizes from 1 to"));
  EXPECT_THAT(error([](auto& d) { d.unet.patch = 3; }), HasSubstr("in patches of 3 cannot be halved evenly 1 times"));
  EXPECT_THAT(error([](auto& d) { d.unet.multipliers = {1, 1, 1}; }), HasSubstr("halved evenly 2 times"));
  EXPECT_THAT(error([](auto& d) { d.unet.multipliers = {}; }), HasSubstr("no multipliers"));
  EXPECT_THAT(error([](auto& d) { d.unet.multipliers = {1, 0}; }), HasSubstr("a multiplier is 0"));
  EXPECT_THAT(error([](auto& d) { d.unet.norm_groups = 4; }),
              HasSubstr("norm_groups is 4, expected a divisor of the 2 channels of level 0"));
  EXPECT_THAT(error([](auto& d) { d.unet.heads = 3; }), HasSubstr("heads is 3, expected a divisor of the 4 channels"));
  EXPECT_THAT(error([](auto& d) { d.unet.head_channels = 3; }), HasSubstr("head_channels is 3"));
  EXPECT_THAT(error([](auto& d) { d.unet.attention = {2}; }), HasSubstr("attention at level 2, expected 0 to 1"));
  EXPECT_THAT(error([](auto& d) { d.unet.blocks = 0; }), HasSubstr("blocks is 0"));
  EXPECT_THAT(error([](auto& d) { d.unet.dropout = 1; }), HasSubstr("probability 1, expected 0 <= p < 1"));
  EXPECT_THAT(error([](auto& d) { d.unet.base_channels = 0; }), HasSubstr("base_channels is 0"));
}

}  // namespace
}  // namespace rill::nn
