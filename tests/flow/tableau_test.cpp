// Tableaus by the conditions they must satisfy.
#include "flow/solver/tableau.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "flow/solver/dense_output.hpp"
#include "tests/misuse.hpp"

namespace rill::flow {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// A rooted tree, by the positions of its root's subtrees in the list of trees.
struct Tree {
  int order;
  double gamma;  // the product over its nodes of the sizes of the subtrees that grow from them
  std::vector<std::size_t> children;
};

// Adds every way of attaching trees with `left` nodes in total, none later in the list than `last`, to a root.
void grow(std::vector<Tree>& trees, const Tree& partial, int left, std::size_t last) {
  if (left == 0) {
    trees.push_back(partial);
    return;
  }
  for (std::size_t i = 0; i <= last; ++i) {
    if (trees[i].order > left) break;
    Tree larger = partial;
    larger.gamma *= trees[i].gamma;
    larger.children.push_back(i);
    const int rest = left - trees[i].order;
    grow(trees, larger, rest, i);
  }
}

// All rooted trees of up to `order` nodes, small ones first.
std::vector<Tree> rooted_trees(int order) {
  std::vector<Tree> trees = {{1, 1, {}}};
  for (int n = 2; n <= order; ++n) {
    grow(trees, {n, static_cast<double>(n), {}}, n - 1, trees.size() - 1);
  }
  return trees;
}

// a and c with the row of the slope at the new point, which is b's.
struct Complete {
  std::array<Weights, kMaxStages> a;
  Weights c;
  std::size_t slopes;
};
Complete complete(const Tableau& method) {
  Complete result{method.a, method.c, static_cast<std::size_t>(method.stages)};
  result.a[result.slopes] = method.b;
  result.c[result.slopes] = 1;
  result.slopes += 1 + static_cast<std::size_t>(method.dense.extra_stages);
  return result;
}

// The largest |sum_i b_i phi_i - theta^nodes / gamma| over all trees of up to `order` nodes, theta = 1 for the end of a
// step (Hairer, Norsett and Wanner 1993,
// theorem II.2.13). Computed in long double, so that it shows the errors of the coefficients and not those of the
// sums.
double worst_condition(const Tableau& method, const Weights& b, int order, double theta = 1) {
  const auto [a, c, slopes] = complete(method);
  const std::vector<Tree> trees = rooted_trees(order);
  std::vector<std::array<long double, kMaxStages>> phi(trees.size());
  double worst = 0;
  for (std::size_t t = 0; t < trees.size(); ++t) {
    long double sum = 0;
    for (std::size_t i = 0; i < slopes; ++i) {
      phi[t][i] = 1;
      for (const std::size_t child : trees[t].children) {
        long double branch = 0;
        for (std::size_t j = 0; j < i; ++j) branch += a[i][j] * phi[child][j];
        phi[t][i] *= branch;
      }
      sum += b[i] * phi[t][i];
    }
    const long double expected = std::pow(theta, trees[t].order) / static_cast<long double>(trees[t].gamma);
    worst = std::max(worst, static_cast<double>(std::abs(sum - expected)));
  }
  return worst;
}

TEST(Trees, AreAsManyAsKnown) {
  EXPECT_EQ(rooted_trees(4).size(), 1u + 1 + 2 + 4);
  EXPECT_EQ(rooted_trees(8).size(), 200u);  // Hairer, Norsett and Wanner 1993, table II.2.3
}

TEST(Tableaus, OnlyLookBackAndTheirRowsSumToC) {
  for (const Tableau* method : kTableaus) {
    SCOPED_TRACE(method->name);
    const auto [a, c, slopes] = complete(*method);
    for (std::size_t i = 0; i < kMaxStages; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < kMaxStages; ++j) {
        EXPECT_TRUE(j < i || a[i][j] == 0);
        sum += a[i][j];
      }
      EXPECT_NEAR(sum, i < slopes ? c[i] : 0, 1e-14) << "row " << i;
    }
  }
}

TEST(Tableaus, SatisfyTheConditionsOfTheirOrderAndNoMore) {
  for (const Tableau* method : kTableaus) {
    SCOPED_TRACE(method->name);
    EXPECT_LE(worst_condition(*method, method->b, method->order), 1e-14);
    EXPECT_GT(worst_condition(*method, method->b, method->order + 1), 1e-6);
  }
}

TEST(Tableaus, EmbeddedMethodsSatisfyTheirs) {
  for (const Tableau* method : kTableaus) {
    SCOPED_TRACE(method->name);
    for (const EmbeddedMethod* embedded : {&method->embedded, &method->second}) {
      if (embedded->order == 0) continue;
      EXPECT_LE(worst_condition(*method, embedded->b, embedded->order), 1e-14);
      EXPECT_GT(worst_condition(*method, embedded->b, embedded->order + 1), 1e-6);
    }
  }
}

TEST(Tableaus, DenseOutputSatisfiesTheConditionsOfItsOrder) {
  for (const Tableau* method : kTableaus) {
    SCOPED_TRACE(method->name);
    const int order = std::min(method->order, method->dense.order);
    for (const double theta : {0.1, 0.5, 0.7, 0.99, 1.0}) {
      const Weights b = dense_weights(*method, theta);
      EXPECT_LE(worst_condition(*method, b, order, theta), 1e-13) << theta;  // weights of several hundred cancel
      if (theta < 1) {
        EXPECT_GT(worst_condition(*method, b, method->dense.order + 1, theta), 1e-9) << theta;
      } else {
        for (std::size_t i = 0; i < b.size(); ++i) EXPECT_NEAR(b[i], method->b[i], 1e-15);
      }
    }
  }
}

TEST(Tableaus, AreFoundByName) {
  for (const std::string& name : solver_names()) EXPECT_EQ(find_tableau(name).name, name);
  EXPECT_THAT(solver_names(true), AllOf(Contains("dopri5"), Not(Contains("rk4"))));
  EXPECT_THAT(misuse([] { find_tableau("rk5"); }),
              HasSubstr("unknown solver 'rk5' (did you mean rk4?); known: euler, midpoint, heun2"));
  EXPECT_EQ(find_tableau("rk4").order, 4);
}

}  // namespace
}  // namespace rill::flow
