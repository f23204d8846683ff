// sample and evaluate, as a user runs them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "autodiff/json.hpp"
#include "autodiff/ops.hpp"
#include "datasets/csv.hpp"
#include "datasets/known_densities.hpp"
#include "datasets/npy.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/tools/documented_keys.hpp"
#include "tests/tools/process.hpp"
#include "tests/tools/tiny_runs.hpp"

namespace rill {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using namespace testing_support;

class Sample : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    // Enough training for the flow to be far better than none.
    const Finished trained =
        run(tiny_training(run_folder(), {"--data", "annulus", "--hidden", "32,32", "--batch", "64", "--steps", "1500",
                                         "--learning-rate", "0.01", "--schedule", "cosine"}));
    ASSERT_EQ(trained.code, 0) << trained.err;
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static std::string path(const std::string& name) { return *folder_ / name; }
  static std::string run_folder() { return path("run"); }

 private:
  static TemporaryFolder* folder_;
};
TemporaryFolder* Sample::folder_ = nullptr;

TEST_F(Sample, TheSamePointsInEveryForm) {
  const Finished csv = run({"sample", run_folder(), "--count", "300", "--seed", "3"});
  ASSERT_EQ(csv.code, 0) << csv.err;
  EXPECT_THAT(csv.out, StartsWith("x,y\n"));
  EXPECT_THAT(csv.err, AllOf(HasSubstr("300 samples"), HasSubstr("50 function evaluations")));
  ASSERT_EQ(run({"sample", run_folder(), "--count", "300", "--seed", "3", "--out", path("p.csv")}).code, 0);
  EXPECT_EQ(contents(path("p.csv")), csv.out);
  ASSERT_EQ(
      run({"sample", run_folder() + "/model.safetensors", "--count", "300", "--seed", "3", "--out", path("p.npy")})
          .code,
      0);
  const std::vector<double> from_text = datasets::read_csv(path("p.csv")).values;
  const std::vector<Real> reals(from_text.begin(), from_text.end());
  EXPECT_EQ(datasets::read_npy(path("p.npy")).to_tensor().to_vector(), reals);
  EXPECT_NE(run({"sample", run_folder(), "--count", "300", "--seed", "4"}).out, csv.out);
}

TEST_F(Sample, Pictures) {
  const Finished drawn = run({"sample", run_folder(), "--count", "100", "--image", path("s.png"), "--gif",
                              path("s.gif"), "--solver", "rk4", "--steps", "5"});
  ASSERT_EQ(drawn.code, 0) << drawn.err;
  EXPECT_THAT(drawn.out, IsEmpty());
  EXPECT_THAT(drawn.err, HasSubstr("20 function evaluations"));
  EXPECT_THAT(contents(path("s.png")), StartsWith("\x89PNG"));
  EXPECT_THAT(contents(path("s.gif")), StartsWith("GIF89a"));
}

TEST_F(Sample, WaysAsNumbersAndAsAPicture) {
  ASSERT_EQ(run({"sample", run_folder(), "--count", "20", "--steps", "6", "--trajectories", path("w.npy"), "--out",
                 path("end.npy")})
                .code,
            0);
  const Tensor ways = datasets::read_npy(path("w.npy")).to_tensor();
  ASSERT_EQ(ways.shape(), (Shape{7, 20, 2}));
  const Tensor end = datasets::read_npy(path("end.npy")).to_tensor();
  for (Index i = 0; i < 40; ++i) EXPECT_EQ(ways.data()[6 * 40 + i], end.data()[i]);
  EXPECT_THAT(contents(path("w.png")), StartsWith("\x89PNG"));
}

TEST_F(Sample, EverySolverFindsTheAnnulus) {
  for (const std::vector<std::string>& solver :
       {std::vector<std::string>{"--solver", "dopri5", "--rtol", "1e-3"},
        {"--solver", "tsit5", "--rtol", "1e-3", "--per-sample", "--controller", "pi"},
        {"--solver", "ralston", "--steps", "20"},
        {"--scheduler", "cosine", "--solver", "heun2", "--steps", "20"},
        {"--sde", "euler-maruyama", "--steps", "100"},
        {"--sde", "heun", "--steps", "50", "--noise", "0.5"}}) {
    std::vector<std::string> command = {"evaluate",          run_folder(), "--count",        "2000",
                                        "--distance-points", "0",          "--loss-samples", "100",
                                        "--nll-points",      "0",          "--margin",       "0.25"};
    command.insert(command.end(), solver.begin(), solver.end());
    const Finished finished = run(command);
    ASSERT_EQ(finished.code, 0) << finished.err;
    EXPECT_GT(parse_json(finished.out, "what was printed").at("share_in_support").number(), 0.7) << solver[1];
  }
}

TEST_F(Sample, APictureOfTheDensity) {
  const Finished finished =
      run({"evaluate", run_folder(), "--count", "10", "--distance-points", "0", "--nll-points", "0", "--loss-samples",
           "10", "--nll-tolerance", "0.01", "--density", path("density.png")});
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(contents(path("density.png")), StartsWith("\x89PNG"));
}

TEST_F(Sample, ASettingsFile) {
  write_contents(path("sample.toml"), "count = 5\nsteps = 3\n");
  const Finished sampled = run({"sample", run_folder(), "--config", path("sample.toml"), "--steps", "4"});
  ASSERT_EQ(sampled.code, 0) << sampled.err;
  EXPECT_THAT(sampled.err, AllOf(HasSubstr("5 samples"), HasSubstr("4 steps")));
}

TEST_F(Sample, EvaluateMeasures) {
  const Finished finished = run({"evaluate", run_folder(), "--loss-samples", "20000", "--distance-points", "300",
                                 "--count", "2000", "--margin", "0.25", "--solver", "midpoint", "--steps", "20"});
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_EQ(finished.out.find('\n'), finished.out.size() - 1);
  const Json result = parse_json(finished.out, "what was printed");
  expect_documented(result);
  EXPECT_EQ(result.at("function_evaluations"), 40);
  EXPECT_EQ(result.at("samples"), 2000);
  // The floor is 2.503; a velocity of zero has (1 + E r^2 / 2) = 4.2, and 20,000 points some 0.03 of noise.
  EXPECT_GT(result.at("loss").number(), 2.4);
  EXPECT_LT(result.at("loss").number(), 2.9);
  EXPECT_GT(result.at("share_in_support").number(), 0.7);
  EXPECT_LT(result.at("share_in_support").number(), 1.0);
  EXPECT_GT(result.at("wasserstein2_floor").number(), 0.1);
  EXPECT_LT(result.at("wasserstein2_floor").number(), 0.7);
  EXPECT_LT(result.at("wasserstein2").number(), 1.0);
  for (const char* name : {"share_in_support", "wasserstein1", "wasserstein2", "sliced_wasserstein2", "energy_distance",
                           "squared_mmd", "path_energy", "normalized_path_energy", "straightness", "nll", "kl"}) {
    EXPECT_GT(result.at(std::string(name) + "_se").number(), 0) << name;
  }
  EXPECT_GE(result.at("wasserstein2").number(), result.at("wasserstein1").number());
  EXPECT_GT(result.at("path_energy").number(), 1);
  EXPECT_NEAR(result.at("entropy").number(), 2.7474, 1e-4);
  EXPECT_GT(result.at("kl").number(), 0);
  EXPECT_NEAR(result.at("nll").number(), 2.7474 + result.at("kl").number(), 0.2);
  EXPECT_GT(result.at("seconds").number(), 0);
}

TEST(Evaluate, CountsTheModesOfAMixture) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "run", {"--data", "two-modes", "--steps", "1500", "--batch", "64",
                                               "--learning-rate", "0.01", "--hidden", "32,32"}))
                .code,
            0);
  const Finished finished = run({"evaluate", folder / "run", "--distance-points", "0", "--nll-points", "0",
                                 "--loss-samples", "100", "--langevin", "--solver", "dopri5", "--rtol", "1e-3"});
  ASSERT_EQ(finished.code, 0) << finished.err;
  const Json result = parse_json(finished.out, "what was printed");
  expect_documented(result);
  EXPECT_EQ(result.at("mode_weights"), Json(std::vector<double>{0.1, 0.9}));
  const double left = result.at("mode_shares").array()[0].number(),
               right = result.at("mode_shares").array()[1].number();
  EXPECT_NEAR(left + right, 1, 1e-9);
  EXPECT_NEAR(left, 0.1, 0.06);  // a short training, yet nowhere near halves
  EXPECT_FALSE(result.contains("wasserstein2"));
  EXPECT_NEAR(result.at("least_filled_mode").number(), std::min(left / 0.1, right / 0.9), 1e-6);
  // The noise lies halfway, and half of it climbs to either mode: a score does not determine the shares.
  EXPECT_GT(result.at("langevin").at("mode_shares").array()[0].number(), 0.25);
}

TEST(SampleOfItsOwn, FromMoonsToGaussiansOnABridge) {
  const TemporaryFolder folder;
  const Finished trained = run(tiny_training(
      folder / "run", {"--data", "8gaussians", "--source", "moons", "--path", "schroedinger-bridge", "--sigma", "0.5",
                       "--coupling", "ot", "--score", "--steps", "50", "--threads", "2"}));
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.err, AllOf(HasSubstr("source    moons"), HasSubstr("ot coupling")));
  const Finished sampled =
      run({"sample", folder / "run", "--count", "50", "--trajectories", folder / "w.npy", "--sde", "euler-maruyama"});
  ASSERT_EQ(sampled.code, 0) << sampled.err;
  // They start on the moons: within [-3, 3], where a normal source would not keep all of 50 points close to the curve.
  const Tensor start = slice(reshape(datasets::read_npy(folder / "w.npy").to_tensor(), {51, 100}), 0, 0, 1);
  const auto moons = datasets::make_density("moons");
  const auto log_p = *moons->log_density(reshape(start, {50, 2}));
  EXPECT_GT(*std::min_element(log_p.data(), log_p.data() + 50), -8);
}

TEST(SampleOfItsOwn, GuidanceNeedsHiddenLabels) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "run")).code, 0);
  const Finished plain = run({"sample", folder / "run", "--guidance", "2"});
  EXPECT_EQ(plain.code, 2);
  EXPECT_THAT(plain.err, HasSubstr("without classes"));
}

}  // namespace
}  // namespace rill
