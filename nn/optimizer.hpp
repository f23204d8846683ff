// Optimizers: update parameters in place from the gradients of backward().
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/description.hpp"
#include "nn/ema.hpp"
#include "nn/named_tensor.hpp"

namespace rill::nn {

/// The optimizers: adam, adamw, sgd.
std::vector<std::string> optimizer_names();

/// An optimizer's kind and hyperparameters. Those of other kinds are ignored.
struct OptimizerDescription {
  std::string kind = "adam";    ///< sgd, adam or adamw
  double learning_rate = 1e-3;  ///< initial; see set_learning_rate()
  double weight_decay = 0;      ///< sgd and adamw
  double momentum = 0.9;        ///< sgd
  bool nesterov = false;        ///< sgd
  double beta1 = 0.9;           ///< adam, adamw: decay of the mean of the gradients
  double beta2 = 0.999;         ///< adam, adamw: decay of the mean of their squares
  double epsilon = 1e-8;        ///< adam, adamw: > 0, also when rounded to a Real

  /// All fields but the learning rate, which training takes from its schedule.
  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    const auto only = [&](std::vector<const char*> kinds) { return Only{"optimizer", self.kind, std::move(kinds)}; };
    visit("optimizer", self.kind, {.unit = "NAME", .names = optimizer_names, .summary = "{}"});
    visit("weight_decay", self.weight_decay,
          {.unit = "RATE", .help = "weight decay toward 0", .only = only({"adamw", "sgd"})});
    visit("momentum", self.momentum, {.unit = "SHARE", .help = "momentum", .only = only({"sgd"})});
    visit("nesterov", self.nesterov, {.help = "use Nesterov momentum", .only = only({"sgd"})});
    visit("beta1", self.beta1,
          {.unit = "SHARE", .help = "decay of the mean of gradients", .only = only({"adam", "adamw"})});
    visit("beta2", self.beta2,
          {.unit = "SHARE", .help = "decay of the mean of squared gradients", .only = only({"adam", "adamw"})});
    visit("epsilon", self.epsilon,
          {.unit = "NUMBER", .help = "added to the root of that mean", .only = only({"adam", "adamw"})});
  }
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Updates every parameter that has a gradient. Gradients are multiplied by `gradient_scale`, which clips them
  /// without rewriting them: see clip_scale(). The average, if given, is updated with the new values in the same pass
  /// over memory. Throws std::invalid_argument, before anything changes, unless it is an average of the same
  /// parameters.
  void step(double gradient_scale = 1, Ema* ema = nullptr);
  /// Clears the gradients.
  void clear_grad();

  /// Throws std::invalid_argument unless it is a number >= 0.
  void set_learning_rate(double value);
  double learning_rate() const { return learning_rate_; }
  Index step_count() const { return step_count_; }
  /// The parameters, each once.
  const NamedTensors& parameters() const& { return parameters_; }
  const NamedTensors& parameters() const&& = delete;

  /// The state besides step_count(): buffers named "<kind>.<buffer>.<parameter>", such as "adam.m.layers.0.weight". The
  /// tensors share the optimizer's memory.
  NamedTensors state() const;
  /// Continues from a saved state(). Throws FileError, which names `file` and the tensor, before anything changes, if
  /// names or shapes differ, a number is NaN or infinite, or one of Adam's mean squares is negative.
  void load_state(const NamedTensors& state, Index step_count, const std::string& file);

 protected:
  /// Makes one buffer of zeros per parameter for each name. A parameter that is listed twice counts once; throws
  /// std::invalid_argument as distinct() does (nn/named_tensor.hpp).
  Optimizer(const NamedTensors& parameters, double learning_rate, std::vector<std::string> buffer_names);
  /// The update of a moving average: average += weight (parameter - average). Null data for none.
  struct Average {
    Real* data;
    Real weight;
  };
  /// Updates parameter i and its average.
  virtual void update(std::size_t i, const Tensor& gradient, double gradient_scale, const Average& average) = 0;

  /// Throws FileError unless this saved state, whose numbers are finite, is valid.
  virtual void check_state(const NamedTensors&, const std::string& /*file*/) const {}

  Tensor& parameter(std::size_t i) { return parameters_[i].tensor; }
  Tensor& buffer(std::size_t name, std::size_t i) { return buffers_[name][i]; }

 private:
  NamedTensors parameters_;
  std::vector<std::string> buffer_names_;
  std::vector<std::vector<Tensor>> buffers_;  // [name][parameter]
  double learning_rate_;
  Index step_count_ = 0;
};

/// Stochastic gradient descent with momentum, as PyTorch defines it. With g the gradient plus weight_decay p:
///   b = momentum b + g,    p = p - learning_rate (nesterov ? g + momentum b : b)
class Sgd : public Optimizer {
 public:
  Sgd(const NamedTensors& parameters, const OptimizerDescription& description);

 private:
  void update(std::size_t i, const Tensor& gradient, double gradient_scale, const Average& average) override;
  double momentum_, weight_decay_;
  bool nesterov_;
};

/// Adam (Kingma and Ba 2015) with decoupled weight decay (AdamW, Loshchilov and Hutter 2019). With g the gradient and
/// t = 1, 2, ... the step:
///   m = beta1 m + (1 - beta1) g,    v = beta2 v + (1 - beta2) g^2
///   p = (1 - learning_rate weight_decay) p - learning_rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
class Adam : public Optimizer {
 public:
  Adam(const NamedTensors& parameters, const OptimizerDescription& description);

 private:
  void update(std::size_t i, const Tensor& gradient, double gradient_scale, const Average& average) override;
  void check_state(const NamedTensors& state, const std::string& file) const override;
  double beta1_, beta2_, epsilon_, weight_decay_;
};

/// The optimizer of that description. Throws std::invalid_argument, naming the field, for an unknown kind, a constant
/// out of its range, weight decay with "adam" (use "adamw"), and parameters that distinct() rejects.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerDescription& description, const NamedTensors& parameters);

}  // namespace rill::nn
