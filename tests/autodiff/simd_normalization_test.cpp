// Normalization kernels of each set against the reference, at all numbers of columns up to a few registers.
#include "tests/autodiff/simd_testing.hpp"

namespace rill::simd {
namespace {

void fill(Numbers& x, std::uint64_t seed, double low = -1, double high = 1) {
  TestRandom random(seed);
  for (Index i = 0; i < x.size(); ++i) x[i] = random.uniform(low, high);
}

void expect_close(Numbers& got, Numbers& expected, double tolerance, const char* what, const Kernels& kernels,
                  Index rows, Index columns) {
  ASSERT_TRUE(got.intact()) << what << ' ' << kernels.name << ' ' << rows << " x " << columns;
  for (Index i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], expected[i], tolerance * (1 + std::abs(static_cast<double>(expected[i]))))
        << what << ' ' << kernels.name << ' ' << rows << " x " << columns << " at " << i;
  }
}

// body(kernels, rows, columns): all tails of strips of one, two and four registers; rows on either side of a block.
template <class Body>
void for_shapes(const Body& body) {
  for (const Kernels* kernels : available_kernels()) {
    for (const Index rows : {1, 2, 63, 64, 65, 200}) {
      for (Index columns = 1; columns <= 4 * kernels->lanes + 1; columns += rows < 64 ? 1 : 7) {
        body(*kernels, rows, columns);
      }
      body(*kernels, rows, Index{8} * kernels->lanes);
      body(*kernels, rows, Index{7} * kernels->lanes + 3);
    }
  }
}

TEST(SimdNormalization, DownTheColumns) {
  for_shapes([](const Kernels& kernels, Index rows, Index columns) {
    const Index n = rows * columns;
    Numbers x(n, 1), g(n, 3), scale(columns, 1), slope(columns, 3), shift(columns, 0);
    fill(x, 1), fill(g, 2), fill(scale, 3), fill(slope, 4), fill(shift, 5);
    Numbers mean(columns, 3), rest(columns, 0), deviation(columns, 1), expected_mean(columns, 0),
        expected_rest(columns, 0), expected_deviation(columns, 0);
    kernels.column_moments(rows, columns, x.data(), mean.data(), rest.data(), deviation.data());
    reference().column_moments(rows, columns, x.data(), expected_mean.data(), expected_rest.data(),
                               expected_deviation.data());
    expect_close(mean, expected_mean, 4 * kEpsilon, "mean", kernels, rows, columns);
    expect_close(deviation, expected_deviation, 8 * kEpsilon, "deviation", kernels, rows, columns);
    ASSERT_TRUE(rest.intact());

    Numbers y(n, 3), expected(n, 0);
    kernels.normalize_columns(rows, columns, x.data(), mean.data(), scale.data(), shift.data(), y.data());
    reference().normalize_columns(rows, columns, x.data(), mean.data(), scale.data(), shift.data(), expected.data());
    expect_close(y, expected, 4 * kEpsilon, "y", kernels, rows, columns);

    Numbers sum(columns, 1, 2), product(columns, 3, 3), expected_sum(columns, 0, 2), expected_product(columns, 0, 3);
    kernels.column_products(rows, columns, g.data(), x.data(), mean.data(), sum.data(), product.data());
    reference().column_products(rows, columns, g.data(), x.data(), mean.data(), expected_sum.data(),
                                expected_product.data());
    expect_close(sum, expected_sum, 64 * kEpsilon, "sum", kernels, rows, columns);
    expect_close(product, expected_product, 64 * kEpsilon, "product", kernels, rows, columns);

    Numbers gx(n, 3), rstd(columns, 1);
    fill(rstd, 6);
    kernels.normalize_columns_gradient(rows, columns, g.data(), x.data(), mean.data(), rstd.data(), scale.data(),
                                       slope.data(), shift.data(), gx.data());
    reference().normalize_columns_gradient(rows, columns, g.data(), x.data(), mean.data(), rstd.data(), scale.data(),
                                           slope.data(), shift.data(), expected.data());
    expect_close(gx, expected, 4 * kEpsilon, "gx", kernels, rows, columns);
    kernels.normalize_columns_gradient(rows, columns, g.data(), x.data(), mean.data(), rstd.data(), scale.data(),
                                       slope.data(), shift.data(), g.data());
    for (Index i = 0; i < n; ++i) ASSERT_EQ(g[i], gx[i]) << kernels.name << ": in place";
  });
}

// Numbers of all kinds that make moments hard: a mean far from 0, a first number far from the others, all equal, tiny,
// large, and so large that squares overflow. Deviations are compared where they are not those of rounding.
struct Hard {
  const char* name;
  double mean, spread, first;  // the first number is mean + first
};
constexpr double kLarge = sizeof(Real) == 4 ? 1e30 : 1e200;
constexpr Hard kHard[] = {
    {"plain", 0, 1, 0},
    {"mean far from 0", 1000, 1, 0},
    {"first far from the others", 1000, 1, -2000},
    {"constant", 0.1, 0, 0},
    {"constant 1e4", 1e4, 0, 0},
    {"a few units apart", 1e4, 3e4 * kEpsilon, 0},
    {"one differs", 0, 0, 1e6},
    {"tiny", 0, 1e-12, 0},
    {"large", 0, 1e15, 0},
    {"huge", 0, kLarge, 0},
    {"huge mean", kLarge, kLarge / 64, 0},
    {"huge first", 1, 1, kLarge},
};
void fill(Numbers& x, const Hard& hard, Index stride) {
  TestRandom random(6);
  for (Index i = 0; i < x.size(); ++i) {
    x[i] = static_cast<Real>(hard.mean + (i < stride ? hard.first : hard.spread * random.uniform(-1, 1)));
  }
}

// The mean to twice the precision of a Real.
long double whole(Real mean, Real rest) { return static_cast<long double>(mean) + static_cast<long double>(rest); }

TEST(SimdNormalization, MomentsOfColumnsKeepAllDigits) {
  for (const Kernels* kernels : available_kernels()) {
    for (const Hard& hard : kHard) {
      for (const Index rows : {1, 2, 15, 49, 64, 65, 784, 5000}) {
        const Index columns = kernels->lanes + 1;
        Numbers x(rows * columns, 0), mean(columns, 0), rest(columns, 0), deviation(columns, 0);
        Numbers expected_mean(columns, 0), expected_rest(columns, 0), expected_deviation(columns, 0);
        fill(x, hard, columns);
        kernels->column_moments(rows, columns, x.data(), mean.data(), rest.data(), deviation.data());
        reference().column_moments(rows, columns, x.data(), expected_mean.data(), expected_rest.data(),
                                   expected_deviation.data());
        for (Index c = 0; c < columns; ++c) {
          const auto exact = static_cast<double>(expected_deviation[c]);
          ASSERT_TRUE(close(deviation[c], exact, 16)) << kernels->name << ", " << hard.name << ", " << rows
                                                      << " rows: " << deviation[c] << ", expected " << exact;
          ASSERT_NEAR(static_cast<double>(whole(mean[c], rest[c]) - whole(expected_mean[c], expected_rest[c])), 0,
                      16 * kEpsilon * exact)
              << kernels->name << ", " << hard.name << ", " << rows << " rows";
        }
      }
    }
  }
}

TEST(SimdNormalization, ConstantColumnsHaveNoVariance) {
  for (const Kernels* kernels : available_kernels()) {
    for (const Real value : {Real(0.1), Real(1e4), Real(-10001.001)}) {
      for (const Index rows : {1, 7, 15, 41, 100, 1000}) {
        const Index columns = kernels->lanes + 3;
        Numbers x(rows * columns, 0, value), mean(columns, 0), rest(columns, 0, 1), deviation(columns, 0, 1);
        kernels->column_moments(rows, columns, x.data(), mean.data(), rest.data(), deviation.data());
        for (Index c = 0; c < columns; ++c) {
          EXPECT_EQ(mean[c], value) << kernels->name;
          EXPECT_EQ(rest[c], 0) << kernels->name;
          EXPECT_EQ(deviation[c], 0) << kernels->name;
        }
      }
    }
  }
}

// What is left of squares when the square of their mean is taken off is below 0 now and then, by rounding.
TEST(SimdNormalization, NearlyConstantColumnsHaveADeviation) {
  TestRandom random(9);
  for (const Kernels* kernels : available_kernels()) {
    const Index columns = 4 * kernels->lanes;
    for (const Index rows : {2, 3, 5, 17, 63, 64, 65, 66, 130, 300, 1000}) {
      for (int repetition = 0; repetition < 10; ++repetition) {
        Numbers x(rows * columns, 0), mean(columns, 0), rest(columns, 0), deviation(columns, 0);
        for (Index c = 0; c < columns; ++c) {
          const Real value = random.uniform(1, 2);
          for (Index r = 0; r < rows; ++r) x[r * columns + c] = value;
          if (repetition % 2 == 1) x[(rows - 1) * columns + c] = value * (1 + kEpsilon);
        }
        kernels->column_moments(rows, columns, x.data(), mean.data(), rest.data(), deviation.data());
        for (Index c = 0; c < columns; ++c) {
          ASSERT_TRUE(0 <= deviation[c] && deviation[c] <= 2 * kEpsilon) << kernels->name << ' ' << rows << " rows";
        }
      }
    }
  }
}

TEST(SimdNormalization, NanAndInfinityMakeTheirColumnNan) {
  for (const Kernels* kernels : available_kernels()) {
    for (const Real special : {kNan, kInf, -kInf}) {
      const Index rows = 70, columns = kernels->lanes + 1;
      Numbers x(rows * columns, 0), mean(columns, 0), rest(columns, 0), deviation(columns, 0);
      fill(x, 1);
      x[66 * columns + 1] = special;
      kernels->column_moments(rows, columns, x.data(), mean.data(), rest.data(), deviation.data());
      for (Index c = 0; c < columns; ++c) EXPECT_EQ(std::isnan(deviation[c]), c == 1) << kernels->name;
    }
  }
}

TEST(SimdNormalization, RowsKeepAllDigits) {
  for (const Kernels* kernels : available_kernels()) {
    for (const Hard& hard : kHard) {
      for (const Index columns : {1, 2, 15, 41, 64, 100, 1000}) {
        const Real epsilon = Real(1e-5);
        Numbers x(columns, 0), g(columns, 0), scale(columns, 0), shift(columns, 0), y(columns, 0), moments(3, 0);
        Numbers gx(columns, 0), gscale(columns, 0), gshift(columns, 0);
        fill(x, hard, 1), fill(g, 1), fill(scale, 2), fill(shift, 3);
        kernels->normalize_rows(1, columns, x.data(), scale.data(), shift.data(), epsilon, y.data(), moments.data());
        kernels->normalize_rows_gradient(1, columns, g.data(), x.data(), moments.data(), scale.data(), gx.data(),
                                         gscale.data(), gshift.data());
        // The definition, in the widest numbers there are.
        using Wide = long double;
        const auto wide = [](Real v) { return static_cast<Wide>(v); };
        const auto count = static_cast<Wide>(columns);
        Wide mean = 0, variance = 0, h_mean = 0, h_slope = 0;
        for (Index c = 0; c < columns; ++c) mean += wide(x[c]) / count;
        Wide lost = 0;  // by rounding
        for (Index c = 0; c < columns; ++c) lost += (wide(x[c]) - mean) / count;
        const auto centered = [&](Index c) { return (wide(x[c]) - mean) - lost; };
        for (Index c = 0; c < columns; ++c) variance += centered(c) * centered(c) / count;
        const Wide rstd = 1 / std::sqrt(variance + wide(epsilon));
        const auto xhat = [&](Index c) { return centered(c) * rstd; };
        for (Index c = 0; c < columns; ++c) {
          h_mean += wide(g[c]) * wide(scale[c]) / count;
          h_slope += wide(g[c]) * wide(scale[c]) * xhat(c) / count;
        }
        // The largest xhat; the reference in double has few digits to spare.
        const double largest = std::max(1., std::sqrt(static_cast<double>(columns))) * (sizeof(Real) == 4 ? 1 : 8);
        for (Index c = 0; c < columns; ++c) {
          const Wide expected_y = xhat(c) * wide(scale[c]) + wide(shift[c]);
          ASSERT_NEAR(y[c], static_cast<double>(expected_y), 16 * kEpsilon * largest)
              << kernels->name << ", " << hard.name << ", " << columns << " columns";
          const Wide expected_gx = wide(g[c]) * wide(scale[c]) - h_mean - xhat(c) * h_slope;
          ASSERT_NEAR(static_cast<double>(wide(gx[c]) / rstd), static_cast<double>(expected_gx),
                      32 * kEpsilon * largest)
              << kernels->name << ", " << hard.name << ", " << columns << " columns";
          ASSERT_NEAR(gscale[c], static_cast<double>(wide(g[c]) * xhat(c)), 16 * kEpsilon * largest);
        }
      }
    }
  }
}

TEST(SimdNormalization, AlongTheRows) {
  for_shapes([](const Kernels& kernels, Index rows, Index columns) {
    const Index n = rows * columns;
    const Real epsilon = Real(1e-2);  // large enough that rows of two or three do not magnify their rounding errors
    Numbers x(n, 1), g(n, 3), scale(columns, 1), shift(columns, 3);
    fill(x, 1, 2, 4), fill(g, 2), fill(scale, 3), fill(shift, 4);
    Numbers y(n, 3), moments(3 * rows, 1), expected_y(n, 0), expected_moments(3 * rows, 0);
    kernels.normalize_rows(rows, columns, x.data(), scale.data(), shift.data(), epsilon, y.data(), moments.data());
    reference().normalize_rows(rows, columns, x.data(), scale.data(), shift.data(), epsilon, expected_y.data(),
                               expected_moments.data());
    expect_close(moments, expected_moments, 64 * kEpsilon, "moments", kernels, rows, columns);
    expect_close(y, expected_y, 128 * kEpsilon, "y", kernels, rows, columns);

    Numbers gx(n, 1), gscale(columns, 3, 1), gshift(columns, 1, 2), expected(n, 0), expected_gscale(columns, 0, 1),
        expected_gshift(columns, 0, 2);
    kernels.normalize_rows_gradient(rows, columns, g.data(), x.data(), moments.data(), scale.data(), gx.data(),
                                    gscale.data(), gshift.data());
    reference().normalize_rows_gradient(rows, columns, g.data(), x.data(), moments.data(), scale.data(),
                                        expected.data(), expected_gscale.data(), expected_gshift.data());
    expect_close(gx, expected, 128 * kEpsilon, "gx", kernels, rows, columns);
    // Sums of up to 200 terms of up to 2, one after the other.
    expect_close(gscale, expected_gscale, 200 * kEpsilon, "gscale", kernels, rows, columns);
    expect_close(gshift, expected_gshift, 200 * kEpsilon, "gshift", kernels, rows, columns);
  });
}

}  // namespace
}  // namespace rill::simd
