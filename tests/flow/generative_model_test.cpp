// The interface that every family implements, and models on disk.
#include "flow/model/generative_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "flow/model/families.hpp"
#include "flow/model/flow_matching.hpp"
#include "flow/model/model_file.hpp"
#include "nn/safetensors.hpp"
#include "tests/misuse.hpp"
#include "tests/temporary_folder.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using testing_support::TemporaryFolder;

template <class Model>
std::shared_ptr<GenerativeModel> made(const typename Model::Description& description) {
  Generator rng(1);
  return std::make_shared<Model>(description, rng);
}

// At least one model of every family, with what changes its shape.
std::vector<std::shared_ptr<GenerativeModel>> examples() {
  LatentFlowDescription latent{.autoencoder = {.latent = 3, .coder = {.hidden = {8}}}, .network = {.hidden = {8}}};
  latent.set_shape(latent.autoencoder.shape);
  const nn::TimeNetworkDescription network{.hidden = {8}}, conditional{.hidden = {8}, .classes = 3};
  return {made<FlowMatching>({.network = network}),
          made<FlowMatching>({.network = conditional, .label_dropout = 0.1}),
          made<FlowMatching>({.network = network,
                              .path = {.name = "schroedinger-bridge", .sigma = 0.5},
                              .score = true,
                              .source = datasets::DataDescription{.source = "8gaussians"}}),
          made<Diffusion>({.network = network}),
          made<Diffusion>({.network = conditional, .forward = {.name = "ve"}}),
          made<ScoreMatching>({.network = network, .levels = 2}),
          made<ScoreMatching>({.network = conditional}),
          made<ContinuousFlow>({.network = network, .kinetic = 0.1}),
          made<ContinuousFlow>({.network = conditional}),
          made<CouplingFlow>({.layers = 2, .coupling = {.hidden = {8}}}),
          made<CouplingFlow>({.shape = {.classes = 3}, .layers = 2, .coupling = {.transform = "affine"}}),
          made<CouplingFlow>({.shape = {.dimension = 5}, .layers = 4, .coupling = {.hidden = {8}}}),
          made<CouplingFlow>({.shape = {.dimension = 16, .classes = 3, .image = {4, 4, 1}},
                              .layers = 3,
                              .coupling = {.bins = 4, .channels = 4}}),
          made<Vae>({.latent = 2, .coder = {.hidden = {8}}}),
          made<Vae>({.shape = {.dimension = 16, .classes = 3, .image = {4, 4, 1}},
                     .latent = 2,
                     .encoder = "conv",
                     .decoder = "logistic",
                     .coder = {.channels = 2}}),
          made<Vae>({.shape = {.dimension = 4, .image = {2, 2, 1}}, .latent = 2, .decoder = "bernoulli"}),
          made<LatentFlow>(latent)};
}

Tensor drawn(const GenerativeModel& model, std::uint64_t seed) {
  Generator rng(seed);
  return model.sample(5, {}, rng);
}

std::vector<Real> numbers(const nn::NamedTensors& tensors) {
  std::vector<Real> all;
  for (const nn::NamedTensor& named : tensors) {
    all.insert(all.end(), named.tensor.values().begin(), named.tensor.values().end());
  }
  return all;
}

TEST(GenerativeModel, EveryFamilyKeepsTheContract) {
  for (const Family& family : families()) {
    int seen = 0;
    for (const auto& model : examples()) {
      if (model->family() != family.name) continue;
      ++seen;
      Generator rng(2);
      const auto again = family.make(model->metadata(), rng);
      EXPECT_EQ(again->family(), model->family());
      EXPECT_EQ(again->metadata(), model->metadata());
      EXPECT_EQ(again->identity(), model->identity());
      for (const auto& [key, value] : model->identity()) EXPECT_TRUE(key.starts_with("run.")) << key;
      const nn::NamedTensors ours = model->module().named_parameters(), theirs = again->module().named_parameters();
      ASSERT_EQ(ours.size(), theirs.size());
      for (std::size_t i = 0; i < ours.size(); ++i) {
        EXPECT_EQ(ours[i].name, theirs[i].name);
        EXPECT_EQ(ours[i].tensor.shape(), theirs[i].tensor.shape());
      }
      const Tensor x = drawn(*model, 3);
      EXPECT_EQ(x.shape(), (Shape{5, model->dimension()}));
      EXPECT_EQ(x.to_vector(), drawn(*model, 3).to_vector());
      EXPECT_NE(x.to_vector(), drawn(*model, 4).to_vector());
      const auto dynamics = model->dynamics();
      if (model->density_kind() == DensityKind::kNone) {
        EXPECT_THAT(misuse([&] { model->log_density(x, {}); }), HasSubstr(model->no_density()));
      } else if (dynamics && !model->dynamics_are_latent()) {
        LikelihoodOptions options;
        options.source = dynamics->source_log_density;
        EXPECT_EQ(model->log_density(x, {}).to_vector(),
                  log_likelihood(dynamics->velocity, x, {}, options).log_p.to_vector());
      }
    }
    EXPECT_GT(seen, 0) << family.name;
  }
  EXPECT_THAT(misuse([] { find_family("gan"); }), HasSubstr("unknown family 'gan'; known: flow-matching"));
}

// A family that has neither a flow nor a density.
class Shift final : public GenerativeModel {
 public:
  std::string family() const override { return "shift"; }
  Index dimension() const override { return 1; }
  Index classes() const override { return 0; }
  nn::Module& module() override { return module_; }
  const nn::Module& module() const override { return module_; }
  nn::Metadata metadata() const override { return {}; }
  nn::Metadata identity() const override { return {}; }
  std::string network_text() const override { return ""; }
  std::string training_text() const override { return ""; }
  double numbers_of_step(Index) const override { return 0; }
  std::unique_ptr<nn::TrainingLoop> trainer(datasets::BatchSource, const nn::TrainerOptions&) override {
    return nullptr;
  }
  double held_out_loss(const datasets::BatchSource&, Index, std::uint64_t) const override { return 0; }
  Tensor sample(Index n, const Indices&, Generator& rng) const override { return Tensor::randn({n, 1}, rng) + 1; }
  DensityKind density_kind() const override { return DensityKind::kNone; }
  Tensor log_density(const Tensor&, const Indices&) const override { throw std::invalid_argument(no_density()); }

 private:
  nn::Module module_;
};

TEST(GenerativeModel, HasNothingThatItsFamilyDoesNotSay) {
  const TemporaryFolder folder;
  const Shift model;
  EXPECT_FALSE(model.dynamics());
  EXPECT_FALSE(model.image_shape());
  EXPECT_FALSE(model.source());
  EXPECT_THAT(misuse([&] { model.log_density(Tensor::zeros({1, 1}), {}); }), HasSubstr("have none"));
  save_model(folder / "shift", model, {.source = "moons"});
  EXPECT_THAT([&] { load_model(folder / "shift"); }, ThrowsMessage<FileError>(HasSubstr("unknown family 'shift'")));
}

// Networks of several families have parameters of the same names: weights must not be taken for those of another one.
TEST(ModelFiles, HoldNoModelOfAnotherFamily) {
  const TemporaryFolder folder;
  const std::string file = folder / "model";
  std::vector<std::string> claims = family_names();
  claims.emplace_back("");
  for (const auto& model : examples()) {
    for (const std::string& claim : claims) {
      if (claim == model->family() || (claim.empty() && model->family() == FlowMatching::kFamily)) continue;
      nn::Metadata metadata = model->metadata();
      if (!claim.empty()) metadata["family"] = claim;
      nn::save_weights(file, model->module(), nullptr, metadata);
      EXPECT_THROW(load_model(file), FileError) << model->family() << " as '" << claim << "'";
    }
  }
}

TEST(ModelFiles, GiveTheModelBack) {
  const TemporaryFolder folder;
  const std::string file = folder / "model";
  for (const auto& model : examples()) {
    datasets::DataDescription data{.source = "moons"};
    if (model->dimension() != 2) {
      data = {.source = "normal", .parameters = {{"dimension", static_cast<double>(model->dimension())}}};
    }
    if (const auto image = model->image_shape()) {
      data = {.kind = "images", .height = image->height, .width = image->width, .classes = model->classes()};
    }
    nn::Ema ema(model->module().named_parameters(), 0.9);
    const std::vector<Real> average = numbers(ema.averages());
    save_model(file, *model, data, nullptr, {{"note", "kept"}});
    const LoadedModel plain = load_model(file);
    EXPECT_EQ(plain.metadata.at("note"), "kept");
    EXPECT_EQ(datasets::to_json(plain.data), datasets::to_json(data));
    EXPECT_EQ(drawn(*plain.model, 5).to_vector(), drawn(*model, 5).to_vector());
    for (Tensor parameter : model->module().parameters()) parameter.data()[0] += 1;
    save_model(file, *model, data, &ema);
    EXPECT_EQ(numbers(load_model(file).model->module().named_parameters()), average);
    EXPECT_EQ(drawn(*load_model(file, nn::Weights::kTrained).model, 5).to_vector(), drawn(*model, 5).to_vector());
  }
}

TEST(ModelFiles, KeysOfTheirOwnAreReserved) {
  const TemporaryFolder folder;
  for (const char* key : {"family", "model", "flow", "data"}) {
    EXPECT_THAT(misuse([&] {
                  save_model(folder / "model", *examples()[0], {}, nullptr, {{key, "mine"}});
                }),
                HasSubstr(std::string("the metadata key '") + key + "' is reserved"));
  }
}

TEST(ModelFiles, OfBeforeThereWereFamiliesAreFlows) {
  const TemporaryFolder folder;
  for (const bool score : {false, true}) {
    const std::string path = score ? "schroedinger-bridge" : "i-cfm";
    const auto model =
        made<FlowMatching>({.network = {.hidden = {8}}, .path = {.name = path, .sigma = 0.5}, .score = score});
    const std::string json = R"({"kind":"mlp","dimension":2,"hidden":[8],"activation":"silu","time_embedding":"plain",)"
                             R"("time_frequencies":8,"classes":0,"score":)";
    const nn::Metadata old = {
        {"model", json + (score ? "true}" : "false}")},
        {"flow", R"({"path":")" + path +
                     R"(","sigma":0.5,"power":2.0,"coupling":"ot","regularization":0.0,"label_dropout":0.0})"},
        {"data", R"({"kind":"density","source":"moons","parameters":{}})"}};
    nn::save_safetensors(folder / "old",
                         {.tensors = nn::add_prefix("model.", model->module().named_parameters()), .metadata = old});
    const LoadedModel loaded = load_model(folder / "old");
    const auto& flow = dynamic_cast<const FlowMatching&>(*loaded.model);
    EXPECT_EQ(flow.description().score, score);
    EXPECT_EQ(flow.description().path, (PathDescription{.name = path, .sigma = 0.5}));
    EXPECT_EQ(flow.description().coupling.name, "ot");
    EXPECT_EQ(loaded.data.source, "moons");
    EXPECT_EQ(flow.dynamics()->score_drift != nullptr, score);
    EXPECT_EQ(numbers(flow.module().named_parameters()), numbers(model->module().named_parameters()));
  }
}

TEST(ModelFiles, AScoreOfMoreThanTheFileHoldsIsRefused) {
  const TemporaryFolder folder;
  nn::SafeTensors file{.tensors = nn::add_prefix("model.", examples()[0]->module().named_parameters()),
                       .metadata = examples()[2]->metadata()};
  file.metadata["model"] = nn::to_json(nn::TimeNetworkDescription{.hidden = {30'000, 30'000}});
  nn::save_safetensors(folder / "claims", file);
  EXPECT_THAT([&] { load_model(folder / "claims"); }, ThrowsMessage<FileError>(HasSubstr("no room for a tensor")));
}

}  // namespace
}  // namespace rill::flow
