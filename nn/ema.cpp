#include "nn/ema.hpp"

#include <algorithm>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/simd/kernels.hpp"

namespace rill::nn {

Ema::Ema(NamedTensors parameters, double decay) : parameters_(std::move(parameters)), decay_(decay) {
  require(0 <= decay && decay < 1, "ema: decay is ", decay, ", expected 0 <= decay < 1");
  for (const auto& [name, parameter] : parameters_) averages_.push_back({name, parameter.clone()});
}

void Ema::update() {
  constexpr Index kGrain = 1 << 16;  // numbers whose average takes some 10 microseconds
  const double n = static_cast<double>(update_count_++);
  const Real weight = static_cast<Real>(1 - std::min(decay_, (1 + n) / (10 + n)));
  const auto lerp = simd::kernels().lerp;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& parameter = parameters_[i].tensor;
    const Real* from = parameter.data();
    Real* to = averages_[i].tensor.data();
    parallel_for(parameter.size(), kGrain,
                 [&](Index begin, Index end) { lerp(end - begin, from + begin, weight, to + begin); });
  }
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
