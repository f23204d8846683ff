#include "datasets/labels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autodiff/error.hpp"
#include "datasets/csv.hpp"

namespace rill::datasets {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(Labels, AreTakenOutOfTheTable) {
  Table table = parse_csv("x,kind,y\n1,7,2\n3,-1,4\n5,7,6\n", "t.csv");
  const Labels labels = take_labels(table, "kind", "t.csv");
  EXPECT_THAT(labels.values, ElementsAre(-1, 7));
  EXPECT_THAT(std::vector<Index>(labels.classes.begin(), labels.classes.end()), ElementsAre(1, 0, 1));
  EXPECT_EQ(labels.count(), 2);
  EXPECT_EQ(table.columns, 2);
  EXPECT_THAT(table.names, ElementsAre("x", "y"));
  EXPECT_THAT(table.values, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(Labels, AreFoundByNumberWhereNothingHasAName) {
  Table table = parse_csv("1,2,0\n3,4,1\n", "t.csv");
  EXPECT_THAT(take_labels(table, "3", "t.csv").values, ElementsAre(0, 1));
  EXPECT_THAT(table.values, ElementsAre(1, 2, 3, 4));
}

TEST(Labels, ThatAreNoneAreRefused) {
  const auto refused = [](const char* text, const char* column, const char* message) {
    EXPECT_THAT(
        [&] {
          Table table = parse_csv(text, "t.csv");
          take_labels(table, column, "t.csv");
        },
        ThrowsMessage<FileError>(HasSubstr(message)));
  };
  refused("x,kind\n1,2\n", "kid", "t.csv: unknown column 'kid' (did you mean kind?); known: x, kind");
  refused("1,2\n", "3", "t.csv: unknown column '3'");
  refused("x,kind\n1,2\n1,2.5\n", "kind", "t.csv: row 2 of the column 'kind' is 2.5, expected a whole number");
  refused("kind\n1\n", "kind", "only column");
}

}  // namespace
}  // namespace rill::datasets
