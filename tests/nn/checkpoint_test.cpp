#include "nn/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "nn/model.hpp"
#include "nn/safetensors.hpp"
#include "tests/temporary_folder.hpp"

namespace rill::nn {
namespace {

using testing::HasSubstr;
using testing_support::TemporaryFolder;

ModelDescription small() { return {.kind = "mlp", .dimension = 2, .hidden = {4}, .classes = 3}; }

std::vector<std::vector<Real>> numbers(const Module& module) {
  std::vector<std::vector<Real>> all;
  for (const Tensor& parameter : module.parameters()) all.push_back(parameter.to_vector());
  return all;
}

// A saved model whose average differs from its weights.
struct Saved {
  Saved() : rng(1), model(make_model(small(), rng)), ema(model->named_parameters(), 0.9) {
    averaged = numbers(*model);
    for (Tensor parameter : model->parameters()) parameter.data()[0] += 1;
    path = folder / "model.safetensors";
    save_model(path, small(), *model, &ema, {{"note", "kept"}});
  }
  TemporaryFolder folder;
  Generator rng;
  std::shared_ptr<VelocityModel> model;
  Ema ema;
  std::vector<std::vector<Real>> averaged;
  std::string path;
};

// What load_model says about the file after `change`.
template <class Change>
std::string error_after(const Saved& saved, const Change& change) {
  SafeTensors contents = load_safetensors(saved.path);
  change(contents);
  save_safetensors(saved.path, contents);
  try {
    load_model(saved.path);
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
  const LoadedModel averaged = load_model(saved.path);
  EXPECT_EQ(averaged.description, small());
  EXPECT_EQ(averaged.metadata, (Metadata{{"note", "kept"}}));
  EXPECT_EQ(numbers(*averaged.model), saved.averaged);
  const LoadedModel trained = load_model(saved.path, Weights::kTrained);
  EXPECT_EQ(numbers(*trained.model), numbers(*saved.model));
  EXPECT_NE(numbers(*trained.model), saved.averaged);
}

TEST(Checkpoint, WithoutAnAverageTheWeightsServe) {
  const Saved saved;
  save_model(saved.path, small(), *saved.model);
  EXPECT_EQ(numbers(*load_model(saved.path).model), numbers(*saved.model));
}

TEST(Checkpoint, WhatDoesNotFitIsNamed) {
  const Saved saved;
  EXPECT_THAT(error_after(saved, [](SafeTensors& c) { c.tensors.pop_back(); }), HasSubstr("has no tensor"));
  save_model(saved.path, small(), *saved.model);
  EXPECT_THAT(error_after(saved,
                          [](SafeTensors& c) {
                            find(c, "model.layers.0.weight") = Tensor::zeros({4, 20});
                          }),
              HasSubstr("tensor 'layers.0.weight' has shape [4, 20], expected [4, 19]"));
  save_model(saved.path, small(), *saved.model);
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
      ModelDescription description = small();
      description.kind = kind;
      c.metadata["model"] = to_json(description);
    };
  };
  EXPECT_THAT(error_after(saved, set("gan")), HasSubstr("model kind 'gan' is unknown"));
  EXPECT_THAT(error_after(saved, [](SafeTensors& c) { c.metadata.clear(); }), HasSubstr("not a model"));
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
  EXPECT_THROW(save_model(saved.path, small(), *saved.model, nullptr, {{"model", "mine"}}), std::invalid_argument);
  EXPECT_NO_THROW(load_model(saved.path));
}

}  // namespace
}  // namespace rill::nn
