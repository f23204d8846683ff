#include "autodiff/norm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/memory.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/simd/kernels.hpp"

namespace rill {
namespace {

constexpr Index kGrain = 1 << 15;  // also how many squares are summed in Real before the sum continues in double

// For numbers whose squares may overflow or underflow:   max |x| sqrt(sum (x / max |x|)^2)
double scaled_norm(Index n, const Real* x) {
  double largest = 0, squares = 0;
  for (Index i = 0; i < n; ++i) {
    const double magnitude = std::abs(static_cast<double>(x[i]));
    if (std::isnan(magnitude)) return magnitude;
    largest = std::max(largest, magnitude);
  }
  if (largest == 0 || std::isinf(largest)) return largest;
  for (Index i = 0; i < n; ++i) {
    const double ratio = static_cast<double>(x[i]) / largest;
    squares += ratio * ratio;
  }
  return largest * std::sqrt(squares);
}

// For up to kGrain numbers. A square that underflows errs by less than half the smallest denormal number, and all of
// them together by less than 2^-40 of a sum above kLeast.
double norm_of_piece(Index n, const Real* x) {
  constexpr Real kLeast = std::numeric_limits<Real>::min() * static_cast<Real>(Index{1} << 31);
  const Real squares = simd::kernels().dot(n, x, x);
  if (squares >= kLeast && squares <= std::numeric_limits<Real>::max()) {
    return std::sqrt(static_cast<double>(squares));
  }
  return scaled_norm(n, x);
}

}  // namespace

double norm(Index n, const Real* x) {
  if (n <= kGrain) return norm_of_piece(n, x);
  memory::Vector<double> pieces(static_cast<std::size_t>((n + kGrain - 1) / kGrain));
  parallel_for(n, kGrain, [&](Index begin, Index end) {
    pieces[static_cast<std::size_t>(begin / kGrain)] = norm_of_piece(end - begin, x + begin);
  });
  double all = 0;
  for (const double piece : pieces) all = std::hypot(all, piece);
  return all;
}

}  // namespace rill
