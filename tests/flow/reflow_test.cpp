// Pairs made by a flow, and examples made from them.
#include "flow/model/reflow.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "autodiff/random.hpp"

namespace rill::flow {
namespace {

// v = x (label + 1): what starts at x ends at x e^(label + 1).
class Growth final : public VelocityField {
 public:
  Growth() : VelocityField(2, 2) {}
  Tensor operator()(const Tensor& x, const Tensor&, const Indices& labels = {}) const override {
    Tensor rate = Tensor::empty({x.dim(0), 1});
    for (Index i = 0; i < x.dim(0); ++i) rate.data()[i] = static_cast<Real>(labels[i] + 1);
    return x * rate;
  }
};

Pairs some_pairs() {
  Generator rng(1);
  const Tensor x_0 = Tensor::randn({6, 2}, rng);
  return make_pairs({.velocity = std::make_shared<const Growth>()}, x_0, Indices({0, 1, 0, 1, 1, 0}),
                    {.solver = FixedSteps{&kRk4, 40}});
}

TEST(Reflow, PairsAreTheEndsOfTheFlow) {
  const Pairs pairs = some_pairs();
  for (Index i = 0; i < 12; ++i) {
    const double growth = std::exp(static_cast<double>(pairs.labels[i / 2] + 1));
    EXPECT_NEAR(pairs.x_1.data()[i], static_cast<double>(pairs.x_0.data()[i]) * growth, 1e-4);
  }
}

TEST(Reflow, BatchesKeepPairsTogetherAndSeeEveryOneOnceAPass) {
  const datasets::BatchSource source = batches_of(some_pairs(), 2, 5);
  Generator rng(0);
  int ones = 0;
  double sum = 0, expected = 0;
  for (Index step = 0; step < 3; ++step) {
    const datasets::Batch batch = source(step, rng);
    ASSERT_EQ(batch.x_0.shape(), (Shape{2, 2}));
    for (Index i = 0; i < 4; ++i) {
      const double growth = std::exp(static_cast<double>(batch.labels[i / 2] + 1));
      EXPECT_NEAR(batch.x_1.data()[i], static_cast<double>(batch.x_0.data()[i]) * growth, 1e-4);
      sum += static_cast<double>(batch.x_0.data()[i]);
    }
    for (const Index label : batch.labels) ones += label == 1;
  }
  const Pairs all = some_pairs();
  for (const Real x : all.x_0.values()) expected += static_cast<double>(x);
  EXPECT_NEAR(sum, expected, 1e-5);
  EXPECT_EQ(ones, 3);
}

TEST(Reflow, ExamplesTakeTheSourcePointsThatTheirDataBelongTo) {
  Generator rng(2);
  const Tensor x_0 = Tensor::randn({6, 2}, rng), x_1 = -x_0;  // the dearest pairing of all
  ExampleOptions options;
  options.coupling.name = "ot";  // which would pair them again
  const Example example = ExampleMaker(options).make({x_1, {}, x_0}, rng);
  for (Index i = 0; i < 12; ++i) EXPECT_NEAR(example.sample.dx_t.data()[i], -2 * x_0.data()[i], 1e-5);
}

}  // namespace
}  // namespace rill::flow
