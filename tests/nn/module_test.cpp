#include "nn/module.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"

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

}  // namespace
}  // namespace rill::nn
