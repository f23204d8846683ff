#include "nn/clipping.hpp"

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/norm.hpp"

namespace rill::nn {

double gradient_norm(const NamedTensors& parameters) {
  double all = 0;
  for (const NamedTensor& parameter : parameters) {
    const Tensor& gradient = parameter.tensor.grad();
    if (gradient.defined()) all = std::hypot(all, norm(gradient.size(), gradient.data()));
  }
  return all;
}

double clip_scale(double norm, double max_norm) {
  require(max_norm > 0, "clip_scale: max_norm is ", max_norm, ", expected a number > 0");
  return norm > max_norm ? max_norm / norm : 1;
}

}  // namespace rill::nn
