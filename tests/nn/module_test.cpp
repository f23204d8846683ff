#include "nn/module.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "nn/clipping.hpp"
#include "nn/ema.hpp"
#include "nn/linear.hpp"
#include "nn/optimizer.hpp"
#include "nn/sequential.hpp"
#include "tests/misuse.hpp"

namespace rill::nn {
namespace {

class Leafy : public Module {
 public:
  explicit Leafy(Index size) : bias(register_parameter("bias", Tensor::ones({size}))) {}
  Tensor bias;
};

class Tree : public Module {
 public:
  Tree() {
    left = register_module("left", std::make_shared<Leafy>(2));
    register_module("right", std::make_shared<Leafy>(3));
    root = register_parameter("root", Tensor::zeros({4, 5}));
  }
  void register_again(const std::string& name) { register_parameter(name, Tensor::zeros({1})); }
  void register_null() { register_module("null", std::shared_ptr<Leafy>()); }
  std::shared_ptr<Leafy> left;
  Tensor root;
};

std::vector<std::string> names(const Module& module) {
  std::vector<std::string> result;
  for (const NamedTensor& parameter : module.named_parameters()) result.push_back(parameter.name);
  return result;
}

TEST(Module, NamesParametersFromTheRootDownOwnOnesFirst) {
  const Tree tree;
  EXPECT_THAT(names(tree), ::testing::ElementsAre("root", "left.bias", "right.bias"));
  EXPECT_EQ(tree.parameters().size(), 3u);
  EXPECT_EQ(tree.parameter_count(), 4 * 5 + 2 + 3);
}

TEST(Module, HandlesShareTheBufferAndTheGradient) {
  Tree tree;
  Tensor handle = tree.named_parameters()[1].tensor;
  handle.data()[0] = 7;
  EXPECT_EQ(tree.left->bias.data()[0], 7);
  sum(tree.left->bias * 3).backward();
  EXPECT_THAT(handle.grad().to_vector(), ::testing::ElementsAre(3, 3));
  tree.clear_grad();
  EXPECT_FALSE(handle.grad().defined());
}

TEST(Module, RefusesNamesThatAreTakenEmptyOrDotted) {
  Tree tree;
  EXPECT_THROW(tree.register_again("root"), std::invalid_argument);
  EXPECT_THROW(tree.register_again("left"), std::invalid_argument);
  EXPECT_THROW(tree.register_again(""), std::invalid_argument);
  EXPECT_THROW(tree.register_again("a.b"), std::invalid_argument);
  EXPECT_THROW(tree.register_null(), std::invalid_argument);
  EXPECT_EQ(tree.parameters().size(), 3u);
}

// A layer that stands at two places of a network.
struct Shared {
  Shared() {
    Generator rng(1);
    layer = std::make_shared<Linear>(2, 2, rng);
    network = std::make_shared<Sequential>(
        std::vector<std::shared_ptr<Layer>>{layer, std::make_shared<Activation>("tanh"), layer});
  }
  std::shared_ptr<Linear> layer;
  std::shared_ptr<Sequential> network;
};

TEST(SharedParameter, StandsOnceUnderItsFirstName) {
  const Shared shared;
  EXPECT_THAT(names(*shared.network), ::testing::ElementsAre("0.weight", "0.bias"));
  EXPECT_EQ(shared.network->parameters().size(), 2u);
  EXPECT_EQ(shared.network->parameter_count(), 2 * 2 + 2);
}

TEST(SharedParameter, TakesTheGradientsOfAllItsUses) {
  const Shared shared;
  const Tensor x = Tensor::from({1, 2}, {1, 2});
  sum(shared.network->forward(x)).backward();
  const Tensor weight = shared.layer->parameters()[0];
  const std::vector<Real> twice = weight.grad().to_vector();
  shared.network->clear_grad();
  EXPECT_FALSE(weight.grad().defined());
  sum(shared.layer->forward(tanh(shared.layer->forward(x).detach()))).backward();  // the second use alone
  EXPECT_NE(weight.grad().to_vector(), twice);
}

TEST(SharedParameter, IsTrainedAsPyTorchTrainsIt) {
  const Shared shared, same;
  const auto step = [](const Shared& of, NamedTensors parameters) {
    Sgd sgd(parameters, {.learning_rate = 0.1, .momentum = 0.9});
    Ema ema(parameters, 0.5);
    for (int i = 0; i < 3; ++i) {
      sgd.clear_grad();
      sum(square(of.network->forward(Tensor::ones({1, 2})))).backward();
      sgd.step(clip_scale(gradient_norm(parameters), 0.1), &ema);
    }
    return std::pair(of.layer->parameters()[0].to_vector(), ema.averages()[0].tensor.to_vector());
  };
  NamedTensors repeated = same.network->named_parameters();
  for (const NamedTensor& parameter : same.network->named_parameters()) {
    repeated.push_back({"again." + parameter.name, parameter.tensor});
  }
  EXPECT_EQ(step(shared, shared.network->named_parameters()), step(same, repeated));
}

TEST(Distinct, KeepsTheFirstOfEachBuffer) {
  const Tensor a = Tensor::zeros({2}).set_requires_grad(), b = Tensor::zeros({2}).set_requires_grad();
  const NamedTensors list = distinct("list", {{"b", b}, {"a", a}, {"c", b}, {"a", a}});
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].name, "b");
  EXPECT_EQ(list[1].name, "a");
}

// On construction, not when the training is saved.
TEST(Distinct, RefusesOneNameForTwoBuffersEverywhere) {
  const NamedTensors twice = {{"p", Tensor::zeros({1}).set_requires_grad()},
                              {"p", Tensor::zeros({1}).set_requires_grad()}};
  for (const std::string& message :
       {misuse([&] { distinct("list", twice); }), misuse([&] { Ema(twice, 0.9); }), misuse([&] { Sgd(twice, {}); }),
        misuse([&] { Adam(twice, {}); }), misuse([&] { make_optimizer({}, twice); })}) {
    EXPECT_THAT(message, ::testing::HasSubstr("'p' is used twice"));
  }
}

// Each of the two leaves would collect a part of the gradient, and one of them would be lost.
TEST(Distinct, RefusesABufferWithTwoGradients) {
  const Tensor w = Tensor::zeros({2, 2});
  const auto tied = std::make_shared<Sequential>(std::vector<std::shared_ptr<Layer>>{
      std::make_shared<Linear>(w, Tensor::zeros({2})), std::make_shared<Linear>(w, Tensor::zeros({2}))});
  const std::string message = misuse([&] { tied->named_parameters(); });
  EXPECT_THAT(message, ::testing::AllOf(::testing::HasSubstr("'0.weight' and '1.weight' share a buffer"),
                                        ::testing::HasSubstr("set_requires_grad()")));
  const Tensor leaf = w.clone().set_requires_grad();
  const auto good = std::make_shared<Sequential>(std::vector<std::shared_ptr<Layer>>{
      std::make_shared<Linear>(leaf, Tensor::zeros({2})), std::make_shared<Linear>(leaf, Tensor::zeros({2}))});
  EXPECT_THAT(names(*good), ::testing::ElementsAre("0.weight", "0.bias", "1.bias"));
}

}  // namespace
}  // namespace rill::nn
