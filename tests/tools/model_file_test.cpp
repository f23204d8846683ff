// The programs on files that they did not write, or that are invalid.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"
#include "flow/model/flow_matching.hpp"
#include "nn/checkpoint.hpp"
#include "nn/safetensors.hpp"
#include "nn/time_networks.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/tools/process.hpp"
#include "tests/tools/tiny_runs.hpp"
#include "tools/run.hpp"
#include "tools/sample_options.hpp"

namespace rill {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using testing::ThrowsMessage;
using namespace testing_support;
using Words = std::vector<std::string>;

// A model as a user of the library saves it.
std::string saved(const TemporaryFolder& folder, const nn::TimeNetworkDescription& description,
                  nn::Metadata metadata = {}) {
  Generator rng(1);
  nn::save_network(folder / "model.safetensors", description, *nn::make_time_network(description, rng), nullptr,
                   std::move(metadata));
  return folder / "model.safetensors";
}

const flow::FlowMatchingDescription& description_of(const tools::TrainedModel& trained) {
  return dynamic_cast<const flow::FlowMatching&>(*trained.model).description();
}

const nn::TimeNetworkDescription kPoints{.dimension = 2, .hidden = {4}};

TEST(ModelFile, OfTheLibraryAloneIsSampled) {
  const TemporaryFolder folder;
  const std::string file = saved(folder, kPoints);
  const Finished points = run({"sample", file, "--count", "3", "--steps", "2"});
  ASSERT_EQ(points.code, 0) << points.err;
  EXPECT_EQ(std::count(points.out.begin(), points.out.end(), '\n'), 4);
  EXPECT_EQ(description_of(tools::load_trained_model(file)).path, flow::PathDescription{});
  const Finished picture = run({"sample", file, "--count", "10", "--steps", "2", "--image", folder / "a.png"});
  ASSERT_EQ(picture.code, 0) << picture.err;
  EXPECT_THAT(contents(folder / "a.png"), StartsWith("\x89PNG"));

  const Finished evaluated = run({"evaluate", file});
  EXPECT_EQ(evaluated.code, 1);
  EXPECT_THAT(evaluated.out, IsEmpty());
  EXPECT_THAT(evaluated.err, HasSubstr("does not say which data it was trained on"));
}

TEST(ModelFile, OfTheLibraryAloneGivesImages) {
  const TemporaryFolder folder;
  nn::TimeNetworkDescription description{.kind = "unet", .dimension = 16, .classes = 2, .image = {4, 4, 1}};
  description.unet = {.base_channels = 4, .multipliers = {1}, .norm_groups = 2};
  const std::string file = saved(folder, description);
  const Finished picture = run({"sample", file, "--count", "2", "--steps", "2", "--image", folder / "a.png"});
  ASSERT_EQ(picture.code, 0) << picture.err;
  EXPECT_THAT(contents(folder / "a.png"), StartsWith("\x89PNG"));
}

TEST(ModelFile, MaySayAsMuchOfItsFlowAsItWants) {
  const TemporaryFolder folder;
  const tools::TrainedModel trained =
      tools::load_trained_model(saved(folder, kPoints, {{"flow", R"({"path": "i-cfm", "sigma": 0.5})"}}));
  EXPECT_EQ(description_of(trained).path, (flow::PathDescription{.name = "i-cfm", .sigma = 0.5}));
  EXPECT_EQ(description_of(trained).coupling.name, "independent");
}

TEST(ModelFile, MetadataThatMakeNoSenseAreNamed) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  const std::string images = R"({"kind":"images","source":"/i","height":)", source = R"({"source":")";
  for (const auto& [key, json, reason] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"flow", "{", "not valid JSON"},
           {"flow", "[]", "expected a JSON object"},
           {"flow", deep, "nested more than 32 deep"},
           {"flow", "{\"path\":" + deep + "}", "nested more than 32 deep"},
           {"flow", R"({"sigm": 0.5})", "unknown key 'sigm'"},
           {"flow", R"({"sigma": "much"})", "'sigma' is \"much\""},
           {"flow", R"({"path": "straight"})", "straight"},
           {"flow", R"({"source": "{}"})", "'kind' is missing"},
           {"data", deep, "nested more than 32 deep"},
           {"data", "7", "expected a JSON object"},
           {"data", R"({"kind":"density","source":"moons","parameters":[]})",
            "'parameters' is [], which has the wrong type"},
           {"data", R"({"kind":"density","source":"moons","parameters":{"noise":"1"}})",
            "'parameters' is {\"noise\":\"1\"}, which has the wrong type"},
           {"data", R"({"kind":"pictures","source":"a"})", "unknown kind 'pictures'"},
           {"data", R"({"kind":"table","source":"a","mean":[1],"deviation":[1]})", "a table of 1 columns"},
           {"data", R"({"kind":"table","source":"a","mean":[1,2],"deviation":[1]})", "2 means, but 1 deviations"},
           {"data", R"({"kind":"table","source":"a","mean":[1,null],"deviation":[1,1]})", "wrong type"},
           {"data", R"({"kind":"table","source":"a","mean":[1,2],"deviation":[1,0]})", "deviation of a column is 0"},
           {"data", R"({"kind":"table","source":"a","mean":[1,2],"deviation":[-2,1]})", "deviation of a column is -2"},
           {"data", R"({"kind":"table","source":"a","mean":[1,2],"deviation":[NaN,1]})", "not valid JSON"},
           {"data", R"({"kind":"table","source":"a","mean":[1e999,2],"deviation":[1,1]})", "not valid JSON"},
           {"data", R"({"kind":"density","source":"normal","parameters":{"dimension":3}})",
            "normal (dimension 3) has 3 dimensions, but the model's points have 2 numbers"},
           {"data", R"({"kind":"density","source":"moon","parameters":{}})", "unknown density 'moon'"},
           {"data", R"({"kind":"density","source":"8gaussians","parameters":{"count":1e9}})", "at most a million"},
           {"data", "two moons, as of May", "save your own notes under another key"},
           {"flow", "the second try", "save your own notes under another key"},
           {"flow", source + R"({\"kind\":\"density\",\"source\":\"normal\",\"parameters\":{\"dimension\":3}}"})",
            "normal (dimension 3) has 3 dimensions"},
           {"flow", source + R"({\"kind\":\"images\",\"source\":\"/i\",\"height\":1,\"width\":2,\"classes\":0}"})",
            "the source is images, expected a density"},
           {"data", images + R"(1e300,"width":2,"classes":0})", "wrong type"},
           {"data", images + R"(100,"width":100,"classes":0})", "images of 100 x 100"},
           {"data", images + R"(4294967296,"width":4294967296,"classes":0})", "4294967296"},
           {"data", images + R"(-1,"width":-2,"classes":0})", "negative"}}) {
    const TemporaryFolder folder;
    const std::string file = saved(folder, kPoints, {{key, json}});
    EXPECT_THAT([&file = file] { tools::load_trained_model(file); },
                ThrowsMessage<FileError>(AllOf(StartsWith(file + ": "), HasSubstr("'" + key + "'"), HasSubstr(reason))))
        << json.substr(0, 100);
  }
}

TEST(ModelFile, ThatIsDamagedOrNotFiniteIsNotSampled) {
  const TemporaryFolder folder;
  const std::string file = saved(folder, kPoints), good = contents(file);
  std::string bad = good;
  bad[bad.size() - 2] = static_cast<char>(bad[bad.size() - 2] ^ 4);
  write_contents(file, bad);
  const Finished damaged = run({"sample", file, "--count", "3"});
  EXPECT_EQ(damaged.code, 1);
  EXPECT_THAT(damaged.err, AllOf(HasSubstr(file), HasSubstr("damaged")));

  write_contents(file, good);
  nn::SafeTensors contents = nn::load_safetensors(file);
  contents.tensors[0].tensor.data()[0] = std::numeric_limits<Real>::quiet_NaN();
  nn::save_safetensors(file, contents);
  const Finished diverged = run({"sample", file, "--count", "3"});
  EXPECT_EQ(diverged.code, 1);
  EXPECT_THAT(diverged.out, IsEmpty());
  EXPECT_THAT(diverged.err, AllOf(HasSubstr(file), HasSubstr("'layers.0.weight' holds nan")));
}

// With six digits, two different runs would look the same, and settings would not read back.
TEST(Run, SettingsAreToldToTheLastDigit) {
  const datasets::DataDescription data{.source = "moons", .parameters = {{"noise", 0.123456789}}};
  EXPECT_EQ(data.text(), "moons (noise 0.123456789)");
  flow::FlowMatchingDescription a{.network = kPoints, .path = {.name = "i-cfm", .sigma = 0.1}};
  flow::FlowMatchingDescription b = a;
  b.path.sigma = 0.10000001;
  Generator rng(1);
  const auto identity = [&](const flow::FlowMatchingDescription& description) {
    return tools::run_identity(data, 0, flow::FlowMatching(description, rng).identity());
  };
  const nn::Metadata of_a = identity(a), of_b = identity(b);
  EXPECT_EQ(of_a.at("run.path"), "i-cfm, sigma 0.1, power " + exact(a.path.power));
  EXPECT_THROW(tools::require_same_run(of_a, of_b, "state"), FileError);
  tools::SampleOptions sampling;
  sampling.solver = "dopri5";
  sampling.rtol = 1.2345678e-5;
  EXPECT_EQ(sampling.solver_text(flow::FlowMatching(a, rng)), "dopri5, rtol 1.2345678e-05");
}

TEST(Train, NetworksThatNoMachineHoldsAreAUsageError) {
  const TemporaryFolder folder;
  for (const char* sizes : {"1537228672809129302", "9223372036854775807", "1000000,1000000", "4000000000,4"}) {
    const Finished finished = run(tiny_training(folder / "run", {"--hidden", sizes}));
    EXPECT_EQ(finished.code, 2) << sizes << ": " << finished.err;
    EXPECT_THAT(finished.err, HasSubstr("--hidden")) << sizes;
    EXPECT_FALSE(std::filesystem::exists(folder / "run"));
  }
}

TEST(Resume, TakesNoStateOfAnotherRun) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "run", {"--steps", "5"})).code, 0);
  const struct {
    const char* what;
    Words options;
  } others[] = {{"data", {"--data", "8gaussians"}}, {"data", {"--data-param", "noise=0.2"}},
                {"seed", {"--seed", "7"}},          {"network", {"--activation", "tanh"}},
                {"path", {"--path", "cosine"}},     {"source", {"--source", "8gaussians"}}};
  for (const auto& [what, options] : others) {
    const std::string other = folder / "other";
    Words command = tiny_training(other, options);
    command.insert(command.end(), {"--steps", "5", "--overwrite"});
    const Finished trained = run(command);
    ASSERT_EQ(trained.code, 0) << trained.err;
    std::filesystem::copy_file(folder / "run/state.safetensors", other + "/state.safetensors",
                               std::filesystem::copy_options::overwrite_existing);
    const Finished refused = run({"train", "--resume", other, "--steps", "10"});
    EXPECT_EQ(refused.code, 1) << what;
    EXPECT_THAT(refused.err, AllOf(HasSubstr("state.safetensors: is the state of another run"),
                                   HasSubstr(std::string("its ") + what + " is ")));
  }
  // Settings that may change when a run is resumed.
  const Finished resumed = run({"train", "--resume", folder / "run", "--steps", "10", "--learning-rate", "0.01",
                                "--batch", "32", "--clip-norm", "1", "--log-every", "5"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
}

TEST(Resume, TakesAStateOfBeforeRunsWereNamed) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "run", {"--steps", "5"})).code, 0);
  nn::SafeTensors state = nn::load_safetensors(folder / "run/state.safetensors");
  EXPECT_EQ(std::erase_if(state.metadata, [](const auto& entry) { return entry.first.starts_with("run."); }), 6u);
  nn::save_safetensors(folder / "run/state.safetensors", state);
  const Finished resumed = run({"train", "--resume", folder / "run", "--steps", "10"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
}

// Paths are bytes, and JSON and TOML are UTF-8.
TEST(Train, TakesDataOfAnyName) {
  const TemporaryFolder folder;
  const std::string data = folder.write("points\xff\xc3.csv", "1,2\n3,4\n5,7\n2,2\n"), name = folder / "run\xff";
  const Finished trained = run(tiny_training(name, {"--data", data, "--steps", "5"}));
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_EQ(tools::load_trained_model(name).data.source, data);
  const Finished resumed = run({"train", "--resume", name, "--steps", "10"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  const Finished sampled = run({"sample", name, "--count", "3", "--image", folder / "a\xff.png"});
  EXPECT_EQ(sampled.code, 0) << sampled.err;
  EXPECT_THAT(sampled.err, Not(HasSubstr("without the data")));
}

}  // namespace
}  // namespace rill
