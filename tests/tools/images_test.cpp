// Images from training to evaluation, as a user runs them: classifiers, flows, grids, interpolation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <regex>

#include "autodiff/json.hpp"
#include "autodiff/ops.hpp"
#include "datasets/npy.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/tools/documented_keys.hpp"
#include "tests/tools/process.hpp"
#include "tests/tools/tiny_images.hpp"
#include "tests/tools/tiny_runs.hpp"
#include "tools/cli/presets.hpp"

namespace rill {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using namespace testing_support;
using Words = std::vector<std::string>;

struct Size {
  unsigned width, height;
};

Size size_of_png(const std::string& path) {
  const std::string bytes = contents(path);
  EXPECT_THAT(bytes, StartsWith("\x89PNG"));
  const auto number = [&](std::size_t at) {
    unsigned value = 0;
    for (std::size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
  };
  return {number(16), number(20)};
}

// A classifier and a flow of the tiny images, trained once.
class ImageRuns : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    write_tiny_images(path("images"));
    const Finished classifier = run(tiny_classifier(path("images"), path("classifier")));
    ASSERT_EQ(classifier.code, 0) << classifier.err;
    EXPECT_THAT(classifier.err,
                AllOf(HasSubstr("classifier 4-8, "), HasSubstr(", silu; "), HasSubstr("test accuracy")));
    const Finished flow = run(tiny_image_flow(path("images"), path("flow")));
    ASSERT_EQ(flow.code, 0) << flow.err;
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static std::string path(const std::string& name) { return *folder_ / name; }

  static Tensor sampled(const Words& more) {
    Words command = {"sample", path("flow"), "--steps", "4", "--out", path("x.npy")};
    command.insert(command.end(), more.begin(), more.end());
    const Finished finished = run(command);
    EXPECT_EQ(finished.code, 0) << finished.err;
    return datasets::read_npy(path("x.npy")).to_tensor();
  }

 private:
  static TemporaryFolder* folder_;
};
TemporaryFolder* ImageRuns::folder_ = nullptr;

TEST_F(ImageRuns, AClassifierIsEvaluatedOnTheTestImages) {
  const Finished finished = run({"evaluate", path("classifier")});
  ASSERT_EQ(finished.code, 0) << finished.err;
  const Json result = parse_json(finished.out, "what was printed");
  expect_documented(result);
  EXPECT_EQ(result.at("test_images"), 30);
  EXPECT_GT(result.at("test_accuracy").number(), 0.9);
  EXPECT_EQ(result.at("test_accuracy_by_class").array().size(), 3u);
  // The model's file has the same.
  std::smatch stored;
  const std::string model = contents(path("classifier/model.safetensors"));
  ASSERT_TRUE(std::regex_search(model, stored, std::regex("\"test_accuracy\":\"([0-9.]+)\"")));
  EXPECT_NEAR(std::stod(stored[1]), result.at("test_accuracy").number(), 1e-6);
}

TEST_F(ImageRuns, AClassifierResumesBitForBit) {
  const Words random = {"--flip", "--shift", "1"};
  ASSERT_EQ(run(tiny_classifier(path("images"), path("whole"), random)).code, 0);
  const Finished half = run(tiny_classifier(path("images"), path("halves"),
                                            {"--flip", "--shift", "1", "--steps", "17", "--schedule", "constant"}));
  ASSERT_EQ(half.code, 0) << half.err;
  ASSERT_EQ(
      run(tiny_classifier(path("images"), path("straight"), {"--flip", "--shift", "1", "--schedule", "constant"})).code,
      0);
  ASSERT_EQ(run({"train", "--resume", path("halves"), "--steps", "60"}).code, 0);
  expect_equal_runs(path("straight"), path("halves"));
  // Randomness does change the steps.
  EXPECT_NE(contents(path("whole/metrics.csv")), contents(path("classifier/metrics.csv")));
}

TEST_F(ImageRuns, AFlowIsMeasuredByAClassifier) {
  const Finished finished =
      run({"evaluate", path("flow"), "--classifier", path("classifier"), "--solver", "heun2", "--steps", "10",
           "--guidance", "1.5", "--loss-samples", "30", "--nll-points", "4", "--nll-tolerance", "0.1"});
  ASSERT_EQ(finished.code, 0) << finished.err;
  const Json result = parse_json(finished.out, "what was printed");
  expect_documented(result);
  EXPECT_EQ(result.at("samples"), 30);  // as many as there are test images
  EXPECT_EQ(result.at("function_evaluations"), 20);
  EXPECT_GT(result.at("label_accuracy").number(), 0.8);
  EXPECT_GT(result.at("real_label_accuracy").number(), 0.9);
  const double ceiling = result.at("frechet_ceiling").number();
  EXPECT_LT(result.at("frechet_floor").number(), 0.05 * ceiling);
  EXPECT_LT(result.at("frechet_distance").number(), 0.2 * ceiling);
  for (const char* name : {"precision", "recall", "precision_of_training", "recall_of_training"}) {
    EXPECT_GE(result.at(name).number(), 0) << name;
    EXPECT_LE(result.at(name).number(), 1) << name;
  }
  EXPECT_GT(result.at("precision_of_training").number(), 0.5);
  EXPECT_GT(result.at("precision").number(), 0.2);
  for (const char* space : {"pixels", "features"}) {
    const std::string name = std::string("nearest_training_") + space;
    for (const std::string& of : {name, name + "_of_test"}) {
      EXPECT_GT(result.at(of).number(), 0) << of;
      EXPECT_GE(result.at(of).number(), result.at(of + "_percentile1").number()) << of;
    }
  }
  EXPECT_TRUE(result.at("bits_per_dimension").is_number());
  EXPECT_TRUE(result.at("sampling_seconds").is_number());
  EXPECT_TRUE(result.at("loss").is_number());
}

TEST_F(ImageRuns, AGridIsSquareForOneLabelAndHasARowForEachOfSeveral) {
  ASSERT_EQ(run({"sample", path("flow"), "--label", "1", "--count", "16", "--guidance", "2", "--steps", "3", "--image",
                 path("one.png"), "--gif", path("one.gif")})
                .code,
            0);
  const Size one = size_of_png(path("one.png"));
  EXPECT_EQ(one.width, one.height);
  EXPECT_THAT(contents(path("one.gif")), StartsWith("GIF89a"));
  ASSERT_EQ(
      run({"sample", path("flow"), "--label", "0,2", "--count", "16", "--steps", "3", "--image", path("two.png")}).code,
      0);
  const Size two = size_of_png(path("two.png"));
  EXPECT_GT(two.width, 5 * two.height);
}

TEST_F(ImageRuns, BetweenLabelsFromOneToTheOther) {
  const Tensor between = sampled({"--label", "0,2,1", "--interpolate", "labels", "--count", "5"});
  ASSERT_EQ(between.shape(), (Shape{10, 64}));
  const Tensor first = sampled({"--label", "0", "--count", "1"}), second = sampled({"--label", "2", "--count", "1"});
  const auto distance = [&](Index row, const Tensor& x) {
    return std::sqrt(static_cast<double>(sum(square(slice(between, 0, row, row + 1) - x)).item()));
  };
  EXPECT_LT(distance(0, first), 1e-3);
  EXPECT_LT(distance(4, second), 1e-3);
  EXPECT_LT(distance(5, second), 1e-3);  // the next row begins where this one ended
  EXPECT_GT(distance(2, first), 0.1);
  EXPECT_GT(distance(2, second), 0.1);
}

TEST_F(ImageRuns, BetweenNoisesRowByRow) {
  const Tensor between =
      sampled({"--label", "1,1", "--interpolate", "noises", "--count", "9", "--image", path("n.png")});
  ASSERT_EQ(between.shape(), (Shape{18, 64}));
  const auto step = [&](Index from, Index to) {
    const Tensor d = slice(between, 0, to, to + 1) - slice(between, 0, from, from + 1);
    return std::sqrt(static_cast<double>(sum(square(d)).item()));
  };
  for (const Index row : {0, 9}) {
    const double whole = step(row, row + 8);
    EXPECT_GT(whole, 0.1);
    for (Index i = 0; i < 8; ++i) EXPECT_LT(step(row + i, row + i + 1), 0.6 * whole);
  }
  EXPECT_GT(step(0, 9), 0.01) << "each row has noises of its own";
}

TEST_F(ImageRuns, PicturesOnTheWayChangeNothing) {
  ASSERT_EQ(run(tiny_image_flow(path("images"), path("quiet"), {"--steps", "20"})).code, 0);
  const Words drawing = tiny_image_flow(path("images"), path("drawing"), {"--steps", "20", "--sample-every", "5"});
  ASSERT_EQ(run(drawing).code, 0);
  for (const char* file : {"metrics.csv", "state.safetensors", "model.safetensors", "samples.png"}) {
    EXPECT_TRUE(contents(path("quiet/") + file) == contents(path("drawing/") + file)) << file;
  }
  EXPECT_THAT(contents(path("drawing/config.toml")), HasSubstr("sample-every = 5"));
}

TEST_F(ImageRuns, ConvolutionalFlowsAndTransformersTrainAndSample) {
  const std::vector<Words> networks = {
      {"--model", "unet", "--channels", "4", "--multipliers", "1,2", "--norm-groups", "2", "--attention", "1",
       "--dropout", "0.1", "--scale-shift"},
      {"--model", "dit", "--patch", "4", "--width", "8", "--blocks", "1", "--heads", "2"}};
  for (const Words& network : networks) {
    const std::string name = path(network[1]);
    const auto training = [&](const std::string& folder, const std::string& steps) {
      Words command = tiny_image_training(
          path("images"), folder, {"--label-dropout", "0.1", "--flip", "--schedule", "constant", "--steps", steps});
      command.insert(command.end(), network.begin(), network.end());
      return command;
    };
    const Finished whole = run(training(name, "6"));
    ASSERT_EQ(whole.code, 0) << whole.err;
    EXPECT_THAT(whole.err, HasSubstr("model     " + network[1]));
    ASSERT_EQ(run(training(name + "-halves", "3")).code, 0);
    ASSERT_EQ(run({"train", "--resume", name + "-halves", "--steps", "6"}).code, 0);
    expect_equal_runs(name, name + "-halves");
    EXPECT_EQ(run({"sample", name, "--count", "2", "--steps", "2", "--image", name + ".png"}).code, 0);
  }
  EXPECT_THAT(contents(path("unet/config.toml")), AllOf(HasSubstr("channels = 4 "), HasSubstr("blocks = 1 ")));
}

TEST_F(ImageRuns, AReflowKeepsItsPairs) {
  const auto reflow = [](const std::string& folder, const std::string& steps) {
    return Words{"train", "--reflow",  path("flow"), "--pairs",     "60",  "--pair-guidance", "1.5",      "--batch",
                 "20",    "--ema",     "0",          "--steps",     steps, "--schedule",      "constant", "--out",
                 folder,  "--threads", "1",          "--log-every", "5",   "--learning-rate", "0.002"};
  };
  const Finished whole = run(reflow(path("reflow"), "60"));
  ASSERT_EQ(whole.code, 0) << whole.err;
  EXPECT_THAT(whole.err, AllOf(HasSubstr("60 pairs made by " + path("flow")), HasSubstr("made 60 pairs in")));
  ASSERT_EQ(run(reflow(path("reflow-halves"), "20")).code, 0);
  const Finished resumed = run({"train", "--resume", path("reflow-halves"), "--steps", "60"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, Not(HasSubstr("made 60 pairs")));  // they were kept
  expect_equal_runs(path("reflow"), path("reflow-halves"));
  EXPECT_EQ(run({"sample", path("reflow"), "--steps", "1", "--image", path("reflow.png")}).code, 0);
}

TEST_F(ImageRuns, EveryPresetForImagesCanBeRead) {
  // Small enough to be quick, but of the preset's own kind: of its model, or else of its family.
  const std::map<std::string, std::string> smaller = {
      {"unet", "channels = 8\nmultipliers = [1]\nattention = [0]\nheads = 1\npatch = 1\n"},
      {"dit", "width = 8\nheads = 1\n"},
      {"classifier", "channels = [8]\n"},
      {"mlp", "hidden = [4]\n"},
      {"residual-mlp", "hidden = [4]\n"},
      {"vae", "channels = 4\nlatent = 2\n"}};
  ASSERT_EQ(run({"train", "--family", "vae", "--data", "images", "--data-dir", path("images"), "--encoder", "conv",
                 "--channels", "4", "--latent", "2", "--steps", "1", "--out", path("autoencoder")})
                .code,
            0);
  for (const std::string& preset : tools::preset_names()) {
    const std::string text = contents(tools::find_preset(preset));
    if (text.find("data = \"images\"") == text.npos) continue;
    const auto named = [&](const std::string& key) {
      std::smatch match;
      return std::regex_search(text, match, std::regex("\n" + key + " = \"([a-z-]+)\"")) ? match[1].str() : "";
    };
    const std::string model = named("model"), family = named("family");
    write_contents(path("small.toml"), smaller.at(!model.empty() ? model : family == "vae" ? family : "mlp"));
    Words command = {"train",
                     "--preset",
                     preset,
                     "--data-dir",
                     path("images"),
                     "--config",
                     path("small.toml"),
                     "--steps",
                     "1",
                     "--warmup",
                     "0",
                     "--batch",
                     "2",
                     "--threads",
                     "1",
                     "--out",
                     path("preset-" + preset)};
    if (family == "latent-flow") command.insert(command.end(), {"--autoencoder", path("autoencoder")});
    const Finished finished = run(command);
    EXPECT_EQ(finished.code, 0) << preset << ": " << finished.err;
  }
}

}  // namespace
}  // namespace rill
