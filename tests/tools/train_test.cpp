// train, as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "datasets/npy.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/tools/process.hpp"
#include "tests/tools/tiny_runs.hpp"
#include "tools/cli/presets.hpp"

namespace rill {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using namespace testing_support;
using Words = std::vector<std::string>;

TEST(Programs, HelpAndVersion) {
  for (const char* program : {"train", "sample", "evaluate"}) {
    const Finished help = run({program, "--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(help.out, AllOf(HasSubstr("--seed"), HasSubstr("[0]"), HasSubstr("Example")));
    EXPECT_THAT(help.err, IsEmpty());
    const Finished version = run({program, "--version"});
    EXPECT_EQ(version.code, 0);
    EXPECT_THAT(version.out, StartsWith("rill "));
  }
}

TEST(Train, LeavesARun) {
  const TemporaryFolder folder;
  const Finished finished = run(tiny_training(folder / "run"));
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.out, IsEmpty());
  EXPECT_THAT(finished.err, AllOf(HasSubstr("moons"), HasSubstr("mlp 8-8"), HasSubstr("122 parameters"),
                                  HasSubstr("1 thread"), HasSubstr("step 200/200"), HasSubstr("GFLOP/s")));
  EXPECT_THAT(finished.err, Not(HasSubstr("\r")));
  EXPECT_THAT(contents(folder / "run/samples.png"), StartsWith("\x89PNG"));
  const std::string metrics = contents(folder / "run/metrics.csv");
  EXPECT_THAT(metrics, StartsWith("step,loss,gradient_norm,learning_rate\n20,"));
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 11);
  EXPECT_FALSE(std::filesystem::exists(folder / "run/state.safetensors.partial"));
}

TEST(Train, RewritesOneLineOnATerminal) {
  if (!has_terminals()) GTEST_SKIP() << "this system has no pseudo-terminals (a chroot without /dev/pts)";
  const TemporaryFolder folder;
  const Finished finished =
      run(Launch{.command = tiny_training(folder / "run", {"--steps", "3000", "--hidden", "64,64"}), .terminal = true});
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("\r\x1b[Kstep 3000/3000"));
  // A terminal without a size counts as 80 columns wide: no line may be longer.
  const std::size_t last = finished.err.rfind("\x1b[Kstep 3000/3000") + 3;
  EXPECT_LT(finished.err.find('\r', last) - last, 80u);
}

TEST(Train, SameSettingsGiveTheSameBytes) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "a", {"--rate", "1"})).code, 2);  // no abbreviations
  ASSERT_EQ(run(tiny_training(folder / "a", {"--schedule", "cosine", "--seed", "7"})).code, 0);
  ASSERT_EQ(run(tiny_training(folder / "b", {"--schedule", "cosine", "--seed", "7"})).code, 0);
  expect_equal_runs(folder / "a", folder / "b");

  // The saved configuration is complete.
  ASSERT_EQ(run({"train", "--config", folder / "a/config.toml", "--out", folder / "c"}).code, 0);
  expect_equal_runs(folder / "a", folder / "c");
  EXPECT_TRUE(contents(folder / "a/samples.png") == contents(folder / "c/samples.png"));

  // Not with another seed.
  ASSERT_EQ(run(tiny_training(folder / "d", {"--schedule", "cosine", "--seed", "8"})).code, 0);
  EXPECT_NE(contents(folder / "a/metrics.csv"), contents(folder / "d/metrics.csv"));
}

TEST(Train, PresetsAreOverriddenByConfigAndFlags) {
  const TemporaryFolder folder;
  write_contents(folder / "config.toml", "hidden = [4]\nsteps = 7\nbatch = 8\n");
  const Finished finished = run({"train", "--preset", "checkerboard", "--config", folder / "config.toml", "--steps",
                                 "9", "--out", folder / "run"});
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(contents(folder / "run/config.toml"),
              AllOf(HasSubstr("data = \"checkerboard\""), HasSubstr("hidden = [4]"), HasSubstr("batch = 8"),
                    HasSubstr("steps = 9"), HasSubstr("threads = 0")));
}

TEST(Train, EveryPresetCanBeRead) {
  const TemporaryFolder folder;
  for (const std::string& preset : tools::preset_names()) {
    if (contents(tools::find_preset(preset)).find("data = \"images\"") != std::string::npos) continue;
    const Finished finished = run({"train", "--preset", preset, "--hidden", "4", "--steps", "1", "--warmup", "0",
                                   "--batch", "2", "--out", folder / preset});
    EXPECT_EQ(finished.code, 0) << preset << ": " << finished.err;
  }
}

TEST(Train, ATableIsStandardizedAndFoundAgain) {
  const TemporaryFolder folder;
  std::string csv = "height,weight,age\n";
  for (int i = 0; i < 50; ++i) {
    csv += std::to_string(170 + i % 7) + "," + std::to_string(60 + i % 5) + "," + std::to_string(1000 * (i % 3)) + "\n";
  }
  write_contents(folder / "people.csv", csv);
  const Finished trained = run(tiny_training(folder / "run", {"--data", folder / "people.csv"}));
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.err, HasSubstr("50 points in 3 dimensions"));
  // An untrained network would do: with the standardization undone samples are near the columns' means.
  const Finished sampled = run({"sample", folder / "run", "--count", "1"});
  ASSERT_EQ(sampled.code, 0) << sampled.err;
  EXPECT_THAT(sampled.out, StartsWith("x1,x2,x3\n1"));
}

TEST(Train, StopsWithTheRightCodeWhenItDiverges) {
  const TemporaryFolder folder;
  const Finished finished = run(tiny_training(
      folder / "run", {"--optimizer", "sgd", "--momentum", "0", "--learning-rate", "1e30", "--activation", "relu"}));
  EXPECT_EQ(finished.code, 3) << finished.err;
  EXPECT_THAT(finished.err, AllOf(HasSubstr("diverged at step"), HasSubstr("--learning-rate")));
  // The advice can be followed, in the same folder, where nothing was kept.
  EXPECT_THAT(finished.err, HasSubstr("--warmup 20\n"));
  const Finished advised = run(tiny_training(folder / "run", {"--warmup", "20", "--schedule", "cosine"}));
  EXPECT_EQ(advised.code, 0) << advised.err;
}

TEST(Train, SaysThatADensityIsFarFromTheUnitScale) {
  const TemporaryFolder folder;
  const auto train = [&](const std::vector<std::string>& more) {
    std::vector<std::string> command = {"--steps", "2", "--overwrite"};
    command.insert(command.end(), more.begin(), more.end());
    return run(tiny_training(folder / "run", command));
  };
  const std::string note = "unlike tables, densities are not standardized";
  for (const std::vector<std::string>& near :
       {std::vector<std::string>{}, {"--data", "two-modes"}, {"--data", "swiss-roll"}, {"--source", "8gaussians"}}) {
    EXPECT_THAT(train(near).err, Not(HasSubstr(note)));
  }
  const Finished offset = train({"--data-param", "shift=1e6"});
  EXPECT_EQ(offset.code, 0) << offset.err;
  EXPECT_THAT(offset.err, AllOf(HasSubstr("note      moons (shift 1e+06): along axis 1 the points have a mean of 1e+06 "
                                          "and a deviation of 1.7"),
                                HasSubstr(note)));
  EXPECT_THAT(train({"--data-param", "shift=0", "--data-param", "scale=0.001"}).err, HasSubstr(note));
  EXPECT_THAT(train({"--source", "8gaussians", "--source-param", "radius=1000"}).err,
              HasSubstr("note      8gaussians (radius 1000): along axis 1"));
  // Where the first loss is infinite no learning rate helps.
  const Finished infinite = train({"--data-param", sizeof(Real) == 4 ? "scale=1e20" : "scale=1e200"});
  EXPECT_EQ(infinite.code, 3) << infinite.err;
  EXPECT_THAT(infinite.err, AllOf(HasSubstr(note), HasSubstr("diverged at step 1"), HasSubstr("numbers too large"),
                                  Not(HasSubstr("--learning-rate"))));
}

TEST(Train, AFolderOfSomebodysSettingsIsNoRunThatFailed) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "run");
  for (const char* settings : {"steps = 5\n", "# The settings of a training run: train --config reads them.\n"}) {
    write_contents(folder / "run/config.toml", settings);
    EXPECT_EQ(run(tiny_training(folder / "run")).code, 2);
    EXPECT_EQ(contents(folder / "run/config.toml"), settings);
  }
}

TEST(Train, RefusesWhatChangesNothingInFiles) {
  const TemporaryFolder folder;
  const std::string file = folder / "c.toml";
  const auto refused = [&](const std::string& text, const std::string& complaint) {
    write_contents(file, text);
    const Finished finished = run({"train", "--config", file, "--out", folder / "run"});
    EXPECT_EQ(finished.code, 2) << text << finished.err;
    EXPECT_THAT(finished.err, HasSubstr(file + ": line " + complaint)) << text;
  };
  refused("steps = 5\npairs = 7\n", "2: pairs: needs --reflow");
  refused("momentum = 0.5\n", "1: momentum: is for sgd, but --optimizer is adam");
  refused("model = \"mlp\"\nwidth = 64\n", "2: width: is for dit, but --model is mlp");
  refused("shift = 2\n", "1: shift: is for images, but --data is annulus");
  refused("reflow = \"x\"\ndata = \"moons\"\n", "2: data: not together with --reflow");
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
}

// What it writes itself says what is in force, whatever a preset said before.
TEST(Train, ReadsItsOwnSettingsWhereTheyOverrideAPreset) {
  const TemporaryFolder folder;
  const std::vector<std::string> command = {
      "train",    "--preset", "tong/ot-cfm", "--optimizer",      "sgd",   "--batch",        "16",   "--steps",
      "20",       "--hidden", "8",           "--time-embedding", "plain", "--weight-decay", "0.01", "--schedule",
      "constant", "--out",    folder / "a"};
  ASSERT_EQ(run(command).code, 0);
  EXPECT_THAT(contents(folder / "a/config.toml"),
              AllOf(HasSubstr("\n# beta1 = "), HasSubstr("\n# final-fraction = "), HasSubstr("\nmomentum = ")));
  const Finished again = run({"train", "--config", folder / "a/config.toml", "--out", folder / "b"});
  ASSERT_EQ(again.code, 0) << again.err;
  expect_equal_runs(folder / "a", folder / "b");
  ASSERT_EQ(run({"train", "--resume", folder / "a", "--steps", "25"}).code, 0);
}

TEST(Train, OverwritesNothingBeforeItsFirstStep) {
  const TemporaryFolder folder;
  const std::string old = folder / "run";
  ASSERT_EQ(run(tiny_training(old)).code, 0);
  std::filesystem::copy(old, folder / "copy");
  // The first loss is infinite.
  const Finished failed = run(tiny_training(old, {"--path", "i-cfm", "--sigma", "1e300", "--overwrite"}));
  ASSERT_EQ(failed.code, 3) << failed.err;
  EXPECT_THAT(failed.err, HasSubstr("diverged at step 1:"));
  expect_equal_runs(old, folder / "copy");
  EXPECT_EQ(run({"train", "--resume", old}).code, 0);
  // A reflow keeps the pairs that it made before it replaced the rest.
  const Finished replaced = run({"train", "--reflow", folder / "copy", "--pairs", "20", "--steps", "3", "--batch", "4",
                                 "--out", old, "--overwrite"});
  ASSERT_EQ(replaced.code, 0) << replaced.err;
  EXPECT_TRUE(std::filesystem::exists(old + "/pairs.safetensors"));
  ASSERT_EQ(run(tiny_training(old, {"--overwrite"})).code, 0);
  EXPECT_FALSE(std::filesystem::exists(old + "/pairs.safetensors"));
}

TEST(Train, DoesNotOverwriteUnlessTold) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "run")).code, 0);
  const std::string model = contents(folder / "run/model.safetensors");
  const Finished refused = run(tiny_training(folder / "run", {"--seed", "1"}));
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("--resume"), HasSubstr("--overwrite")));
  EXPECT_TRUE(contents(folder / "run/model.safetensors") == model);
  ASSERT_EQ(run(tiny_training(folder / "run", {"--seed", "1", "--overwrite"})).code, 0);
  EXPECT_FALSE(contents(folder / "run/model.safetensors") == model);
}

// --- Resuming --------------------------------------------------------------------------------------------------------

TEST(Resume, TwoHalvesEqualTheWhole) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "whole", {"--steps", "246"})).code, 0);
  ASSERT_EQ(run(tiny_training(folder / "halves", {"--steps", "123"})).code, 0);
  const Finished resumed = run({"train", "--resume", folder / "halves", "--steps", "246"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("resumed at step 123"));
  expect_equal_runs(folder / "whole", folder / "halves");

  // Nothing is left to do, and doing it changes nothing.
  ASSERT_EQ(run({"train", "--resume", folder / "halves"}).code, 0);
  expect_equal_runs(folder / "whole", folder / "halves");
}

TEST(Resume, RowsAfterTheCheckpointAreCut) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "run")).code, 0);
  const std::string metrics = contents(folder / "run/metrics.csv");
  write_contents(folder / "run/metrics.csv", metrics + "220,1,1,1\n240,1");
  ASSERT_EQ(run({"train", "--resume", folder / "run"}).code, 0);
  EXPECT_EQ(contents(folder / "run/metrics.csv"), metrics);
}

TEST(Reflow, OneStepComesWhereItsTeacherEnds) {
  const TemporaryFolder folder;
  const auto training = [&](const std::string& name, const Words& more) {
    Words command = {"train",           "--batch", "64",         "--steps", "1500",  "--ema",      "0.99",
                     "--learning-rate", "0.01",    "--schedule", "cosine",  "--out", folder / name};
    command.insert(command.end(), more.begin(), more.end());
    const Finished finished = run(command);
    ASSERT_EQ(finished.code, 0) << finished.err;
  };
  training("teacher", {"--data", "moons", "--hidden", "32,32"});
  training("student", {"--reflow", folder / "teacher", "--pairs", "2000"});
  const auto samples = [&](const std::string& name, const Words& more) {
    Words command = {"sample", folder / name, "--count", "500", "--seed", "5", "--out", folder / "x.npy"};
    command.insert(command.end(), more.begin(), more.end());
    const Finished finished = run(command);
    EXPECT_EQ(finished.code, 0) << finished.err;
    return datasets::read_npy(folder / "x.npy").to_tensor();
  };
  const Tensor ends = samples("teacher", {"--solver", "heun2", "--steps", "10"});
  const auto error = [&](const std::string& name) {
    return mean(square(samples(name, {"--steps", "1"}) - ends)).item();
  };
  EXPECT_GT(error("teacher"), 1);  // all of its points near the mean of the data
  EXPECT_LT(error("student"), 0.1);
}

TEST(Resume, AfterSignalsByThePrintedCommand) {
  const TemporaryFolder folder;
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string name = folder / ("stopped " + std::to_string(signal));  // the blank needs quotes in a shell
    Process process(Launch{.command = endless(name)});
    wait_for_steps(name, process);
    process.send(signal);
    const Finished stopped = process.wait();
    ASSERT_EQ(stopped.code, 128 + signal) << stopped.err;
    ASSERT_THAT(stopped.err, HasSubstr("stopped at step"));
    const std::size_t command = stopped.err.find("\n  ", stopped.err.find("continue with")) + 3;
    expect_goes_on_as_if_never_interrupted(name,
                                           stopped.err.substr(command, stopped.err.find('\n', command) - command));
  }
}

TEST(Train, ASecondSignalEndsItAtOnce) {
  const TemporaryFolder folder;
  Process process(Launch{.command = endless(folder / "run")});
  wait_for_steps(folder / "run", process);
  process.pause();
  process.send(SIGINT);
  process.send(SIGTERM);
  process.send(SIGCONT);
  EXPECT_LT(process.wait().code, 0);  // by either: the order in which they arrive is the kernel's
}

TEST(Resume, AfterBeingKilledAtAnyMoment) {
  const TemporaryFolder folder;
  expect_survives_kills(folder / "", 30, [](const std::string& name) {
    Words command = endless(name, "0.05");
    command.insert(command.end(), {"--steps", "10000", "--schedule", "cosine"});
    return command;
  });
}

}  // namespace
}  // namespace rill
