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
    Numbers mean(columns, 3), squares(columns, 1), expected_mean(columns, 0), expected_squares(columns, 0);
    kernels.column_moments(rows, columns, x.data(), mean.data(), squares.data());
    reference().column_moments(rows, columns, x.data(), expected_mean.data(), expected_squares.data());
    expect_close(mean, expected_mean, 16 * kEpsilon, "mean", kernels, rows, columns);
    // A sum of `rows` squares of up to 1, some of it cancelling.
    expect_close(squares, expected_squares, 64 * kEpsilon, "squares", kernels, rows, columns);

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

    Numbers gx(n, 3);
    kernels.normalize_columns_gradient(rows, columns, g.data(), x.data(), mean.data(), scale.data(), slope.data(),
                                       shift.data(), gx.data());
    reference().normalize_columns_gradient(rows, columns, g.data(), x.data(), mean.data(), scale.data(), slope.data(),
                                           shift.data(), expected.data());
    expect_close(gx, expected, 4 * kEpsilon, "gx", kernels, rows, columns);
    kernels.normalize_columns_gradient(rows, columns, g.data(), x.data(), mean.data(), scale.data(), slope.data(),
                                       shift.data(), g.data());
    for (Index i = 0; i < n; ++i) ASSERT_EQ(g[i], gx[i]) << kernels.name << ": in place";
  });
}

TEST(SimdNormalization, AMeanFarFromZeroCostsNoDigits) {
  // 1000 + u with u in [-1, 1]: the input is rounded to 1000 epsilon, which changes the squares by less than that.
  for (const Kernels* kernels : available_kernels()) {
    const Index rows = 784, columns = kernels->lanes + 1;
    Numbers x(rows * columns, 0), mean(columns, 0), squares(columns, 0), expected_mean(columns, 0),
        expected_squares(columns, 0);
    fill(x, 6, 999, 1001);
    x[0] = -1000;  // a first row that lies far off costs as much as there are rows, times some rounding errors
    kernels->column_moments(rows, columns, x.data(), mean.data(), squares.data());
    reference().column_moments(rows, columns, x.data(), expected_mean.data(), expected_squares.data());
    for (Index c = 0; c < columns; ++c) {
      EXPECT_TRUE(close(mean[c], static_cast<double>(expected_mean[c]), 4)) << kernels->name << ' ' << c;
      EXPECT_TRUE(close(squares[c], static_cast<double>(expected_squares[c]), c == 0 ? 16 * 784 : 16))
          << kernels->name << ' ' << c;
    }
  }
}

TEST(SimdNormalization, ConstantColumnsHaveNoVariance) {
  for (const Kernels* kernels : available_kernels()) {
    const Index rows = 100, columns = kernels->lanes + 3;
    Numbers x(rows * columns, 0, Real(0.1)), mean(columns, 0), squares(columns, 0, 1);
    kernels->column_moments(rows, columns, x.data(), mean.data(), squares.data());
    for (Index c = 0; c < columns; ++c) {
      EXPECT_EQ(mean[c], Real(0.1)) << kernels->name;
      EXPECT_EQ(squares[c], 0) << kernels->name;
    }
  }
}

TEST(SimdNormalization, AlongTheRows) {
  for_shapes([](const Kernels& kernels, Index rows, Index columns) {
    const Index n = rows * columns;
    const Real epsilon = Real(1e-2);  // large enough that rows of two or three do not magnify their rounding errors
    Numbers x(n, 1), g(n, 3), scale(columns, 1), shift(columns, 3);
    fill(x, 1, 2, 4), fill(g, 2), fill(scale, 3), fill(shift, 4);
    Numbers y(n, 3), moments(2 * rows, 1), expected_y(n, 0), expected_moments(2 * rows, 0);
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
