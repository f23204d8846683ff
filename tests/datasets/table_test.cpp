// CSV files, and tables of points from either format.
#include "datasets/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "datasets/csv.hpp"
#include "datasets/npy.hpp"
#include "tests/temporary_folder.hpp"

namespace rill::datasets {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;
using testing_support::TemporaryFolder;

class CsvFile : public testing::Test {
 protected:
  Csv read(const std::string& text) const { return read_csv(folder.write("table.csv", text)); }
  /// The text holds the rows (1, 2.5, -3) and (4, 5, 6000).
  void expect_two_rows(const std::string& text) const {
    const Csv csv = read(text);
    EXPECT_EQ(csv.values.shape(), (Shape{2, 3})) << text;
    EXPECT_THAT(csv.values.to_vector(), ElementsAre(1, 2.5, -3, 4, 5, 6000)) << text;
  }
  void expect_rejected(const std::string& text, const std::string& message) const {
    EXPECT_THAT([&] { read(text); }, ThrowsMessage<FileError>(HasSubstr("table.csv: " + message)));
  }
  TemporaryFolder folder;
};

TEST_F(CsvFile, ReadsTheUsualVariants) {
  expect_two_rows("1,2.5,-3\n4,5,6e3\n");
  expect_two_rows("1,2.5,-3\n4,5,6e3");
  expect_two_rows("1;2.5;-3\n4;5;6e3\n");
  expect_two_rows("1\t2.5\t-3\n4\t5\t6e3\n");
  expect_two_rows("1 2.5 -3\n4 5 6e3\n");
  expect_two_rows("  1   2.5  -3  \n  4   5    6E+3\n");
  expect_two_rows(" 1 , 2.5 , -3 \r\n +4 , 5.0 , 6000 \r\n");
  expect_two_rows("\xef\xbb\xbf\"1\",\"2.5\",\"-3\"\n\n\"4\",\"5\",\"6000\"\n\n");
  expect_two_rows("# made by hand\n1,2.5,-3\n\n   \n# half way\n4,5,6000\n");
}

TEST_F(CsvFile, TakesAFirstLineWithoutNumbersAsNames) {
  expect_two_rows("x,y,z\n1,2.5,-3\n4,5,6e3\n");
  EXPECT_THAT(read("\"x\", width (cm), 2nd\r\n1,2,3\r\n").names, ElementsAre("x", "width (cm)", "2nd"));
  EXPECT_THAT(read("1,2,3\n").names, IsEmpty());
  EXPECT_EQ(read("5\n").values.shape(), (Shape{1, 1}));
}

TEST_F(CsvFile, NumbersTooSmallAreZero) { EXPECT_EQ(read("1e-400\n").values.item(), 0); }

TEST_F(CsvFile, SaysWhereItIsBroken) {
  expect_rejected("", "holds no rows of numbers");
  expect_rejected("\n# nothing\n", "holds no rows of numbers");
  expect_rejected("x,y\n", "holds no rows of numbers");
  expect_rejected("1,2\n3,four\n", "line 2, column 2: \"four\" is not a number");
  expect_rejected("1,2\n\n# note\n3,4a\n", "line 4, column 2: \"4a\" is not a number");
  expect_rejected("1,y\n2,3\n", "line 1, column 2: \"y\" is not a number");
  expect_rejected("x,y\nx,y\n1,2\n", "line 2, column 1: \"x\" is not a number");
  expect_rejected("1,2\n3,\n", "line 2, column 2: the field is empty");
  expect_rejected("1\t2\n3\t\n", "line 2, column 2: the field is empty");
  expect_rejected("1,2\n3,4,5\n", "line 2: 3 fields, expected 2");
  expect_rejected("x,y\n1\n", "line 2: 1 fields, expected 2");
  expect_rejected("1,5;2,5\n3,5;4,5\n", "line 2, column 1: \"3,5\" is not a number");
  expect_rejected("1,2\n3,nan\n", "line 2, column 2: \"nan\", expected a finite number");
  expect_rejected("1,2\n-inf,4\n", "line 2, column 1: \"-inf\", expected a finite number");
  expect_rejected("1,2\n3,1e999\n", "line 2, column 2: \"1e999\", expected a finite number");
  expect_rejected(std::string("1,2\n\0", 5), "holds zero bytes");
  if (sizeof(Real) == 4) expect_rejected("1e39\n", "line 1, column 1: \"1e39\", expected a finite number");
}

TEST_F(CsvFile, ReadsBackWhatItWrites) {
  Generator rng(1);
  const Tensor x = 1e-3 * Tensor::randn({50, 4}, rng);
  write_csv(folder / "x.csv", x, {"a", "b", "c", "d"});
  const Csv csv = read_csv(folder / "x.csv");
  EXPECT_EQ(csv.values.to_vector(), x.to_vector()) << "bit for bit";
  EXPECT_THAT(csv.names, ElementsAre("a", "b", "c", "d"));
  write_csv(folder / "x.csv", Tensor::from({0.1f, -2, 3e20f, 0}, {2, 2}));
  const std::string shortest = sizeof(Real) == 4 ? "0.1,-2\n3e+20,0\n" : "0.10000000149011612,-2\n";
  EXPECT_EQ(read_file(folder / "x.csv").substr(0, shortest.size()), shortest);
  EXPECT_THROW(write_csv(folder / "x.csv", x, {"a"}), std::invalid_argument);
  EXPECT_THROW(write_csv(folder / "x.csv", Tensor::zeros({3})), std::invalid_argument);
}

TEST(Table, ReadsPointsByTheEndingOfTheFile) {
  const TemporaryFolder folder;
  const Tensor x = Tensor::from({1, 2, 3, 4, 5, 6}, {3, 2});
  write_npy(folder / "x.npy", x);
  write_csv(folder / "x.csv", x);
  write_csv(folder / "x.TXT", x);
  for (const char* name : {"x.npy", "x.csv", "x.TXT"}) {
    EXPECT_EQ(read_table(folder / name).shape(), x.shape());
    EXPECT_EQ(read_table(folder / name).to_vector(), x.to_vector());
  }
  write_npy(folder / "column.npy", Tensor::zeros({5}));
  EXPECT_EQ(read_table(folder / "column.npy").shape(), (Shape{5, 1}));
}

TEST(Table, RejectsWhatIsNotPoints) {
  const TemporaryFolder folder;
  const auto rejected = [](const std::string& path, const std::string& message) {
    EXPECT_THAT([&] { read_table(path); }, ThrowsMessage<FileError>(HasSubstr(message)));
  };
  rejected(folder / "x.parquet", "the ending is \".parquet\", expected .npy, .csv, .tsv or .txt");
  rejected(folder / "x", "the ending is \"\"");
  write_npy(folder / "x.npy", Tensor::zeros({2, 2, 2}));
  rejected(folder / "x.npy", "shape [2, 2, 2], expected [points, dimensions]");
  write_npy(folder / "x.npy", Tensor::zeros({0, 2}));
  rejected(folder / "x.npy", "holds no points: its shape is [0, 2]");
  Tensor x = Tensor::zeros({3, 2});
  x.data()[5] = std::numeric_limits<Real>::quiet_NaN();
  write_npy(folder / "x.npy", x);
  rejected(folder / "x.npy", "row 3, column 2 is nan, expected a finite number");
}

TEST(Standardization, BringsColumnsToUnitScaleAndBack) {
  Generator rng(2);
  const Tensor factor = Tensor::from({5, 0.01f, 0}, {3}), offset = Tensor::from({-40, 3, 7.7f}, {3});
  const Tensor x = Tensor::randn({1000, 3}, rng) * factor + offset;
  const Standardization scale = Standardization::of(x);
  const Tensor z = scale.apply(x);
  const Tensor mean_z = mean(z, {.axes = {0}}), variance = mean(square(z), {.axes = {0}});
  // The offset costs 3 / 0.01 roundings of a Real in column 1.
  for (Index j = 0; j < 3; ++j) EXPECT_NEAR(mean_z.data()[j], 0, 1e-4);
  EXPECT_NEAR(variance.data()[0], 1, 1e-4);
  EXPECT_NEAR(variance.data()[1], 1, 1e-4);
  EXPECT_EQ(scale.deviation.data()[2], 1) << "a constant column keeps its scale";
  EXPECT_EQ(variance.data()[2], 0);
  const Tensor back = scale.invert(z);
  for (Index i = 0; i < x.size(); ++i) EXPECT_NEAR(back.data()[i], x.data()[i], 1e-5 * (1 + std::abs(x.data()[i])));
  EXPECT_NEAR(scale.log_volume(), std::log(scale.deviation.data()[0]) + std::log(scale.deviation.data()[1]), 1e-6);
  EXPECT_THROW(Standardization::of(Tensor::zeros({0, 2})), std::invalid_argument);
}

}  // namespace
}  // namespace rill::datasets
