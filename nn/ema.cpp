#include "nn/ema.hpp"

#include <algorithm>

#include "autodiff/error.hpp"

namespace rill::nn {

Ema::Ema(const NamedTensors& parameters, double decay) : parameters_(distinct("ema", parameters)), decay_(decay) {
  require(0 <= decay && decay < 1, "ema: decay is ", decay, ", expected 0 <= decay < 1");
  for (const auto& [name, parameter] : parameters_) averages_.push_back({name, parameter.clone()});
}

void Ema::require_of(const NamedTensors& parameters, const char* what) const {
  require(parameters.size() == parameters_.size(), what, ": an average of ", parameters_.size(), " parameters for ",
          parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& [name, tensor] = parameters_[i];
    require(parameters[i].tensor.storage() == tensor.storage() && parameters[i].name == name, what,
            ": an average of other parameters: its number ", i, " is '", name, "' ", tensor.shape(), ", expected '",
            parameters[i].name, "' ", parameters[i].tensor.shape(), "; make the average from the same list");
  }
}

void Ema::require_at_home(const char* what) const {
  require(!lent_, what, ": an EmaScope has swapped the parameters and their averages; end it first");
}

const NamedTensors& Ema::averages() const& {
  require_at_home("ema");
  return averages_;
}

Real Ema::begin_update() {
  require_at_home("ema update");
  const double n = static_cast<double>(update_count_++);
  return static_cast<Real>(1 - std::min(decay_, (1 + n) / (10 + n)));
}

void Ema::load_state(const NamedTensors& averages, Index update_count, const std::string& file) {
  require_at_home("ema");
  require_file(update_count >= 0, file, "the average's update count is ", update_count, ", expected 0 or more");
  assign(averages_, averages, file);
  update_count_ = update_count;
}

EmaScope::EmaScope(Ema& ema) : ema_(ema) {
  ema_.require_at_home("EmaScope");
  ema_.swap();
}

void Ema::swap() {
  lent_ = !lent_;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Tensor& parameter = parameters_[i].tensor;
    std::swap_ranges(parameter.data(), parameter.data() + parameter.size(), averages_[i].tensor.data());
  }
}

}  // namespace rill::nn
