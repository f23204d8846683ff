// What lends a part of itself cannot be called on a temporary, and what keeps a model that must outlive it does not
// take one.
#include <gtest/gtest.h>

#include <concepts>
#include <memory>
#include <utility>
#include <vector>

#include "flow/model/generate.hpp"
#include "flow/model/guidance.hpp"
#include "flow/model/interpolation.hpp"
#include "flow/model/scheduler_change.hpp"
#include "flow/model/trainer.hpp"
#include "flow/path/example.hpp"
#include "flow/path/path.hpp"
#include "flow/solver/brownian.hpp"
#include "nn/ema.hpp"
#include "nn/image_classifier.hpp"
#include "nn/optimizer.hpp"
#include "nn/training_loop.hpp"

namespace rill::flow {
namespace {

template <class T>
concept Lends = requires(T&& x) {
  std::forward<T>(x).averages();
}
|| requires(T&& x) { std::forward<T>(x).average(0); }
|| requires(T&& x) { std::forward<T>(x).parameters(); }
|| requires(T&& x) { std::forward<T>(x).ema(); }
|| requires(T&& x) { std::forward<T>(x).options(); }
|| requires(T&& x) { std::forward<T>(x).examples(); }
|| requires(T&& x) { std::forward<T>(x).scheduler(); }
|| requires(T&& x) { std::forward<T>(x).path(); }
|| requires(T&& x) { std::forward<T>(x).shape(); };

template <class T>
concept LendsItsDescription = requires(T&& x) {
  std::forward<T>(x).description();
};

static_assert(Lends<nn::Ema&> && !Lends<nn::Ema>);
static_assert(Lends<nn::Optimizer&> && !Lends<nn::Optimizer>);
static_assert(Lends<nn::TrainingLoop&> && !Lends<nn::TrainingLoop>);
static_assert(Lends<Trainer&> && !Lends<Trainer>);
static_assert(Lends<AffinePath&> && !Lends<AffinePath>);
static_assert(Lends<ExampleMaker&> && !Lends<ExampleMaker>);
static_assert(Lends<BrownianPath&> && !Lends<BrownianPath>);
static_assert(LendsItsDescription<nn::ImageClassifier&> && !LendsItsDescription<nn::ImageClassifier>);

template <class Model>
concept CanBeKept = requires(Model&& model) {
  GuidedModel(std::forward<Model>(model), 1.0);
}
|| requires(Model&& model) { velocity_of(std::forward<Model>(model)); }
|| requires(Model&& model) { ClassMixtures(std::forward<Model>(model), std::vector<ClassMixture>()); }
|| requires(Model&& model, std::shared_ptr<const Scheduler> s) { RescheduledModel(std::forward<Model>(model), s, s); };
static_assert(CanBeKept<nn::VelocityModel&> && CanBeKept<const nn::VelocityModel&>);
static_assert(!CanBeKept<nn::VelocityModel> && !CanBeKept<GuidedModel>);

TEST(Lending, IsDecidedWhenCompiling) { SUCCEED(); }

}  // namespace
}  // namespace rill::flow
