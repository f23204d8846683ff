#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "nn/residual_mlp.hpp"
#include "nn/time_networks.hpp"
#include "tests/gradcheck.hpp"
#include "tests/misuse.hpp"
#include "tests/nn/parameter_gradients.hpp"

namespace rill::nn {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TimeNetworkDescription annulus() {
  return {.kind = "mlp", .dimension = 2, .hidden = {64, 64, 64}, .activation = "elu", .time_embedding = "plain"};
}

// Every kind for points, small, with every part in use.
std::vector<TimeNetworkDescription> small_models() {
  std::vector<TimeNetworkDescription> all;
  for (const std::string& kind : time_network_names()) {
    TimeNetworkDescription description{.kind = kind,
                                       .dimension = 3,
                                       .hidden = {6, 6},
                                       .activation = "silu",
                                       .time_embedding = "fourier",
                                       .time_frequencies = 2,
                                       .classes = 2};
    if (!description.sees_images()) all.push_back(description);
  }
  return all;
}

TEST(TimeMlp, TheAnnulusNetworkHasItsLayersAndNames) {
  Generator rng(1);
  const auto model = make_time_network(annulus(), rng);
  EXPECT_EQ(model->parameter_count(), (3 * 64 + 64) + 2 * (64 * 64 + 64) + (64 * 2 + 2));
  std::vector<std::string> names;
  for (const auto& [name, tensor] : model->named_parameters()) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias",
                                 "layers.4.weight", "layers.4.bias", "layers.6.weight", "layers.6.bias"));
}

TEST(TimeMlp, IsLinearLayersOfTimeThenPoint) {
  Generator rng(2);
  TimeNetworkDescription description = annulus();
  description.hidden = {4};
  description.activation = "relu";
  const auto model = make_time_network(description, rng);
  const std::vector<Tensor> p = model->parameters();
  const Tensor x = Tensor::from({0.5, -1, 2, 0.25}, {2, 2}), t = Tensor::from({0.1, 0.9}, {2});
  const Tensor input = Tensor::from({0.1, 0.5, -1, 0.9, 2, 0.25}, {2, 3});
  const Tensor expected = linear(relu(linear(input, p[0], p[1])), p[2], p[3]);
  EXPECT_EQ(model->forward(x, t).to_vector(), expected.to_vector());
}

TEST(Models, AreTheSameForTheSameSeed) {
  for (const TimeNetworkDescription& description : small_models()) {
    Generator first(3), second(3), other(4);
    const auto a = make_time_network(description, first), b = make_time_network(description, second),
               c = make_time_network(description, other);
    bool differs = false;
    for (std::size_t i = 0; i < a->parameters().size(); ++i) {
      EXPECT_EQ(a->parameters()[i].to_vector(), b->parameters()[i].to_vector());
      differs |= a->parameters()[i].to_vector() != c->parameters()[i].to_vector();
    }
    EXPECT_TRUE(differs);
  }
}

TEST(Models, GradientsOfInputsAndParameters) {
  for (const TimeNetworkDescription& description : small_models()) {
    SCOPED_TRACE(description.kind);
    Generator rng(5);
    const auto model = make_time_network(description, rng);
    randomize_parameters(*model, 0.4, 6);
    const Tensor x = Tensor::randn({4, 3}, rng), t = Tensor::rand({4}, rng);
    const Indices labels({0, 1, 2, 0});
    rill::testing::expect_gradients(
        [&](const std::vector<Tensor>& inputs) { return model->forward(inputs[0], inputs[1], labels); }, {x, t});
    expect_parameter_gradients(*model, [&] { return model->forward(x, t, labels); });
  }
}

TEST(Models, LabelsMatterAndNoLabelsMeanNoClass) {
  for (const TimeNetworkDescription& description : small_models()) {
    SCOPED_TRACE(description.kind);
    Generator rng(7);
    const auto model = make_time_network(description, rng);
    randomize_parameters(*model, 0.4, 8);
    const Tensor x = Tensor::randn({2, 3}, rng), t = Tensor::rand({2}, rng);
    const std::vector<Real> none = model->forward(x, t).to_vector();
    EXPECT_EQ(none, model->forward(x, t, Indices({2, 2})).to_vector());
    const std::vector<Real> mixed = model->forward(x, t, Indices({2, 0})).to_vector();
    EXPECT_EQ(std::vector<Real>(mixed.begin(), mixed.begin() + 3), std::vector<Real>(none.begin(), none.begin() + 3));
    for (std::size_t i = 3; i < 6; ++i) EXPECT_NE(mixed[i], none[i]);
  }
}

TEST(Models, APointDoesNotDependOnTheRestOfTheBatch) {
  for (const TimeNetworkDescription& description : small_models()) {
    Generator rng(9);
    const auto model = make_time_network(description, rng);
    randomize_parameters(*model, 0.4, 10);
    const Tensor x = Tensor::randn({7, 3}, rng), t = Tensor::rand({7}, rng);
    const Tensor all = model->forward(x, t);
    const Tensor one = model->forward(slice(x, 0, 4, 5), slice(t, 0, 4, 5));
    for (Index c = 0; c < 3; ++c) EXPECT_NEAR(one.data()[c], all.data()[4 * 3 + c], 1e-5);
  }
}

TEST(Models, RefuseInputsOfOtherShapes) {
  for (const TimeNetworkDescription& description : small_models()) {
    Generator rng(11);
    const auto model = make_time_network(description, rng);
    const Tensor x = Tensor::zeros({2, 3}), t = Tensor::zeros({2});
    EXPECT_THAT(misuse([&] { model->forward(Tensor::zeros({2, 4}), t); }), HasSubstr("[2, 4], expected [N, 3]"));
    EXPECT_THAT(misuse([&] { model->forward(x, Tensor::zeros({2, 1})); }), HasSubstr("t has shape [2, 1]"));
    EXPECT_THAT(misuse([&] { model->forward(x, Tensor::zeros({3})); }), HasSubstr("expected [2]"));
    EXPECT_THAT(misuse([&] { model->forward(x, t, Indices({0})); }), HasSubstr("1 labels for 2 points"));
    EXPECT_THAT(misuse([&] { model->forward(x, t, Indices({0, 3})); }), HasSubstr("label 3, expected 0 to 1, or 2"));
    EXPECT_THAT(misuse([&] { model->forward(x, t, Indices({-1, 0})); }), HasSubstr("label -1"));
  }
  Generator rng(12);
  const auto unconditional = make_time_network(annulus(), rng);
  EXPECT_THAT(misuse([&] {
                unconditional->forward(Tensor::zeros({1, 2}), Tensor::zeros({1}), Indices({0}));
              }),
              HasSubstr("without classes"));
}

TEST(ResidualMlp, StartsAtZeroVelocity) {
  Generator rng(13);
  const auto model = make_time_network(small_models()[1], rng);
  EXPECT_THAT(model->forward(Tensor::randn({4, 3}, rng), Tensor::rand({4}, rng)).to_vector(), Each(0));
}

TEST(ResidualMlp, RmsNormGivesRowsAMeanSquareOfOne) {
  const Tensor y = rms_norm(Tensor::from({3, 4, 0, 0, -300, 400}, {3, 2}));
  const double unit = std::sqrt(12.5);
  const double expected[] = {3 / unit, 4 / unit, 0, 0, -3 / unit, 4 / unit};
  for (Index i = 0; i < 6; ++i) EXPECT_NEAR(y.data()[i], expected[i], 1e-6);
}

TEST(TimeNetworkDescription, RoundTripsThroughJson) {
  for (const TimeNetworkDescription& description : small_models()) {
    EXPECT_EQ(parse_time_network_description(to_json(description)), description);
  }
  EXPECT_EQ(to_json(annulus()),
            R"({"kind":"mlp","dimension":2,"hidden":[64,64,64],"activation":"elu","time_embedding":"plain",)"
            R"("time_frequencies":8,"classes":0})");
}

TEST(TimeNetworkDescription, OnlyImageModelsDescribeImages) {
  TimeNetworkDescription unet{.kind = "unet", .dimension = 192, .image = {12, 8, 2}};
  unet.unet = {.base_channels = 16,
               .multipliers = {1, 2, 3},
               .blocks = 2,
               .attention = {1, 2},
               .heads = 3,
               .head_channels = 4,
               .norm_groups = 8,
               .dropout = 0.1,
               .scale_shift = true,
               .patch = 2,
               .no_class = false};
  EXPECT_EQ(parse_time_network_description(to_json(unet)), unet);
  EXPECT_EQ(to_json(unet), R"({"kind":"unet","dimension":192,"activation":"silu","time_embedding":"plain",)"
                           R"("time_frequencies":8,"classes":0,)"
                           R"("image":{"height":12,"width":8,"channels":2},)"
                           R"("unet":{"base_channels":16,"multipliers":[1,2,3],"blocks":2,"attention":[1,2],"heads":3,)"
                           R"("head_channels":4,"norm_groups":8,"dropout":0.1,"scale_shift":true,"patch":2,)"
                           R"("no_class":false}})");
  TimeNetworkDescription dit{.kind = "dit", .dimension = 784};
  dit.dit = {.patch = 2, .width = 64, .blocks = 3, .heads = 2, .mlp_ratio = 3};
  EXPECT_EQ(parse_time_network_description(to_json(dit)), dit);
  EXPECT_EQ(to_json(dit), R"({"kind":"dit","dimension":784,"time_embedding":"plain","time_frequencies":8,)"
                          R"("classes":0,"image":{"height":28,"width":28,"channels":1},)"
                          R"("dit":{"patch":2,"width":64,"blocks":3,"heads":2,"mlp_ratio":3}})");
  std::string text = to_json(dit);
  text.replace(text.find("\"width\":64"), 10, "\"width\":true");
  EXPECT_THAT(misuse([&] { parse_time_network_description(text); }),
              HasSubstr("'dit.width' is true, which has the wrong type"));
}

TEST(TimeNetworkDescription, BrokenTextIsRefusedWithTheKey) {
  const std::string good = to_json(annulus());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return misuse([&] { parse_time_network_description(text); });
  };
  EXPECT_THAT(with("}", ""), HasSubstr("not valid JSON"));
  EXPECT_THAT(misuse([] { parse_time_network_description("[]"); }), HasSubstr("expected a JSON object"));
  EXPECT_THAT(with("\"kind\":\"mlp\",", ""), HasSubstr("'kind' is missing"));
  EXPECT_THAT(with("\"kind\":\"mlp\"", "\"kind\":1"), HasSubstr("'kind' is 1, which has the wrong type"));
  EXPECT_THAT(with("\"dimension\":2", "\"dimension\":2.5"), HasSubstr("'dimension' is 2.5"));
  EXPECT_THAT(with("[64,64,64]", "[64,true]"), HasSubstr("'hidden' is [64,true]"));
  EXPECT_THAT(with("\"classes\":0", "\"classes\":0,\"depth\":3"), HasSubstr("unknown key 'depth'"));
}

TEST(MakeTimeNetwork, NamesWhatMakesNoNetwork) {
  const auto error = [](auto change) {
    TimeNetworkDescription description = small_models()[1];
    change(description);
    return misuse([&] {
      Generator rng(1);
      make_time_network(description, rng);
    });
  };
  EXPECT_THAT(error([](auto& d) { d.kind = "gan"; }), HasSubstr("unknown network 'gan'; known: mlp, residual-mlp, "));
  EXPECT_THAT(error([](auto& d) { d.activation = "no"; }), HasSubstr("unknown activation 'no'"));
  EXPECT_THAT(error([](auto& d) { d.time_embedding = "no"; }), HasSubstr("unknown time embedding 'no'"));
  EXPECT_THAT(error([](auto& d) { d.dimension = 0; }), HasSubstr("dimension is 0"));
  EXPECT_THAT(error([](auto& d) { d.classes = -1; }), HasSubstr("-1 classes"));
  EXPECT_THAT(error([](auto& d) { d.hidden = {}; }), HasSubstr("no hidden sizes"));
  EXPECT_THAT(error([](auto& d) { d.hidden = {8, 9}; }), HasSubstr("must be positive and equal"));
  EXPECT_THAT(error([](auto& d) { d.kind = "mlp", d.hidden = {0}; }), HasSubstr("hidden layer of size 0"));
}

}  // namespace
}  // namespace rill::nn
