// Attention of each set against the reference: awkward sizes, wide rows, several blocks of queries and keys.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/autodiff/simd_testing.hpp"

namespace rill::simd {
namespace {

struct Case {
  Index queries, keys, depth, value_depth;
  Index extra = 0;  // how much longer rows are than they need to be
  double spread = 2;
};

// What must not be read is NaN, and NaN would show.
void fill(Numbers& x, Index columns, Index ld, double spread, TestRandom& random) {
  for (Index i = 0; i < x.size(); ++i) x[i] = i % ld < columns ? random.uniform(-spread, spread) : kNan;
}

// Every number within the tolerance of the other, relative to the largest; what lies between rows is untouched.
void expect_close(Numbers& got, Numbers& expected, Index columns, Index ld, double tolerance, const char* what) {
  ASSERT_TRUE(got.intact()) << what;
  double largest = 1;
  for (Index i = 0; i < got.size(); ++i) {
    if (i % ld < columns) largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
  }
  for (Index i = 0; i < got.size(); ++i) {
    if (i % ld >= columns) {
      ASSERT_EQ(got[i], 7) << what << " " << i;
    } else {
      ASSERT_TRUE(close(got[i], static_cast<double>(expected[i]), 0, tolerance * largest))
          << what << " " << i << ": " << got[i] << ", expected " << expected[i];
    }
  }
}

struct Outputs {
  Numbers y, top, inverse_sum, gq, gk, gv;
  explicit Outputs(const Case& c, Index ld, Index ldv)
      : y(c.queries * ldv, 1, 7),
        top(c.queries, 0, 7),
        inverse_sum(c.queries, 0, 7),
        gq(c.queries * ld, 3, 7),
        gk(c.keys * ld, 1, 7),
        gv(c.keys * ldv, 0, 7) {}

  void run(const Kernels& kernels, const Attention& a, const Numbers& gy) {
    Numbers workspace(kernels.attention_workspace(a), 0, kNan);
    kernels.attention(a, {y.data(), a.ldv, top.data(), inverse_sum.data()}, workspace.data());
    for (Index i = 0; i < workspace.size(); ++i) workspace[i] = kNan;
    kernels.attention_gradient(a, {y.data(), a.ldv, top.data(), inverse_sum.data()},
                               {const_cast<Numbers&>(gy).data(), gq.data(), gk.data(), gv.data()}, workspace.data());
    ASSERT_TRUE(workspace.intact());
  }
};

void check(const Case& c) {
  SCOPED_TRACE(::testing::Message() << c.queries << " queries, " << c.keys << " keys, depths " << c.depth << " and "
                                    << c.value_depth << ", rows longer by " << c.extra);
  const Index ld = c.depth + c.extra, ldv = c.value_depth + c.extra;
  TestRandom random(static_cast<std::uint64_t>(c.queries * 1009 + c.keys * 31 + c.depth));
  Numbers q(c.queries * ld, 0), k(c.keys * ld, 1), v(c.keys * ldv, 3), gy(c.queries * ldv, 1);
  fill(q, c.depth, ld, c.spread, random);
  fill(k, c.depth, ld, c.spread, random);
  fill(v, c.value_depth, ldv, 1, random);
  fill(gy, c.value_depth, ldv, 1, random);
  const Attention a = {.queries = c.queries,
                       .keys = c.keys,
                       .depth = c.depth,
                       .value_depth = c.value_depth,
                       .scale = static_cast<Real>(1 / std::sqrt(static_cast<double>(c.depth))),
                       .q = q.data(),
                       .ldq = ld,
                       .k = k.data(),
                       .ldk = ld,
                       .v = v.data(),
                       .ldv = ldv};
  Outputs expected(c, ld, ldv);
  expected.run(reference(), a, gy);
  // A score's rounding errors, of a sum of `depth` products, are relative errors of its weight.
  const double score = c.spread * c.spread * std::sqrt(static_cast<double>(c.depth));
  const double tolerance = (20 + 4 * score) * static_cast<double>(kEpsilon);
  for (const Kernels* kernels : available_kernels()) {
    SCOPED_TRACE(kernels->name);
    Outputs got(c, ld, ldv);
    got.run(*kernels, a, gy);
    expect_close(got.y, expected.y, c.value_depth, ldv, tolerance, "y");
    expect_close(got.top, expected.top, 1, 1, tolerance, "top");
    expect_close(got.inverse_sum, expected.inverse_sum, 1, 1, tolerance, "inverse_sum");
    expect_close(got.gq, expected.gq, c.depth, ld, 2 * tolerance, "gq");
    expect_close(got.gk, expected.gk, c.depth, ld, 2 * tolerance, "gk");
    expect_close(got.gv, expected.gv, c.value_depth, ldv, 2 * tolerance, "gv");
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(SimdAttention, EveryDepth) {
  for (Index depth = 1; depth <= 70; ++depth) {
    check({7, 9, depth, 71 - depth, depth % 3});
    if (HasFatalFailure()) return;
  }
}

TEST(SimdAttention, EveryNumberOfQueriesAndKeys) {
  for (Index n = 1; n <= 70; ++n) {
    check({n, 5, 6, 16, 1});
    check({6, n, 16, 7, 0});
    check({71 - n, n, 3, 20, 2});
    if (HasFatalFailure()) return;
  }
}

TEST(SimdAttention, SeveralBlocks) {
  for (const Case& c : {Case{64, 112, 16, 16}, Case{65, 113, 8, 24, 5}, Case{129, 225, 5, 9, 1}, Case{150, 57, 33, 18},
                        Case{196, 196, 32, 32, 32}, Case{784, 784, 32, 32}}) {
    check(c);
    if (HasFatalFailure()) return;
  }
}

TEST(SimdAttention, ScoresOfHundreds) {
  // Nearly all weights are 0, and the largest score so far keeps growing.
  check({20, 300, 16, 16, 0, 16});
}

TEST(SimdAttention, ExponentialsAreWithinTwoUnits) {
  constexpr Index n = 64;
  constexpr double kLowest = sizeof(Real) == 4 ? -160 : -1100, kStep = 0.37;
  for (const Kernels* kernels : available_kernels()) {
    for (double x = 0; x > kLowest; x -= kStep) {
      // A query each for n exponents below x. The scores of the two keys are 0 and the exponent, times ln 2 log2 e,
      // whose rounded product is 1; their values 0 and 1. So y = 2^x / (1 + 2^x).
      Real q[n], k[2] = {0, 1}, v[2] = {0, 1}, y[n], top[n], inverse[n];
      for (Index i = 0; i < n; ++i) q[i] = static_cast<Real>(x - static_cast<double>(i) * kStep / n);
      const Attention a = {n, 2, 1, 1, Real(0.69314718055994530942), q, 1, k, 1, v, 1};
      Numbers workspace(kernels->attention_workspace(a), 0);
      kernels->attention(a, {y, 1, top, inverse}, workspace.data());
      for (Index i = 0; i < n; ++i) {
        const long double p = std::exp2(static_cast<long double>(q[i]));
        // A sum of 1 with a number this small is 1; elsewhere it, its inverse and a product round too.
        const double units = x < -60 ? 2 : 4;
        ASSERT_TRUE(close(y[i], static_cast<double>(p / (1 + p)), units, std::numeric_limits<Real>::min()))
            << kernels->name << " 2^" << q[i] << ": " << y[i] << ", expected " << p / (1 + p);
      }
    }
  }
}

TEST(SimdAttention, NanSpreadsToItsQueryOnly) {
  for (const Kernels* kernels : available_kernels()) {
    Real q[3] = {1, kNan, 2}, k[2] = {1, 2}, v[2] = {3, 5}, y[3], top[3], inverse[3];
    const Attention a = {3, 2, 1, 1, 1, q, 1, k, 1, v, 1};
    Numbers workspace(kernels->attention_workspace(a), 0);
    kernels->attention(a, {y, 1, top, inverse}, workspace.data());
    EXPECT_TRUE(y[0] > 3 && y[0] < 5 && y[2] > y[0] && y[2] < 5) << kernels->name;
    EXPECT_TRUE(std::isnan(y[1])) << kernels->name;
  }
}

}  // namespace
}  // namespace rill::simd
