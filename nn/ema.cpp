#include "nn/ema.hpp"

#include <algorithm>
#include <utility>

#include "autodiff/error.hpp"

namespace rill::nn {

Ema::Ema(NamedTensors parameters, double decay) : parameters_(std::move(parameters)), decay_(decay) {
  require(0 <= decay && decay < 1, "ema: decay is ", decay, ", expected 0 <= decay < 1");
  for (const auto& [name, parameter] : parameters_) averages_.push_back({name, parameter.clone()});
}

Real Ema::begin_update() {
  const double n = static_cast<double>(update_count_++);
  return static_cast<Real>(1 - std::min(decay_, (1 + n) / (10 + n)));
}

void Ema::load_state(const NamedTensors& averages, Index update_count, const std::string& file) {
  require_file(update_count >= 0, file, "the average's update count is ", update_count, ", expected 0 or more");
  assign(averages_, averages, file);
  update_count_ = update_count;
}

void Ema::swap() {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Tensor& parameter = parameters_[i].tensor;
    std::swap_ranges(parameter.data(), parameter.data() + parameter.size(), averages_[i].tensor.data());
  }
}

}  // namespace rill::nn
