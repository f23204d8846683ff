#include "nn/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/names.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/simd/kernels.hpp"

namespace rill::nn {
namespace {

constexpr Index kGrain = 1 << 15;  // numbers that take some 10 microseconds to update

void check_fraction(const char* field, double value) {
  require(0 <= value && value < 1, "optimizer: ", field, " is ", value, ", expected 0 <= ", field, " < 1");
}

void check_not_negative(const char* field, double value) {
  require(value >= 0 && std::isfinite(value), "optimizer: ", field, " is ", value, ", expected a number >= 0");
}

}  // namespace

Optimizer::Optimizer(const NamedTensors& parameters, double learning_rate, std::vector<std::string> buffer_names)
    : parameters_(distinct("optimizer", parameters)),
      buffer_names_(std::move(buffer_names)),
      learning_rate_(learning_rate) {
  check_not_negative("learning_rate", learning_rate);
  buffers_.resize(buffer_names_.size());
  for (std::vector<Tensor>& buffers : buffers_) {
    for (const NamedTensor& parameter : parameters_) buffers.push_back(Tensor::zeros(parameter.tensor.shape()));
  }
}

void Optimizer::step(double gradient_scale, Ema* ema) {
  if (ema) ema->require_of(parameters_, "optimizer");
  require(std::isfinite(gradient_scale), "optimizer: gradient_scale is ", gradient_scale, ", expected a finite number");
  const Real weight = ema ? ema->begin_update() : 0;
  ++step_count_;
  // Real has few digits, or none, below its smallest normal number: such a scale is applied in two parts.
  const bool tiny = 0 < gradient_scale && gradient_scale < std::numeric_limits<Real>::min();
  const double part = tiny ? std::sqrt(gradient_scale) : 1;
  const NoGrad no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Average average = {ema ? ema->average(i).data() : nullptr, weight};
    const Tensor& parameter = parameters_[i].tensor;
    if (parameter.grad().defined()) {
      update(i, part == 1 ? parameter.grad() : parameter.grad() * part, gradient_scale / part, average);
    } else if (ema) {
      simd::kernels().lerp(parameter.size(), parameter.data(), weight, average.data);
    }
  }
}

void Optimizer::set_learning_rate(double value) {
  check_not_negative("learning_rate", value);
  learning_rate_ = value;
}

void Optimizer::clear_grad() {
  for (NamedTensor& parameter : parameters_) parameter.tensor.clear_grad();
}

NamedTensors Optimizer::state() const {
  NamedTensors all;
  for (std::size_t name = 0; name < buffer_names_.size(); ++name) {
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      all.push_back({buffer_names_[name] + "." + parameters_[i].name, buffers_[name][i]});
    }
  }
  return all;
}

void Optimizer::load_state(const NamedTensors& state, Index step_count, const std::string& file) {
  require_file(step_count >= 0, file, "the optimizer's step count is ", step_count, ", expected 0 or more");
  require_finite(state, file);
  check_state(state, file);
  assign(this->state(), state, file);
  step_count_ = step_count;
}

Sgd::Sgd(const NamedTensors& parameters, const OptimizerDescription& description)
    : Optimizer(parameters, description.learning_rate, {"sgd.momentum"}),
      momentum_(description.momentum),
      weight_decay_(description.weight_decay),
      nesterov_(description.nesterov) {
  check_fraction("momentum", momentum_);
  check_not_negative("weight_decay", weight_decay_);
}

void Sgd::update(std::size_t i, const Tensor& gradient, double gradient_scale, const Average& average) {
  const Real scale = static_cast<Real>(gradient_scale), decay = static_cast<Real>(weight_decay_);
  const Real friction = static_cast<Real>(1 - momentum_), rate = static_cast<Real>(learning_rate());
  const auto slowed = [friction](Real x) { return x - friction * x; };  // momentum x, where momentum may round to 1
  const Real* g = gradient.data();
  Real* b = buffer(0, i).data();
  Real* p = parameter(i).data();
  parallel_for(gradient.size(), kGrain, [&](Index begin, Index end) {
    for (Index j = begin; j < end; ++j) {
      const Real g_j = scale * g[j] + decay * p[j];
      b[j] = slowed(b[j]) + g_j;
      p[j] -= rate * (nesterov_ ? g_j + slowed(b[j]) : b[j]);
    }
    if (average.data) simd::kernels().lerp(end - begin, p + begin, average.weight, average.data + begin);
  });
}

Adam::Adam(const NamedTensors& parameters, const OptimizerDescription& description)
    : Optimizer(parameters, description.learning_rate, {"adam.m", "adam.v"}),
      beta1_(description.beta1),
      beta2_(description.beta2),
      epsilon_(description.epsilon),
      weight_decay_(description.weight_decay) {
  check_fraction("beta1", beta1_);
  check_fraction("beta2", beta2_);
  check_not_negative("epsilon", epsilon_);
  require(static_cast<Real>(epsilon_) > 0, "optimizer: epsilon is ", epsilon_,
          ", expected a number > 0, even when rounded to a Real: otherwise parameters without a gradient become 0 / 0");
  check_not_negative("weight_decay", weight_decay_);
}

void Adam::update(std::size_t i, const Tensor& gradient, double gradient_scale, const Average& average) {
  const double t = static_cast<double>(step_count());
  const simd::Adam constants = {.gradient_scale = static_cast<Real>(gradient_scale),
                                .rest1 = static_cast<Real>(1 - beta1_),
                                .rest2 = static_cast<Real>(1 - beta2_),
                                .step = static_cast<Real>(learning_rate() / (1 - std::pow(beta1_, t))),
                                .inverse_correction2 = static_cast<Real>(1 / (1 - std::pow(beta2_, t))),
                                .epsilon = static_cast<Real>(epsilon_),
                                .decay = static_cast<Real>(learning_rate() * weight_decay_),
                                .average_weight = average.weight};
  const Real* g = gradient.data();
  Real* m = buffer(0, i).data();
  Real* v = buffer(1, i).data();
  Real* p = parameter(i).data();
  const auto adam = simd::kernels().adam;
  parallel_for(gradient.size(), kGrain, [&](Index begin, Index end) {
    adam(end - begin, g + begin, constants, m + begin, v + begin, p + begin,
         average.data ? average.data + begin : nullptr);
  });
}

void Adam::check_state(const NamedTensors& state, const std::string& file) const {
  for (const auto& [name, tensor] : state) {
    const bool squares = name.starts_with("adam.v.");
    const auto values = tensor.values();
    require_file(!squares || std::all_of(values.begin(), values.end(), [](Real v) { return v >= 0; }), file, "tensor '",
                 name, "', the means of squares, holds a negative number: the file cannot be used; take an earlier ",
                 "one, or train again");
  }
}

std::vector<std::string> optimizer_names() { return {"adam", "adamw", "sgd"}; }

std::unique_ptr<Optimizer> make_optimizer(const OptimizerDescription& description, const NamedTensors& parameters) {
  const std::string& kind = description.kind;
  if (kind == "sgd") return std::make_unique<Sgd>(parameters, description);
  if (kind != "adam" && kind != "adamw") fail(unknown_name("optimizer", kind, optimizer_names()));
  require(kind == "adamw" || description.weight_decay == 0, "optimizer: weight_decay is ", description.weight_decay,
          " with adam, expected 0: use adamw for weight decay");
  return std::make_unique<Adam>(parameters, description);
}

}  // namespace rill::nn
