#include "flow/solver/row_normals.hpp"

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "autodiff/simd/kernels.hpp"

namespace rill::flow {

Tensor row_normals(std::uint64_t seed, std::uint64_t stream, const Shape& shape, Index first_row) {
  require(first_row >= 0, "normal numbers of rows: expected a first row of 0 or more, got ", first_row);
  const Index first = shape[0] > 0 ? first_row * (shape.size() / shape[0]) : 0;
  const Index tile = first / simd::kRandomTile, skipped = first % simd::kRandomTile;
  Generator rng({seed, stream, static_cast<std::uint64_t>(tile * simd::kRandomTileBlocks)});
  if (skipped == 0) return Tensor::randn(shape, rng);
  const Tensor from_tile = Tensor::randn({skipped + shape.size()}, rng);
  return reshape(slice(from_tile, 0, skipped, from_tile.size()), shape);
}

}  // namespace rill::flow
