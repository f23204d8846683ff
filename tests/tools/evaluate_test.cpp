// What `evaluate` reports on its data, on measurements that it cannot make, and when it is stopped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "autodiff/json.hpp"
#include "autodiff/ops.hpp"
#include "datasets/npy.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/tools/documented_keys.hpp"
#include "tests/tools/process.hpp"
#include "tests/tools/tiny_runs.hpp"
#include "tools/measurements.hpp"

namespace rill {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using namespace testing_support;

// A run on moons, and the options that make evaluate quick.
class Evaluation : public testing::Test {
 protected:
  void train(const std::vector<std::string>& more = {}) {
    const Finished trained = run(tiny_training(folder / "run", more));
    ASSERT_EQ(trained.code, 0) << trained.err;
  }
  std::vector<std::string> command(const std::vector<std::string>& more) {
    std::vector<std::string> words = {"evaluate",          folder / "run", "--count",        "50",
                                      "--distance-points", "20",           "--loss-samples", "100"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  TemporaryFolder folder;
};

TEST_F(Evaluation, OfATableSaysThatItSawTrainingRowsEachOnce) {
  Generator rng(1);
  datasets::write_npy(folder / "x.npy", Tensor::randn({40, 2}, rng));
  train({"--data", folder / "x.npy"});
  const Finished finished =
      run(command({"--nll-points", "1000", "--nll-tolerance", "1e-2", "--distance-points", "30"}));
  ASSERT_EQ(finished.code, 0) << finished.err;
  const Json result = parse_json(finished.out, "what was printed");
  expect_documented(result);
  EXPECT_EQ(result.at("data_points"), 40);
  EXPECT_EQ(result.at("nll_points"), 40);
  for (const char* key : {"loss_on", "distances_to", "nll_on"}) EXPECT_EQ(result.at(key), "training rows") << key;
  EXPECT_THAT(result.at("notes").at("nll").string(), HasSubstr("that of new data is not known"));
  // Two sets of 30 would share rows.
  EXPECT_FALSE(result.contains("wasserstein2_floor"));
  EXPECT_THAT(result.at("notes").at("wasserstein2_floor").string(), HasSubstr("twice as many"));
}

TEST_F(Evaluation, OfADensitySaysThatItsPointsAreFresh) {
  train();
  const Finished finished = run(command({"--nll-points", "20", "--nll-tolerance", "1e-2"}));
  ASSERT_EQ(finished.code, 0) << finished.err;
  const Json result = parse_json(finished.out, "what was printed");
  expect_documented(result);
  for (const char* key : {"loss_on", "distances_to", "nll_on"}) EXPECT_EQ(result.at(key), "fresh points") << key;
  EXPECT_FALSE(result.contains("data_points"));
  EXPECT_FALSE(result.contains("notes"));
}

TEST_F(Evaluation, LeavesOutWhatTheDataDoNotAllowAndSaysWhy) {
  std::vector<Real> values(40, 0);  // most rows are equal
  values[0] = values[3] = 1;
  datasets::write_npy(folder / "x.npy", Tensor::from(values, {20, 2}));
  train({"--data", folder / "x.npy"});
  const Finished many = run(command({"--nll-points", "0"}));
  ASSERT_EQ(many.code, 0) << many.err;
  EXPECT_TRUE(parse_json(many.out, "what was printed").at("energy_distance").is_number());
  const Finished few = run(command({"--nll-points", "0", "--distance-points", "2"}));
  ASSERT_EQ(few.code, 0) << few.err;
  const Json result = parse_json(few.out, "what was printed");
  expect_documented(result);
  EXPECT_TRUE(result.at("wasserstein2").is_number());
  EXPECT_THAT(result.at("notes").at("squared_mmd").string(), HasSubstr("at least 3 points"));
}

TEST_F(Evaluation, IsATableAtATerminalAndJsonElsewhere) {
  train();
  const auto words = command({"--nll-points", "0"});
  const Finished piped = run(words);
  EXPECT_EQ(std::count(piped.out.begin(), piped.out.end(), '\n'), 1);
  if (!has_terminals()) GTEST_SKIP() << "this system has no pseudo-terminals (a chroot without /dev/pts)";
  const Finished shown =
      run(Launch{.command = words, .terminal = true, .before = [] { ::dup2(STDERR_FILENO, STDOUT_FILENO); }});
  EXPECT_THAT(shown.err, AllOf(HasSubstr("\nlikelihood "), HasSubstr("by an ODE"), HasSubstr(" +- ")));
  EXPECT_THAT(shown.err, Not(HasSubstr("wasserstein2_se")));
  auto json = words;
  json.push_back("--json");
  const Finished asked =
      run(Launch{.command = json, .terminal = true, .before = [] { ::dup2(STDERR_FILENO, STDOUT_FILENO); }});
  EXPECT_THAT(asked.err, HasSubstr("\"likelihood\":\"by an ODE\""));
}

TEST_F(Evaluation, FindsOutBeforeMeasuringThatItCannot) {
  train({"--source", "pinwheel"});
  const struct {
    std::vector<std::string> options;
    int code;
    const char* message;
  } cases[] = {{{"--density", folder / "absent/d.png"}, 1, "does not exist"},
               {{"--density", folder / "d.jpg"}, 2, "--density: expected a name that ends in .png"},
               {{"--density", folder / "d.png"}, 2, "--density: the source pinwheel has no known density"},
               {{"--nll-points", "10"}, 2, "--nll-points: the source pinwheel has no known density"}};
  for (const auto& [options, code, message] : cases) {
    const Finished finished = run(command(options));
    EXPECT_EQ(finished.code, code) << finished.err;
    EXPECT_THAT(finished.err, HasSubstr(message));
    EXPECT_THAT(finished.out, IsEmpty());
  }
  // Default measurements are omitted if they are impossible.
  const Finished finished = run(command({}));
  ASSERT_EQ(finished.code, 0) << finished.err;
  const Json result = parse_json(finished.out, "what was printed");
  expect_documented(result);
  EXPECT_TRUE(result.at("wasserstein2").is_number());
  EXPECT_FALSE(result.contains("nll"));
  EXPECT_THAT(result.at("notes").at("nll").string(), HasSubstr("no known density"));
}

TEST_F(Evaluation, PrintsWhatItHasWhenALaterMeasureFails) {
  train();
  Launch launch;
  launch.command = command({"--nll-points", "10", "--nll-tolerance", "1e-2", "--density", folder / "d.png"});
  launch.largest_file = 4096;  // enough for the numbers, too little for the picture
  const Finished finished = run(launch);
  EXPECT_EQ(finished.code, 1);
  EXPECT_THAT(finished.err, AllOf(HasSubstr("evaluate: density: "), HasSubstr("d.png")));
  const Json result = parse_json(finished.out, "what was printed");
  expect_documented(result);
  for (const char* key : {"loss", "wasserstein2", "nll", "seconds"}) EXPECT_TRUE(result.at(key).is_number()) << key;
  EXPECT_THAT(result.at("notes").at("density").string(), HasSubstr("d.png"));
}

TEST_F(Evaluation, ShowsProgressAndPrintsWhatItHasWhenItIsStopped) {
  if (!has_terminals()) GTEST_SKIP() << "no pseudo-terminals";
  train();
  Process process({.command = command({"--loss-samples", "100000000000"}), .terminal = true});
  process.wait_for_text("measuring the loss");
  process.send(SIGTERM);
  const Finished stopped = process.wait();
  EXPECT_EQ(stopped.code, 128 + SIGTERM) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("measuring the loss"));
  const Json result = parse_json(stopped.out, "what was printed");
  expect_documented(result);
  EXPECT_THAT(result.at("notes").at("loss").string(), HasSubstr("stopped by a signal"));
  EXPECT_FALSE(result.contains("wasserstein2"));
}

TEST(Measurements, NumbersThatJsonDoesNotKnowAreExplained) {
  Json result;
  tools::put(result, "a", {INFINITY, NAN});
  EXPECT_TRUE(result.at("a").is_null());
  EXPECT_EQ(result.at("notes").at("a"), "infinite");
  EXPECT_EQ(result.at("notes").at("a_se"), "not a number");
}

TEST(Measurements, SamplesThatAreNoNumbersAreCountedAndNotMeasured) {
  Json result;
  const Tensor samples = Tensor::from({0, 1, NAN, 2, INFINITY, NAN}, {3, 2});
  EXPECT_THROW(tools::require_finite_samples(samples, result), std::runtime_error);
  EXPECT_EQ(result.at("samples_not_finite"), 2);
  EXPECT_NO_THROW(tools::require_finite_samples(Tensor::zeros({3, 2}), result));
}

}  // namespace
}  // namespace rill
