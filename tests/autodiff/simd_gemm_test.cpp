// The matrix product of each set against the reference: all transpositions, odd sizes, wide rows, bias, accumulation.
#include <gmock/gmock.h>

#include <vector>

#include "tests/autodiff/simd_testing.hpp"

namespace rill::simd {
namespace {

struct Case {
  Index m, n, k;
  bool transpose_a = false, transpose_b = false, bias = false, accumulate = false;
  Index extra = 0;  // how much longer rows are than they need to be
};

void check(const Kernels& kernels, const Case& c) {
  const Index lda = (c.transpose_a ? c.m : c.k) + c.extra, ldb = (c.transpose_b ? c.k : c.n) + c.extra;
  const Index ldc = c.n + c.extra;
  Numbers a((c.transpose_a ? c.k : c.m) * lda, 1), b((c.transpose_b ? c.n : c.k) * ldb, 3), bias(c.n, 0);
  Numbers got(c.m * ldc, 2), expected(c.m * ldc, 0);
  TestRandom random(static_cast<std::uint64_t>(c.m * 10007 + c.n * 101 + c.k));
  for (Numbers* x : {&a, &b, &bias, &got}) {
    for (Index i = 0; i < x->size(); ++i) (*x)[i] = random.uniform(-1, 1);
  }
  for (Index i = 0; i < got.size(); ++i) expected[i] = got[i];
  // What must not be read is NaN, and NaN would show.
  for (Numbers* x : {&a, &b}) {
    const Index ld = x == &a ? lda : ldb;
    for (Index i = 0; i < x->size(); ++i) {
      if (i % ld >= ld - c.extra) (*x)[i] = kNan;
    }
  }
  Gemm g = {c.transpose_a, c.transpose_b, c.m, c.n, c.k, a.data(), lda, b.data(), ldb, c.bias ? bias.data() : nullptr,
            c.accumulate,  got.data(),    ldc};
  Numbers workspace(kernels.gemm_workspace(g), 0, kNan);
  // Rows as they are when they are said to be finished; each one once.
  struct Finished {
    Numbers& got;
    Index ldc;
    std::vector<Real> rows;
    std::vector<int> times;
  } finished{got, ldc, std::vector<Real>(static_cast<std::size_t>(got.size())),
             std::vector<int>(static_cast<std::size_t>(c.m))};
  g.finish = [](const void* context, Index begin, Index end) noexcept {
    Finished& f = *static_cast<Finished*>(const_cast<void*>(context));
    for (Index i = begin; i < end; ++i) ++f.times[static_cast<std::size_t>(i)];
    for (Index i = begin * f.ldc; i < end * f.ldc; ++i) f.rows[static_cast<std::size_t>(i)] = f.got[i];
  };
  g.context = &finished;
  kernels.gemm(g, workspace.data());
  g.finish = nullptr;
  g.c = expected.data();
  reference().gemm(g, nullptr);
  const std::string what = testing::PrintToString(kernels.name) + ": " + std::to_string(c.m) + " x " +
                           std::to_string(c.n) + " x " + std::to_string(c.k) + (c.transpose_a ? " T" : " N") +
                           (c.transpose_b ? "T" : "N");
  ASSERT_TRUE(got.intact()) << what;
  ASSERT_TRUE(workspace.intact()) << what;
  if (c.n > 0) {
    ASSERT_THAT(finished.times, testing::Each(1)) << what;
    for (Index i = 0; i < got.size(); ++i) ASSERT_EQ(finished.rows[static_cast<std::size_t>(i)], got[i]) << what;
  }
  // k products below 1, added in another order: each addition errs by at most epsilon / 2 of a sum of some sqrt(k).
  // A wrong, missing or doubled term is off by some 0.3.
  const double tolerance = (8 + 2 * static_cast<double>(c.k)) * static_cast<double>(kEpsilon);
  for (Index i = 0; i < got.size(); ++i) {
    if (i % ldc < c.n) {
      ASSERT_NEAR(got[i], expected[i], tolerance) << what << " at " << i / ldc << ", " << i % ldc;
    } else {
      ASSERT_EQ(got[i], expected[i]) << what << ": wrote past a row";
    }
  }
}

void check_all_forms(const Case& sizes) {
  for (const Kernels* kernels : available_kernels()) {
    for (int form = 0; form < 8; ++form) {
      Case c = sizes;
      c.transpose_a = form & 1, c.transpose_b = form & 2;
      c.bias = form & 4, c.accumulate = form == 2 || form == 5 || form == 7;
      c.extra += form % 3 == 0 ? 0 : form;
      check(*kernels, c);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(SimdGemm, EverySmallSize) {
  for (const Index m : {0, 1, 2, 3, 5, 6, 7, 13}) {
    for (const Index n : {0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 33, 64, 65}) {
      for (const Index k : {0, 1, 2, 3, 8, 17, 33}) {
        check_all_forms({m, n, k});
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(SimdGemm, EveryWidthAndHeight) {
  for (Index n = 1; n <= 130; n += 3) {
    for (const Index m : {4, 8, 9, 10, 11, 23, 24, 26}) {
      check_all_forms({m, n, 19});
      if (HasFatalFailure()) return;
    }
  }
  for (Index m = 1; m <= 45; ++m) {  // every way to share rows out to tiles, of A in place and packed
    check_all_forms({m, 40, 19});
    check_all_forms({m, 270, 19, false, false, false, false, 600});
    if (HasFatalFailure()) return;
  }
}

TEST(SimdGemm, ShapesOfTrainingSteps) {
  for (const Case& c : {Case{256, 64, 3}, Case{256, 64, 64}, Case{64, 64, 256}, Case{256, 2, 64}, Case{256, 3, 64},
                        Case{64, 3, 256}, Case{2, 64, 256}, Case{64, 2, 256}}) {
    check_all_forms(c);
    if (HasFatalFailure()) return;
  }
}

TEST(SimdGemm, BlocksInEveryDirection) {
  for (const Case& c : {Case{337, 70, 5}, Case{7, 1100, 9}, Case{70, 150, 1100}, Case{99, 200, 300}, Case{400, 5, 300},
                        Case{1030, 140, 33}, Case{20, 4200, 9}, Case{3, 4200, 9}}) {
    check_all_forms(c);
    if (HasFatalFailure()) return;
  }
}

TEST(SimdGemm, SpecialNumbersReachTheirRowAndColumnOnly) {
  // An infinity in one row of op(A), a NaN in one column of op(B), and magnitudes whose products alone are ordinary.
  for (const Kernels* kernels : available_kernels()) {
    for (int form = 0; form < 4; ++form) {
      for (const Index n : {1, 7, 37, 70}) {
        const Index m = 13, k = 19;
        Numbers a(m * k, 1), b(k * n, 3), c(m * n, 0), expected(m * n, 0);
        TestRandom random(4);
        for (Index i = 0; i < a.size(); ++i) a[i] = Real(1e30) * random.uniform(-1, 1);
        for (Index i = 0; i < b.size(); ++i) b[i] = Real(1e-30) * random.uniform(-1, 1);
        const bool ta = form & 1, tb = form & 2;
        a[ta ? 5 * m + 3 : 3 * k + 5] = kInf;
        b[tb ? n / 2 * k + 8 : 8 * n + n / 2] = kNan;
        Gemm g = {ta, tb, m, n, k, a.data(), ta ? m : k, b.data(), tb ? k : n, nullptr, false, c.data(), n};
        Numbers workspace(kernels->gemm_workspace(g), 0, kNan);
        kernels->gemm(g, workspace.data());
        g.c = expected.data();
        reference().gemm(g, nullptr);
        for (Index i = 0; i < c.size(); ++i) {
          ASSERT_EQ(std::isfinite(c[i]), i / n != 3 && i % n != n / 2) << kernels->name << ' ' << form << ' ' << i;
          ASSERT_TRUE(close(c[i], static_cast<double>(expected[i]), 0, 40 * kEpsilon)) << kernels->name << ' ' << i;
        }
      }
    }
  }
}

TEST(SimdGemm, NoTermsLeaveBiasOrZeros) {
  for (const Kernels* kernels : available_kernels()) {
    const Real bias[3] = {1, 2, 3};
    Real c[6] = {9, 9, 9, 9, 9, 9};
    std::vector<Real> workspace(4096);
    kernels->gemm({false, false, 2, 3, 0, nullptr, 0, nullptr, 3, bias, false, c, 3}, workspace.data());
    for (int i = 0; i < 6; ++i) EXPECT_EQ(c[i], bias[i % 3]) << kernels->name;
    kernels->gemm({false, true, 2, 3, 0, nullptr, 0, nullptr, 0, nullptr, false, c, 3}, workspace.data());
    for (int i = 0; i < 6; ++i) EXPECT_EQ(c[i], 0) << kernels->name;
  }
}

}  // namespace
}  // namespace rill::simd
