// The tables that this build has: one per instruction set, each defined in the file named after it.
#pragma once

#include "autodiff/simd/kernels.hpp"

namespace rill::simd {

extern const Kernels scalar_kernels;

}  // namespace rill::simd
