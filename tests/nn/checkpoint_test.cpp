#include "nn/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/memory.hpp"
#include "nn/safetensors.hpp"
#include "nn/time_networks.hpp"
#include "tests/temporary_folder.hpp"

namespace rill::nn {
namespace {

using testing::HasSubstr;
using testing_support::TemporaryFolder;

TimeNetworkDescription small() { return {.kind = "mlp", .dimension = 2, .hidden = {4}, .classes = 3}; }

std::vector<std::vector<Real>> numbers(const Module& module) {
  std::vector<std::vector<Real>> all;
  for (const Tensor& parameter : module.parameters()) all.push_back(parameter.to_vector());
  return all;
}

// A saved model whose average differs from its weights.
struct Saved {
  Saved() : rng(1), model(make_time_network(small(), rng)), ema(model->named_parameters(), 0.9) {
    averaged = numbers(*model);
    for (Tensor parameter : model->parameters()) parameter.data()[0] += 1;
    path = folder / "model.safetensors";
    save_network(path, small(), *model, &ema, {{"note", "kept"}});
  }
  TemporaryFolder folder;
  Generator rng;
  std::shared_ptr<TimeNetwork> model;
  Ema ema;
  std::vector<std::vector<Real>> averaged;
  std::string path;
};

// What load_network says about the file after `change`.
template <class Change>
std::string error_after(const Saved& saved, const Change& change) {
  SafeTensors contents = load_safetensors(saved.path);
  change(contents);
  save_safetensors(saved.path, contents);
  try {
    load_network(saved.path);
    return "";
  } catch (const FileError& error) {
    EXPECT_THAT(error.what(), testing::StartsWith(saved.path + ": "));
    return error.what();
  }
}

Tensor& find(SafeTensors& contents, const std::string& name) {
  for (NamedTensor& named : contents.tensors) {
    if (named.name == name) return named.tensor;
  }
  throw std::logic_error("no " + name);
}

TEST(Checkpoint, TheFileAloneGivesTheModelBack) {
  const Saved saved;
  const LoadedNetwork averaged = load_network(saved.path);
  EXPECT_EQ(averaged.description, small());
  EXPECT_EQ(averaged.metadata, (Metadata{{"note", "kept"}}));
  EXPECT_EQ(numbers(*averaged.network), saved.averaged);
  const LoadedNetwork trained = load_network(saved.path, Weights::kTrained);
  EXPECT_EQ(numbers(*trained.network), numbers(*saved.model));
  EXPECT_NE(numbers(*trained.network), saved.averaged);
}

TEST(Checkpoint, WithoutAnAverageTheWeightsServe) {
  const Saved saved;
  save_network(saved.path, small(), *saved.model);
  EXPECT_EQ(numbers(*load_network(saved.path).network), numbers(*saved.model));
}

TEST(Checkpoint, WhatDoesNotFitIsNamed) {
  const Saved saved;
  EXPECT_THAT(error_after(saved, [](SafeTensors& c) { c.tensors.pop_back(); }), HasSubstr("has no tensor"));
  save_network(saved.path, small(), *saved.model);
  EXPECT_THAT(error_after(saved,
                          [](SafeTensors& c) {
                            find(c, "model.layers.0.weight") = Tensor::zeros({4, 20});
                          }),
              HasSubstr("tensor 'layers.0.weight' has shape [4, 20], expected [4, 19]"));
  save_network(saved.path, small(), *saved.model);
  EXPECT_THAT(error_after(saved,
                          [](SafeTensors& c) {
                            c.tensors.push_back({"model.extra", Tensor::zeros({1})});
                          }),
              HasSubstr("unexpected tensor 'extra'"));
  EXPECT_THAT(error_after(saved, [](SafeTensors& c) { c.tensors.back().name = "extra"; }),
              HasSubstr("unexpected tensor 'extra'"));
}

TEST(Checkpoint, AFileThatDescribesNoModelIsRefused) {
  const Saved saved;
  EXPECT_THAT(error_after(saved, [](SafeTensors& c) { c.metadata["model"] = "{}"; }), HasSubstr("'kind' is missing"));
  const auto set = [](const char* kind) {
    return [kind](SafeTensors& c) {
      TimeNetworkDescription description = small();
      description.kind = kind;
      c.metadata["model"] = to_json(description);
    };
  };
  EXPECT_THAT(error_after(saved, set("gan")), HasSubstr("unknown network 'gan'"));
  EXPECT_THAT(error_after(saved, [](SafeTensors& c) { c.metadata.clear(); }), HasSubstr("not a model"));
}

// A few hundred bytes must not cost gigabytes, or forever.
TEST(Checkpoint, ADescriptionOfMoreThanTheFileHoldsIsRefusedBeforeItIsBuilt) {
  const Saved saved;
  constexpr Index kTrillion = 1'000'000'000'000, kMost = std::numeric_limits<Index>::max();
  const TimeNetworkDescription image{.kind = "unet", .dimension = 64, .classes = 0, .image = {8, 8, 1}};
  std::vector<TimeNetworkDescription> claims;
  const auto claim = [&](TimeNetworkDescription description, const auto& change) {
    change(description);
    claims.push_back(description);
  };
  claim(small(), [](auto& d) { d.hidden = {30'000, 30'000}; });
  claim(small(), [](auto& d) { d.hidden = std::vector<Index>(200'000, 1); });
  claim(small(), [](auto& d) { d.hidden = {1537228672809129302}; });
  claim(small(), [](auto& d) { d.hidden = {kMost, kMost}; });
  claim(small(), [](auto& d) { d.dimension = kMost; });
  claim(small(), [](auto& d) { d.dimension = kTrillion; });
  claim(small(), [](auto& d) { d.classes = kMost; });
  claim(small(), [](auto& d) { d.time_embedding = "fourier", d.time_frequencies = 1 << 20; });
  claim(small(), [](auto& d) { d.time_embedding = "fourier", d.time_frequencies = kMost; });
  claim(small(), [](auto& d) { d.kind = "residual-mlp", d.hidden = std::vector<Index>(100'000, 1); });
  claim(image, [](auto& d) { d.unet.blocks = kTrillion; });
  claim(image, [](auto& d) { d.unet.base_channels = kMost; });
  claim(image, [](auto& d) { d.unet.base_channels = 1 << 20; });
  claim(image, [](auto& d) { d.unet.multipliers = {kMost}; });
  claim(image, [](auto& d) { d.unet.patch = kMost; });
  claim(image, [](auto& d) { d.image = {kMost, kMost, 1}; });
  claim(image, [](auto& d) { d.kind = "dit", d.dit.blocks = kTrillion; });
  claim(image, [](auto& d) { d.kind = "dit", d.dit.width = kMost - 3; });
  claim(image, [](auto& d) { d.kind = "dit", d.dit.mlp_ratio = kMost; });
  const std::size_t before = memory::statistics().bytes;
  for (const TimeNetworkDescription& description : claims) {
    const std::string json = to_json(description);
    EXPECT_NE(error_after(saved, [&](SafeTensors& c) { c.metadata["model"] = json; }), "") << json.substr(0, 100);
  }
  EXPECT_LT(memory::statistics().bytes - before, std::size_t{200} << 20);
}

TEST(Checkpoint, ALargeModelThatTheFileHoldsLoads) {
  const TemporaryFolder folder;
  Generator rng(1);
  const TimeNetworkDescription description{.kind = "mlp", .dimension = 2, .hidden = std::vector<Index>(1500, 2)};
  save_network(folder / "deep", description, *make_time_network(description, rng));
  EXPECT_EQ(load_network(folder / "deep").network->parameters().size(), 3002u);
  const TimeNetworkDescription wide{.kind = "mlp", .dimension = 2, .hidden = {2500, 2500}};
  save_network(folder / "wide", wide, *make_time_network(wide, rng));
  EXPECT_GT(load_network(folder / "wide").network->parameter_count(), 6'000'000);
}

TEST(Checkpoint, ALargeImageCostsNothingUntilItIsUsed) {
  const TimeNetworkDescription large{.kind = "dit",
                                     .dimension = 1 << 20,
                                     .image = {1 << 19, 2, 1},
                                     .dit = {.patch = 1, .width = 4, .blocks = 1, .heads = 1}};
  const std::size_t before = memory::statistics().bytes;
  Generator rng(1);
  make_time_network(large, rng);  // positions of 4 million tokens are not made until they are used
  EXPECT_LT(memory::statistics().bytes - before, std::size_t{10} << 20);
}

TEST(Checkpoint, WeightsThatAreNotFiniteAreRefused) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  for (const double value : {nan, infinity, -infinity}) {
    const Saved saved;
    EXPECT_THAT(
        error_after(saved, [&](SafeTensors& c) { find(c, "ema.layers.2.bias").data()[1] = static_cast<Real>(value); }),
        testing::AllOf(HasSubstr("tensor 'layers.2.bias' holds "), HasSubstr("at position 1")));
  }
}

TEST(Checkpoint, AnAverageOfAnotherModelIsRefused) {
  const Saved saved;
  Generator rng(1);
  const auto other = make_time_network(small(), rng);
  EXPECT_THROW(save_network(saved.path, small(), *other, &saved.ema), std::invalid_argument);
  EXPECT_NO_THROW(load_network(saved.path));
}

TEST(Assign, CopiesByNameInAnyOrder) {
  const Tensor a = Tensor::zeros({2}), b = Tensor::zeros({1});
  assign({{"a", a}, {"b", b}}, {{"b", Tensor::from({3}, {1})}, {"a", Tensor::from({1, 2}, {2})}}, "file");
  EXPECT_EQ(a.to_vector(), (std::vector<Real>{1, 2}));
  EXPECT_EQ(b.to_vector(), (std::vector<Real>{3}));
}

TEST(Assign, CopiesNothingWhenSomethingDoesNotFit) {
  const Tensor a = Tensor::zeros({2}), b = Tensor::zeros({1});
  const NamedTensors values = {{"a", Tensor::ones({2})}, {"b", Tensor::ones({2})}};
  EXPECT_THROW(assign({{"a", a}, {"b", b}}, values, "file"), FileError);
  EXPECT_EQ(a.to_vector(), (std::vector<Real>{0, 0}));
}

TEST(Prefix, IsPutOnAndTakenOff) {
  const NamedTensors named = add_prefix("ema.", {{"a", Tensor::zeros({1})}, {"ema.b", Tensor::zeros({1})}});
  EXPECT_EQ(named[0].name, "ema.a");
  EXPECT_EQ(named[1].name, "ema.ema.b");
  const NamedTensors taken = take_prefix("ema.", {{"emax", Tensor::zeros({1})}, named[1]});
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].name, "ema.b");
}

TEST(Checkpoint, TheKeyOfTheDescriptionIsReserved) {
  const Saved saved;
  EXPECT_THROW(save_network(saved.path, small(), *saved.model, nullptr, {{"model", "mine"}}), std::invalid_argument);
  EXPECT_NO_THROW(load_network(saved.path));
}

}  // namespace
}  // namespace rill::nn
