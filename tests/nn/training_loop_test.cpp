#include "nn/training_loop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "nn/safetensors.hpp"
#include "tests/misuse.hpp"
#include "tests/temporary_folder.hpp"

namespace rill::nn {
namespace {

using testing::HasSubstr;
using testing_support::TemporaryFolder;

// Trains p, which starts at 3, by whatever loss it is given.
class Loop : public TrainingLoop {
 public:
  using Loss = std::function<Tensor(const Tensor& p, Index step)>;
  explicit Loop(Loss loss, TrainingOptions options = plain())
      : Loop(Tensor::full({1}, 3).set_requires_grad(), std::move(loss), options) {}
  Loop(const Tensor& parameter, Loss loss, const TrainingOptions& options)
      : TrainingLoop({{"p", parameter}}, options), p(parameter), loss_(std::move(loss)) {}

  static TrainingOptions plain() {
    TrainingOptions options;
    options.optimizer = {.kind = "sgd", .momentum = 0};
    options.learning_rate.peak = 0.25;
    options.ema_decay = 0.5;
    return options;
  }

  Tensor p;

 private:
  Tensor loss(Index step) override { return loss_(p, step); }
  Loss loss_;
};

Tensor parabola(const Tensor& p, Index) { return sum(square(p)); }

TEST(TrainingLoop, SeesNothingOfGradientsFromBefore) {
  Loop clean(parabola), dirty(parabola);
  dirty.p.set_grad(Tensor::full({1}, 100));
  clean.step();
  dirty.step();
  EXPECT_EQ(dirty.p.item(), clean.p.item());
  dirty.p.set_grad(Tensor::full({1}, std::numeric_limits<double>::quiet_NaN()));  // between two steps
  clean.step();
  dirty.step();
  EXPECT_EQ(dirty.p.item(), clean.p.item());
}

// A step that failed has changed nothing: the next good one does what it would have done.
TEST(TrainingLoop, GoesOnAfterAStepThatFailed) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  bool fails = true;
  const std::pair<const char*, Loop::Loss> failures[] = {
      {"the loss is NaN", [&](const Tensor& p, Index) { return sum(square(p)) * nan; }},
      {"the loss is infinite", [&](const Tensor& p, Index) { return sum(square(p)) * infinity; }},
      {"only the gradient is infinite", [&](const Tensor& p, Index) { return sum(sqrt(p - 3)); }},
      {"loss() throws, having walked back",
       [&](const Tensor& p, Index) -> Tensor {
         sum(square(p) * 1e6).backward();
         throw std::runtime_error("no data");
       }},
      {"the loss is no scalar", [&](const Tensor& p, Index) {
         return concatenate({p, p}, 0);
       }}};
  for (const auto& [name, failure] : failures) {
    Loop good(parabola);
    Loop loop(
        [&, &failing = failure](const Tensor& p, Index step) { return fails ? failing(p, step) : parabola(p, step); });
    fails = true;
    EXPECT_ANY_THROW(loop.step()) << name;
    EXPECT_ANY_THROW(loop.step()) << name;
    EXPECT_EQ(loop.steps_done(), 0) << name;
    EXPECT_EQ(loop.p.item(), 3) << name;
    fails = false;
    for (int i = 0; i < 3; ++i) {
      const StepReport expected = good.step(), report = loop.step();
      EXPECT_EQ(report.loss, expected.loss) << name;
      EXPECT_EQ(report.gradient_norm, expected.gradient_norm) << name;
    }
    EXPECT_EQ(loop.p.item(), good.p.item()) << name;
    EXPECT_EQ(loop.ema()->averages()[0].tensor.item(), good.ema()->averages()[0].tensor.item()) << name;
    EXPECT_EQ(loop.take_mean_loss(), good.take_mean_loss()) << name;
  }
}

TEST(TrainingLoop, KeepsItsOwnMetadataAndTheCallersApart) {
  const TemporaryFolder folder;
  const Loop loop(parabola);
  for (const char* key : {"step", "loss_sum", "loss_count"}) {
    EXPECT_THAT(misuse([&] {
                  loop.save(folder / "state", {{key, "mine"}});
                }),
                HasSubstr(concat("the metadata key '", key, "' is reserved")));
  }
  const std::map<std::string, std::string> metadata = {{"note", "kept"}};
  loop.save(folder / "state", metadata);
  Loop other(parabola);
  EXPECT_EQ(other.load(folder / "state"), metadata);
}

TEST(TrainingLoop, RefusesAStateThatNoStepCanStartFrom) {
  const TemporaryFolder folder;
  TrainingOptions options = Loop::plain();
  options.optimizer = {.kind = "adam"};
  Loop loop(parabola, options);
  loop.step();
  loop.save(folder / "state");
  const auto refused = [&](const std::function<void(SafeTensors&)>& forge, const std::string& reason) {
    SafeTensors contents = load_safetensors(folder / "state");
    forge(contents);
    save_safetensors(folder / "forged", contents);  // with a checksum of its own
    Loop other(parabola, options);
    EXPECT_THAT([&] { other.load(folder / "forged"); },
                testing::ThrowsMessage<FileError>(testing::AllOf(HasSubstr(folder / "forged"), HasSubstr(reason))));
    EXPECT_EQ(other.p.item(), 3) << reason;
    EXPECT_EQ(other.ema()->averages()[0].tensor.item(), 3) << reason;
    EXPECT_EQ(other.steps_done(), 0) << reason;
    EXPECT_TRUE(std::isnan(other.take_mean_loss())) << reason;
  };
  for (const char* name : {"model.p", "ema.p", "optimizer.adam.m.p", "optimizer.adam.v.p"}) {
    refused(
        [&](SafeTensors& contents) {
          std::erase_if(contents.tensors, [&](const NamedTensor& named) { return named.name == name; });
        },
        "has no tensor");
    for (const double value : {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
      refused(
          [&](SafeTensors& contents) {
            for (NamedTensor& named : contents.tensors) {
              if (named.name == name) named.tensor.data()[0] = static_cast<Real>(value);
            }
          },
          concat("tensor '", name, "' holds ", value));
    }
  }
  for (const auto& [key, value, reason] :
       std::vector<std::array<const char*, 3>>{{"loss_sum", "nan", "'loss_sum' is nan, expected a finite number"},
                                               {"loss_sum", "-inf", "'loss_sum' is -inf, expected a finite number"},
                                               {"loss_count", "-1", "1 steps and -1 losses"},
                                               {"loss_count", "2", "1 steps and 2 losses"},
                                               {"step", "-1", "-1 steps"}}) {
    refused([&, &key = key, &value = value](SafeTensors& contents) { contents.metadata[key] = value; }, reason);
  }
  loop.load(folder / "state");
}

}  // namespace
}  // namespace rill::nn
