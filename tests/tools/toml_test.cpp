#include "tools/cli/toml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace rill::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string error_of(const std::string& text) {
  try {
    parse_toml(text, "file.toml");
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(Toml, ReadsValuesOfEveryKind) {
  const auto entries = parse_toml(
      "# comment\n"
      "count = 1_000  # another\r\n"
      "\n"
      "  rate=-1.5e-3\n"
      "flag = true\n"
      "path = \"a # \\\"b\\\" \\\\ \\t\"\n"
      "literal = 'c:\\d \"e\"'\n"
      "list = [1, 2,  # in the middle\n"
      "        3,\n]\n"
      "none = []\n"
      "words = [\"a, b\", 'c']",
      "file.toml");
  ASSERT_EQ(entries.size(), 8u);
  EXPECT_EQ(entries[0].key, "count");
  EXPECT_EQ(entries[0].line, 2);
  EXPECT_THAT(entries[0].values, ElementsAre("1000"));
  EXPECT_THAT(entries[1].values, ElementsAre("-1.5e-3"));
  EXPECT_THAT(entries[2].values, ElementsAre("true"));
  EXPECT_THAT(entries[3].values, ElementsAre("a # \"b\" \\ \t"));
  EXPECT_THAT(entries[4].values, ElementsAre("c:\\d \"e\""));
  EXPECT_THAT(entries[5].values, ElementsAre("1", "2", "3"));
  EXPECT_THAT(entries[6].values, IsEmpty());
  EXPECT_EQ(entries[7].line, 12);
  EXPECT_THAT(entries[7].values, ElementsAre("a, b", "c"));
}

TEST(Toml, AByteOrderMarkIsSkipped) {
  const auto entries = parse_toml("\xEF\xBB\xBFsteps = 5\n", "file.toml");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].key, "steps");
  EXPECT_THAT(error_of("a = 1\n\xEF\xBB\xBF"), HasSubstr("line 2"));
}

TEST(Toml, StringsReadBack) {
  const std::string text = "tab\t \"quotes\" back\\slash # new\nline";
  EXPECT_EQ(parse_toml("key = " + toml_string(text), "")[0].values[0], text);
}

TEST(Toml, ErrorsNameFileAndLine) {
  EXPECT_LT(error_of(std::string(3000, 'k') + " 8").size(), 300u);
  EXPECT_THAT(error_of("a = 1\na = 2"), HasSubstr("file.toml: line 2: 'a' is set a second time"));
  EXPECT_THAT(error_of("a 1"), HasSubstr("line 1: expected '=' after 'a'"));
  EXPECT_THAT(error_of("a ="), HasSubstr("expected a value"));
  EXPECT_THAT(error_of("a =\nb = 1"), HasSubstr("line 1: expected a value, found the end of the line"));
  EXPECT_THAT(error_of("a = b"), HasSubstr("found 'b'"));
  EXPECT_THAT(error_of("a = 1 2"), HasSubstr("expected the end of the line"));
  EXPECT_THAT(error_of("a = \"b\nc = 1"), HasSubstr("the string does not end"));
  EXPECT_THAT(error_of("a = 'b"), HasSubstr("the string does not end"));
  EXPECT_THAT(error_of("a = \"\\q\""), HasSubstr("unknown escape"));
  EXPECT_THAT(error_of("\na = [1,\n2\n"), HasSubstr("the array that starts on line 2 does not end"));
  EXPECT_THAT(error_of("a = [1 2]"), HasSubstr("expected ',' or ']'"));
  EXPECT_THAT(error_of("[table]"), HasSubstr("tables are not used here"));
  EXPECT_THAT(error_of(std::string("\x89PNG\r\n\0", 7)), HasSubstr("'\\x89PNG"));
}

}  // namespace
}  // namespace rill::tools
