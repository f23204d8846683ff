#include "nn/init.hpp"

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill::nn {

Tensor uniform_by_fan_in(const Shape& shape, Index fan_in, Generator& rng) {
  require(fan_in > 0, "uniform_by_fan_in: fan_in is ", fan_in, ", expected at least 1");
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  return affine(Tensor::rand(shape, rng), 2 * bound, -bound);
}

}  // namespace rill::nn
