// Reductions, softmax and transposition of each set against the reference.
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "tests/autodiff/simd_testing.hpp"

namespace rill::simd {
namespace {

void fill(Numbers& x, std::uint64_t seed, double low = -1, double high = 1) {
  TestRandom random(seed);
  for (Index i = 0; i < x.size(); ++i) x[i] = random.uniform(low, high);
}

TEST(SimdReduction, SumAndMaxAgreeWithReferenceForAllShapes) {
  for (const Kernels* kernels : available_kernels()) {
    const Index lanes = kernels->lanes;
    for (const Index outer : {Index{0}, Index{1}, Index{3}}) {
      for (const Index reduced : {Index{0}, Index{1}, Index{2}, Index{7}, lanes, 4 * lanes + 1, Index{131}}) {
        for (const Index inner :
             {Index{0}, Index{1}, Index{2}, Index{3}, lanes - 1, lanes, lanes + 1, 4 * lanes, 5 * lanes + 1}) {
          Numbers x(outer * reduced * inner, 1), got(outer * inner, 3), expected(outer * inner, 0);
          fill(x, static_cast<std::uint64_t>(reduced * 100 + inner));
          kernels->sum(outer, reduced, inner, x.data(), got.data());
          reference().sum(outer, reduced, inner, x.data(), expected.data());
          ASSERT_TRUE(got.intact());
          for (Index i = 0; i < got.size(); ++i) {
            ASSERT_NEAR(got[i], expected[i], 64 * kEpsilon) << kernels->name << ' ' << reduced << ' ' << inner;
          }
          kernels->max(outer, reduced, inner, x.data(), got.data());
          reference().max(outer, reduced, inner, x.data(), expected.data());
          ASSERT_TRUE(got.intact());
          for (Index i = 0; i < got.size(); ++i) {
            ASSERT_EQ(got[i], expected[i]) << kernels->name << ' ' << reduced << ' ' << inner;
          }
        }
      }
    }
  }
}

TEST(SimdReduction, MeansAgreeWithReferenceForAllShapes) {
  const double large = std::numeric_limits<Real>::max();
  struct Kind {
    const char* name;
    double low, high, first;
  };
  for (const Kernels* kernels : available_kernels()) {
    const Index lanes = kernels->lanes;
    for (const Index outer : {Index{0}, Index{1}, Index{3}, 2 * lanes + 1}) {
      for (const Index reduced :
           {Index{0}, Index{1}, Index{2}, Index{7}, lanes, 4 * lanes + 1, Index{131}, Index{700}}) {
        for (const Index inner :
             {Index{0}, Index{1}, Index{2}, Index{3}, lanes - 1, lanes, lanes + 1, 4 * lanes, 5 * lanes + 1}) {
          for (const Kind& kind : {Kind{"plain", -1, 1, 0.5},
                                   {"far from 0", 99, 100, 99},
                                   {"first far off", 0, 1, 1e6},
                                   {"overflow", large / 2, large, large},
                                   {"of both signs", -large / 2, large / 2, 1}}) {
            Numbers x(outer * reduced * inner, 1), got(outer * inner, 3), expected(outer * inner, 0);
            fill(x, static_cast<std::uint64_t>(reduced * 100 + inner), kind.low, kind.high);
            for (Index i = 0; i < std::min(inner, x.size()); ++i) x[i] = static_cast<Real>(kind.first);
            kernels->mean(outer, reduced, inner, x.data(), got.data());
            reference().mean(outer, reduced, inner, x.data(), expected.data());
            ASSERT_TRUE(got.intact());
            for (Index i = 0; i < got.size(); ++i) {
              long double size = 0;  // the mean of their magnitudes
              for (Index r = 0; r < reduced; ++r) {
                size += std::abs(static_cast<long double>(x[(i / inner * reduced + r) * inner + i % inner])) /
                        static_cast<long double>(reduced);
              }
              if (reduced == 0) {
                ASSERT_TRUE(std::isnan(got[i]) && std::isnan(expected[i]));
              } else {
                ASSERT_NEAR(static_cast<double>(static_cast<long double>(got[i]) / size),
                            static_cast<double>(static_cast<long double>(expected[i]) / size), 16 * kEpsilon)
                    << kernels->name << ", " << kind.name << ' ' << outer << ' ' << reduced << ' ' << inner;
              }
            }
          }
        }
      }
    }
  }
}

TEST(SimdReduction, MeansOfEqualNumbersAndOfSpecialOnes) {
  for (const Kernels* kernels : available_kernels()) {
    for (const Index inner : {Index{1}, Index{2}, Index{kernels->lanes}, Index{kernels->lanes} * 4 + 1}) {
      for (const Index reduced : {1, 3, 16, 41, 64, 65, 100, 128, 5000}) {
        for (const double value : {0.1, -1e30, static_cast<double>(std::numeric_limits<Real>::max())}) {
          Numbers x(reduced * inner, 1, static_cast<Real>(value)), y(inner, 0);
          kernels->mean(1, reduced, inner, x.data(), y.data());
          for (Index i = 0; i < inner; ++i)
            ASSERT_EQ(y[i], static_cast<Real>(value)) << kernels->name << ' ' << reduced;
          x[(reduced - 1) * inner] = kInf;
          kernels->mean(1, reduced, inner, x.data(), y.data());
          ASSERT_EQ(y[0], kInf) << kernels->name << ' ' << reduced;
          if (inner > 1) {
            ASSERT_EQ(y[1], static_cast<Real>(value)) << kernels->name << ' ' << reduced;
          }
          x[0] = -kInf;
          kernels->mean(1, reduced, inner, x.data(), y.data());
          ASSERT_TRUE(reduced == 1 ? y[0] == -kInf : std::isnan(y[0])) << kernels->name << ' ' << reduced;
        }
      }
    }
  }
}

TEST(SimdReduction, RowsOfEveryLength) {
  for (const Kernels* kernels : available_kernels()) {
    for (const Index misalignment : kMisalignments) {
      for (Index n = 0; n <= 9 * kernels->lanes + 1; ++n) {
        Numbers x(n, misalignment), y(n, 2);
        fill(x, static_cast<std::uint64_t>(n));
        fill(y, static_cast<std::uint64_t>(n) + 1000);
        Real sum, max, dot = kernels->dot(n, x.data(), y.data());
        kernels->sum(1, n, 1, x.data(), &sum);
        kernels->max(1, n, 1, x.data(), &max);
        double exact_sum = 0, exact_dot = 0;
        Real exact_max = -kInf;
        for (Index i = 0; i < n; ++i) {
          exact_sum += static_cast<double>(x[i]);
          exact_dot += static_cast<double>(x[i]) * static_cast<double>(y[i]);
          exact_max = std::max(exact_max, x[i]);
        }
        ASSERT_NEAR(sum, exact_sum, 16 * kEpsilon) << kernels->name << ' ' << n;
        ASSERT_NEAR(dot, exact_dot, 16 * kEpsilon) << kernels->name << ' ' << n;
        ASSERT_EQ(max, exact_max) << kernels->name << ' ' << n;
      }
    }
  }
}

TEST(SimdReduction, LongSumsStayAccurate) {
  // A million numbers near 0.1: adding them one by one in float is off by 1e-3 relative, blocks by less than 1e-5.
  constexpr Index n = 1 << 20;
  for (const Kernels* kernels : available_kernels()) {
    for (const Index inner : {1, 2, 32}) {
      Numbers x(n, 0), y(inner, 0);
      fill(x, 5, 0, 0.2);
      kernels->sum(1, n / inner, inner, x.data(), y.data());
      for (Index c = 0; c < inner; ++c) {
        long double exact = 0;
        for (Index i = c; i < n; i += inner) exact += static_cast<long double>(x[i]);
        const auto expected = static_cast<double>(exact);
        EXPECT_NEAR(y[c], expected, 50 * kEpsilon * expected) << kernels->name << ' ' << inner;
      }
    }
  }
}

TEST(SimdReduction, MaxFindsNanAnywhere) {
  for (const Kernels* kernels : available_kernels()) {
    for (const Index inner : {Index{1}, Index{2}, Index{kernels->lanes}}) {
      const Index reduced = 4 * kernels->lanes + 3;
      for (Index at = 0; at < reduced; ++at) {
        Numbers x(reduced * inner, 0, 1), y(inner, 0);
        x[at * inner] = kNan;
        x[reduced / 2 * inner + inner - 1] = x[at * inner + inner - 1];  // two of them, or a plain one moved
        kernels->max(1, reduced, inner, x.data(), y.data());
        EXPECT_TRUE(std::isnan(y[0])) << kernels->name << ' ' << at;
      }
    }
  }
}

TEST(SimdReduction, SoftmaxAgreesWithReference) {
  for (const Kernels* kernels : available_kernels()) {
    for (Index columns = 1; columns <= 4 * kernels->lanes + 1; ++columns) {
      for (const double range : {1., 50., 3000.}) {
        const Index rows = columns % 2 == 0 ? 3 : 2 * kernels->lanes + 1;  // short rows are done in groups
        Numbers x(rows * columns, 1), got(rows * columns, 3), expected(rows * columns, 0);
        fill(x, static_cast<std::uint64_t>(columns), -range, range);
        const auto check = [&](Kernels::Rows Kernels::*f, Index count, double absolute) {
          (kernels->*f)(rows, columns, x.data(), got.data());
          (reference().*f)(rows, columns, x.data(), expected.data());
          ASSERT_TRUE(got.intact());
          for (Index i = 0; i < count; ++i) {
            ASSERT_TRUE(close(got[i], expected[i], 32, absolute)) << kernels->name << ' ' << columns << ' ' << got[i];
          }
        };
        check(&Kernels::softmax, rows * columns, std::numeric_limits<Real>::min());
        check(&Kernels::log_softmax, rows * columns, 8 * kEpsilon);
        check(&Kernels::logsumexp, rows, 8 * kEpsilon);
        Numbers in_place(rows * columns, 0);
        for (Index i = 0; i < x.size(); ++i) in_place[i] = x[i];
        kernels->softmax(rows, columns, in_place.data(), in_place.data());
        kernels->softmax(rows, columns, x.data(), got.data());
        for (Index i = 0; i < x.size(); ++i) ASSERT_EQ(in_place[i], got[i]) << kernels->name;
      }
    }
  }
}

TEST(SimdReduction, OneNanMakesItsRowNanAndNoOther) {
  for (const Kernels* kernels : available_kernels()) {
    for (const Index columns : {Index{2}, Index{5}, Index{6} * kernels->lanes + 1}) {
      for (Index at = 0; at < columns; ++at) {
        Numbers x(3 * columns, 0), y(3 * columns, 0);
        fill(x, 9);
        x[columns + at] = kNan;
        for (const Kernels::Rows f : {kernels->softmax, kernels->log_softmax, kernels->logsumexp}) {
          f(3, columns, x.data(), y.data());
          const Index each = f == kernels->logsumexp ? 1 : columns;
          for (Index i = 0; i < 3 * each; ++i) {
            ASSERT_EQ(std::isnan(y[i]), i / each == 1) << kernels->name << ' ' << columns << ' ' << at << ' ' << i;
          }
        }
      }
    }
  }
}

TEST(SimdReduction, RowsOfAllMagnitudes) {
  // Sums, maxima and the softmax family of numbers from the smallest to the largest, against sums in twice the
  // precision.
  using Wide = std::conditional_t<sizeof(Real) == 4, double, long double>;
  using Limits = std::numeric_limits<Real>;
  for (const Kernels* kernels : available_kernels()) {
    for (const Index columns : {Index{3}, Index{17}, Index{9} * kernels->lanes + 1}) {
      for (const double size : {1e-30, 1e-3, 1., 40., 1e4, 1e19, 1e30, static_cast<double>(Limits::max()) / 400}) {
        for (const Real special : {Real(0), Limits::denorm_min(), Limits::lowest() / 2, -kInf}) {
          Numbers x(columns, 1), soft(columns, 3), log_soft(columns, 0), one(columns, 0, 1);
          fill(x, static_cast<std::uint64_t>(columns));
          for (Index c = 0; c < columns; ++c) x[c] *= static_cast<Real>(size);
          x[columns / 2] = special;
          Real sum, max, logsumexp;
          kernels->sum(1, columns, 1, x.data(), &sum);
          kernels->max(1, columns, 1, x.data(), &max);
          kernels->logsumexp(1, columns, x.data(), &logsumexp);
          kernels->softmax(1, columns, x.data(), soft.data());
          kernels->log_softmax(1, columns, x.data(), log_soft.data());
          const Real dot = kernels->dot(columns, x.data(), one.data());
          Wide exact = 0, largest = static_cast<Wide>(-kInf), exponentials = 0, magnitude = 0;
          const auto wide = [&](Index c) { return static_cast<Wide>(x[c]); };
          for (Index c = 0; c < columns; ++c) {
            exact += wide(c), magnitude += std::abs(wide(c));
            largest = std::max(largest, wide(c));
          }
          for (Index c = 0; c < columns; ++c) exponentials += std::exp(wide(c) - largest);
          const auto near = [&](Real got, Wide expected, Wide scale, const char* what) {
            const auto absolute = static_cast<double>(16 * static_cast<Wide>(kEpsilon) * scale + Limits::denorm_min());
            ASSERT_TRUE(close(got, static_cast<double>(expected), 16, absolute))
                << what << ' ' << kernels->name << ' ' << columns << " of " << size << " and " << special << ": " << got
                << ", expected " << expected;
          };
          near(sum, exact, std::isfinite(magnitude) ? magnitude : 0, "sum");
          near(dot, exact, std::isfinite(magnitude) ? magnitude : 0, "dot");
          near(max, largest, 0, "max");
          near(logsumexp, largest + std::log(exponentials), std::abs(largest), "logsumexp");
          for (Index c = 0; c < columns; ++c) {
            near(soft[c], std::exp(wide(c) - largest) / exponentials, 1, "softmax");
            // Its numbers are distances from the largest one.
            const Wide distance = wide(c) - largest;
            near(log_soft[c], distance - std::log(exponentials), std::isfinite(distance) ? std::abs(distance) + 1 : 0,
                 "log_softmax");
          }
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(SimdReduction, LogsumexpOfInfinities) {
  for (const Kernels* kernels : available_kernels()) {
    const Real rows[4][2] = {{-kInf, -kInf}, {-kInf, 3}, {kInf, 1}, {kNan, 1}};
    Real y[4];
    kernels->logsumexp(4, 2, rows[0], y);
    EXPECT_EQ(y[0], -kInf) << kernels->name;
    EXPECT_EQ(y[1], 3) << kernels->name;
    EXPECT_EQ(y[2], kInf) << kernels->name;
    EXPECT_TRUE(std::isnan(y[3])) << kernels->name;
    kernels->logsumexp(1, 0, rows[0], y);
    EXPECT_EQ(y[0], -kInf) << kernels->name;
  }
}

TEST(SimdReduction, TransposeOfEveryShape) {
  for (const Kernels* kernels : available_kernels()) {
    const Index most = 2 * kernels->lanes + 1;
    for (Index rows = 0; rows <= most; ++rows) {
      for (Index columns = 0; columns <= most; ++columns) {
        Numbers x(rows * columns, 1), y(rows * columns, 3);
        for (Index i = 0; i < x.size(); ++i) x[i] = static_cast<Real>(i);
        kernels->transpose(rows, columns, x.data(), y.data());
        ASSERT_TRUE(y.intact());
        for (Index r = 0; r < rows; ++r) {
          for (Index c = 0; c < columns; ++c) ASSERT_EQ(y[c * rows + r], x[r * columns + c]) << kernels->name;
        }
      }
    }
  }
}

}  // namespace
}  // namespace rill::simd
