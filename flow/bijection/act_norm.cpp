#include "flow/bijection/act_norm.hpp"

#include <cmath>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "nn/init.hpp"

namespace rill::flow {

ActNorm::ActNorm(Index positions, Index channels)
    : positions_(positions),
      channels_(channels),
      shift_(register_parameter("shift", nn::constant({channels}, 0))),
      log_scale_(register_parameter("log_scale", nn::constant({channels}, 0))) {}

Mapped ActNorm::forward(const Tensor& x, const Tensor&) const {
  const Tensor rows = reshape(x, {-1, channels_});
  const Tensor y = (rows + shift_) * exp(log_scale_);
  const Tensor log_determinant = static_cast<double>(positions_) * sum(log_scale_);
  return {reshape(y, x.shape()), broadcast_to(reshape(log_determinant, {1}), {x.dim(0)})};
}

Mapped ActNorm::inverse(const Tensor& y, const Tensor&) const {
  const NoGrad no_grad;
  const Tensor rows = reshape(y, {-1, channels_});
  const Tensor log_determinant = static_cast<double>(-positions_) * sum(log_scale_);
  return {reshape(rows * exp(-log_scale_) - shift_, y.shape()),
          broadcast_to(reshape(log_determinant, {1}), {y.dim(0)})};
}

Tensor ActNorm::initialize(const Tensor& x, const Tensor& condition) {
  require(x.dim(0) > 0, "activation normalization: an empty batch cannot initialize it");
  constexpr double kLeast = 1e-6;  // of a deviation: a constant coordinate, which has no density, keeps its scale
  const auto width = static_cast<std::size_t>(channels_);
  std::vector<double> mean(width), square(width);
  const Index rows = x.size() / channels_;
  for (Index pass = 0; pass < 2; ++pass) {
    for (Index n = 0; n < rows; ++n) {
      for (std::size_t c = 0; c < width; ++c) {
        const auto value = static_cast<double>(x.data()[n * channels_ + static_cast<Index>(c)]);
        if (pass == 0) mean[c] += value / static_cast<double>(rows);
        if (pass == 1) square[c] += (value - mean[c]) * (value - mean[c]) / static_cast<double>(rows);
      }
    }
  }
  for (std::size_t c = 0; c < width; ++c) {
    shift_.data()[c] = static_cast<Real>(-mean[c]);
    const double deviation = std::sqrt(square[c]);
    log_scale_.data()[c] = static_cast<Real>(deviation < kLeast ? 0 : -std::log(deviation));
  }
  const NoGrad no_grad;
  return forward(x, condition).y;
}

}  // namespace rill::flow
