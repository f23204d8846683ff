// Remarks on a table before training.
#include "datasets/table_remarks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "datasets/csv.hpp"

namespace rill::datasets {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<std::string> of(const std::string& csv) {
  const Table table = parse_csv(csv, "x.csv");
  return remarks(table, Standardization::of(table));
}

TEST(TableRemarks, NothingOnPlainTables) {
  for (const char* csv : {"x,y\n1,2\n3,4\n5,7\n", "1,2\n3,4\n5,7\n", "1.5,2\n3,4\n5,7\n", "2,1\n3,4\n5,7\n", "7\n",
                          "1,1\n", "2,1\n1,2\n", "x,y,z\n1,-1,2\n-1,1,3\n0,0,4\n0,1e-6,5\n"}) {
    EXPECT_THAT(of(csv), IsEmpty()) << csv;
  }
}

TEST(TableRemarks, AnIndexThatWasLeftOut) {
  EXPECT_THAT(of("\"\",\"x\"\n\"1\",5\n\"2\",6.5\n"),
              ElementsAre("column 1 has no name and whole numbers: taken for a row index, and left out; give it "
                          "a name to learn it"));
  EXPECT_THAT(of(",,x\n0,1,5\n0,2,6\n"), ElementsAre(StartsWith("columns 1 to 2 have no name")));
}

TEST(TableRemarks, AFirstRowThatMayBeAHeader) {
  for (const char* csv :
       {"2019,2020,2021\n0.5,1,2.5\n3,4,5.5\n", "0,1\n0.5,2\n", "0\n0.5\n", "2019,2020\n17,12\n9,8\n"}) {
    EXPECT_THAT(of(csv), ElementsAre(HasSubstr("if it is a header, remove it"))) << csv;
  }
  EXPECT_THAT(of("2019,2020,2021\n0.5,1,2.5\n3,9,5.5\n"),
              ElementsAre(StartsWith("the first row, 2019, 2020, 2021, is ")));
}

TEST(TableRemarks, ConstantColumns) {
  EXPECT_THAT(of("a,b\n1.25,1\n1.25,2\n1.25,4\n"), ElementsAre(StartsWith("column 1 (a) is always 1.25: ")));
  EXPECT_THAT(of(",a,b\n3,0.1,1\n4,0.1,2\n8,0.1,4\n"),
              ElementsAre(testing::_, StartsWith("column 2 (a) is always 0.1: ")))
      << "numbers of the file's columns";
  const std::string many = "1,1,1,1,1,1,1,1,";
  EXPECT_THAT(of(many + "2\n" + many + "3\n" + many + "1\n"),
              ElementsAre(HasSubstr("column 4 is always 1, column 5 is always 1, and 3 more: learned")));
}

TEST(TableRemarks, ColumnsThatRepeatAnother) {
  EXPECT_THAT(of("a,b,c\n1,5,1\n2,3,2\n4,9,4\n"), ElementsAre(StartsWith("column 3 (c) repeats column 1 (a), in ")));
  EXPECT_THAT(of("cm,inch\n180,70.8661417323\n170,66.9291338583\n155,61.0236220472\n"),
              ElementsAre(StartsWith("column 2 (inch) repeats column 1 (cm), in ")));
  EXPECT_THAT(of("age,born\n20,2004\n31,1993\n4,2020\n"),
              ElementsAre(StartsWith("column 2 (born) repeats column 1 (age)")));
  EXPECT_THAT(of("a,b\n1,1\n2,2\n4,4.001\n"), IsEmpty());
}

TEST(TableRemarks, NeedTheTablesOwnUnits) {
  const Table table = parse_csv("1,2\n", "x.csv");
  EXPECT_THROW(remarks(table, {{0}, {1}}), std::invalid_argument);
}

}  // namespace
}  // namespace rill::datasets
