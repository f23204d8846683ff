// Conversion of tables to the units of a model, and back.
#include "datasets/standardization.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"

namespace rill::datasets {
namespace {

using testing::ElementsAre;

struct Scale {
  double offset, spread;
};

// A column of offset + spread N(0, 1) for each.
Table normal(Index rows, const std::vector<Scale>& columns) {
  Generator rng(2);
  Table table{rows, static_cast<Index>(columns.size()), {}, {}};
  std::vector<Real> z(columns.size());
  for (Index row = 0; row < rows; ++row) {
    rng.normal(table.columns, z.data());
    for (std::size_t j = 0; j < columns.size(); ++j) {
      table.values.push_back(columns[j].offset + columns[j].spread * static_cast<double>(z[j]));
    }
  }
  return table;
}

// Offsets and scales that a float's seven digits and its range do not hold.
TEST(Standardization, BringsColumnsOfAnyUnitToUnitScaleAndBack) {
  const std::vector<Scale> columns = {{-40, 5},       {3, 0.01},   {1.7e9, 60},    {1e12, 1},
                                      {0, 3e19},      {0, 2e30},   {0, 1e-28},     {1e-28, 1e-36},
                                      {3e200, 1e195}, {0, 1e-200}, {-1e307, 2e307}};
  const Table x = normal(1000, columns);
  const Standardization scale = Standardization::of(x);
  const Tensor z = scale.apply(x);
  const Tensor mean_z = mean(z, {.axes = {0}}), variance = mean(square(z), {.axes = {0}});
  const Table back = scale.invert(z);
  for (std::size_t j = 0; j < columns.size(); ++j) {
    const Index column = static_cast<Index>(j);
    EXPECT_NEAR(mean_z.data()[j], 0, 2e-4) << "column " << j;  // what the last digits of 1e12 leave
    EXPECT_NEAR(variance.data()[j], 1, 1e-4) << "column " << j;
    EXPECT_NEAR(scale.deviation[j] / columns[j].spread, 1, 0.1) << "column " << j;
    // A float keeps 24 bits of the distance from the mean, and the sum all that a double has.
    const double digits = std::abs(columns[j].offset) * std::numeric_limits<double>::epsilon();
    for (Index row = 0; row < x.rows; ++row) {
      ASSERT_NEAR(back.at(row, column), x.at(row, column), 1e-6 * scale.deviation[j] + 2 * digits) << "column " << j;
    }
  }
}

TEST(Standardization, KeepsAConstantColumn) {
  for (const double value : {0.0, 0.1, -7.7, 1.7e9 + 1.0 / 3, 1e300, 5e-324}) {
    const Table x{1001, 1, std::vector<double>(1001, value), {}};
    const Standardization scale = Standardization::of(x);
    EXPECT_EQ(scale.mean[0], value);
    EXPECT_EQ(scale.deviation[0], 1);
    const Tensor z = scale.apply(x);
    EXPECT_EQ(std::count(z.data(), z.data() + 1001, Real(0)), 1001);
    EXPECT_EQ(scale.invert(Tensor::zeros({1, 1})).values[0], value) << "to the last digit";
  }
}

TEST(Standardization, TellsNumbersThatAreHardToTellApart) {
  const double next = std::nextafter(1e9, 2e9);
  const Table x{2, 1, {1e9, next}, {}};
  const Standardization scale = Standardization::of(x);
  EXPECT_THAT(scale.invert(scale.apply(x)).values, ElementsAre(1e9, next));
  EXPECT_EQ(Standardization::of({2, 1, {0, 5e-324}, {}}).deviation[0] > 0, true);
}

TEST(Standardization, KnowsItsVolume) {
  const Standardization scale{{1, 2, 3}, {2, 1e-28, 3e19}};
  EXPECT_NEAR(scale.log_volume(), std::log(2) + std::log(1e-28) + std::log(3e19), 1e-12);
}

TEST(Standardization, RefusesOtherShapes) {
  EXPECT_THROW(Standardization::of({0, 2, {}, {}}), std::invalid_argument);
  const Standardization scale{{1, 2}, {2, 1}};
  EXPECT_THROW(scale.apply({1, 3, {1, 2, 3}, {}}), std::invalid_argument);
  EXPECT_THROW(scale.invert(Tensor::zeros({1, 3})), std::invalid_argument);
}

}  // namespace
}  // namespace rill::datasets
