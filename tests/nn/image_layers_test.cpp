// The layers of image networks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "autodiff/ops.hpp"
#include "nn/activation.hpp"
#include "nn/attention.hpp"
#include "nn/conditioned_block.hpp"
#include "nn/convolution.hpp"
#include "nn/dropout.hpp"
#include "nn/image_shape.hpp"
#include "nn/normalization.hpp"
#include "nn/patches.hpp"
#include "nn/resampling.hpp"
#include "tests/gradcheck.hpp"
#include "tests/misuse.hpp"
#include "tests/nn/parameter_gradients.hpp"

namespace rill::nn {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Conv2d, StartsAsPyTorchDoes) {
  Generator rng(1);
  const Conv2d layer(8, 40, 3, rng, {.groups = 2});
  const std::vector<Tensor> parameters = layer.parameters();
  EXPECT_EQ(parameters[0].shape(), Shape({3, 3, 4, 40}));
  EXPECT_EQ(parameters[1].shape(), Shape({40}));
  for (const Tensor& parameter : parameters) {
    const auto [least, most] = std::minmax_element(parameter.values().begin(), parameter.values().end());
    EXPECT_LE(std::max(*most, -*least), Real(1.0 / 6));    // 1 / sqrt(9 * 4)
    EXPECT_GT(std::min(*most, -*least), Real(0.9 / 6.0));  // of 40 numbers: 0.95^40 = 13 % per end; the seed is fixed
  }
  for (const Tensor& parameter : Conv2d::zeros(2, 3, 1)->parameters()) {
    EXPECT_THAT(parameter.to_vector(), Each(0));
  }
}

TEST(Conv2d, ConvolvesAndAddsItsBias) {
  // A window that takes the left neighbor minus the right one, and one that doubles the place itself.
  Tensor weight = Tensor::zeros({3, 3, 1, 2});
  weight.data()[(1 * 3 + 0) * 2] = 1;
  weight.data()[(1 * 3 + 2) * 2] = -1;
  weight.data()[(1 * 3 + 1) * 2 + 1] = 2;
  const Conv2d layer(weight, Tensor::from({0, 10}, {2}), same_size(3));
  const Tensor y = layer.forward(Tensor::from({1, 2, 4, 8}, {1, 2, 2, 1}));
  EXPECT_EQ(y.shape(), Shape({1, 2, 2, 2}));
  EXPECT_THAT(y.to_vector(), ElementsAre(-2, 12, 1, 14, -8, 18, 4, 26));
}

TEST(Conv2d, NamesWhatMakesNoLayer) {
  Generator rng(1);
  EXPECT_THAT(misuse([&] { Conv2d(4, 6, 3, rng, {.groups = 4}); }), HasSubstr("4 groups of 4 channels in and 6 out"));
  EXPECT_THAT(misuse([&] { Conv2d(0, 6, 3, rng); }), HasSubstr("0 channels in"));
  EXPECT_THAT(misuse([&] { Conv2d(Tensor::zeros({3, 3, 1, 2}), Tensor::zeros({3})); }), HasSubstr("and bias [3]"));
}

TEST(GroupNorm, StartsAsPlainNormalization) {
  const GroupNorm norm(2, 4);
  // Two groups: {1, 3} at both places, whose mean is 2 and deviation 1, and {5, 5}, which has none.
  const Tensor y = norm.forward(Tensor::from({1, 3, 5, 5, 3, 1, 5, 5}, {1, 2, 4}));
  const double expected[] = {-1, 1, 0, 0, 1, -1, 0, 0};
  for (Index i = 0; i < 8; ++i) EXPECT_NEAR(y.data()[i], expected[i], 1e-5);
  EXPECT_THAT(misuse([] { GroupNorm(3, 4); }), HasSubstr("3 groups of 4 channels"));
}

TEST(GroupNorm, GainAndOffsetComeAfterItsOwnScaleAndShift) {
  const Activation silu_layer("silu");
  Generator rng(2);
  GroupNorm norm(2, 4);
  randomize_parameters(norm, 1, 3);
  const Tensor x = Tensor::randn({2, 3, 3, 4}, rng), gain = Tensor::randn({2, 4}, rng),
               offset = Tensor::randn({2, 4}, rng);
  const Tensor y = norm.forward(x, gain, offset, silu_layer.function());
  const Tensor expected = silu(norm.forward(x) * (1 + reshape(gain, {2, 1, 1, 4})) + reshape(offset, {2, 1, 1, 4}));
  for (Index i = 0; i < y.size(); ++i) EXPECT_NEAR(y.data()[i], expected.data()[i], 1e-5);
}

TEST(LayerNorm, NormalizesTheLastAxis) {
  const LayerNorm norm(2);
  const Tensor y = norm.forward(Tensor::from({1, 3, -5, 5}, {2, 2}));
  const double expected[] = {-1, 1, -1, 1};
  for (Index i = 0; i < 4; ++i) EXPECT_NEAR(y.data()[i], expected[i], 1e-5);
  EXPECT_THAT(misuse([] { LayerNorm(0); }), HasSubstr("width 0"));
}

TEST(Dropout, DrawsInTrainingFromTheInnermostScope) {
  const Dropout half(0.5), none(0);
  const Tensor x = Tensor::ones({1000});
  EXPECT_EQ(half.forward(x).to_vector(), x.to_vector());
  EXPECT_EQ(TrainingScope::generator(), nullptr);
  Generator outer(1), inner(2), same(1);
  {
    const TrainingScope training(outer);
    const std::vector<Real> first = half.forward(x).to_vector();
    EXPECT_EQ(first, dropout(x, 0.5, same).to_vector());
    EXPECT_NE(half.forward(x).to_vector(), first);
    EXPECT_EQ(none.forward(x).to_vector(), x.to_vector());
    {
      const TrainingScope nested(inner);
      EXPECT_EQ(TrainingScope::generator(), &inner);
    }
    EXPECT_EQ(TrainingScope::generator(), &outer);
  }
  EXPECT_EQ(half.forward(x).to_vector(), x.to_vector());
  EXPECT_THAT(misuse([] { Dropout(1); }), HasSubstr("probability 1"));
  EXPECT_THAT(misuse([] { Dropout(-0.1); }), HasSubstr("probability -0.1"));
}

TEST(SelfAttention, TokensThatAskForNothingGetTheMean) {
  Generator rng(4);
  SelfAttention layer(2, 1, false, rng);
  const std::vector<Tensor> p = layer.parameters();  // q, k, v, out: weight and bias each
  for (Tensor parameter : p) std::fill_n(parameter.data(), parameter.size(), Real(0));
  for (const std::size_t i : {4u, 6u}) {  // v and out are the identity; q and k are zero
    Tensor weight = p[i];
    weight.data()[0] = weight.data()[3] = 1;
  }
  const Tensor y = layer.forward(Tensor::from({1, 10, 3, 20}, {1, 2, 2}));
  EXPECT_THAT(y.to_vector(), ElementsAre(2, 15, 2, 15));
  EXPECT_THAT(misuse([&] { SelfAttention(4, 3, false, rng); }), HasSubstr("3 heads of 4 channels"));
}

TEST(AttentionBlock, StartsAsTheIdentityAndHasItsGradients) {
  Generator rng(5);
  AttentionBlock block(4, 2, 2, rng);
  const Tensor x = Tensor::randn({2, 2, 3, 4}, rng);
  EXPECT_EQ(block.forward(x).to_vector(), x.to_vector());
  randomize_parameters(block, 0.6, 6);
  rill::testing::expect_gradients([&](const std::vector<Tensor>& in) { return block.forward(in[0]); }, {x});
  expect_parameter_gradients(block, [&] { return block.forward(x); });
}

TEST(ConditionedBlock, StartsAsItsSkipAndHasItsGradients) {
  for (const bool scale_shift : {false, true}) {
    SCOPED_TRACE(scale_shift);
    Generator rng(7);
    const ConditionedBlockOptions options{.norm_groups = 2, .scale_shift = scale_shift};
    ConditionedBlock same(4, 4, 3, options, rng), wider(2, 4, 3, options, rng);
    const Tensor x = Tensor::randn({2, 3, 2, 4}, rng), c = Tensor::randn({2, 3}, rng);
    EXPECT_EQ(same.forward(x, c).to_vector(), x.to_vector());
    randomize_parameters(wider, 0.5, 8);
    const Tensor narrow = Tensor::randn({2, 3, 2, 2}, rng);
    EXPECT_EQ(wider.forward(narrow, c).shape(), Shape({2, 3, 2, 4}));
    rill::testing::expect_gradients([&](const std::vector<Tensor>& in) { return wider.forward(in[0], in[1]); },
                                    {narrow, c});
    expect_parameter_gradients(wider, [&] { return wider.forward(narrow, c); });
  }
}

TEST(Resampling, HalvesAndDoubles) {
  Generator rng(9);
  Downsample down(2, rng);
  Upsample up(2, rng);
  const Tensor x = Tensor::randn({1, 4, 6, 2}, rng);
  EXPECT_EQ(down.forward(x).shape(), Shape({1, 2, 3, 2}));
  EXPECT_EQ(up.forward(x).shape(), Shape({1, 8, 12, 2}));
  expect_parameter_gradients(down, [&] { return down.forward(x); });
  expect_parameter_gradients(up, [&] { return up.forward(x); });
}

TEST(Patches, BecomeChannelsAndComeBack) {
  // Rows of pixels 0 1 2 3 / 4 5 6 7: two squares of 2 x 2.
  const Tensor x = Tensor::from({0, 1, 2, 3, 4, 5, 6, 7}, {1, 2, 4, 1});
  const Tensor squares = fold_patches(x, 2);
  EXPECT_EQ(squares.shape(), Shape({1, 1, 2, 4}));
  EXPECT_THAT(squares.to_vector(), ElementsAre(0, 1, 4, 5, 2, 3, 6, 7));
  Generator rng(10);
  const Tensor image = Tensor::randn({2, 6, 9, 2}, rng), back = unfold_patches(fold_patches(image, 3), 3);
  EXPECT_EQ(back.shape(), image.shape());
  EXPECT_EQ(back.to_vector(), image.to_vector());
  EXPECT_THAT(misuse([&] { fold_patches(image, 4); }), HasSubstr("a divisor of H and W"));
  EXPECT_THAT(misuse([&] { unfold_patches(image, 2); }), HasSubstr("a multiple of patch * patch channels"));
}

TEST(ImageShape, RowsAreImages) {
  const ImageShape shape{2, 3, 4};
  EXPECT_EQ(shape.size(), 24);
  const Tensor rows = Tensor::linspace(0, 47, 48);
  const Tensor images = as_images(reshape(rows, {2, 24}), shape);
  EXPECT_EQ(images.shape(), Shape({2, 2, 3, 4}));
  EXPECT_EQ(as_rows(images).shape(), Shape({2, 24}));
  EXPECT_EQ(as_rows(images).to_vector(), rows.to_vector());
}

}  // namespace
}  // namespace rill::nn
