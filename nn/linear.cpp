#include "nn/linear.hpp"

#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "nn/init.hpp"

namespace rill::nn {

Linear::Linear(Tensor weight, Tensor bias) {
  require(weight.rank() == 2 && bias.rank() == 1 && bias.dim(0) == weight.dim(0), "Linear: weight ", weight.shape(),
          " and bias ", bias.shape(), ": expected [out, in] and [out]");
  weight_ = register_parameter("weight", std::move(weight));
  bias_ = register_parameter("bias", std::move(bias));
}

// A braced list is evaluated from left to right, so the weight is drawn before the bias.
Linear::Linear(Index in, Index out, Generator& rng)
    : Linear{uniform_by_fan_in({out, in}, in, rng), uniform_by_fan_in({out}, in, rng)} {}

std::shared_ptr<Linear> Linear::zeros(Index in, Index out) {
  return std::make_shared<Linear>(constant({out, in}, 0), constant({out}, 0));
}

Tensor Linear::forward(const Tensor& x) const { return linear(x, weight_, bias_); }
Tensor Linear::forward(const Tensor& x, const rill::Activation& f) const { return linear(x, weight_, bias_, f); }

}  // namespace rill::nn
