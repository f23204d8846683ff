#include "nn/image_classifier.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "nn/checkpoint.hpp"
#include "nn/optimizer.hpp"
#include "nn/time_networks.hpp"
#include "tests/gradcheck.hpp"
#include "tests/misuse.hpp"
#include "tests/nn/parameter_gradients.hpp"
#include "tests/temporary_folder.hpp"

namespace rill::nn {
namespace {

using ::testing::Each;
using ::testing::Ge;
using ::testing::HasSubstr;
using testing_support::TemporaryFolder;

ImageClassifierDescription tiny() {
  return {.image = {5, 4, 2},
          .channels = {2, 4},
          .convolutions = 2,
          .norm_groups = 2,
          .features = 3,
          .classes = 3,
          .dropout = 0.5,
          .activation = "silu"};
}

ImageClassifier made(const ImageClassifierDescription& description) {
  Generator rng(1);
  return ImageClassifier(description, rng);
}

TEST(ImageClassifier, HasItsParameters) {
  Generator rng(1);
  const ImageClassifier network({}, rng);
  const auto stage = [](Index in, Index out) { return 9 * in * out + out + 2 * out; };
  // 28 halves to 14, 7 and 3.
  EXPECT_EQ(network.parameter_count(),
            stage(1, 32) + stage(32, 64) + stage(64, 128) + (3 * 3 * 128 * 128 + 128) + (128 * 10 + 10));
  EXPECT_EQ(network.named_parameters().front().name, "stage0_convolution0.weight");
}

// The numbers are such that no difference step changes which place of a window is the largest.
TEST(ImageClassifier, GradientsOfInputsAndParameters) {
  ImageClassifierDescription description = tiny();
  description.image = {4, 4, 1};
  Generator rng(2);
  ImageClassifier network(description, rng);
  randomize_parameters(network, 1, 3);
  const Tensor x = Tensor::randn({1, 16}, rng);
  EXPECT_EQ(network.features(x).shape(), Shape({1, 3}));
  EXPECT_EQ(network.forward(x).shape(), Shape({1, 3}));
  rill::testing::expect_gradients([&](const std::vector<Tensor>& in) { return network.forward(in[0]); }, {x});
  expect_parameter_gradients(network, [&] { return network.forward(x); });
}

TEST(ImageClassifier, FeaturesAreActivatedAndLogitsLinearInThem) {
  ImageClassifierDescription description = tiny();
  description.activation = "relu";
  Generator rng(4);
  const ImageClassifier network(description, rng);
  const Tensor x = Tensor::randn({6, 40}, rng), features = network.features(x);
  EXPECT_THAT(features.to_vector(), Each(Ge(0)));
  const NamedTensors p = network.named_parameters();
  const Tensor logits = linear(features, p[p.size() - 2].tensor, p.back().tensor);
  EXPECT_EQ(network.forward(x).to_vector(), logits.to_vector());
}

TEST(ImageClassifier, DropsFeaturesInTrainingOnly) {
  Generator rng(5), draws(6);
  const ImageClassifier network(tiny(), rng);
  const Tensor x = Tensor::randn({8, 40}, rng);
  const std::vector<Real> logits = network.forward(x).to_vector(), features = network.features(x).to_vector();
  {
    const TrainingScope training(draws);
    EXPECT_NE(network.forward(x).to_vector(), logits);
    EXPECT_EQ(network.features(x).to_vector(), features);
  }
  EXPECT_EQ(network.forward(x).to_vector(), logits);
}

// Bright upper halves against bright lower halves, in noise.
TEST(ImageClassifier, LearnsToTellTwoClassesApart) {
  Generator rng(7);
  ImageClassifier network({.image = {8, 8, 1}, .channels = {4, 8}, .norm_groups = 2, .features = 8, .classes = 2}, rng);
  const auto batch = [&](const std::vector<Index>& labels) {
    Tensor x = Tensor::randn({std::ssize(labels), 64}, rng);
    for (std::size_t n = 0; n < labels.size(); ++n) {
      Real* image = x.data() + 64 * n;
      for (Index i = 0; i < 32; ++i) image[32 * labels[n] + i] += 1;
    }
    return x;
  };
  const auto optimizer = make_optimizer({.kind = "adam", .learning_rate = 1e-2}, network.named_parameters());
  const std::vector<Index> labels = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
  for (int step = 0; step < 40; ++step) {
    cross_entropy(network.forward(batch(labels)), Indices(labels)).backward();
    optimizer->step();
    optimizer->clear_grad();
  }
  const NoGrad no_grad;
  EXPECT_LT(cross_entropy(network.forward(batch(labels)), Indices(labels)).item(), 0.1);
}

TEST(ImageClassifier, ComesBackFromAFile) {
  const TemporaryFolder folder;
  const std::string path = folder / "classifier.safetensors";
  Generator rng(8);
  const ImageClassifier network(tiny(), rng);
  save_classifier(path, network, nullptr, {{"note", "kept"}});
  const LoadedClassifier loaded = load_classifier(path);
  EXPECT_EQ(loaded.classifier->description(), tiny());
  EXPECT_EQ(loaded.metadata, (Metadata{{"note", "kept"}}));
  const Tensor x = Tensor::randn({2, 40}, rng);
  EXPECT_EQ(loaded.classifier->forward(x).to_vector(), network.forward(x).to_vector());
  try {
    load_network(path);
    ADD_FAILURE() << "a classifier passed for a model";
  } catch (const FileError& error) {
    EXPECT_THAT(error.what(), HasSubstr("not a model: its metadata has no 'model'"));
  }
  EXPECT_THAT(misuse([&] {
                save_classifier(path, network, nullptr, {{"classifier", "mine"}});
              }),
              HasSubstr("the metadata key 'classifier' is reserved"));
}

TEST(ImageClassifier, DescriptionsRoundTripThroughJson) {
  EXPECT_EQ(parse_image_classifier_description(to_json(tiny())), tiny());
  EXPECT_EQ(to_json(ImageClassifierDescription{}),
            R"({"image":{"height":28,"width":28,"channels":1},"channels":[32,64,128],"convolutions":1,"norm_groups":8,)"
            R"("features":128,"classes":10,"dropout":0.2,"activation":"relu"})");
  const auto with = [](const std::string& from, const std::string& to) {
    std::string text = to_json(ImageClassifierDescription{});
    text.replace(text.find(from), from.size(), to);
    return misuse([&] { parse_image_classifier_description(text); });
  };
  EXPECT_THAT(with("\"height\":28,", ""), HasSubstr("'image.height' is missing"));
  EXPECT_THAT(with("\"height\":28", "\"height\":2.5"), HasSubstr("'image.height' is 2.5, which has the wrong type"));
  EXPECT_THAT(with("\"height\"", "\"depth\":1,\"height\""), HasSubstr("unknown key 'image.depth'"));
  EXPECT_THAT(with("{\"height\":28,\"width\":28,\"channels\":1}", "28"),
              HasSubstr("expected a JSON object as 'image', found number"));
  EXPECT_THAT(with("0.2", "\"much\""), HasSubstr("'dropout' is \"much\""));
}

TEST(ImageClassifier, NamesWhatMakesNoNetwork) {
  const auto error = [](auto change) {
    ImageClassifierDescription description = tiny();
    change(description);
    return misuse([&] { made(description); });
  };
  EXPECT_THAT(error([](auto& d) { d.image.channels = 0; }), HasSubstr("expected sizes from 1 to"));
  EXPECT_THAT(error([](auto& d) { d.channels = {}; }), HasSubstr("no channels"));
  EXPECT_THAT(error([](auto& d) { d.channels = {2, 2, 2}; }), HasSubstr("5 x 4 cannot be halved by 3 stages"));
  EXPECT_THAT(error([](auto& d) { d.norm_groups = 3; }), HasSubstr("3 groups of 2 channels"));
  EXPECT_THAT(error([](auto& d) { d.convolutions = 0; }), HasSubstr("0 convolutions"));
  EXPECT_THAT(error([](auto& d) { d.features = 0; }), HasSubstr("features is 0"));
  EXPECT_THAT(error([](auto& d) { d.classes = 1; }), HasSubstr("1 classes"));
  EXPECT_THAT(error([](auto& d) { d.activation = "no"; }), HasSubstr("unknown activation 'no'"));
  EXPECT_THAT(misuse([] { made(tiny()).forward(Tensor::zeros({2, 39})); }), HasSubstr("[2, 39], expected [N, 40]"));
}

}  // namespace
}  // namespace rill::nn
