// User errors and failures: one line that names the cause, the right exit code, and nothing lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/tools/process.hpp"
#include "tests/tools/tiny_images.hpp"
#include "tests/tools/tiny_runs.hpp"

namespace rill {
namespace {

using testing::HasSubstr;
using namespace testing_support;
using Words = std::vector<std::string>;

// The files of a good input, which cases then damage.
class Folder {
 public:
  /// Trains a run on the moons in run/, and writes six 4 x 4 images of 2 classes to images/.
  Folder() {
    EXPECT_EQ(run(tiny_training(path("run"))).code, 0);
    std::filesystem::create_directory(path("images"));
    for (const char* half : {"train", "t10k"}) {
      write_contents(pixels(half), idx({6, 4, 4}, std::string(96, '\x7f')));
      write_contents(labels(half), idx({6}, std::string("\0\1\0\1\0\1", 6)));
    }
  }

  std::string path(const std::string& name) const { return folder_ / name; }
  std::string pixels(const std::string& half = "train") const { return path("images/" + half + "-images-idx3-ubyte"); }
  std::string labels(const std::string& half = "train") const { return path("images/" + half + "-labels-idx1-ubyte"); }
  std::string write(const std::string& name, const std::string& bytes) const {
    write_contents(path(name), bytes);
    return path(name);
  }

  Words train(const Words& more) const { return tiny_training(path("new"), more); }
  Words train_images() const {
    return train({"--data", "images", "--data-dir", path("images"), "--classes", "2", "--model", "residual-mlp"});
  }
  /// A classifier of other images, of 6 x 6 pixels, in classifier/.
  std::string classifier() const {
    write_tiny_images(path("others"), 6);
    EXPECT_EQ(run(tiny_classifier(path("others"), path("classifier"), {"--steps", "1"})).code, 0);
    return path("classifier");
  }
  /// A flow of images, in flow/.
  std::string flow() const {
    Words command = train_images();
    command.insert(command.end(), {"--steps", "1", "--out", path("flow")});
    EXPECT_EQ(run(command).code, 0);
    return path("flow");
  }
  /// A tiny network for images, of its own kind.
  Words train_unet(const Words& more) const {
    Words command = {"train",   "--data", "images",  "--data-dir", path("images"), "--classes", "2", "--model", "unet",
                     "--steps", "1",      "--batch", "4",          "--out",        path("new")};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }
  /// A reflow, with these words in place of the run's name and after it.
  Words reflow(const Words& more) const {
    Words command = {"train", "--out", path("new"), "--steps", "5", "--batch", "16", "--threads", "1", "--reflow"};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }
  Words train_config(const std::string& text) const { return train({"--config", write("bad.toml", text)}); }
  Words train_table(const std::string& name, const std::string& bytes) const {
    return train({"--data", write(name, bytes)});
  }
  /// sample with a model whose bytes `damage` has changed.
  Words sample_damaged(const std::function<std::string(std::string)>& damage) const {
    return {"sample", write("bad.safetensors", damage(contents(path("run/model.safetensors"))))};
  }

 private:
  TemporaryFolder folder_;
};

struct Case {
  std::string name;
  int code;
  std::string culprit;  // must be named
  std::function<Words(const Folder&)> command;
};

void PrintTo(const Case& broken, std::ostream* out) { *out << broken.name; }

std::string npy(const std::string& header, const std::string& data) {
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header + data;
}

std::string truncated(std::string bytes) { return bytes.substr(0, bytes.size() / 2); }

std::string compressed(const std::string& path, const std::string& bytes) {
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  return contents(path);
}

// A mistake in the settings is code 2, a bad file is code 1.
const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      // The command line.
      {"UnknownFlag", 2, "--stepz",
       [](const Folder& f) {
         return f.train({"--stepz", "5"});
       }},
      {"MissingValue", 2, "--seed", [](const Folder& f) { return f.train({"--seed"}); }},
      {"NotANumber", 2, "--steps",
       [](const Folder& f) {
         return f.train({"--steps", "many"});
       }},
      {"NoSteps", 2, "--steps",
       [](const Folder& f) {
         return f.train({"--steps", "0"});
       }},
      {"NegativeThreads", 2, "--threads",
       [](const Folder& f) {
         return f.train({"--threads", "-1"});
       }},
      {"BadAverage", 2, "decay",
       [](const Folder& f) {
         return f.train({"--ema", "1.5"});
       }},
      {"BadHidden", 2, "hidden",
       [](const Folder& f) {
         return f.train({"--hidden", "8,0"});
       }},
      {"HiddenBeyondMemory", 2, "1537228672809129302",
       [](const Folder& f) {
         return f.train({"--hidden", "1537228672809129302"});
       }},
      {"CountBeyondMemory", 2, "--count",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--count", "2305843009213693952"};
       }},
      {"UnknownActivation", 2, "swish",
       [](const Folder& f) {
         return f.train({"--activation", "swish"});
       }},
      {"UnknownOptimizer", 2, "adamz",
       [](const Folder& f) {
         return f.train({"--optimizer", "adamz"});
       }},
      {"UnknownPath", 2, "known: cond-ot, polynomial, cosine, linear-vp, vp, target, i-cfm",
       [](const Folder& f) {
         return f.train({"--path", "linear"});
       }},
      {"BridgeWithoutSigma", 2, "set a sigma above 0",
       [](const Folder& f) {
         return f.train({"--path", "schroedinger-bridge"});
       }},
      {"SigmaOfAPathWithoutOne", 2, "--sigma: is for target, i-cfm",
       [](const Folder& f) {
         return f.train({"--path", "cosine", "--sigma", "0.1"});
       }},
      {"UnknownTimes", 2, "known: uniform, late, early, logit-normal",
       [](const Folder& f) {
         return f.train({"--t-sampling", "latest"});
       }},
      {"UnknownCoupling", 2, "known: independent, ot, entropic",
       [](const Folder& f) {
         return f.train({"--coupling", "optimal"});
       }},
      {"EntropicWithoutRegularization", 2, "use the coupling ot",
       [](const Folder& f) {
         return f.train({"--coupling", "entropic"});
       }},
      {"RegularizationOfAnotherCoupling", 2, "--regularization: is for entropic, but --coupling is ot",
       [](const Folder& f) {
         return f.train({"--coupling", "ot", "--regularization", "1"});
       }},
      {"UnknownSource", 2, "moon",
       [](const Folder& f) {
         return f.train({"--source", "moon"});
       }},
      {"SourceOfAnotherDimension", 2, "has 3 dimensions, but the data have 2",
       [](const Folder& f) {
         return f.train({"--source", "normal", "--source-param", "dimension=3"});
       }},
      {"SourceParameterWithoutSource", 2, "name it with --source",
       [](const Folder& f) {
         return f.train({"--source-param", "noise=0.1"});
       }},
      {"LabelDropoutWithoutClasses", 2, "no classes",
       [](const Folder& f) {
         return f.train({"--label-dropout", "0.1"});
       }},
      {"ScoreWithoutBridge", 2, "--score: is for schroedinger-bridge, but --path is cond-ot",
       [](const Folder& f) { return f.train({"--score"}); }},
      {"UnknownPreset", 2, "anulus",
       [](const Folder& f) {
         return f.train({"--preset", "anulus"});
       }},
      {"UnknownDensity", 2, "anulus",
       [](const Folder& f) {
         return f.train({"--data", "anulus"});
       }},
      {"UnknownParameter", 2, "inner",
       [](const Folder& f) {
         return f.train({"--data-param", "inner=1"});
       }},
      {"ParameterIsNoNumber", 2, "noise=x",
       [](const Folder& f) {
         return f.train({"--data-param", "noise=x"});
       }},
      {"ResumeNothing", 2, "nowhere",
       [](const Folder& f) {
         return Words{"train", "--resume", f.path("nowhere")};
       }},
      {"ResumeWithPreset", 2, "--preset",
       [](const Folder& f) {
         return Words{"train", "--resume", f.path("run"), "--preset", "moons"};
       }},
      {"NoRun", 2, "run", [](const Folder&) { return Words{"sample"}; }},
      {"UnknownSolver", 2, "eulr",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--solver", "eulr"};
       }},
      {"ToleranceOfASolverWithout", 2, "choose one of heun-euler",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--rtol", "0.1"};
       }},
      {"PerSampleWithEqualSteps", 2, "needs --rtol",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--per-sample"};
       }},
      {"ToleranceThatCannotBeMet", 1, "gave up at t = ",
       [](const Folder& f) { return Words{"sample", f.path("run"), "--solver", "dopri5", "--rtol", "1e-30"}; }},
      {"NotEnoughSteps", 1, "max_steps",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--solver", "dopri5", "--rtol", "1e-6", "--max-steps", "2"};
       }},
      {"UnknownSde", 2, "known: euler-maruyama",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--sde", "euler"};
       }},
      {"ToleranceOfAnSde", 2, "not together with --sde",
       [](const Folder& f) { return Words{"sample", f.path("run"), "--sde", "heun", "--rtol", "0.1"}; }},
      {"SdeOfACoupledRun", 2, "the coupling ot",
       [](const Folder& f) {
         EXPECT_EQ(run(f.train({"--coupling", "ot"})).code, 0);
         return Words{"sample", f.path("new"), "--sde", "heun"};
       }},
      {"SchedulerOfAPathWithNoise", 2, "train on another path",
       [](const Folder& f) {
         EXPECT_EQ(run(f.train({"--path", "i-cfm", "--sigma", "0.1"})).code, 0);
         return Words{"sample", f.path("new"), "--scheduler", "cosine"};
       }},
      {"UnknownTrace", 2, "known: exact, rademacher, gaussian",
       [](const Folder& f) {
         return Words{"evaluate", f.path("run"), "--trace", "hutchinson"};
       }},
      {"UnknownController", 2, "known: integral, pi",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--solver", "dopri5", "--rtol", "1e-3", "--controller", "pid"};
       }},
      {"Guidance", 2, "--guidance",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--guidance", "2"};
       }},
      {"TrajectoriesAsText", 2, "ends in .npy",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--trajectories", "w.csv"};
       }},
      {"UnknownDistance", 2, "known: wasserstein1",
       [](const Folder& f) {
         return Words{"evaluate", f.path("run"), "--distances", "w3"};
       }},
      {"LangevinWithoutModes", 2, "--langevin",
       [](const Folder& f) {
         return Words{"evaluate", f.path("run"), "--langevin", "--distance-points", "0"};
       }},
      {"LabelWithoutClasses", 2, "--label",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--label", "1"};
       }},
      {"UnknownOutput", 2, "--out",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--out", "p.xls"};
       }},
      {"EvaluateNothing", 2, "--count",
       [](const Folder& f) {
         return Words{"evaluate", f.path("run"), "--count", "0"};
       }},

      // Settings without effect.
      {"SettingOfAnotherNetwork", 2, "--channels: is for --model unet, classifier or --family coupling-flow, vae, but these are mlp and flow-matching",
       [](const Folder& f) {
         return f.train({"--channels", "8"});
       }},
      {"HiddenUnitsOfAUnet", 2, "--hidden", [](const Folder& f) { return f.train_unet({"--hidden", "8"}); }},
      {"FolderOfADensity", 2, "--data-dir",
       [](const Folder& f) {
         return f.train({"--data-dir", f.path("images")});
       }},
      {"PathOfAClassifier", 2, "--path: is for generative models",
       [](const Folder& f) {
         Words command = tiny_classifier(f.path("images"), f.path("new"), {"--path", "cosine"});
         return command;
       }},
      {"PowerOfAnotherPath", 2, "--power: is for polynomial, but --path is cosine",
       [](const Folder& f) {
         return f.train({"--path", "cosine", "--power", "3"});
       }},
      {"MomentumOfAdam", 2, "--momentum: is for sgd, but --optimizer is adam",
       [](const Folder& f) {
         return f.train({"--momentum", "0.5"});
       }},
      {"BetaOfSgd", 2, "--beta1",
       [](const Folder& f) {
         return f.train({"--optimizer", "sgd", "--beta1", "0.5"});
       }},
      {"PairsWithoutReflow", 2, "--pairs: needs --reflow",
       [](const Folder& f) {
         return f.train({"--pairs", "5"});
       }},
      {"DataOfAReflow", 2, "--data: not together with --reflow",
       [](const Folder& f) {
         return f.reflow({f.path("run"), "--data", "moons"});
       }},
      {"NetworkOfAReflow", 2, "--hidden: not together with --reflow",
       [](const Folder& f) {
         return f.reflow({f.path("run"), "--hidden", "9"});
       }},
      {"StepsOfATolerance", 2, "--steps: not together with --rtol",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--solver", "dopri5", "--rtol", "0.1", "--steps", "9"};
       }},
      {"ControllerOfEqualSteps", 2, "--controller: needs --rtol",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--controller", "pi"};
       }},
      {"NoiseWithoutSde", 2, "--noise: needs --sde",
       [](const Folder& f) {
         return Words{"evaluate", f.path("run"), "--noise", "2"};
       }},
      {"SolverOfAnSde", 2, "--solver: not together with --sde",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--sde", "heun", "--solver", "rk4"};
       }},
      {"FileOfADensity", 2, "--data: is for runs of a table",
       [](const Folder& f) {
         return Words{"evaluate", f.path("run"), "--data", "points.csv"};
       }},
      {"FewerStepsThanDone", 2, "--steps: ",
       [](const Folder& f) {
         return Words{"train", "--resume", f.path("run"), "--steps", "100"};
       }},

      // Outputs.
      {"TwoOutputsInOneFile", 2, "is written by --image too",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--image", f.path("p.png"), "--trajectories", f.path("p.npy")};
       }},
      {"TwoNamesOfOneFile", 2, "is written by --out too",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--out", f.path("p.npy"), "--trajectories", f.path("run/../p.npy")};
       }},
      {"OutputThatIsAnInput", 2, "is a file of the run, or of its data",
       [](const Folder& f) {
         const std::string table = f.write("t.csv", "1,2\n3,4\n5,7\n");
         EXPECT_EQ(run(f.train({"--data", table})).code, 0);
         return Words{"sample", f.path("new"), "--out", table};
       }},
      {"OutputInPlaceOfTheRunsMetrics", 2, "--out: ",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--count", "3", "--out", f.path("run/metrics.csv")};
       }},
      {"RunInPlaceOfItsData", 2, "would be replaced",
       [](const Folder& f) {
         return f.train({"--data", f.path("run/metrics.csv"), "--out", f.path("run"), "--overwrite"});
       }},
      {"ImageOfAnotherFormat", 2, "--image: expected a name that ends in .png",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--image", f.path("p.jpg")};
       }},
      {"FilmOfAnotherFormat", 2, "--gif: expected a name that ends in .gif",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--gif", f.path("p.png")};
       }},

      // Sizes beyond any memory.
      {"HugeCount", 2, "--count: 2305843009213693952",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--count", "2305843009213693952"};
       }},
      {"HugeHidden", 2, "1537228672809129302",
       [](const Folder& f) {
         return f.train({"--hidden", "1537228672809129302"});
       }},
      {"HugeBatch", 2, "2305843009213693952",
       [](const Folder& f) {
         return f.train({"--batch", "2305843009213693952"});
       }},
      {"HugePairs", 2, "--pairs: 2305843009213693952",
       [](const Folder& f) {
         return f.reflow({f.path("run"), "--pairs", "2305843009213693952"});
       }},

      // The command line's form.
      {"StrayArgument", 2, "unexpected argument 'stray'",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "stray", "--labell", "3"};
       }},
      {"ResumeOfAnUnsetVariable", 2, "--resume: expected a value, found ''",
       [](const Folder& f) {
         return f.train({"--resume", ""});
       }},
      {"FlagThatIsNoFlag", 2, "--overwrite: expected true or false, found '3'",
       [](const Folder& f) { return f.train({"--overwrite=3"}); }},
      {"UnknownOption", 2, "unknown option '--labell'",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--labell", "3", "stray"};
       }},
      {"OptionWithoutItsValue", 2, "--label: expected a value after it",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--label"};
       }},

      // Configuration files.
      {"UnknownKey", 2, "line 2: unknown key 'stepz'",
       [](const Folder& f) { return f.train_config("steps = 5\nstepz = 6\n"); }},
      {"WrongType", 2, "line 1: batch", [](const Folder& f) { return f.train_config("batch = \"big\"\n"); }},
      {"NoToml", 2, "line 1", [](const Folder& f) { return f.train_config("\x89PNG\r\n\x1a\n"); }},
      {"UnfinishedArray", 2, "does not end", [](const Folder& f) { return f.train_config("hidden = [64,\n64\n"); }},
      {"KeyTwice", 2, "'steps' is set a second time",
       [](const Folder& f) { return f.train_config("steps = 5\nsteps = 6\n"); }},
      {"MissingConfig", 1, "absent.toml",
       [](const Folder& f) {
         return f.train({"--config", f.path("absent.toml")});
       }},

      // Images.
      {"MissingImages", 1, "absent",
       [](const Folder& f) {
         return f.train({"--data", "images", "--data-dir", f.path("absent")});
       }},
      {"IdxMagic", 1, "train-images-idx3-ubyte",
       [](const Folder& f) {
         write_contents(f.pixels(), "P5 4 4 255 " + std::string(96, 'x'));
         return f.train_images();
       }},
      {"IdxTruncated", 1, "train-images-idx3-ubyte",
       [](const Folder& f) {
         write_contents(f.pixels(), truncated(contents(f.pixels())));
         return f.train_images();
       }},
      {"IdxTrailingBytes", 1, "train-images-idx3-ubyte",
       [](const Folder& f) {
         write_contents(f.pixels(), contents(f.pixels()) + "x");
         return f.train_images();
       }},
      {"IdxCountsDiffer", 1, "labels",
       [](const Folder& f) {
         write_contents(f.labels(), idx({5}, std::string(5, '\0')));
         return f.train_images();
       }},
      {"LabelOutsideClasses", 1, "7",
       [](const Folder& f) {
         write_contents(f.labels(), idx({6}, std::string("\0\1\7\1\0\1", 6)));
         return f.train_images();
       }},
      {"GzTruncated", 1, "train-images-idx3-ubyte.gz",
       [](const Folder& f) {
         const std::string bytes = contents(f.pixels()), packed = f.pixels() + ".gz";
         std::filesystem::remove(f.pixels());
         write_contents(packed, truncated(compressed(packed, bytes)));
         return f.train_images();
       }},
      {"UnknownClass", 2, "12",
       [](const Folder& f) {
         EXPECT_EQ(run(f.train_images()).code, 0);
         return Words{"sample", f.path("new"), "--label", "12"};
       }},

      {"MissingTestImages", 1, "t10k-images-idx3-ubyte",
       [](const Folder& f) {
         const std::string flow = f.flow();
         std::filesystem::remove(f.pixels("t10k"));
         return Words{"evaluate", flow};
       }},
      {"FlipOfPoints", 2, "--flip", [](const Folder& f) { return f.train({"--flip"}); }},
      {"ShiftOutOfTheImage", 2, "a shift of 4 pixels, expected 0 to 3",
       [](const Folder& f) {
         Words command = f.train_images();
         command.insert(command.end(), {"--shift", "4"});
         return command;
       }},
      {"UnknownModel", 2, "resnet",
       [](const Folder& f) {
         return f.train({"--model", "resnet"});
       }},
      {"UnetOfPoints", 2, "unet is for images",
       [](const Folder& f) {
         return Words{"train", "--data", "moons", "--model", "unet", "--out", f.path("new")};
       }},
      {"ClassifierOfPoints", 2, "classifier is for images",
       [](const Folder& f) {
         return Words{"train", "--data", "moons", "--model", "classifier", "--out", f.path("new")};
       }},
      {"ChannelsOfAUnet", 2, "--channels",
       [](const Folder& f) {
         return f.train_unet({"--channels", "8,16"});
       }},
      {"GroupsOfAUnet", 2, "group",
       [](const Folder& f) {
         return f.train_unet({"--channels", "6", "--norm-groups", "4"});
       }},
      {"BlocksBelowZero", 2, "--blocks",
       [](const Folder& f) {
         return f.train({"--blocks", "-1"});
       }},
      {"SampleEveryBelowZero", 2, "--sample-every",
       [](const Folder& f) {
         return f.train({"--sample-every", "-1"});
       }},
      {"ClassifierOfOtherImages", 1, "knows images of 6 x 6 pixels in 3 classes, but the flow makes those of 4 x 4 in 2",
       [](const Folder& f) {
         return Words{"evaluate", f.flow(), "--classifier", f.classifier()};
       }},
      {"ClassifierThatIsAFlow", 1, "run/model.safetensors",
       [](const Folder& f) {
         return Words{"evaluate", f.flow(), "--classifier", f.path("run")};
       }},
      {"ClassifierForPoints", 2, "--classifier",
       [](const Folder& f) {
         return Words{"evaluate", f.path("run"), "--classifier", f.path("run")};
       }},
      {"ReflowOfNothing", 1, "absent",
       [](const Folder& f) {
         return f.reflow({f.path("absent")});
       }},
      {"ReflowWithoutPairs", 2, "--pairs",
       [](const Folder& f) {
         return f.reflow({f.path("run"), "--pairs", "0"});
       }},
      {"ReflowOfAClassifier", 2, "--reflow",
       [](const Folder& f) {
         return f.reflow({f.path("run"), "--model", "classifier"});
       }},
      {"ReflowInPlaceOfItsTeacher", 2, "choose another folder",
       [](const Folder& f) {
         return f.reflow({f.path("run/"), "--out", f.path("run"), "--overwrite"});
       }},
      {"ReflowGuidedWithoutClasses", 2, "guidance: this model was trained without classes",
       [](const Folder& f) {
         return f.reflow({f.path("run"), "--pair-guidance", "2"});
       }},
      {"ReflowByAnUnknownSolver", 2, "eulr",
       [](const Folder& f) {
         return f.reflow({f.path("run"), "--pair-solver", "eulr"});
       }},
      {"MissingClassifier", 1, "absent",
       [](const Folder& f) {
         return Words{"evaluate", f.flow(), "--classifier", f.path("absent")};
       }},
      {"SamplesOfAClassifier", 1, "classifier/model.safetensors: is a classifier, not a generative model; evaluate measures it",
       [](const Folder& f) {
         return Words{"sample", f.classifier()};
       }},
      {"LabelList", 2, "--label: expected classes such as 3, 0..9 or 3,7",
       [](const Folder& f) {
         return Words{"sample", f.flow(), "--label", "1,,0"};
       }},
      {"UnknownInterpolation", 2, "expected noises or labels",
       [](const Folder& f) {
         return Words{"sample", f.flow(), "--interpolate", "images"};
       }},
      {"InterpolationOfPoints", 2, "not trained on images",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--interpolate", "noises"};
       }},
      {"InterpolationOfOneLabel", 2, "two labels or more",
       [](const Folder& f) {
         return Words{"sample", f.flow(), "--label", "1", "--interpolate", "labels"};
       }},
      {"InterpolationOfOneImage", 2, "--count of 2 or more",
       [](const Folder& f) {
         return Words{"sample", f.flow(), "--interpolate", "noises", "--count", "1"};
       }},

      // Tables.
      {"CsvText", 1, "line 3, column 2",
       [](const Folder& f) { return f.train_table("bad.csv", "a,b\n1,2\n3,four\n"); }},
      {"CsvRagged", 1, "line 2", [](const Folder& f) { return f.train_table("bad.csv", "1,2\n3\n"); }},
      {"CsvEmpty", 1, "bad.csv", [](const Folder& f) { return f.train_table("bad.csv", ""); }},
      {"TableOfAnotherKind", 1, "expected .npy, .csv, .tsv or .txt; save only the array",
       [](const Folder& f) { return f.train_table("points.npz", "PK"); }},
      {"TableWithoutAnEnding", 1, "expected .npy, .csv, .tsv or .txt",
       [](const Folder& f) { return f.train_table("points", "1,2\n"); }},
      {"FolderForATable", 1, "--data images --data-dir FOLDER",
       [](const Folder& f) {
         return f.train({"--data", f.path("run/")});
       }},
      {"NpySizesThatOverflow", 1, "bad.npy",
       [](const Folder& f) {
         return f.train_table("bad.npy",
                              npy("{'descr': '<f8', 'fortran_order': True, 'shape': (0, 4611686018427387904, 2), }\n", ""));
       }},
      {"MissingTable", 1, "absent.npy",
       [](const Folder& f) {
         return f.train({"--data", f.path("absent.npy")});
       }},
      {"NpyMagic", 1, "bad.npy", [](const Folder& f) { return f.train_table("bad.npy", "not an array at all"); }},
      {"NpyTruncated", 1, "bad.npy",
       [](const Folder& f) {
         return f.train_table(
             "bad.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }\n", std::string(20, '\0')));
       }},
      {"NpyNan", 1, "row 1, column 2",
       [](const Folder& f) {
         return f.train_table("bad.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }\n",
                                             std::string("\0\0\0\0\0\0\xc0\x7f", 8)));
       }},
      {"NpyRank", 1, "[1, 1, 1]",
       [](const Folder& f) {
         return f.train_table(
             "bad.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1), }\n", std::string(4, '\0')));
       }},

      // Models.
      {"MissingModel", 1, "absent: holds no run",
       [](const Folder& f) {
         return Words{"sample", f.path("absent")};
       }},
      {"EvaluationOfNothing", 1, "absent: holds no run",
       [](const Folder& f) {
         return Words{"evaluate", f.path("absent")};
       }},
      {"FolderWithoutAModel", 1, "images: holds no run: there is no model.safetensors in it",
       [](const Folder& f) {
         return Words{"sample", f.path("images")};
       }},
      {"ModelTruncated", 1, "bad.safetensors", [](const Folder& f) { return f.sample_damaged(truncated); }},
      {"ModelHeader", 1, "bad.safetensors",
       [](const Folder& f) {
         return f.sample_damaged(
             [](const std::string& bytes) { return concat(bytes.substr(0, 20), '\xff', bytes.substr(21)); });
       }},
      {"ModelTrailingBytes", 1, "bad.safetensors",
       [](const Folder& f) { return f.sample_damaged([](const std::string& bytes) { return bytes + "x"; }); }},
      {"StateIsNoModel", 1, "state.safetensors",
       [](const Folder& f) {
         return Words{"sample", f.path("run/state.safetensors")};
       }},
      {"ModelShape", 1, "hidden is [8,8], expected [9,9]",
       [](const Folder& f) {
         return Words{"train", "--resume", f.path("run"), "--hidden", "9,9"};
       }},
      {"StateTruncated", 1, "state.safetensors",
       [](const Folder& f) {
         const std::string state = f.path("run/state.safetensors");
         write_contents(state, truncated(contents(state)));
         return Words{"train", "--resume", f.path("run")};
       }},
      {"StateIsMissing", 1, "state.safetensors: there is no such file, and training cannot continue without it",
       [](const Folder& f) {
         std::filesystem::remove(f.path("run/state.safetensors"));
         return Words{"train", "--resume", f.path("run")};
       }},

      // Where nothing can be written.
      {"OutBelowAFile", 1, "file",
       [](const Folder& f) {
         return f.train({"--out", f.write("file", "") + "/run"});
       }},
      {"OutWhereNobodyMayWrite", 1, "/proc/rill",
       [](const Folder& f) {
         return f.train({"--out", "/proc/rill"});
       }},
      {"ImageInNoFolder", 1, "absent/s.png",
       [](const Folder& f) {
         return Words{"sample", f.path("run"), "--image", f.path("absent/s.png")};
       }},
      {"PointsOnAFullDisk", 1, "full.npy",
       [](const Folder& f) {
         std::filesystem::create_symlink("/dev/full", f.path("full.npy"));
         return Words{"sample", f.path("run"), "--out", f.path("full.npy")};
       }},
  };
  return all;
}

class BrokenInput : public testing::TestWithParam<Case> {};

TEST_P(BrokenInput, IsOneLineThatNamesTheCulprit) {
  const Folder folder;
  const Words command = GetParam().command(folder);
  const Finished finished = run(command);
  EXPECT_EQ(finished.code, GetParam().code);
  EXPECT_THAT(finished.out, testing::IsEmpty());
  // train and sample may have printed progress; then the message is the last line.
  const std::size_t before = finished.err.find_last_of('\n', finished.err.size() - 2);
  const std::string message = before == std::string::npos ? finished.err : finished.err.substr(before + 1);
  EXPECT_THAT(message, testing::StartsWith(command[0] + ": "));
  EXPECT_THAT(message, HasSubstr(GetParam().culprit));
  const bool is_usage = finished.code == 2;
  EXPECT_TRUE(!is_usage || message == finished.err) << finished.err;
}

INSTANTIATE_TEST_SUITE_P(, BrokenInput, testing::ValuesIn(cases()), [](const auto& info) { return info.param.name; });

TEST(FullDisk, LeavesTheLastCheckpoint) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "run", {"--hidden", "32,32"})).code, 0);
  const std::string state = contents(folder / "run/state.safetensors");
  const Launch more{.command = {"train", "--resume", folder / "run", "--steps", "300"},
                    .out_file = {},
                    .largest_file = state.size() / 2};
  const Finished failed = run(more);
  EXPECT_EQ(failed.code, 1) << failed.err;
  EXPECT_THAT(failed.err, HasSubstr("state.safetensors: cannot write"));
  EXPECT_TRUE(contents(folder / "run/state.safetensors") == state);
  // With free space again, the run continues as if nothing had happened.
  ASSERT_EQ(run(tiny_training(folder / "whole", {"--hidden", "32,32", "--steps", "300"})).code, 0);
  ASSERT_EQ(run(more.command).code, 0);
  expect_equal_runs(folder / "run", folder / "whole");
}

TEST(FullDisk, StopsPointsOnStdout) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "run")).code, 0);
  const Finished failed =
      run(Launch{.command = {"sample", folder / "run"}, .out_file = "/dev/full", .largest_file = {}});
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.err, HasSubstr("stdout: cannot write"));
}

TEST(ReadOnlyFolder, IsNamed) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  const Finished failed = run(tiny_training(folder / "run"));
  std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.err, HasSubstr("ermission denied"));
}

}  // namespace
}  // namespace rill
