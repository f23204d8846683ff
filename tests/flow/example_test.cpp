// Couplings and examples.
#include "flow/path/example.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "tests/misuse.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;

double cost(const Tensor& x_0, const Tensor& x_1, const Indices& partner) {
  return static_cast<double>(sum(square(gather_rows(x_0, partner) - x_1)).item());
}

bool is_permutation(const Indices& partner) {
  return std::set<Index>(partner.begin(), partner.end()).size() == static_cast<std::size_t>(partner.size()) &&
         *std::max_element(partner.begin(), partner.end()) == partner.size() - 1;
}

TEST(Coupling, OptimalTransportIsThePermutationOfLeastCost) {
  Generator rng(1);
  const Tensor x_0 = Tensor::randn({7, 2}, rng), x_1 = Tensor::randn({7, 2}, rng) + 1;
  const Indices partner = couple({.name = "ot"}, x_0, x_1, {}, rng);
  std::vector<Index> order(7);
  std::iota(order.begin(), order.end(), Index{0});
  double least = cost(x_0, x_1, order);
  while (std::next_permutation(order.begin(), order.end())) least = std::min(least, cost(x_0, x_1, order));
  EXPECT_TRUE(is_permutation(partner));
  EXPECT_NEAR(cost(x_0, x_1, partner), least, 1e-4);
  const Indices as_drawn = couple({}, x_0, x_1, {}, rng);
  for (Index i = 0; i < 7; ++i) EXPECT_EQ(as_drawn[i], i);
}

TEST(Coupling, StaysWithinLabels) {
  Generator rng(2);
  const Index n = 120;
  const Tensor x_0 = Tensor::randn({n, 2, 2}, rng);
  const Indices labels(rng.integers(n, 3));
  Tensor x_1 = Tensor::randn({n, 2, 2}, rng);
  for (Index i = 0; i < n; ++i) x_1.data()[4 * i] += static_cast<Real>(5 * labels[i]);
  for (const CouplingDescription& coupling :
       {CouplingDescription{.name = "ot"}, CouplingDescription{.name = "entropic", .regularization = 0.5}}) {
    const Indices partner = couple(coupling, x_0, x_1, labels, rng);
    for (Index i = 0; i < n; ++i) EXPECT_EQ(labels[partner[i]], labels[i]) << coupling.name;
    EXPECT_EQ(is_permutation(partner), coupling.name == "ot");
    EXPECT_LT(cost(x_0, x_1, partner), cost(x_0, x_1, couple({}, x_0, x_1, {}, rng)));
  }
}

TEST(Coupling, EntropicPairsFollowThePlan) {
  // Between N(0, 1) and N(0, 1) with regularization 2 sigma^2 the covariance is (sqrt(4 + sigma^4) - sigma^2) / 2.
  Generator rng(3);
  const Index n = 1000;
  const double sigma = 1;
  double covariance = 0;
  for (int round = 0; round < 10; ++round) {
    const Tensor x_0 = Tensor::randn({n, 1}, rng), x_1 = Tensor::randn({n, 1}, rng);
    const Indices partner = couple({.name = "entropic", .regularization = 2 * sigma * sigma}, x_0, x_1, {}, rng);
    covariance += static_cast<double>(mean(gather_rows(x_0, partner) * x_1).item()) / 10;
  }
  EXPECT_NEAR(covariance, 0.61803, 0.03);  // ten thousand pairs: some 0.012 of standard error
}

TEST(Coupling, MisuseIsExplained) {
  Generator rng(4);
  const Tensor x = Tensor::zeros({4, 2});
  const auto message = [&](const CouplingDescription& coupling, const Tensor& x_0, const Indices& labels = {}) {
    return misuse([&] { couple(coupling, x_0, x, labels, rng); });
  };
  EXPECT_THAT(message({.name = "optimal"}, x), HasSubstr("known: independent, ot, entropic"));
  EXPECT_THAT(message({.name = "ot"}, Tensor::zeros({3, 2})), HasSubstr("draw batches of the same size"));
  EXPECT_THAT(message({.name = "ot"}, x, Indices({1, 2})), HasSubstr("2 labels for 4 points"));
  EXPECT_THAT(message({.name = "ot", .regularization = 1}, x), HasSubstr("only the coupling entropic"));
  EXPECT_THAT(message({.name = "entropic"}, x), HasSubstr("use the coupling ot"));
}

TEST(Examples, LabelsAreDroppedAndTheSourceIsAnyDensity) {
  ExampleOptions options;
  options.label_dropout = 0.25;
  options.no_class = 10;
  options.source = [](const Shape& shape, Generator&) { return Tensor::full(shape, 3); };
  const ExampleMaker maker(options);
  Generator rng(5);
  const Index n = 20'000;
  const datasets::Batch batch{Tensor::zeros({n, 1}), Indices(std::vector<Index>(static_cast<std::size_t>(n), 4))};
  const Example example = maker.make(batch, rng);
  const auto dropped = static_cast<double>(std::count(example.labels.begin(), example.labels.end(), 10));
  EXPECT_NEAR(dropped / n, 0.25, 5 * std::sqrt(0.25 * 0.75 / n));
  EXPECT_EQ(std::count(example.labels.begin(), example.labels.end(), 4), n - static_cast<Index>(dropped));
  for (Index i = 0; i < n; ++i) {
    ASSERT_NEAR(example.sample.x_t.data()[i], 3 * (1 - example.sample.t.data()[i]), 1e-6);
    ASSERT_NEAR(example.sample.dx_t.data()[i], -3, 0);
  }
  options.source = [](const Shape& shape, Generator&) { return Tensor::zeros({shape[0], 5}); };
  EXPECT_THAT(misuse([&] { ExampleMaker(options).make(batch, rng); }), HasSubstr("[20000, 5]"));
  options.label_dropout = 1;
  EXPECT_THAT(misuse([&] { ExampleMaker maker_of_none(options); }), HasSubstr("label_dropout"));
}

}  // namespace
}  // namespace rill::flow
