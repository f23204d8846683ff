// CSV files, and tables of points from either format.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "datasets/csv.hpp"
#include "datasets/npy.hpp"
#include "datasets/read_table.hpp"
#include "tests/temporary_folder.hpp"

namespace rill::datasets {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::ThrowsMessage;
using testing_support::TemporaryFolder;

class Csv : public testing::Test {
 protected:
  static Table read(const std::string& text) { return parse_csv(text, "table.csv"); }
  /// The text holds the rows (1, 2.5, -3) and (4, 5, 6000).
  static void expect_two_rows(const std::string& text) {
    const Table table = read(text);
    EXPECT_EQ(table.rows, 2) << text;
    EXPECT_EQ(table.columns, 3) << text;
    EXPECT_THAT(table.values, ElementsAre(1, 2.5, -3, 4, 5, 6000)) << text;
  }
  static void expect_rejected(const std::string& text, const std::string& message) {
    EXPECT_THAT([&] { read(text); }, ThrowsMessage<FileError>(HasSubstr("table.csv: " + message)));
  }
};

TEST_F(Csv, ReadsTheUsualVariants) {
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

TEST_F(Csv, TakesAFirstLineWithoutNumbersAsNames) {
  expect_two_rows("x,y,z\n1,2.5,-3\n4,5,6e3\n");
  EXPECT_THAT(read("\"x\", width (cm), 2nd\r\n1,2,3\r\n").names, ElementsAre("x", "width (cm)", "2nd"));
  EXPECT_THAT(read("1,2,3\n").names, IsEmpty());
  EXPECT_THAT(read("5\n").values, ElementsAre(5));
}

// What pandas, R and spreadsheets write.
TEST_F(Csv, ReadsQuotesAsTheyAreMeant) {
  expect_two_rows("\"height, cm\",\"weight; kg\",\"a \"\"third\"\"\"\n1,2.5,-3\n4,5,6e3\n");
  EXPECT_THAT(read("\"height, cm\",\"weight; kg\",\"a \"\"third\"\"\"\n1,2,3\n").names,
              ElementsAre("height, cm", "weight; kg", "a \"third\""));
  expect_two_rows("\"a;b\"\t\"c\"\td\n1\t2.5\t-3\n4\t\"5\"\t6e3\n");
  expect_two_rows("\"two\nlines\",y,z\r\n1,2.5,-3\r\n4,5,6e3");
  expect_two_rows("# don't, \"ever\nx,y,z\n1, \"2.5\" ,-3\n4,5,6e3\n");
  for (const char* stray : {"width 5\"", "5 \" wide", "a \"b"}) {
    expect_two_rows(std::string(stray) + ",y,z\n1,2.5,-3\n4,5,6e3\n");
  }
  expect_two_rows("\"x 1\" \"x 2\" \"x 3\"\n\"1\" 2.5 -3\n4 \"5\" 6e3\n");
  expect_rejected("x,y\n1,\"2\n3,4\n", "line 2, column 2: a quote that does not close");
  expect_rejected("x,y\n1,\"2\"3\n", "line 2, column 2: the field continues after its closing quote");
  expect_rejected("\"two\nlines\",y\n1,z\n", "line 3, column 2: \"z\" is not a number");
}

TEST_F(Csv, LeavesAnIndexOut) {
  expect_two_rows("\tx\ty\tz\n0\t1\t2.5\t-3\n1\t4\t5\t6e3\n");
  expect_two_rows(",x,y,z\n0,1,2.5,-3\n1,4,5,6e3\n");
  expect_two_rows("\"\";\"x\";\"y\";\"z\"\n0;1;2.5;-3\n1;4;5;6e3\n");
  EXPECT_THAT(read("\tx\n0\t5\n1\t6\n").values, ElementsAre(5, 6));
  EXPECT_THAT(read("\tx\n0\t5\n1\t6\n").names, ElementsAre("x"));
  expect_two_rows("\"\",\"x\",\"y\",\"z\"\n\"1\",1,2.5,-3\n\"2\",4,5,6000\n");  // R's write.csv
  expect_two_rows(",x,y,z\n7,1,2.5,-3\n12,4,5,6e3\n");                          // some of its rows
  expect_two_rows(",x,y,z\n12,1,2.5,-3\n7,4,5,6e3\n");                          // sorted by something else
  expect_two_rows(",0,1,2\n0,1,2.5,-3\n1,4,5,6e3\n");                           // pandas, of columns without names
  expect_two_rows(",,x,y,z\n0,0,1,2.5,-3\n0,1,4,5,6e3\n");                      // two levels
  EXPECT_THAT(read(",0,1\n0,5,6\n").names, IsEmpty());
  EXPECT_EQ(read(",x\n3,5\n").index_columns, 1);
  EXPECT_EQ(read(",,x\n3,3,5\n").index_columns, 2);
  // Columns that are no index stay: with a name, with other numbers, without names in the others.
  for (const char* text : {"n,x\n0,5\n1,6\n", ",x\n1.5,5\n2,6\n", "0,5\n1,6\n", ",\n0,5\n1,6\n", "x,\n1,5\n2,6\n"}) {
    EXPECT_EQ(read(text).columns, 2) << text;
    EXPECT_EQ(read(text).index_columns, 0) << text;
  }
  EXPECT_THAT(read(",,x\n1,0.5,3\n").names, ElementsAre("", "x"));
  expect_rejected(",1,2\n0,5,6\n", "line 1, column 1: the field is empty");
  expect_rejected("x y\n\"1\" 5 6\n", "line 2: 3 fields, expected 2 as in the first line; if R wrote its row names, ");
  expect_rejected("\tx\ty\na\t1\t2\n", "line 2, column 1: \"a\" is not a number");
  expect_rejected("1\t2\n\t4\n", "line 2, column 1: the field is empty");
}

TEST_F(Csv, HeedsTheSeparatorThatExcelIsTold) {
  for (const char* separator : {";", ",", "\t", " "}) {
    const std::string s = separator;
    for (const std::string& names : {std::string(), "x" + s + "y" + s + "z\r\n"}) {
      const std::string rows = "1" + s + "2.5" + s + "-3\n4" + s + "5" + s + "6e3\n";
      expect_two_rows("sep=" + s + "\r\n" + names + rows);
    }
  }
  EXPECT_THAT(read("\xef\xbb\xbfsep=;\na,b;c\n1;2\n").names, ElementsAre("a,b", "c")) << "comma and semicolon";
  EXPECT_THAT(read("sep=,\na;b,c\n1,2\n").names, ElementsAre("a;b", "c"));
  expect_rejected("sep=;\n1;a\n", "line 2, column 2: \"a\" is not a number");
  expect_rejected("sep=|\n1|2\n", "line 1: the separator is \"|\", expected a semicolon, a comma, a tab or a space");
  expect_rejected("sep=;\n1,5;2\n", "line 2, column 1: \"1,5\" is not a number; the decimal separator must be a point");
}

TEST_F(Csv, ReadsEveryEndOfLine) {
  for (const char* end : {"\n", "\r\n", "\r"}) {
    expect_two_rows(std::string("x,y,z") + end + "1,2.5,-3" + end + end + "4,5,6e3" + end);
    expect_rejected(std::string("1,2") + end + end + "3,a" + end, "line 3, column 2: \"a\"");
  }
}

TEST_F(Csv, BlanksMayBeTabs) {
  expect_two_rows("1 2.5 -3\n\t4 \t 5\t6e3\n");
  expect_two_rows("\t1 2.5 -3\n\t4 5 6e3\n");
}

TEST_F(Csv, NamesOtherEncodings) {
  expect_rejected(std::string("\xff\xfe"
                              "1\0,\0"
                              "2\0",
                              8),
                  "is UTF-16 text, expected UTF-8");
  expect_rejected(std::string("\xfe\xff\0"
                              "1",
                              4),
                  "is UTF-16 text, expected UTF-8");
}

TEST_F(Csv, NumbersTooSmallAreZero) { EXPECT_THAT(read("1e-400\n").values, ElementsAre(0)); }

TEST_F(Csv, SaysWhereItIsBroken) {
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
  expect_rejected("x,y\n1\n", "line 2: 1 field, expected 2");
  expect_rejected("1,5;2,5\n3,5;4,5\n", "line 2, column 1: \"3,5\" is not a number");
  expect_rejected("1,2\n3,nan\n", "line 2, column 2: \"nan\", expected a finite number");
  expect_rejected("1,2\n-inf,4\n", "line 2, column 1: \"-inf\", expected a finite number");
  expect_rejected("1,2\n3,1e999\n", "line 2, column 2: \"1e999\", expected a finite number");
  expect_rejected(std::string("1,2\n\0", 5), "holds zero bytes");
  EXPECT_THAT(read("1e39\n").values, ElementsAre(1e39)) << "too large for a float only";
}

TEST_F(Csv, ReadsBackWhatItWrites) {
  Generator rng(1);
  const Tensor x = 1e-3 * Tensor::randn({50, 4}, rng);
  const Table table = parse_csv(to_csv(x, {"a", "b", "c", "d"}), "x");
  EXPECT_EQ(std::vector<Real>(table.values.begin(), table.values.end()), x.to_vector()) << "bit for bit";
  EXPECT_THAT(table.names, ElementsAre("a", "b", "c", "d"));
  const std::string shortest = sizeof(Real) == 4 ? "0.1,-2\n3e+20,0\n" : "0.10000000149011612,-2\n";
  EXPECT_THAT(to_csv(Tensor::from({0.1f, -2, 3e20f, 0}, {2, 2})), StartsWith(shortest));
  EXPECT_THROW(to_csv(x, {"a"}), std::invalid_argument);
  EXPECT_THROW(to_csv(Tensor::zeros({3})), std::invalid_argument);

  const Table times{2, 2, {1.7e9 + 1.0 / 3, 1, -5e-324, 1e300}, {"#time, in \"s\"; since\n1970", ""}};
  const Table again = parse_csv(to_csv(times), "x");
  EXPECT_EQ(again.values, times.values) << "doubles, whatever a Real is";
  EXPECT_EQ(again.names, times.names);
}

TEST(Table, ReadsPointsByTheEndingOfTheFile) {
  const TemporaryFolder folder;
  const Tensor x = Tensor::from({1, 2, 3, 4, 5, 6}, {3, 2});
  write_npy(folder / "x.npy", x);
  folder.write("x.csv", to_csv(x));
  folder.write("x.TXT", to_csv(x));
  folder.write("X.CSV", to_csv(x));
  write_npy(folder / "X.NPY", x);
  for (const char* name : {"x.npy", "x.csv", "x.TXT", "X.CSV", "X.NPY"}) {
    const Table table = read_table(folder / name);
    EXPECT_EQ(table.rows, 3);
    EXPECT_EQ(table.columns, 2);
    EXPECT_THAT(table.values, ElementsAre(1, 2, 3, 4, 5, 6));
  }
  write_npy(folder / "column.npy", Tensor::zeros({5}));
  EXPECT_EQ(read_table(folder / "column.npy").rows, 5);
  EXPECT_EQ(read_table(folder / "column.npy").columns, 1);
}

TEST(Table, RejectsWhatIsNotPoints) {
  const TemporaryFolder folder;
  const auto rejected = [](const std::string& path, const std::string& message) {
    EXPECT_THAT([&] { read_table(path); }, ThrowsMessage<FileError>(HasSubstr(message)));
  };
  rejected(folder / "x.parquet", "the ending is \".parquet\", expected .npy, .csv, .tsv or .txt");
  rejected(folder / "x", "the ending is \"\"");
  rejected(folder / "x.npz", "expected .npy, .csv, .tsv or .txt; save only the array of points, with numpy.save");
  rejected(folder / "x.csv.gz", "the ending is \".gz\", expected .npy, .csv, .tsv or .txt; unpack it");
  rejected(folder.path(), "is a folder, expected a file of points");
  write_npy(folder / "x.npy", Tensor::zeros({2, 2, 2}));
  rejected(folder / "x.npy", "shape [2, 2, 2], expected [points, dimensions]");
  write_npy(folder / "x.npy", Tensor::zeros({0, 2}));
  rejected(folder / "x.npy", "holds no points: its shape is [0, 2]");
  Tensor x = Tensor::zeros({3, 2});
  x.data()[5] = std::numeric_limits<Real>::quiet_NaN();
  write_npy(folder / "x.npy", x);
  rejected(folder / "x.npy", "row 3, column 2 is nan, expected a finite number");
}

// What is no table is refused by its first bytes: these files are large, or have no end.
TEST(Table, ReadsNoMoreThanIsOfUse) {
  const TemporaryFolder folder;
  const auto rejected = [](const std::string& path, const std::string& message) {
    EXPECT_THAT([&] { read_table(path); }, ThrowsMessage<FileError>(AllOf(StartsWith(path), HasSubstr(message))));
  };
  for (const char* name : {"zero.csv", "zero.npy"}) std::filesystem::create_symlink("/dev/zero", folder / name);
  rejected(folder / "zero.csv", "holds zero bytes");
  rejected(folder / "zero.npy", "does not start with");
  const std::string header = "{'descr': '<f8', 'fortran_order': True, 'shape': (0, 4611686018427387904, 2), }\n";
  const std::string magic = std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(header.size()) + '\0';
  for (const char* name : {"sparse.csv", "sparse.npy", "claims.npy"}) {
    folder.write(name, std::string(name) == "claims.npy" ? magic + header : "");
    std::filesystem::resize_file(folder / name, std::uintmax_t{1} << 42);  // takes no room on the disk
  }
  rejected(folder / "sparse.csv", "holds zero bytes");
  rejected(folder / "sparse.npy", "does not start with");
  rejected(folder / "claims.npy", "more elements than can be stored");
}

}  // namespace
}  // namespace rill::datasets
