#include "nn/clipping.hpp"

#include <cmath>
#include <numeric>

#include "autodiff/error.hpp"
#include "autodiff/memory.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/simd/kernels.hpp"

namespace rill::nn {

double gradient_norm(const NamedTensors& parameters) {
  constexpr Index kGrain = 1 << 15;  // also what is summed in Real before the sum goes on in double
  double squares = 0;
  memory::Vector<double> pieces;
  for (const NamedTensor& parameter : parameters) {
    const Tensor& gradient = parameter.tensor.grad();
    if (!gradient.defined()) continue;
    pieces.assign(static_cast<std::size_t>((gradient.size() + kGrain - 1) / kGrain), 0);
    parallel_for(gradient.size(), kGrain, [&, g = gradient.data()](Index begin, Index end) {
      pieces[static_cast<std::size_t>(begin / kGrain)] = simd::kernels().dot(end - begin, g + begin, g + begin);
    });
    squares = std::accumulate(pieces.begin(), pieces.end(), squares);
  }
  return std::sqrt(squares);
}

double clip_scale(double norm, double max_norm) {
  require(max_norm > 0, "clip_scale: max_norm is ", max_norm, ", expected a number > 0");
  return norm > max_norm ? max_norm / norm : 1;
}

}  // namespace rill::nn
