// The instruction set that a file of kernels is compiled for: the build defines RILL_SET as its name.
#pragma once

#include "autodiff/simd/batch-inl.hpp"

namespace rill::simd {

namespace sse2 {  // which every x86-64 CPU has
using Arch = xsimd::sse2;
}
namespace avx2 {  // with fused multiply-add: most x86-64 CPUs since 2013
using Arch = xsimd::fma3<xsimd::avx2>;
}
namespace avx512 {  // the subset that all CPUs since Skylake-X have
using Arch = xsimd::avx512dq;
}
namespace neon64 {  // which every 64-bit ARM CPU has
using Arch = xsimd::neon64;
}

namespace {
using Registers = Reals<RILL_SET::Arch>;
}

}  // namespace rill::simd
