#include "nn/clipping.hpp"

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/norm.hpp"

namespace rill::nn {

double gradient_norm(const NamedTensors& parameters) {
  const memory::Vector<char> repeated = repetitions(parameters);
  double all = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Tensor& gradient = parameters[i].tensor.grad();
    if (!repeated[i] && gradient.defined()) all = std::hypot(all, norm(gradient.size(), gradient.data()));
  }
  return all;
}

double clip_scale(double norm, double max_norm) {
  require(max_norm > 0, "clip_scale: max_norm is ", max_norm, ", expected a number > 0");
  require(norm >= 0 && std::isfinite(norm), "clip_scale: the norm is ", norm, ", expected a finite number >= 0; ",
          "skip the step, or find out where the gradient comes from");
  return norm > max_norm ? max_norm / norm : 1;
}

}  // namespace rill::nn
