// The scalar and index types that everything else is written in.
#pragma once

#include <cstdint>

namespace rill {

/// The one scalar type of a build: float, or double when configured with -Dreal=double.
#ifdef RILL_REAL_DOUBLE
using Real = double;
#else
using Real = float;
#endif

/// Sizes, strides and positions: signed, so that differences and reverse loops are safe.
using Index = std::int64_t;

}  // namespace rill
