#include "nn/convolution.hpp"

#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "nn/init.hpp"

namespace rill::nn {
namespace {

Shape weight_shape(Index in, Index out, Index kernel, Index groups) {
  require(in > 0 && out > 0 && kernel > 0, "Conv2d: ", in, " channels in, ", out, " out, a window of ", kernel,
          ": expected positive numbers");
  require(groups > 0 && in % groups == 0 && out % groups == 0, "Conv2d: ", groups, " groups of ", in,
          " channels in and ", out, " out: expected groups that divide both");
  return {kernel, kernel, in / groups, out};
}

// The number of inputs that are summed into one output.
Index fan_in(const Shape& weight) { return Shape{weight[0], weight[1], weight[2]}.size(); }

}  // namespace

Conv2d::Conv2d(Tensor weight, Tensor bias, const Conv2dOptions& options) : options_(options) {
  require(weight.rank() == 4 && bias.rank() == 1 && bias.dim(0) == weight.dim(3), "Conv2d: weight ", weight.shape(),
          " and bias ", bias.shape(), ": expected [kernel, kernel, in / groups, out] and [out]");
  weight_ = register_parameter("weight", std::move(weight));
  bias_ = register_parameter("bias", std::move(bias));
}

Conv2d::Conv2d(Index in, Index out, Index kernel, Generator& rng, const Conv2dOptions& options)
    : Conv2d(weight_shape(in, out, kernel, options.groups), rng, options) {}

// A braced list is evaluated from left to right, so the weight is drawn before the bias.
Conv2d::Conv2d(const Shape& weight, Generator& rng, const Conv2dOptions& options)
    : Conv2d{uniform_by_fan_in(weight, fan_in(weight), rng), uniform_by_fan_in({weight[3]}, fan_in(weight), rng),
             options} {}

std::shared_ptr<Conv2d> Conv2d::zeros(Index in, Index out, Index kernel, const Conv2dOptions& options) {
  return std::make_shared<Conv2d>(constant(weight_shape(in, out, kernel, options.groups), 0), constant({out}, 0),
                                  options);
}

Tensor Conv2d::forward(const Tensor& x) const { return conv2d(x, weight_, bias_, options_); }

}  // namespace rill::nn
