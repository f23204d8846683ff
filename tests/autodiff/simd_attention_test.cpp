// Attention of each set against the reference: awkward sizes, wide rows, several blocks of queries and keys.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

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

// Keys of three blocks and a rest on every set.
constexpr std::size_t kScores = 400;

// One query and keys in several blocks, of one channel, so that the scores are the keys: what attention makes of any
// scores, against softmax in double.
struct Scores {
  std::vector<Real> k, v, y, gk, gv;
  Real scale, gq, top, inverse_sum;

  Scores(std::vector<Real> scores, double scale_of_scores)
      : k(std::move(scores)), v(k.size()), y(1), gk(k.size()), gv(k.size()), scale(static_cast<Real>(scale_of_scores)) {
    TestRandom random(3);
    for (Real& x : v) x = random.uniform(-1, 1);
  }
  void run(const Kernels& kernels) {
    const Real q = 1, gy = 1;
    const auto keys = static_cast<Index>(k.size());
    const Attention a = {1, keys, 1, 1, scale, &q, 1, k.data(), 1, v.data(), 1};
    Numbers workspace(kernels.attention_workspace(a), 0, kNan);
    kernels.attention(a, {y.data(), 1, &top, &inverse_sum}, workspace.data());
    kernels.attention_gradient(a, {y.data(), 1, &top, &inverse_sum}, {&gy, &gq, gk.data(), gv.data()},
                               workspace.data());
  }
  void expect_softmax(const Kernels& kernels, const char* what) {
    SCOPED_TRACE(::testing::Message() << kernels.name << ", " << what << ", scale " << scale);
    run(kernels);
    const auto real = [](Real x) { return static_cast<double>(x); };
    const double most = real(*std::max_element(k.begin(), k.end()));
    double sum = 0, expected = 0;
    const auto weight = [&](std::size_t s) { return std::exp(real(scale) * (real(k[s]) - most)); };
    for (std::size_t s = 0; s < k.size(); ++s) sum += weight(s), expected += weight(s) * real(v[s]);
    expected /= sum;
    const double tolerance = 100 * static_cast<double>(kEpsilon);
    ASSERT_NEAR(y[0], expected, tolerance);
    double gq_expected = 0, gq_size = 0;
    for (std::size_t s = 0; s < k.size(); ++s) {
      const double p = weight(s) / sum, gx = p * (real(v[s]) - expected);
      ASSERT_NEAR(gv[s], p, tolerance) << s;
      ASSERT_NEAR(real(gk[s]) / real(scale), gx, tolerance) << s;
      gq_expected += gx * real(k[s]);
      gq_size += std::abs(gx * real(k[s]));
    }
    if (!(gq_size * std::max(1., real(scale)) < real(std::numeric_limits<Real>::max()))) return;  // no Real
    // What is below the smallest number vanishes.
    const double lost = static_cast<double>(kScores) * real(std::numeric_limits<Real>::min());
    ASSERT_NEAR(real(gq), gq_expected * real(scale), tolerance * (gq_size + std::abs(most)) * real(scale) + lost);
  }
};

TEST(SimdAttention, ScoresOfAllMagnitudes) {
  const double largest = sizeof(Real) == 4 ? 1e37 : 1e307;
  for (const Kernels* kernels : available_kernels()) {
    for (const double size : {1e-30, 1e-3, 1., 30., 1e4, 1e10, 1e19, 1e30, largest}) {
      for (const double scale : {1e-30, 0.1767767, 1., 1e10, 1e30}) {
        TestRandom random(7);
        std::vector<Real> scores(kScores), rising(kScores);
        for (std::size_t s = 0; s < kScores; ++s) {
          scores[s] = static_cast<Real>(size) * random.uniform(-1, 1);
          rising[s] = static_cast<Real>(size * (static_cast<double>(s) / kScores - 0.5));
        }
        Scores(scores, scale).expect_softmax(*kernels, "any");
        Scores(rising, scale).expect_softmax(*kernels, "rising");
        std::reverse(rising.begin(), rising.end());
        Scores(rising, scale).expect_softmax(*kernels, "falling");
        Scores(std::vector<Real>(kScores, static_cast<Real>(size)), scale).expect_softmax(*kernels, "equal");
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(SimdAttention, BlocksOfMinusInfinity) {
  for (const Kernels* kernels : available_kernels()) {
    for (const std::size_t first : {std::size_t{0}, std::size_t{1}, std::size_t{150}, kScores - 1}) {
      for (const std::size_t finite : {std::size_t{1}, std::size_t{50}}) {
        for (const double lowest : {-2., -1e4, static_cast<double>(std::numeric_limits<Real>::lowest())}) {
          std::vector<Real> scores(kScores, -kInf);
          for (std::size_t s = first; s < std::min(kScores, first + finite); ++s) {
            scores[s] = static_cast<Real>(lowest / static_cast<double>(s - first + 1));
          }
          Scores(scores, 1).expect_softmax(*kernels, "after and before -infinity");
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(SimdAttention, NoWeightsWhereAllScoresAreMinusInfinityOrOneIsInfinite) {
  for (const Kernels* kernels : available_kernels()) {
    for (const Real one : {-kInf, kInf, kNan}) {
      for (const std::size_t at : {std::size_t{0}, std::size_t{200}, kScores - 1}) {
        std::vector<Real> scores(kScores, -kInf);
        scores[at] = one;
        Scores none(scores, 1);
        none.run(*kernels);
        EXPECT_TRUE(std::isnan(none.y[0])) << kernels->name << ' ' << one << ' ' << at;
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
