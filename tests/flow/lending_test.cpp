// Functions that return a reference to a member cannot be called on a temporary.
#include <gtest/gtest.h>

#include <concepts>
#include <utility>

#include "datasets/data.hpp"
#include "flow/model/flow_matching.hpp"
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
static_assert(Lends<AffinePath&> && !Lends<AffinePath>);
static_assert(Lends<ExampleMaker&> && !Lends<ExampleMaker>);
static_assert(Lends<BrownianPath&> && !Lends<BrownianPath>);
static_assert(LendsItsDescription<FlowMatching&> && !LendsItsDescription<FlowMatching>);
static_assert(LendsItsDescription<datasets::Data&> && !LendsItsDescription<datasets::Data>);
static_assert(LendsItsDescription<nn::ImageClassifier&> && !LendsItsDescription<nn::ImageClassifier>);

TEST(Lending, IsDecidedWhenCompiling) { SUCCEED(); }

}  // namespace
}  // namespace rill::flow
