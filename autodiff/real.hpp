// The scalar and index types that everything else is written in.
#pragma once

#include <cstdint>
#include <type_traits>

namespace rill {

/// The one scalar type of a build: float, or double when configured with -Dreal=double.
#ifdef RILL_REAL_DOUBLE
using Real = double;
#else
using Real = float;
#endif

/// A type of about twice the precision of a Real, which also holds squares and sums of any Reals.
using Wide = std::conditional_t<sizeof(Real) == 4, double, long double>;

/// Sizes, strides and positions: signed, so that differences and reverse loops are safe.
using Index = std::int64_t;

}  // namespace rill
