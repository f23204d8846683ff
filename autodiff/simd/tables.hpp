// The tables that this build has: one per instruction set, each defined in the file named after it.
#pragma once

#include "autodiff/simd/kernels.hpp"

namespace rill::simd {

extern const Kernels scalar_kernels;
#if defined(__x86_64__)
extern const Kernels sse2_kernels;
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
#elif defined(__aarch64__)
extern const Kernels neon64_kernels;
#endif

}  // namespace rill::simd
