#include "nn/dit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "autodiff/ops.hpp"
#include "nn/checkpoint.hpp"
#include "nn/time_networks.hpp"
#include "tests/gradcheck.hpp"
#include "tests/misuse.hpp"
#include "tests/nn/parameter_gradients.hpp"
#include "tests/temporary_folder.hpp"

namespace rill::nn {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

TimeNetworkDescription tiny() {
  return {.kind = "dit",
          .dimension = 4 * 6,
          .time_embedding = "fourier",
          .time_frequencies = 1,
          .classes = 2,
          .image = {4, 6, 1},
          .dit = {.patch = 2, .width = 4, .blocks = 2, .heads = 2, .mlp_ratio = 2}};
}

std::shared_ptr<TimeNetwork> made(const TimeNetworkDescription& description) {
  Generator rng(1);
  return make_time_network(description, rng);
}

TEST(Dit, CountsItsParameters) {
  // Time 3 -> 4 -> 4, three class vectors, tokens 4 -> 4; a block: modulation, q k v out, and the perceptron; the end.
  const Index block = (4 * 24 + 24) + 4 * (4 * 4 + 4) + (4 * 8 + 8) + (8 * 4 + 4);
  EXPECT_EQ(made(tiny())->parameter_count(),
            (3 * 4 + 4) + (4 * 4 + 4) + 3 * 4 + (4 * 4 + 4) + 2 * block + (4 * 8 + 8) + (4 * 4 + 4));
}

TEST(Dit, GradientsOfInputsAndParameters) {
  const auto model = made(tiny());
  randomize_parameters(*model, 0.4, 2);
  Generator rng(3);
  const Tensor x = Tensor::randn({2, 24}, rng), t = Tensor::rand({2}, rng);
  const Indices labels({0, 2});
  rill::testing::expect_gradients(
      [&](const std::vector<Tensor>& inputs) { return model->forward(inputs[0], inputs[1], labels); }, {x, t});
  expect_parameter_gradients(*model, [&] { return model->forward(x, t, labels); });
}

TEST(Dit, StartsAtZeroVelocity) {
  Generator rng(4);
  EXPECT_THAT(made(tiny())->forward(Tensor::randn({2, 24}, rng), Tensor::rand({2}, rng)).to_vector(), Each(0));
}

TEST(Dit, ABlockStartsAsTheIdentity) {
  Generator rng(5);
  const DitBlock block(8, 2, 4, rng);
  const Tensor h = Tensor::randn({2, 3, 8}, rng);
  EXPECT_EQ(block.forward(h, Tensor::randn({2, 8}, rng)).to_vector(), h.to_vector());
}

// Without attention between them and without positions, equal squares would get equal velocities.
TEST(Dit, TellsEqualSquaresApartByTheirPlaces) {
  const auto model = made(tiny());
  randomize_parameters(*model, 0.4, 6);
  const std::vector<Real> v = model->forward(Tensor::ones({1, 24}), Tensor::zeros({1})).to_vector();
  const auto at = [&](std::size_t row, std::size_t column) { return v[row * 6 + column]; };
  EXPECT_NE(at(0, 0), at(0, 2));  // the upper left pixels of three squares
  EXPECT_NE(at(0, 0), at(2, 0));
  EXPECT_NE(at(0, 2), at(2, 0));
}

TEST(Dit, PositionsAreWavesOfRowAndColumn) {
  const Tensor positions = grid_positions(2, 3, 8);
  EXPECT_EQ(positions.shape(), Shape({1, 6, 8}));
  const Real* token = positions.data() + 5 * 8;  // row 1, column 2; the second wave is 100 times as long
  const double expected[] = {std::sin(1), std::sin(0.01), std::cos(1), std::cos(0.01),
                             std::sin(2), std::sin(0.02), std::cos(2), std::cos(0.02)};
  for (int i = 0; i < 8; ++i) EXPECT_NEAR(token[i], expected[i], 1e-7) << i;
  EXPECT_THAT(misuse([] { grid_positions(2, 3, 6); }), HasSubstr("a multiple of 4"));
}

TEST(Dit, ComesBackFromAFile) {
  const testing_support::TemporaryFolder folder;
  const auto model = made(tiny());
  randomize_parameters(*model, 0.5, 7);
  save_network(folder / "model.safetensors", tiny(), *model);
  const LoadedNetwork loaded = load_network(folder / "model.safetensors");
  EXPECT_EQ(loaded.description, tiny());
  Generator rng(8);
  const Tensor x = Tensor::randn({2, 24}, rng), t = Tensor::rand({2}, rng);
  EXPECT_EQ(loaded.network->forward(x, t).to_vector(), model->forward(x, t).to_vector());
}

TEST(Dit, NamesWhatMakesNoNetwork) {
  const auto error = [](auto change) {
    TimeNetworkDescription description = tiny();
    change(description);
    return misuse([&] { made(description); });
  };
  EXPECT_THAT(error([](auto& d) { d.dimension = 25; }), HasSubstr("dimension is 25"));
  EXPECT_THAT(error([](auto& d) { d.dit.patch = 4; }),
              HasSubstr("patch is 4, expected a divisor of the image's 4 x 6"));
  EXPECT_THAT(error([](auto& d) { d.dit.width = 6; }), HasSubstr("width is 6, expected a multiple of 4"));
  EXPECT_THAT(error([](auto& d) { d.dit.heads = 3; }), HasSubstr("heads is 3"));
  EXPECT_THAT(error([](auto& d) { d.dit.blocks = 0; }), HasSubstr("blocks is 0"));
  EXPECT_THAT(error([](auto& d) { d.dit.mlp_ratio = 0; }), HasSubstr("mlp_ratio is 0"));
}

}  // namespace
}  // namespace rill::nn
