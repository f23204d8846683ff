// Every family of models through the programs: trained, resumed, killed, sampled and measured alike.
#include "flow/model/families.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "autodiff/json.hpp"
#include "datasets/npy.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/tools/documented_keys.hpp"
#include "tests/tools/process.hpp"
#include "tests/tools/tiny_images.hpp"
#include "tests/tools/tiny_runs.hpp"

namespace rill {
namespace {

using namespace testing_support;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Words = std::vector<std::string>;

Words with(Words command, const Words& more) {
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

void expect_done(const Words& command) {
  const Finished finished = run(command);
  ASSERT_EQ(finished.code, 0) << finished.err;
}

class Families : public testing::TestWithParam<std::string> {
 protected:
  // The words that choose the family; a latent flow needs an autoencoder, which is trained on the same data first.
  Words of_family(const Words& data = {}) {
    if (GetParam() != flow::LatentFlow::kFamily) return {"--family", GetParam()};
    const std::string vae = folder / "autoencoder";
    if (!std::filesystem::exists(vae)) {
      expect_done(with(tiny_training(vae, {"--family", "vae", "--latent", "3", "--steps", "50"}), data));
    }
    return {"--family", GetParam(), "--autoencoder", vae};
  }
  Words training(const std::string& name, const Words& more = {}) {
    return with(with(tiny_training(folder / name, of_family()), {"--schedule", "cosine"}), more);
  }
  TemporaryFolder folder;
};

TEST_P(Families, TwoHalvesEqualTheWhole) {
  // A schedule that does not depend on the number of steps.
  expect_done(training("whole", {"--steps", "60", "--schedule", "constant"}));
  expect_done(training("halves", {"--steps", "31", "--schedule", "constant"}));
  expect_done({"train", "--resume", folder / "halves", "--steps", "60"});
  expect_equal_runs(folder / "whole", folder / "halves");
}

TEST_P(Families, SurviveKills) {
  of_family();
  expect_survives_kills(folder / "", 5, [&](const std::string& name) {
    Words command = with(tiny_training(name, of_family()), {"--steps", "400", "--schedule", "cosine"});
    command.insert(command.end(), {"--save-every", "0.02"});
    return command;
  });
}

TEST_P(Families, DoNotDependOnThreads) {
  const auto model = [&](const char* threads) {
    const std::string name = folder / threads;
    expect_done(with(tiny_training(name, of_family()), {"--threads", threads, "--batch", "700", "--steps", "8"}));
    expect_done({"sample", name, "--count", "3000", "--threads", threads, "--out", name + "/x.npy"});
    return contents(name + "/model.safetensors") + contents(name + "/x.npy");
  };
  EXPECT_TRUE(model("1") == model("3"));
}

// In more than two dimensions, where a model has most ways to differ from what its file says, and on columns that no
// permutation leaves alike: a number, nearly the same one again, its square, and a sign.
TEST_P(Families, MeasureWhatWasTrained) {
  std::string csv;
  for (int i = 0; i < 400; ++i) {
    const double x = (i % 40 - 19.5) / 10, noise = (i * 37 % 101 - 50) / 500.0;
    csv += std::to_string(x) + "," + std::to_string(x + noise) + "," + std::to_string(x * x - noise) + "," +
           std::to_string((i % 3 == 0 ? 1 : -1) + noise) + "\n";
  }
  write_contents(folder / "table.csv", csv);
  const Words data = {"--data", folder / "table.csv"};
  expect_done(
      with(with(tiny_training(folder / "run", of_family(data)), data),
           {"--steps", "600", "--batch", "128", "--ema", "0", "--log-every", "50", "--learning-rate", "0.003"}));
  const std::string metrics = contents(folder / "run/metrics.csv");
  const std::string last = metrics.substr(metrics.rfind('\n', metrics.size() - 2) + 1);
  const double trained = std::stod(last.substr(last.find(',') + 1));
  const Finished measured = run({"evaluate", folder / "run", "--count", "50", "--loss-samples", "400",
                                 "--distance-points", "0", "--nll-points", "0", "--json"});
  ASSERT_EQ(measured.code, 0) << measured.err;
  EXPECT_NEAR(parse_json(measured.out, "what was printed").at("loss").number(), trained, 0.3 + 0.1 * std::abs(trained));
}

TEST_P(Families, AreSampledAndMeasured) {
  expect_done(training("run"));
  expect_done({"sample", folder / "run", "--count", "200", "--out", folder / "x.npy", "--image", folder / "x.png"});
  EXPECT_EQ(datasets::read_npy(folder / "x.npy").to_tensor().shape(), (Shape{200, 2}));
  const Finished measured = run({"evaluate", folder / "run", "--count", "500", "--loss-samples", "500",
                                 "--distance-points", "200", "--nll-points", "50"});
  ASSERT_EQ(measured.code, GetParam() == "score" ? 2 : 0) << measured.err;
  if (GetParam() == "score") return;  // says that it has no density
  const Json result = parse_json(measured.out, "what was printed");
  expect_documented(result);
  const std::map<std::string, std::string> likelihood = {
      {"flow-matching", "by an ODE"}, {"diffusion", "by an ODE"}, {"continuous-flow", "by an ODE"},
      {"coupling-flow", "exact"},     {"vae", "a bound"},         {"latent-flow", "a bound"}};
  EXPECT_EQ(result.at("family").string(), GetParam());
  ASSERT_TRUE(likelihood.contains(GetParam())) << "a new family: add what it can be asked";
  EXPECT_EQ(result.at("likelihood").string(), likelihood.at(GetParam()));
  EXPECT_EQ(result.contains("nll_bound"), likelihood.at(GetParam()) == "a bound");
  EXPECT_EQ(result.contains("nll"), likelihood.at(GetParam()) != "a bound");
  EXPECT_TRUE(result.contains("wasserstein2"));
}

TEST_P(Families, LearnLabeledImages) {
  write_tiny_images(folder / "images");
  Words data = {"--steps", "12"};
  if (GetParam() != flow::CouplingFlow::kFamily) data.insert(data.end(), {"--hidden", "16,16"});
  Words family = {"--family", GetParam()};
  if (GetParam() == flow::LatentFlow::kFamily) {
    expect_done(tiny_image_training(folder / "images", folder / "autoencoder",
                                    with(data, {"--family", "vae", "--latent", "3", "--decoder", "logistic"})));
    family.insert(family.end(), {"--autoencoder", folder / "autoencoder"});
  }
  if (GetParam() == flow::CouplingFlow::kFamily) {
    family.insert(family.end(), {"--layers", "2", "--channels", "4", "--bins", "4"});
  }
  expect_done(tiny_image_training(folder / "images", folder / "run", with(data, family)));
  expect_done({"sample", folder / "run", "--label", "0..2", "--count", "4", "--image", folder / "grid.png"});
  EXPECT_FALSE(contents(folder / "grid.png").empty());
  expect_done(tiny_classifier(folder / "images", folder / "classifier"));
  const Finished measured = run({"evaluate", folder / "run", "--classifier", folder / "classifier", "--count", "60",
                                 "--loss-samples", "20", "--json"});
  EXPECT_EQ(measured.code, 0) << measured.err;
  EXPECT_THAT(measured.out, HasSubstr("\"frechet_distance\":"));
}

INSTANTIATE_TEST_SUITE_P(All, Families, testing::ValuesIn(flow::family_names()), [](const auto& info) {
  std::string name = info.param;
  std::erase(name, '-');
  return name;
});

// A constant column has no density, but the others have one.
TEST(CouplingFlowRun, LearnsATableWithAConstantColumn) {
  const TemporaryFolder folder;
  std::string csv = "a,b,c\n";
  for (int i = 0; i < 64; ++i) csv += std::to_string(i % 8) + ",5," + std::to_string(i / 8) + "\n";
  write_contents(folder / "table.csv", csv);
  expect_done(
      tiny_training(folder / "run", {"--family", "coupling-flow", "--data", folder / "table.csv", "--steps", "60"}));
  const Finished sampled = run({"sample", folder / "run", "--count", "50"});
  EXPECT_EQ(sampled.code, 0) << sampled.err;
  EXPECT_THAT(sampled.out, Not(HasSubstr("nan")));
}

// A solver that gives up in training is a training that diverged.
TEST(ContinuousFlowRun, DivergesWithAdvice) {
  const TemporaryFolder folder;
  const Finished finished =
      run(tiny_training(folder / "run", {"--family", "continuous-flow", "--learning-rate", "1e6", "--steps", "30"}));
  EXPECT_EQ(finished.code, 3) << finished.err;
  EXPECT_THAT(finished.err, AllOf(HasSubstr("training diverged at step "), HasSubstr("gave up at t = "),
                                  HasSubstr("try a smaller --learning-rate")));
}

// A latent flow needs the run of its autoencoder only once.
TEST(LatentFlowRun, GoesOnWithoutItsAutoencodersRun) {
  const TemporaryFolder folder;
  const std::string vae = folder / "vae";
  expect_done(tiny_training(vae, {"--family", "vae", "--latent", "3", "--steps", "30"}));
  const auto training = [&](const std::string& name, const char* steps) {
    return tiny_training(folder / name, {"--family", "latent-flow", "--autoencoder", vae, "--steps", steps});
  };
  EXPECT_THAT(run(with(training("vae", "5"), {"--overwrite"})).err, HasSubstr("holds the run of the --autoencoder"));
  expect_done(training("whole", "60"));
  expect_done(training("halves", "25"));
  expect_done(tiny_training(vae, {"--family", "vae", "--latent", "2", "--steps", "30", "--overwrite"}));
  EXPECT_THAT(run({"train", "--resume", folder / "halves", "--autoencoder", vae}).err,
              HasSubstr("--autoencoder: not together with --resume"));
  expect_done({"train", "--resume", folder / "halves", "--steps", "60"});
  expect_equal_runs(folder / "whole", folder / "halves");
  // And another one may start from what it holds.
  expect_done(tiny_training(folder / "third", {"--family", "latent-flow", "--autoencoder", folder / "whole"}));
}

TEST(Ddim, AddsNoNoiseUnlessItIsTold) {
  const TemporaryFolder folder;
  expect_done(tiny_training(folder / "run", {"--family", "diffusion"}));
  const auto drawn = [&](const Words& more) {
    expect_done(with({"sample", folder / "run", "--count", "50", "--steps", "20", "--out", folder / "x.npy"}, more));
    return contents(folder / "x.npy");
  };
  const std::string ddim = drawn({"--sampler", "ddim"}), ancestral = drawn({"--sampler", "ancestral"});
  EXPECT_TRUE(ddim == drawn({"--sampler", "ddim", "--eta", "0"}));
  EXPECT_TRUE(ancestral == drawn({"--sampler", "ddim", "--eta", "1"}));
  EXPECT_FALSE(ddim == ancestral);
}

TEST(GuidedScores, AreThoseOfTheClass) {
  const TemporaryFolder folder;
  write_tiny_images(folder / "images");
  expect_done(tiny_image_training(
      folder / "images", folder / "run",
      {"--family", "score", "--hidden", "16", "--steps", "5", "--label-dropout", "0.2", "--noise-levels", "2"}));
  const auto drawn = [&](const char* weight) {
    expect_done({"sample", folder / "run", "--label", "1", "--count", "3", "--level-steps", "3", "--guidance", weight,
                 "--out", folder / "x.npy"});
    return contents(folder / "x.npy");
  };
  EXPECT_FALSE(drawn("1") == drawn("3"));
}

// Likelihoods of narrow densities are above 1, and their losses negative from the first step.
TEST(NegativeLoss, IsNoFailure) {
  const TemporaryFolder folder;
  const Finished finished =
      run(tiny_training(folder / "run", {"--family", "coupling-flow", "--data", "normal", "--data-param",
                                         "deviation=0.01", "--learning-rate", "0.0001"}));
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.err, AllOf(HasSubstr("loss -"), Not(HasSubstr("warning"))));
}

// What a family cannot do is said in one line, before anything is done.
TEST(BadCombinations, GetOneClearLine) {
  const TemporaryFolder folder;
  for (const std::string name : {"flow-matching", "score", "coupling-flow", "vae", "continuous-flow"}) {
    expect_done(tiny_training(folder / name, {"--family", name, "--steps", "5"}));
  }
  const struct {
    Words command;
    const char* message;
  } cases[] = {
      {{"evaluate", folder / "score", "--nll-points", "10"}, "--nll-points: Langevin dynamics has no density"},
      {{"evaluate", folder / "score", "--density", folder / "d.png"}, "--density: Langevin dynamics has no density"},
      {{"sample", folder / "score", "--solver", "rk4"},
       "--solver: is for models with a flow, and those of the family score have none; they sample by --sampler "
       "langevin"},
      {{"sample", folder / "score", "--sampler", "ddim"}, "--sampler: is for models with a flow"},
      {{"sample", folder / "score", "--levels", "3"},
       "--levels: this model's levels of noise are those of its training"},
      {{"sample", folder / "coupling-flow", "--guidance", "2"},
       "--guidance: is for models with a flow, and those of the family coupling-flow have none"},
      {{"sample", folder / "coupling-flow", "--gif", folder / "x.gif"},
       "draw samples in one step, without a way from noise to data"},
      {{"sample", folder / "vae", "--sde", "heun"},
       "--sde: is for models with a flow, and those of the family vae have none"},
      {{"sample", folder / "vae", "--steps", "7"}, "--steps: is for models with a flow"},
      {{"sample", folder / "vae", "--level-steps", "7"}, "--level-steps: is for models with a score"},
      {{"sample", folder / "continuous-flow", "--sampler", "ancestral"},
       "--sampler: a flow trained by likelihood follows no known path"},
      {{"sample", folder / "continuous-flow", "--sde", "heun"}, "--sde: a flow trained by likelihood"},
      {{"sample", folder / "continuous-flow", "--scheduler", "cosine"},
       "--scheduler: change of scheduler: these dynamics have no path"},
      {{"sample", folder / "flow-matching", "--level-steps", "7"}, "--level-steps: needs --sampler langevin"},
      {{"sample", folder / "flow-matching", "--eta", "0.5"}, "--eta: is for ddim, but --sampler is not given"},
      {{"sample", folder / "flow-matching", "--sampler", "ddim", "--sde", "heun"},
       "--sampler: not together with --sde"},
      {{"sample", folder / "flow-matching", "--sampler", "ddim", "--solver", "rk4"},
       "--solver: is for an ODE, but --sampler is ddim"},
      {{"sample", folder / "flow-matching", "--sampler", "dim"},
       "--sampler: unknown sampler 'dim' (did you mean ddim?)"},
      {{"sample", folder / "flow-matching", "--reconstruct", "--image", folder / "x.png"},
       "--reconstruct: is for autoencoders, but this model is of the family flow-matching"},
      {{"sample", folder / "vae", "--reconstruct", "--image", folder / "x.png", "--out", folder / "x.npy"},
       "--out: not together with --reconstruct"},
      {{"train", "--family", "score", "--noise-levels", "5000", "--out", folder / "new"},
       "--noise-levels: expected 1 to 1000, got 5000"},
      {{"sample", folder / "vae", "--reconstruct"}, "--reconstruct: needs --image"},
      {{"train", "--family", "flow"}, "--family: unknown family 'flow'"},
      {{"train", "--family", "vae", "--path", "vp"}, "--path: is for flow-matching, latent-flow, but --family is vae"},
      {{"train", "--family", "vae", "--time-embedding", "fourier"},
       "--time-embedding: is for families with a time network, but --family is vae"},
      {{"train", "--family", "diffusion", "--source", "moons"},
       "--source: is for flow-matching, but --family is diffusion"},
      {{"train", "--family", "diffusion", "--forward-sde", "ve", "--beta-max", "5"},
       "--beta-max: is for vp, sub-vp, but --forward-sde is ve"},
      {{"train", "--family", "latent-flow"}, "--autoencoder: --family latent-flow needs the run of a vae"},
      {{"train", "--family", "vae", "--autoencoder", "x"}, "--autoencoder: is for latent-flow, but --family is vae"},
      {{"train", "--family", "latent-flow", "--autoencoder", folder / "score", "--data", "moons", "--out",
        folder / "new"},
       "holds a model of the family score, expected vae"},
      {{"train", "--family", "latent-flow", "--autoencoder", folder / "vae", "--data", "annulus", "--out",
        folder / "new"},
       "was trained on moons, but --data is annulus"},
      {{"train", "--family", "vae", "--decoder", "logistic", "--data", "moons", "--out", folder / "new"},
       "decoder: logistic is for images, but these are points"},
      {{"train", "--resume", folder / "flow-matching", "--family", "diffusion"},
       "is the state of another run: its task is"},
      {{"train", "--resume", folder / "vae", "--latent", "7"},
       "is the state of another run: its network is another one: latent is "},
      {{"train", "--family", "coupling-flow", "--levels", "3"}, "--levels: is for images, but the data are points"},
      {{"train", "--family", "coupling-flow", "--data", "images", "--hidden", "8"},
       "--hidden: is for points, but the data are images"},
      {{"train", "--family", "continuous-flow", "--ode-steps", "20"}, "--ode-steps: needs --ode-tolerance 0"},
      {{"train", "--family", "continuous-flow", "--early-tolerance", "0.1"}, "--early-tolerance: needs --early-steps"},
      {{"train", "--family", "score", "--noise-levels", "1", "--most-noise", "5"},
       "--most-noise: needs --noise-levels above 1"},
      {{"train", "--warmup", "10000"}, "--warmup: expected fewer steps than the training's 10000, got 10000"},
      {{"sample", folder / "flow-matching", "--sampler", "predictor-corrector", "--corrections", "0",
        "--correction-ratio", "0.1"},
       "--correction-ratio: needs --corrections above 0"},
      {{"evaluate", folder / "vae", "--trace", "exact"},
       "--trace: is for likelihoods by an ODE, but those of the family vae have none"},
      {{"evaluate", folder / "flow-matching", "--probes", "3"}, "--probes: is for an estimated divergence"},
      {{"evaluate", folder / "flow-matching", "--nll-tolerance", "0"}, "--nll-tolerance: expected a number above 0"},
      {{"evaluate", folder / "flow-matching", "--margin", "0.1"},
       "--margin: widens a support with sharp edges, but moons"},
      {{"evaluate", folder / "score", "--langevin"}, "--langevin: models of the family score sample by Langevin"},
      {{"train", "--family", "latent-flow", "--data", "moons", "--autoencoder", folder / "none", "--out",
        folder / "new"},
       "--autoencoder: there is no "},
      {{"train", "--reflow", folder / "flow-matching", "--family", "vae"},
       "--reflow: straightens flows, but --family is vae"},
  };
  for (const auto& [command, message] : cases) {
    const Finished finished = run(command);
    EXPECT_NE(finished.code, 0) << message;
    EXPECT_THAT(finished.err, HasSubstr(message));
    EXPECT_THAT(finished.out, IsEmpty()) << message;
    EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
  }
}

}  // namespace
}  // namespace rill
