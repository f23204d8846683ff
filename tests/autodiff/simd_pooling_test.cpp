// Pooling kernels of each set against the reference: all numbers of channels, ties, NaN and infinities.
#include <limits>

#include "tests/autodiff/simd_testing.hpp"

namespace rill::simd {
namespace {

// 3 x 2 rectangles that overlap, of an image of 5 x 4 places: two of a single place, none empty.
constexpr Range kRows[] = {{0, 2}, {1, 4}, {4, 5}}, kColumns[] = {{0, 3}, {3, 4}};
constexpr Index kPlaces = 20, kPooled = 6;

TEST(SimdPooling, AgreesWithReferenceForAllNumbersOfChannels) {
  for (const Kernels* kernels : available_kernels()) {
    for (Index channels = 0; channels <= 2 * kernels->lanes + 1; ++channels) {
      const Rectangles at{3, 2, kRows, kColumns, 4, channels};
      Numbers x(kPlaces * channels, 1), v(kPlaces * channels, 3), g(kPooled * channels, 1);
      TestRandom random(static_cast<std::uint64_t>(channels));
      for (Index i = 0; i < x.size(); ++i) {
        // Small integers, so that many are equal and all sums are exact, and now and then something special.
        const Real special[] = {kNan, kInf, -kInf};
        x[i] = std::floor(random.uniform(0, 3));
        if (random.uniform(0, 1) < Real(0.1)) x[i] = special[random.bits() % 3];
        v[i] = std::floor(random.uniform(-50, 50));
      }
      for (Index i = 0; i < g.size(); ++i) g[i] = std::floor(random.uniform(-50, 50));
      const auto check = [&](const char* what, Numbers& got, Numbers& expected) {
        ASSERT_TRUE(got.intact()) << what << ' ' << kernels->name << ' ' << channels;
        for (Index i = 0; i < got.size(); ++i) {
          ASSERT_EQ(got[i], expected[i]) << what << ' ' << kernels->name << ' ' << channels << " at " << i;
        }
      };
      Numbers y(g.size(), 3), expected(g.size(), 0), gx(x.size(), 3, 7), expected_gx(x.size(), 0, 7);
      kernels->sum_rectangles(at, v.data(), 4, y.data());
      reference().sum_rectangles(at, v.data(), 4, expected.data());
      check("sum", y, expected);
      kernels->pick_at_maxima(at, x.data(), v.data(), y.data());
      reference().pick_at_maxima(at, x.data(), v.data(), expected.data());
      check("pick", y, expected);
      kernels->add_at_maxima(at, x.data(), g.data(), gx.data());
      reference().add_at_maxima(at, x.data(), g.data(), expected_gx.data());
      check("add", gx, expected_gx);
    }
  }
}

TEST(SimdPooling, MeansAreRightHoweverManyPlaces) {
  for (const Kernels* kernels : available_kernels()) {
    for (const Index side : {1, 2, 3, 4, 5, 7, 16, 100, 512}) {
      const Range all{0, side};
      const Index channels = 3, n = side * side * channels;
      const Rectangles at{1, 1, &all, &all, side, channels};
      Numbers x(n, 1), y(channels, 3);
      const auto check = [&](double expected, double ulps) {
        kernels->sum_rectangles(at, x.data(), static_cast<Real>(side * side), y.data());
        for (Index c = 0; c < channels; ++c) {
          ASSERT_TRUE(close(y[c], expected, ulps)) << kernels->name << ' ' << side << ": " << y[c];
        }
      };
      for (const double value : {0.1, 1., 1e-30, static_cast<double>(std::numeric_limits<Real>::max())}) {
        for (Index i = 0; i < n; ++i) x[i] = static_cast<Real>(value);
        check(static_cast<double>(static_cast<Real>(value)), value == 1 ? 0 : sizeof(Real) == 4 ? 8 : 64);
      }
      for (Index i = 0; i < n; ++i) x[i] = kInf;
      check(static_cast<double>(kInf), 0);
      x[0] = x[1] = x[2] = -kInf;
      if (side > 1) check(static_cast<double>(kNan), 0);
    }
  }
}

}  // namespace
}  // namespace rill::simd
