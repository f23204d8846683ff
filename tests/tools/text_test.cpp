#include "autodiff/text.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tools/cli/text.hpp"

namespace rill::tools {
namespace {

TEST(Text, Numbers) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(-123456), "-123,456");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(significant(0.00123456, 3), "0.00123");
  EXPECT_EQ(exact(0.1), "0.1");
  EXPECT_EQ(std::stod(exact(1.0 / 3)), 1.0 / 3);
}

TEST(Text, Durations) {
  EXPECT_EQ(duration(8.52e-5), "85.2 us");
  EXPECT_EQ(duration(0.21), "210 ms");
  EXPECT_EQ(duration(4.23), "4.2 s");
  EXPECT_EQ(duration(59.96), "1 min 00 s");
  EXPECT_EQ(duration(65), "1 min 05 s");
  EXPECT_EQ(duration(7380), "2 h 03 min");
}

TEST(Text, IsSafeInMessages) {
  EXPECT_EQ(in_quotes("a\nb\xff"), "'a\\x0ab\\xff'");
  EXPECT_EQ(in_quotes(std::string(100, 'x')), "'" + std::string(60, 'x') + "...'");
  EXPECT_EQ(one_line("two\nlines\x1b[0m"), "two lines?[0m");
}

TEST(Text, IsOneWordOfAShell) {
  EXPECT_EQ(shell_word("runs/annulus-2"), "runs/annulus-2");
  EXPECT_EQ(shell_word("my run"), "'my run'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word(""), "''");
}

}  // namespace
}  // namespace rill::tools
