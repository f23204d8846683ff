#include "tools/cli/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/temporary_folder.hpp"
#include "tests/tools/process.hpp"
#include "tools/train_settings.hpp"

namespace rill::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using testing_support::TemporaryFolder;
using testing_support::write_contents;

struct Values {
  std::string name = "ring";
  bool fast = false;
  Index steps = 10;
  std::uint64_t seed = 1;
  double rate = 0.1;
  std::vector<Index> sizes = {1, 2};
  std::vector<std::string> words;
  std::string where;

  void declare(Options& options) {
    options.add("name", name, "NAME", "a name");
    options.add("fast", fast, "", "a flag");
    options.group("Numbers");
    options.add("steps", steps, "COUNT", "a count");
    options.add("seed", seed, "NUMBER", "a seed");
    options.add("rate", rate, "RATE", "a rate");
    options.add("sizes", sizes, "SIZES", "sizes");
    options.add("words", words, "WORDS", "words");
    options.add("where", where, "FOLDER", "not in files", Place::kCommandLine);
  }
};

void apply(Options& options, std::vector<const char*> words) {
  words.insert(words.begin(), "program");
  ASSERT_TRUE(options.read_command_line(static_cast<int>(words.size()), words.data()));
  options.apply_command_line();
}

std::string usage_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

// Settings that change nothing: `rate` unless fast, as after each file and at the end the owner of the options says.
struct RateOfTheFast {
  TemporaryFolder folder;
  Values settings;
  std::string toml;

  std::string error(const std::vector<std::string>& files, std::vector<const char*> words) {
    Options options("program", "Does things.", "");
    settings = {};
    settings.declare(options);
    const auto say = [&] {
      if (!settings.fast) options.refuse_unused({"rate"}, "needs --fast");
    };
    return usage_error([&] {
      for (std::size_t i = 0; i < files.size(); ++i) {
        const std::string file = folder / (std::to_string(i) + ".toml");
        write_contents(file, files[i]);
        options.read_file(file);
        say();
      }
      apply(options, words);
      say();
      toml = options.to_toml();
    });
  }
};

TEST(UnusedOptions, AreRefusedWhereverTheyStand) {
  RateOfTheFast rate;
  EXPECT_EQ(rate.error({}, {"--rate", "0.1"}), "--rate: needs --fast");
  EXPECT_EQ(rate.error({"steps = 1\nrate = 0.5\n"}, {}),
            rate.folder / "0.toml: line 2: rate: needs --fast; remove the line");
  EXPECT_EQ(rate.error({"rate = 0.5\n", "steps = 1\n"}, {}),
            rate.folder / "0.toml: line 1: rate: needs --fast; remove the line");
  EXPECT_EQ(rate.error({"rate = 0.1\n"}, {}), "");  // the default, spelled out
}

TEST(UnusedOptions, MayLoseTheirUseToWhatComesLater) {
  RateOfTheFast rate;
  EXPECT_EQ(rate.error({"fast = true\nrate = 0.5\n"}, {"--fast=false"}), "");
  EXPECT_EQ(rate.settings.rate, 0.1);  // as if it had never been set
  EXPECT_THAT(rate.toml, HasSubstr("\n# rate = 0.1  # needs --fast\n"));
  EXPECT_EQ(rate.error({"fast = true\nrate = 0.5\n", "fast = false\n"}, {}), "");
  EXPECT_EQ(rate.error({"rate = 0.5\n"}, {"--fast"}), "");  // and get it
  EXPECT_EQ(rate.settings.rate, 0.5);
  EXPECT_THAT(rate.toml, HasSubstr("\nrate = 0.5  # a rate\n"));
}

TEST(Options, TakeArgumentsBehindTwoDashes) {
  Values settings;
  std::string folder;
  Options options("program", "Does things.", "");
  settings.declare(options);
  options.add_positional("FOLDER", folder, "a folder");
  apply(options, {"--steps", "3", "--", "-run"});
  EXPECT_EQ(folder, "-run");
  EXPECT_EQ(settings.steps, 3);
}

TEST(UnknownOptions, AreComparedWithTheKnownOnes) {
  Values settings;
  Options options("program", "Does things.", "");
  settings.declare(options);
  const auto error = [&](std::vector<const char*> words) { return usage_error([&] { apply(options, words); }); };
  EXPECT_EQ(error({"--stpes", "3"}), "unknown option '--stpes' (did you mean --steps?)");
  EXPECT_EQ(error({"--stpes=3"}), "unknown option '--stpes=3' (did you mean --steps?)");
  EXPECT_EQ(error({"--unlike"}), "unknown option '--unlike'");
}

TEST(Options, CommandLineWinsOverFilesAndFilesOverDefaults) {
  const TemporaryFolder folder;
  write_contents(folder / "a.toml", "steps = 20\nrate = 0.5\nsizes = [3]\n");
  write_contents(folder / "b.toml", "rate = 0.25\nwords = [\"x\", \"y\"]\n");
  Values values;
  Options options("program", "", "");
  values.declare(options);
  const char* words[] = {"program", "--steps", "30", "--sizes=4,5", "--fast", "--steps", "31"};
  ASSERT_TRUE(options.read_command_line(7, words));
  options.read_file(folder / "a.toml");
  options.read_file(folder / "b.toml");
  options.apply_command_line();
  EXPECT_EQ(values.name, "ring");
  EXPECT_EQ(values.steps, 31);  // the last one given
  EXPECT_EQ(values.rate, 0.25);
  EXPECT_TRUE(values.fast);
  EXPECT_THAT(values.sizes, ElementsAre(4, 5));
  EXPECT_THAT(values.words, ElementsAre("x", "y"));
}

TEST(Options, SavedValuesReadBack) {
  const TemporaryFolder folder;
  Values values;
  Options options("program", "", "");
  values.declare(options);
  apply(options, {"--name", "a \"b\"", "--rate", "0.30000000000000004", "--seed", "18446744073709551615", "--words",
                  "p,q", "--words", "r", "--where", "here", "--fast"});
  write_contents(folder / "saved.toml", options.to_toml());
  Values read;
  Options others("program", "", "");
  read.declare(others);
  others.read_file(folder / "saved.toml");
  EXPECT_EQ(read.name, "a \"b\"");
  EXPECT_EQ(read.rate, 0.30000000000000004);
  EXPECT_EQ(read.seed, 18446744073709551615u);
  EXPECT_THAT(read.words, ElementsAre("p", "q", "r"));
  EXPECT_TRUE(read.fast);
  EXPECT_EQ(read.where, "");
  EXPECT_EQ(others.to_toml(), options.to_toml());
}

TEST(Options, ErrorsNameTheOption) {
  const auto error = [](std::vector<const char*> words) {
    return usage_error([&] {
      Values values;
      Options options("program", "", "");
      values.declare(options);
      words.insert(words.begin(), "program");
      options.read_command_line(static_cast<int>(words.size()), words.data());
      options.apply_command_line();
    });
  };
  EXPECT_EQ(error({"--steps", "ten"}), "--steps: expected a whole number, found 'ten'");
  EXPECT_EQ(error({"--steps", "1.5"}), "--steps: expected a whole number, found '1.5'");
  EXPECT_EQ(error({"--steps", "9223372036854775808"}), "--steps: '9223372036854775808' is too large");
  EXPECT_EQ(error({"--seed=-1"}), "--seed: expected a whole number that is not negative, found '-1'");
  EXPECT_EQ(error({"--rate", "nan"}), "--rate: expected a finite number, found 'nan'");
  // An empty word would be lost where the list is written to a file and read again.
  const std::string empty_item = "expected a value on both sides of every comma, found ";
  EXPECT_EQ(error({"--sizes", "1,,2"}), "--sizes: " + empty_item + "'1,,2'");
  EXPECT_EQ(error({"--words", "a,,b"}), "--words: " + empty_item + "'a,,b'");
  EXPECT_EQ(error({"--words", "a,"}), "--words: " + empty_item + "'a,'");
  EXPECT_EQ(error({"--fast=3"}), "--fast: expected true or false, found '3'");
  EXPECT_THAT(error({"--stepz", "1"}), HasSubstr("--stepz"));
  EXPECT_THAT(error({"--steps"}), HasSubstr("--steps"));
  EXPECT_THAT(error({"stray"}), HasSubstr("stray"));
}

// An unset variable of a shell.
TEST(Options, AnEmptyValueIsRefusedForEveryKind) {
  const char* const names[] = {"name", "fast", "steps", "seed", "rate", "sizes", "words", "where"};
  for (const std::string name : names) {
    const std::string option = "--" + name, with_equals = option + "=";
    std::vector<std::vector<const char*>> commands = {{with_equals.c_str()}, {with_equals.c_str(), "next"}};
    if (name != "fast") commands.push_back({option.c_str(), ""});
    for (std::vector<const char*>& words : commands) {
      Values values;
      Options options("program", "", "");
      values.declare(options);
      words.insert(words.begin(), "program");
      EXPECT_THAT(usage_error([&] { options.read_command_line(static_cast<int>(words.size()), words.data()); }),
                  StartsWith(option + ": expected a value, found ''"))
          << words[1];
    }
  }
}

TEST(Options, AFlagMayBeTurnedOffAgain) {
  const TemporaryFolder folder;
  write_contents(folder / "fast.toml", "fast = true\n");
  for (const auto& [word, expected] : {std::pair{"--fast=false", false}, {"--fast=true", true}, {"--fast", true}}) {
    Values values;
    Options options("program", "", "");
    values.declare(options);
    const char* words[] = {"program", word};
    ASSERT_TRUE(options.read_command_line(2, words));
    options.read_file(folder / "fast.toml");
    options.apply_command_line();
    EXPECT_EQ(values.fast, expected) << word;
  }
}

TEST(Options, FileErrorsNameFileLineAndKey) {
  const TemporaryFolder folder;
  const std::string file = folder / "bad.toml";
  const auto error = [&](const std::string& text) {
    write_contents(file, text);
    return usage_error([&] {
      Values values;
      Options options("program", "", "");
      values.declare(options);
      options.read_file(file);
    });
  };
  EXPECT_EQ(error("name = \"x\"\nstepz = 1"), file + ": line 2: unknown key 'stepz' (did you mean steps?)");
  EXPECT_EQ(error("where = \"x\""), file + ": line 1: unknown key 'where'");
  EXPECT_EQ(error("steps = true"), file + ": line 1: steps: expected a whole number, found 'true'");
  EXPECT_EQ(error("steps = [1, 2]"), file + ": line 1: steps: expected one value, found a list of 2");
  EXPECT_EQ(error("fast = 1"), file + ": line 1: fast: expected true or false, found '1'");
}

TEST(TrainSettings, TheLastOfTwoParametersCounts) {
  TrainSettings settings;
  settings.data = "checkerboard";
  settings.data_parameters = {"cells=4", "cells=8"};
  settings.complete();
  EXPECT_EQ(settings.data_description().parameters.at("cells"), 8);
}

TEST(TrainSettings, ChecksWhatItIsGiven) {
  const auto error = [](const std::function<void(TrainSettings&)>& change) {
    return usage_error([&] {
      TrainSettings settings;
      change(settings);
      settings.complete();
      settings.data_description();
    });
  };
  EXPECT_EQ(error([](TrainSettings&) {}), "");
  EXPECT_EQ(error([](TrainSettings& s) { s.steps = 0; }), "--steps: expected 1 or more, got 0");
  EXPECT_EQ(error([](TrainSettings& s) { s.batch = -3; }), "--batch: expected 1 or more, got -3");
  EXPECT_THAT(error([](TrainSettings& s) { s.data_parameters = {"inner"}; }), HasSubstr("--data-param"));
  EXPECT_THAT(error([](TrainSettings& s) { s.data_parameters = {"inner=x"}; }), HasSubstr("'inner=x'"));
  EXPECT_THAT(error([](TrainSettings& s) {
                s.data = "points.npy";
                s.data_parameters = {"inner=1"};
              }),
              HasSubstr("is for densities"));
}

}  // namespace
}  // namespace rill::tools
