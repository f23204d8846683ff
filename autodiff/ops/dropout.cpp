// Dropout. Its mask is a function of the generator's state: these three integers are saved instead of the mask.
#include <algorithm>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/elementwise.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/random.hpp"
#include "autodiff/simd/kernels.hpp"

namespace rill {
namespace {

// Few enough that the random numbers stay in L1 until they are used. On all threads, pieces begin at a tile's start.
constexpr Index kPiece = 1 << 12;
static_assert(kPiece % simd::kRandomTile == 0 && detail::kElementGrain % kPiece == 0);

RandomState advanced(RandomState state, Index numbers) {
  const Index tiles = (numbers + simd::kRandomTile - 1) / simd::kRandomTile;
  state.counter += static_cast<std::uint64_t>(tiles * simd::kRandomTileBlocks);
  return state;
}

// y = u < p ? 0 : x / (1 - p), with u uniform, drawn from `state`. Linear in x, so it is its own gradient.
Tensor masked(const Tensor& x, double p, const RandomState& state) {
  const Real threshold = static_cast<Real>(p), scale = static_cast<Real>(p < 1 ? 1 / (1 - p) : 0), zero = 0;
  Tensor y = Tensor::empty(x.shape());
  const simd::Kernels& kernels = simd::kernels();
  parallel_for(x.size(), detail::kElementGrain, [&](Index begin, Index end) {
    for (Index i = begin; i < end; i += kPiece) {
      const Index n = std::min(kPiece, end - i);
      Real* to = y.data() + i;
      kernels.random_uniform(advanced(state, i), n, to);
      kernels.less_equal(1, n, {&threshold, 0, 0}, {to, 0, 1}, to);
      kernels.select(1, n, {to, 0, 1}, {x.data() + i, 0, 1}, {&zero, 0, 0}, to);
      kernels.affine(n, to, scale, Real(-0.), to);
    }
  });
  return record("dropout", y, wrt(x, [p, state](const Tensor& gy) { return masked(gy, p, state); }));
}

}  // namespace

Tensor dropout(const Tensor& x, double p, Generator& rng) {
  detail::require_defined("dropout", x);
  require(0 <= p && p <= 1, "dropout: expected a probability from 0 to 1, got ", p);
  if (p == 0) return x;
  const RandomState state = rng.state();
  rng = Generator(advanced(state, x.size()));
  return masked(x, p, state);
}

}  // namespace rill
