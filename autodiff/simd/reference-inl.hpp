// What the kernels in plain C++ share.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/real.hpp"

namespace rill::simd::scalar {
namespace {

constexpr Real kInfinity = std::numeric_limits<Real>::infinity();

}  // namespace
}  // namespace rill::simd::scalar
