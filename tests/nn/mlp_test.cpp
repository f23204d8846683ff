#include "nn/mlp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "tests/misuse.hpp"

namespace rill::nn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Mlp, HasItsLayersAndNames) {
  Generator rng(1);
  const Mlp mlp(3, {5, 4}, 2, "relu", rng);
  std::vector<std::string> names;
  std::vector<Shape> shapes;
  for (const auto& [name, tensor] : mlp.named_parameters()) {
    names.push_back(name);
    shapes.push_back(tensor.shape());
  }
  EXPECT_THAT(names, ElementsAre("0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"));
  EXPECT_THAT(shapes, ElementsAre(Shape{5, 3}, Shape{5}, Shape{4, 5}, Shape{4}, Shape{2, 4}, Shape{2}));
  const std::vector<Tensor> p = mlp.parameters();
  const Tensor x = Tensor::randn({6, 3}, rng);
  const Tensor expected = linear(relu(linear(relu(linear(x, p[0], p[1])), p[2], p[3])), p[4], p[5]);
  EXPECT_EQ(mlp.forward(x).to_vector(), expected.to_vector());
}

TEST(Mlp, IsLinearWithoutHiddenLayers) {
  Generator rng(2);
  const Mlp mlp(3, {}, 2, "silu", rng);
  const std::vector<Tensor> p = mlp.parameters();
  ASSERT_EQ(p.size(), 2u);
  const Tensor x = Tensor::randn({4, 3}, rng);
  EXPECT_EQ(mlp.forward(x).to_vector(), linear(x, p[0], p[1]).to_vector());
}

TEST(Mlp, MisuseIsExplained) {
  Generator rng(3);
  EXPECT_THAT(misuse([&] {
                Mlp(2, {4, 0}, 2, "silu", rng);
              }),
              HasSubstr("hidden layer of size 0, expected at least 1"));
  EXPECT_THAT(misuse([&] { Mlp(2, {4}, 2, "no", rng); }), HasSubstr("unknown activation 'no'"));
  EXPECT_THAT(misuse([&] { Mlp(0, {4}, 2, "silu", rng); }), HasSubstr("0 inputs and 2 outputs"));
  EXPECT_THAT(misuse([&] { Mlp(2, {4}, 0, "silu", rng); }), HasSubstr("2 inputs and 0 outputs"));
}

}  // namespace
}  // namespace rill::nn
