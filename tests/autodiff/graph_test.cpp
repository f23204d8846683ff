// Semantics of gradients: leaves, accumulation, scopes, freeing, gradients of gradients, and graphs of any depth.
#include "autodiff/graph.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "autodiff/memory.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"

namespace rill {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Tensor leaf(std::initializer_list<Real> values) {
  return Tensor::from(values, {static_cast<Index>(values.size())}).set_requires_grad();
}

TEST(Backward, AnInputUsedTwiceGetsBothGradients) {
  const Tensor x = leaf({3});
  sum(x + x).backward();
  EXPECT_EQ(x.grad().item(), 2);
  const Tensor y = leaf({3});
  sum(y * y * y).backward();
  EXPECT_EQ(y.grad().item(), 27);
}

TEST(Backward, AccumulatesInLeavesUntilCleared) {
  Tensor x = leaf({1, 2});
  sum(square(x)).backward();
  sum(square(x)).backward();
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(4, 8));
  x.clear_grad();
  EXPECT_FALSE(x.grad().defined());
  sum(square(x)).backward();
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(2, 4));
}

TEST(Backward, CopiesOfALeafShareItsGradient) {
  const Tensor x = leaf({1});
  const Tensor copy = x;
  sum(2 * copy).backward();
  EXPECT_EQ(x.grad().item(), 2);
}

TEST(Backward, SumsOverAllPathsOfADiamond) {
  const Tensor x = leaf({0.5});
  const Tensor a = exp(x), b = sin(x);
  sum(a * b + a).backward();  // d/dx = e^x (sin x + cos x + 1)
  EXPECT_NEAR(x.grad().item(), std::exp(0.5) * (std::sin(0.5) + std::cos(0.5) + 1), 1e-5);
}

TEST(Backward, FreesTheGraphUnlessToldToKeepIt) {
  const Tensor x = leaf({2});
  const Tensor y = sum(exp(x));
  y.backward({.retain_graph = true});
  y.backward();
  EXPECT_NEAR(x.grad().item(), 2 * std::exp(2.0), 1e-4);
  EXPECT_THAT([&] { y.backward(); }, ThrowsMessage<std::invalid_argument>(HasSubstr("retain_graph")));
}

TEST(Backward, FreesWhatWasSavedAsItGoes) {
  const Tensor x = leaf({1, 2, 3});
  std::weak_ptr<Storage> saved;
  Tensor y;
  {
    const Tensor middle = exp(x);
    saved = middle.storage();
    y = sum(square(middle));
  }
  EXPECT_FALSE(saved.expired());
  y.backward();
  EXPECT_TRUE(saved.expired());
}

TEST(Backward, OutputsSavedByTheirOwnNodeDoNotLeak) {
  std::weak_ptr<Storage> saved;
  {
    const Tensor x = leaf({1});
    const Tensor y = tanh(exp(x));
    saved = y.storage();
  }
  EXPECT_TRUE(saved.expired());
}

TEST(Backward, MisuseIsExplained) {
  const Tensor x = leaf({1, 2});
  EXPECT_THAT([&] { (2 * x).backward(); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("one number, got shape [2]")));
  EXPECT_THAT([&] { sum(x.detach()).backward(); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("nothing that requires a gradient")));
  EXPECT_THAT(
      [&] {
        Tensor y = 2 * x;
        y.set_requires_grad();
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("computed by 'affine'")));
  const Tensor twice = 2 * x;
  EXPECT_THAT([&] { twice.grad(); }, ThrowsMessage<std::invalid_argument>(HasSubstr("only leaves keep a gradient")));
  EXPECT_THAT([&] { Tensor(x).set_grad(Tensor::zeros({3})); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("set_grad")));
}

TEST(NoGradScope, RecordsNothingAndNests) {
  const Tensor x = leaf({1});
  {
    const NoGrad no_grad;
    EXPECT_FALSE((2 * x).requires_grad());
    {
      const GradMode again(true);
      EXPECT_TRUE((2 * x).requires_grad());
    }
    EXPECT_FALSE(exp(x).requires_grad());
  }
  EXPECT_TRUE((2 * x).requires_grad());
  EXPECT_FALSE((2 * x.detach()).requires_grad());
}

TEST(Grad, LeavesOtherLeavesAlone) {
  const Tensor x = leaf({2}), w = leaf({3});
  const Tensor y = sum(w * square(x));
  EXPECT_EQ(grad(y, x).item(), 12);
  EXPECT_FALSE(x.grad().defined());
  EXPECT_FALSE(w.grad().defined());
}

TEST(Grad, OfIntermediateTensorsAndUnusedInputs) {
  const Tensor x = leaf({2}), unused = leaf({1, 1});
  const Tensor middle = square(x);
  const Tensor y = sum(exp(middle) + x);
  const auto g = grad({y}, {middle, unused, x});
  EXPECT_NEAR(g[0].item(), std::exp(4.0), 1e-3);
  EXPECT_THAT(g[1].to_vector(), ElementsAre(0, 0));
  EXPECT_NEAR(g[2].item(), 4 * std::exp(4.0) + 1, 1e-3);
}

TEST(Grad, OfAnOutputWithRespectToItself) {
  const Tensor x = leaf({5});
  const Tensor y = 2 * x;
  EXPECT_EQ(grad(y, y).item(), 1);
}

TEST(Grad, SeedsWeighTheOutputs) {
  const Tensor x = leaf({1, 2});
  const auto g = grad({2 * x, square(x)}, {x}, {}, {Tensor::from({1, 10}, {2}), Tensor::from({100, 1000}, {2})});
  EXPECT_THAT(g[0].to_vector(), ElementsAre(202, 4020));
  EXPECT_THAT([&] { grad({2 * x}, {x}); }, ThrowsMessage<std::invalid_argument>(HasSubstr("give it a seed")));
  EXPECT_THAT([&] { grad({2 * x}, {x}, {}, {Tensor::ones({3})}); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("seed 0 has shape [3]")));
  EXPECT_THAT([&] { grad({sum(2 * x)}, {x.detach()}); }, ThrowsMessage<std::invalid_argument>(HasSubstr("input 0")));
}

TEST(Grad, OfGradients) {
  const Tensor x = leaf({1.5});
  const Tensor first = grad(sum(x * x * x), x, {.create_graph = true});
  EXPECT_NEAR(first.item(), 3 * 1.5 * 1.5, 1e-5);
  const Tensor second = grad(first, x, {.create_graph = true});
  EXPECT_NEAR(second.item(), 6 * 1.5, 1e-5);
  EXPECT_NEAR(grad(second, x).item(), 6, 1e-5);
}

TEST(Grad, AGradientPenaltyTrainsThroughTheGradient) {
  // d/dw |d(w x^2)/dx|^2 = d/dw 4 w^2 x^2 = 8 w x^2
  const Tensor x = leaf({3}), w = leaf({0.5});
  const Tensor slope = grad(sum(w * square(x)), x, {.create_graph = true});
  sum(square(slope)).backward();
  EXPECT_NEAR(w.grad().item(), 8 * 0.5 * 9, 1e-4);
}

TEST(Grad, AGradientMayWalkAGraphOfItsOwn) {
  // y = x^2 w by an op that computes its gradients, 2 x w and x^2, by another backward pass, which ends at the same
  // leaves. A second op also uses both leaves, and the first pass has already given them its gradients.
  const Tensor x = leaf({3}), w = leaf({5});
  const auto product = [&] {
    Tensor y;
    {
      const NoGrad no_grad;
      y = square(x) * w;
    }
    const std::vector<Tensor> inputs = {x, w};
    return record_each("product", y, inputs, [inputs](const Tensor& gy, std::size_t i) {
      const GradMode record_graph(true);
      return grad({square(inputs[0]) * inputs[1]}, inputs, {}, {gy.detach()})[i];
    });
  };
  const Tensor y = product() + 7 * x + 11 * w;
  EXPECT_EQ(grad(y, x, {.retain_graph = true}).item(), 2 * 3 * 5 + 7);
  EXPECT_EQ(grad(y, w, {.retain_graph = true}).item(), 9 + 11);
  y.backward();
  EXPECT_EQ(x.grad().item(), 2 * 3 * 5 + 7);
  EXPECT_EQ(w.grad().item(), 9 + 11);
}

TEST(Grad, AnErrorHalfWayLeavesTheGraphUsable) {
  const Tensor x = leaf({1, 2});
  bool broken = true;
  const Tensor y = record("sometimes broken", square(x).detach(), wrt(x, [&broken, x](const Tensor& gy) {
                            if (broken) throw std::runtime_error("broken");
                            return 2 * gy * x;
                          }));
  const Tensor z = sum(y) + sum(3 * x);
  EXPECT_THROW(z.backward({.retain_graph = true}), std::runtime_error);
  broken = false;
  Tensor(x).clear_grad();
  z.backward();
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(5, 7));
}

TEST(Graph, JointGradientsAreComputedOnceAWalk) {
  const Tensor a = leaf({2, 3}), b = leaf({5, 7}), c = Tensor::ones({2});
  int calls = 0;
  const auto product = [&] {
    const auto gradients = [=, &calls](const Tensor& gy) {
      ++calls;
      return std::array{gy * b, gy * a, Tensor()};
    };
    return record_jointly("product", (a * b).detach(), gradients, a, b, c);
  };
  Tensor y = product();
  sum(y).backward({.retain_graph = true});
  EXPECT_EQ(calls, 1);
  EXPECT_THAT(a.grad().to_vector(), ElementsAre(5, 7));
  EXPECT_THAT(b.grad().to_vector(), ElementsAre(2, 3));
  // Requests only one of them, then only the other, for the same gy: nothing is left over from the previous pass.
  const Tensor seed = leaf({1, 10}).detach();
  EXPECT_THAT(grad({y}, {b}, {.retain_graph = true}, {seed})[0].to_vector(), ElementsAre(2, 30));
  seed.storage()->data()[0] = 100;
  EXPECT_THAT(grad({y}, {a}, {.retain_graph = true}, {seed})[0].to_vector(), ElementsAre(500, 70));
  EXPECT_EQ(calls, 3);
  // And they can be differentiated again.
  const Tensor twice = sum(square(grad(sum(y), a, {.create_graph = true})));
  EXPECT_THAT(grad(twice, b).to_vector(), ElementsAre(10, 14));
  sum(y).backward();
  EXPECT_THROW(sum(y).backward(), std::invalid_argument);  // freed
  const NoGrad none;
  EXPECT_FALSE(product().requires_grad());
}

TEST(Grad, EndsAtWhatIsAskedFor) {
  const Tensor x = leaf({1, 2});
  int visits = 0;
  const Tensor below = record("below", x.detach(), wrt(x, [&visits](const Tensor& gy) {
                                ++visits;
                                return gy;
                              }));
  const Tensor h = exp(below);
  const Tensor g = grad(sum(h * h), h);
  EXPECT_EQ(g.to_vector(), (2 * h).to_vector());
  EXPECT_EQ(visits, 0);
  sum(h).backward();  // what lies below h was not freed
  EXPECT_EQ(visits, 1);
  EXPECT_EQ(x.grad().to_vector(), h.to_vector());
  // Nor is it looked at: now it is freed, and may be.
  EXPECT_EQ(grad(sum(h * h), h).to_vector(), g.to_vector());
  EXPECT_THAT([&] { grad(sum(h * h), x); }, ThrowsMessage<std::invalid_argument>(HasSubstr("freed")));
  // One input below another: the way goes through the upper one.
  const Tensor z = leaf({3}), middle = square(z);
  const auto both = grad({sum(exp(middle))}, {middle, z, middle});
  EXPECT_NEAR(both[0].item(), std::exp(9.0), 1e-2);
  EXPECT_NEAR(both[1].item(), 6 * std::exp(9.0), 1e-1);
  EXPECT_EQ(both[2].item(), both[0].item());
}

TEST(Graph, AGradientOfAnotherShapeIsAnError) {
  const Tensor x = leaf({1}), w = Tensor::ones({2, 3}).set_requires_grad();
  const auto wrong = [](const Tensor& y, const Shape& shape) {
    return [=](const Tensor&) { return shape.rank() > 0 ? Tensor::ones(shape) : y; };
  };
  const Tensor undefined;
  const std::string of_shape_4 = "backward: the gradient of 'my_op' for its input 1 has shape [4], the input [1]";
  for (const bool by_grad : {false, true}) {
    const auto walk = [&](const Tensor& y) { by_grad ? void(grad({sum(y)}, {x, w})) : sum(y).backward(); };
    EXPECT_THAT([&] { walk(record("my_op", Tensor::ones({4}), wrt(w, wrong(w, {})), wrt(x, wrong(x, {4})))); },
                ThrowsMessage<std::invalid_argument>(of_shape_4));
    EXPECT_THAT(
        [&] {
          walk(record_each("my_op", Tensor::ones({4}), std::vector{w, x},
                           [&](const Tensor&, std::size_t i) { return i == 0 ? w.detach() : Tensor::ones({4}); }));
        },
        ThrowsMessage<std::invalid_argument>(of_shape_4));
    const auto jointly = [&] {
      const auto gradients = [&](const Tensor&) { return std::array{w.detach(), Tensor::ones({4})}; };
      walk(record_jointly("my_op", Tensor::ones({4}), gradients, w, x));
    };
    EXPECT_THAT(jointly, ThrowsMessage<std::invalid_argument>(of_shape_4));
    // As many numbers in another shape are wrong too.
    EXPECT_THAT(
        [&] {
          walk(record("my_op", Tensor::ones({4}), wrt(w, wrong(w, {3, 2}))));
        },
        ThrowsMessage<std::invalid_argument>(HasSubstr("input 0 has shape [3, 2], the input [2, 3]")));
    EXPECT_THAT([&] { walk(record("my_op", Tensor::ones({4}), wrt(w, wrong(undefined, {})))); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("is undefined")));
  }
  EXPECT_FALSE(x.grad().defined());
  EXPECT_THAT(
      [&] {
        Tensor(w).set_grad(Tensor::zeros({3, 2}));
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("a gradient of shape [3, 2] for a tensor of shape [2, 3]")));
}

TEST(Graph, ALeafAndItsDifferentiableGradientKeepEachOtherUntilItIsCleared) {
  for (const bool detach : {false, true}) {
    std::weak_ptr<Node> node;
    std::weak_ptr<Storage> storage;
    {
      Tensor x = leaf({1, 2});
      node = x.node();
      const Tensor y = exp(x);
      storage = y.storage();
      sum(y).backward({.create_graph = true});
      EXPECT_TRUE(x.grad().requires_grad());
      detach ? x.set_grad(x.grad().detach()) : x.clear_grad();
    }
    EXPECT_TRUE(node.expired());
    EXPECT_TRUE(storage.expired());
    {
      const Tensor x = leaf({1, 2});
      node = x.node();
      sum(square(grad(sum(exp(x)), x, {.create_graph = true}))).backward();  // no ring
    }
    EXPECT_TRUE(node.expired());
  }
}

TEST(Graph, AChainOfAMillionNodes) {
  const Tensor x = leaf({1});
  Tensor y = x;
  for (int i = 0; i < 1'000'000; ++i) y = y + 1.0;
  EXPECT_EQ(y.item(), 1'000'001);
  EXPECT_EQ(grad(y, x, {.retain_graph = true}).item(), 1);  // marks the path
  sum(y).backward();
  EXPECT_EQ(x.grad().item(), 1);
  Tensor never_walked = x;
  for (int i = 0; i < 1'000'000; ++i) never_walked = exp(never_walked) * 0.0;
}  // and both are destroyed here

TEST(Graph, StepsReuseTheirMemory) {
  Generator rng(1);
  Tensor w = Tensor::randn({64, 64}, rng).set_requires_grad();
  const Tensor x = Tensor::randn({256, 64}, rng);
  const auto step = [&] {
    mean(square(silu(linear(x, w)))).backward();
    w.clear_grad();
  };
  step();
  step();
  const auto before = memory::statistics();
  for (int i = 0; i < 20; ++i) step();
  EXPECT_EQ(memory::statistics().blocks, before.blocks);
  EXPECT_EQ(memory::statistics().bytes, before.bytes);
}

TEST(Products, VectorJacobianAndJacobianVector) {
  // f(x) = A x + sin(x) on a row vector: J = A + diag(cos x)
  Generator rng(5);
  const Tensor a = Tensor::randn({3, 3}, rng), x = Tensor::randn({1, 3}, rng), v = Tensor::randn({1, 3}, rng);
  const Function f = [&](const Tensor& u) { return matmul(u, a, {.b = true}) + sin(u); };
  const auto [y, left] = vjp(f, x, v);
  const auto [z, right] = jvp(f, x, v);
  EXPECT_EQ(y.to_vector(), f(x).to_vector());
  EXPECT_EQ(z.to_vector(), f(x).to_vector());
  for (Index i = 0; i < 3; ++i) {
    double expected_left = 0, expected_right = 0;
    for (Index j = 0; j < 3; ++j) {
      const double diagonal = i == j ? std::cos(static_cast<double>(x.data()[i])) : 0;
      expected_left += static_cast<double>(v.data()[j]) * (static_cast<double>(a.data()[3 * j + i]) + diagonal);
      expected_right += static_cast<double>(v.data()[j]) * (static_cast<double>(a.data()[3 * i + j]) + diagonal);
    }
    EXPECT_NEAR(left.data()[i], expected_left, 1e-5);
    EXPECT_NEAR(right.data()[i], expected_right, 1e-5);
  }
  EXPECT_THAT(jvp([](const Tensor& u) { return Tensor::ones(u.shape()); }, x, v).product.to_vector(),
              ElementsAre(0, 0, 0));
  EXPECT_THAT(jvp([](const Tensor& u) { return 2 * u; }, x, v).product.to_vector(), (2 * v).to_vector());
}

}  // namespace
}  // namespace rill
