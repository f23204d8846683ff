#include "flow/pairwise.hpp"

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill::flow {

Tensor pairwise_squared_distances(const Tensor& x, const Tensor& y) {
  require(x.rank() == 2 && y.rank() == 2 && x.dim(1) == y.dim(1),
          "pairwise distances: expected [n, D] and [m, D], got ", x.shape(), " and ", y.shape());
  constexpr Index kFew = 8;
  const Index dimension = x.dim(1);
  if (dimension > kFew) {
    const Tensor squares = sum(square(x), {.axes = {1}, .keep = true}) + sum(square(y), {.axes = {1}});
    return maximum(squares - 2 * matmul(x, y, {.b = true}), Tensor::scalar(0));
  }
  const Tensor columns = transpose(y);
  Tensor result = Tensor::zeros({x.dim(0), y.dim(0)});
  for (Index d = 0; d < dimension; ++d) {
    result = result + square(slice(x, 1, d, d + 1) - slice(columns, 0, d, d + 1));
  }
  return result;
}

std::pair<Tensor, Tensor> around_common_centre(const Tensor& x, const Tensor& y) {
  const Tensor centre = mean(x.detach(), {.axes = {0}});
  return {x.detach() - centre, y.detach() - centre};
}

}  // namespace rill::flow
