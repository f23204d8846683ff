#include "nn/optimizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "nn/clipping.hpp"
#include "nn/time_networks.hpp"
#include "tests/misuse.hpp"
#include "tests/nn/golden/optimizers.hpp"

namespace rill::nn {
namespace {

using testing::HasSubstr;

Tensor start() { return Tensor::from({0.5, -1, 2, 0}, {4}).set_requires_grad(); }

// The gradients of golden/optimizers.py: stiffness p + cos(k + i), times `scale`.
void set_golden_gradient(Tensor& p, int k, double scale = 1) {
  constexpr double kStiffness[] = {1, 2, 0.5, 3};
  Tensor gradient = Tensor::empty({4});
  for (int i = 0; i < 4; ++i) {
    gradient.data()[i] = static_cast<Real>(scale * (kStiffness[i] * p.data()[i] + std::cos(k + i)));
  }
  p.set_grad(gradient);
}

void expect_golden(const OptimizerDescription& description, const double (&golden)[5][4]) {
  Tensor p = start();
  const auto optimizer = make_optimizer(description, {{"p", p}});
  for (int k = 0; k < 5; ++k) {
    // Scaling gradients up and back down must change nothing.
    set_golden_gradient(p, k, 4);
    optimizer->step(0.25);
    // float: five steps of about 0.1 with gradients rounded to 1e-7, which Adam divides by their own size.
    for (int i = 0; i < 4; ++i) EXPECT_NEAR(p.data()[i], golden[k][i], sizeof(Real) == 8 ? 1e-12 : 2e-6);
  }
  EXPECT_EQ(optimizer->step_count(), 5);
}

TEST(Optimizers, AgreeWithPyTorch) {
  expect_golden({.kind = "sgd", .learning_rate = 0.1, .momentum = 0}, golden::kSgd);
  expect_golden({.kind = "sgd", .learning_rate = 0.1, .weight_decay = 0.01, .momentum = 0.9}, golden::kSgdMomentum);
  expect_golden({.kind = "sgd", .learning_rate = 0.1, .weight_decay = 0.01, .momentum = 0.9, .nesterov = true},
                golden::kSgdNesterov);
  expect_golden({.kind = "adam", .learning_rate = 0.1, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-6}, golden::kAdam);
  expect_golden(
      {.kind = "adamw", .learning_rate = 0.1, .weight_decay = 0.1, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-6},
      golden::kAdamW);
}

TEST(Optimizers, ConstantsNextToOneAreNotRoundedToIt) {
  // Whatever the betas, the first step is the learning rate, and so is each one while the gradient stays.
  for (const double beta2 : {0.9, 0.999, 0.9999999, 0.99999999, 0.999999999999}) {
    for (const double beta1 : {0., 0.9, 0.99999999}) {
      Tensor p = Tensor::zeros({3}).set_requires_grad();
      Adam adam({{"p", p}}, {.learning_rate = 0.01, .beta1 = beta1, .beta2 = beta2});
      p.set_grad(Tensor::from({1, -3, 0.5}, {3}));
      for (int t = 1; t <= 10; ++t) {
        adam.step();
        for (int i = 0; i < 3; ++i) {
          EXPECT_NEAR(p.data()[i], -0.01 * t * (i == 1 ? -1 : 1), 1e-6) << beta1 << ' ' << beta2 << " step " << t;
        }
      }
    }
  }
}

TEST(Optimizers, MomentumNextToOneDecaysAtItsRate) {
  // In float, 0.999999 would round to 1 - 9.54e-7, and the velocity after these steps be 0.9090.
  constexpr double kMomentum = 0.999999;
  constexpr int kSteps = 100'000;
  Tensor p = Tensor::zeros({1}).set_requires_grad();
  Sgd sgd({{"p", p}}, {.learning_rate = 1, .momentum = kMomentum});
  p.set_grad(Tensor::ones({1}));
  sgd.step();
  p.set_grad(Tensor::zeros({1}));
  for (int t = 0; t < kSteps; ++t) sgd.step();
  EXPECT_NEAR(sgd.state()[0].tensor.item(), std::pow(kMomentum, kSteps), 1.5e-3);  // 0.9048
}

class EveryOptimizer : public testing::TestWithParam<const char*> {
 protected:
  OptimizerDescription description() const { return {.kind = GetParam(), .learning_rate = 0.01}; }
};
INSTANTIATE_TEST_SUITE_P(Kinds, EveryOptimizer, testing::Values("sgd", "adam", "adamw"));

TEST_P(EveryOptimizer, LeavesParametersWithoutAGradientAlone) {
  Tensor p = start(), idle = start();
  const auto optimizer = make_optimizer(description(), {{"p", p}, {"idle", idle}});
  set_golden_gradient(p, 0);
  optimizer->step();
  EXPECT_NE(p.to_vector(), start().to_vector());
  EXPECT_EQ(idle.to_vector(), start().to_vector());
  optimizer->clear_grad();
  EXPECT_FALSE(p.grad().defined());
}

TEST_P(EveryOptimizer, AveragesFollowInTheSameStep) {
  const Tensor first = start();
  Tensor p = start(), idle = start();
  const NamedTensors parameters = {{"p", p}, {"idle", idle}};
  Ema ema(parameters, 0.5);
  idle.data()[0] = 3;
  const auto optimizer = make_optimizer(description(), parameters);
  set_golden_gradient(p, 0);
  optimizer->step(1, &ema);
  const double weight = 0.9;  // 1 - d of the first update, d = 1 / 10
  for (int i = 0; i < 4; ++i) {
    const double from = first.data()[i];
    EXPECT_NEAR(ema.average(0).data()[i], from + weight * (p.data()[i] - from), 1e-6) << i;
    EXPECT_NEAR(ema.average(1).data()[i], from + weight * (idle.data()[i] - from), 1e-6) << i;
  }
  EXPECT_NE(p.to_vector(), first.to_vector());
  Ema another({{"p", p}}, 0.5);
  EXPECT_THAT(misuse([&] { optimizer->step(1, &another); }), HasSubstr("an average of 1 parameters for 2"));
}

TEST_P(EveryOptimizer, ALearningRateOfZeroMovesNothing) {
  Tensor p = start();
  const auto optimizer = make_optimizer(description(), {{"p", p}});
  optimizer->set_learning_rate(0);
  set_golden_gradient(p, 0);
  optimizer->step();
  EXPECT_EQ(p.to_vector(), start().to_vector());
}

TEST_P(EveryOptimizer, ContinuesBitForBitFromItsState) {
  Tensor p = start();
  const auto whole = make_optimizer(description(), {{"p", p}});
  Tensor q;
  NamedTensors saved;
  for (int k = 0; k < 6; ++k) {
    if (k == 3) {
      q = p.clone().set_requires_grad();
      for (const auto& [name, tensor] : whole->state()) saved.push_back({name, tensor.clone()});
    }
    set_golden_gradient(p, k);
    whole->step();
  }
  const auto resumed = make_optimizer(description(), {{"p", q}});
  resumed->load_state(saved, 3, "state.safetensors");
  for (int k = 3; k < 6; ++k) {
    set_golden_gradient(q, k);
    resumed->step();
  }
  EXPECT_EQ(p.to_vector(), q.to_vector());
}

TEST_P(EveryOptimizer, TrainsASmallNetwork) {
  Generator rng(1);
  const auto model = make_time_network({.dimension = 2, .hidden = {16, 16}}, rng);
  OptimizerDescription fast = description();
  fast.learning_rate = fast.kind == "sgd" ? 0.03 : 0.01;
  const auto optimizer = make_optimizer(fast, model->named_parameters());
  // To learn: (x, y) at t -> (sin(x + t), x y).
  const auto loss_of_batch = [&](Generator& batch_rng) {
    const Tensor x = Tensor::randn({64, 2}, batch_rng), t = Tensor::rand({64}, batch_rng);
    const Tensor first = slice(x, 1, 0, 1), second = slice(x, 1, 1, 2);
    const Tensor target = concatenate({sin(first + reshape(t, {64, 1})), first * second}, 1);
    return mse_loss(model->forward(x, t), target);
  };
  const auto validation = [&] {
    const NoGrad no_grad;
    Generator fixed(2);
    return static_cast<double>(loss_of_batch(fixed).item());
  };
  const double before = validation();
  for (int step = 0; step < 400; ++step) {
    optimizer->clear_grad();
    loss_of_batch(rng).backward();
    optimizer->step(clip_scale(gradient_norm(optimizer->parameters()), 1.0));
  }
  EXPECT_GT(before, 0.5);
  EXPECT_LT(validation(), 0.15);
}

TEST(Optimizers, NameTheirState) {
  std::vector<std::string> names;
  for (const char* kind : {"adam", "sgd"}) {
    const auto optimizer = make_optimizer({.kind = kind}, {{"a.w", start()}, {"a.b", start()}});
    for (const NamedTensor& named : optimizer->state()) names.push_back(named.name);
  }
  EXPECT_THAT(names, testing::ElementsAre("adam.m.a.w", "adam.m.a.b", "adam.v.a.w", "adam.v.a.b", "sgd.momentum.a.w",
                                          "sgd.momentum.a.b"));
}

TEST(Optimizers, RefuseAStateThatDoesNotFit) {
  const auto optimizer = make_optimizer({.kind = "sgd"}, {{"p", start()}});
  const auto error = [&](const NamedTensors& state, Index steps = 1) {
    try {
      optimizer->load_state(state, steps, "run/state.safetensors");
    } catch (const FileError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_EQ(error({}), "run/state.safetensors: has no tensor 'sgd.momentum.p' of shape [4]");
  EXPECT_EQ(error({{"sgd.momentum.p", Tensor::zeros({5})}}),
            "run/state.safetensors: tensor 'sgd.momentum.p' has shape [5], expected [4]");
  EXPECT_EQ(error({{"sgd.momentum.p", Tensor::zeros({4})}, {"adam.m.p", Tensor::zeros({4})}}),
            "run/state.safetensors: unexpected tensor 'adam.m.p'");
  EXPECT_THAT(error({{"sgd.momentum.p", Tensor::zeros({4})}}, -1), HasSubstr("step count is -1"));
}

TEST(Optimizers, RefuseAStateThatNoStepCanStartFrom) {
  const auto optimizer = make_optimizer({.kind = "adam"}, {{"p", start()}});
  const auto load = [&](Real m, Real v) {
    optimizer->load_state({{"adam.m.p", Tensor::full({4}, m)}, {"adam.v.p", Tensor::full({4}, v)}}, 1, "state");
  };
  const auto refused = [&](Real m, Real v, const std::string& reason) {
    EXPECT_THAT([&] { load(m, v); }, testing::ThrowsMessage<FileError>(HasSubstr("state: tensor '" + reason)));
    EXPECT_EQ(optimizer->step_count(), 0);
  };
  const Real nan = std::numeric_limits<Real>::quiet_NaN(), infinity = std::numeric_limits<Real>::infinity();
  refused(nan, 0, "adam.m.p' holds nan");
  refused(0, infinity, "adam.v.p' holds inf");
  refused(0, -1, "adam.v.p', the means of squares, holds a negative number");
  load(-1, 0);
  EXPECT_EQ(optimizer->step_count(), 1);
}

TEST(Optimizers, RefuseConstantsOutOfRange) {
  const auto error = [](const OptimizerDescription& description) {
    try {
      make_optimizer(description, {});
    } catch (const std::invalid_argument& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_THAT(error({.kind = "lion"}), HasSubstr("unknown optimizer 'lion'; known: adam, adamw, sgd"));
  EXPECT_THAT(error({.kind = "adam", .weight_decay = 0.1}), HasSubstr("use adamw for weight decay"));
  EXPECT_THAT(error({.learning_rate = -1}), HasSubstr("learning_rate is -1"));
  EXPECT_THAT(error({.learning_rate = std::nan("")}), HasSubstr("learning_rate is nan"));
  EXPECT_THAT(error({.kind = "adamw", .weight_decay = -1}), HasSubstr("weight_decay is -1"));
  EXPECT_THAT(error({.kind = "sgd", .momentum = 1}), HasSubstr("momentum is 1"));
  EXPECT_THAT(error({.beta1 = 1}), HasSubstr("beta1 is 1"));
  EXPECT_THAT(error({.beta2 = -0.1}), HasSubstr("beta2 is -0.1"));
  EXPECT_THAT(error({.epsilon = -1}), HasSubstr("epsilon is -1"));
  EXPECT_THAT(error({.epsilon = 0}), HasSubstr("epsilon is 0, expected a number > 0"));
  EXPECT_THAT(error({.epsilon = 1e-320 / 1e10}), HasSubstr("expected a number > 0"));
}

TEST(Optimizers, RefuseRatesAndScalesThatAreNoNumbers) {
  Tensor x = Tensor::ones({2}).set_requires_grad();
  const auto optimizer = make_optimizer({}, {{"x", x}});
  for (const double value : {-1., std::nan(""), HUGE_VAL}) {
    EXPECT_THROW(optimizer->set_learning_rate(value), std::invalid_argument) << value;
  }
  x.set_grad(Tensor::ones({2}));
  for (const double value : {std::nan(""), HUGE_VAL}) {
    EXPECT_THROW(optimizer->step(value), std::invalid_argument) << value;
  }
  EXPECT_EQ(optimizer->step_count(), 0);
  EXPECT_EQ(x.to_vector(), std::vector<Real>({1, 1}));
}

TEST(GradientNorm, IsTheLengthOfAllGradientsTogether) {
  Tensor a = Tensor::zeros({2}).set_requires_grad(), b = Tensor::zeros({1, 2}).set_requires_grad();
  Tensor idle = Tensor::zeros({3}).set_requires_grad();
  const NamedTensors parameters = {{"a", a}, {"idle", idle}, {"b", b}};
  EXPECT_EQ(gradient_norm(parameters), 0);
  a.set_grad(Tensor::from({1, -2}, {2}));
  b.set_grad(Tensor::from({4, 2}, {1, 2}));
  EXPECT_DOUBLE_EQ(gradient_norm(parameters), 5);
  b.set_grad(Tensor::from({4, std::numeric_limits<Real>::quiet_NaN()}, {1, 2}));
  EXPECT_TRUE(std::isnan(gradient_norm(parameters)));
}

TEST(GradientNorm, StaysAccurateOverManyNumbers) {
  constexpr Index kCount = 100'003;  // several pieces, the last one odd
  Tensor p = Tensor::zeros({kCount}).set_requires_grad();
  p.set_grad(Tensor::full({kCount}, 0.5));
  EXPECT_NEAR(gradient_norm({{"p", p}}), 0.5 * std::sqrt(double{kCount}), 1e-4);
}

TEST(GradientNorm, OfLargeGradientsIsFiniteAndClippingKeepsTheirDirection) {
  for (const double scale : {1e-30, 1e-19, 1e19, 1e30}) {
    Tensor p = Tensor::zeros({2}).set_requires_grad();
    p.set_grad(Tensor::from({static_cast<Real>(3 * scale), static_cast<Real>(4 * scale)}, {2}));
    const double norm = gradient_norm({{"p", p}});
    EXPECT_NEAR(norm / scale, 5, 1e-6) << scale;
    Sgd sgd({{"p", p}}, {.learning_rate = 1, .momentum = 0});
    sgd.step(clip_scale(norm, norm / 5));
    EXPECT_NEAR(static_cast<double>(p.data()[0]) / scale, -3. / 5, 1e-6) << scale;
    EXPECT_NEAR(static_cast<double>(p.data()[1]) / scale, -4. / 5, 1e-6) << scale;
  }
}

// A scale below the smallest normal number of Real has lost digits, or is 0.
TEST_P(EveryOptimizer, StepsAlongTheLargestGradientsThatThereAre) {
  const double largest = std::numeric_limits<Real>::max();
  Tensor p = Tensor::zeros({2}).set_requires_grad(), q = Tensor::zeros({2}).set_requires_grad();
  p.set_grad(Tensor::full({2}, largest / 2));
  q.set_grad(Tensor::full({2}, 1e-7 / std::sqrt(2)));
  const auto clipped = make_optimizer(description(), {{"p", p}}), plain = make_optimizer(description(), {{"q", q}});
  const double scale = clip_scale(gradient_norm({{"p", p}}), 1e-7);
  EXPECT_GT(scale, 0);
  EXPECT_LT(scale, std::numeric_limits<Real>::min());
  clipped->step(scale);
  plain->step();
  EXPECT_NEAR(p.data()[0] / q.data()[0], 1, 1e-5);
}

TEST(Adam, GradientsWhoseSquareIsBeyondARealMakeNoNan) {
  Tensor p = Tensor::ones({20}).set_requires_grad();
  const auto adam = make_optimizer({.kind = "adam"}, {{"p", p}});
  for (const double size : {1., 1e-3 * static_cast<double>(std::numeric_limits<Real>::max()), 1., 1.}) {
    p.set_grad(Tensor::full({20}, size));
    adam->step();
    for (const Real value : p.values()) ASSERT_TRUE(std::isfinite(value)) << size;
  }
}

TEST(ClipScale, RefusesNormsThatNoStepCanBeMadeOf) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_THAT(misuse([&] { clip_scale(infinity, 1); }), HasSubstr("the norm is inf"));
  EXPECT_THAT(misuse([&] { clip_scale(std::nan(""), 1); }), HasSubstr("the norm is nan"));
  EXPECT_EQ(clip_scale(1e300, 1e-5), 1e-305);
  EXPECT_EQ(clip_scale(1e-320, 1e-310), 1);
}

TEST(GradientNorm, CountsABufferThatIsListedTwiceOnce) {
  Tensor p = Tensor::zeros({2}).set_requires_grad();
  p.set_grad(Tensor::from({3, 4}, {2}));
  EXPECT_DOUBLE_EQ(gradient_norm({{"a", p}, {"b", p}}), 5);
}

TEST(ClipScale, BringsLongGradientsDownToTheLimitOnly) {
  EXPECT_EQ(clip_scale(0.5, 1), 1);
  EXPECT_EQ(clip_scale(1, 1), 1);
  EXPECT_EQ(clip_scale(4, 1), 0.25);
  EXPECT_EQ(clip_scale(0, 1), 1);
  EXPECT_EQ(clip_scale(1e30, std::numeric_limits<double>::infinity()), 1);
  EXPECT_THROW(clip_scale(1, 0), std::invalid_argument);
}

}  // namespace
}  // namespace rill::nn
