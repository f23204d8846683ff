// Random numbers that belong to the rows of a batch, however it is split.
#pragma once

#include <cstdint>

#include "autodiff/tensor.hpp"

namespace rill::flow {

/// Standard normal numbers of this stream of a seed for points of the given shape [N, ...]: rows first_row to
/// first_row + N of those of any larger batch. Throws std::invalid_argument for first_row < 0.
Tensor row_normals(std::uint64_t seed, std::uint64_t stream, const Shape& shape, Index first_row);

}  // namespace rill::flow
