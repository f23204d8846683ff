// AVX-512, as far as all CPUs since Skylake-X have it in common.
#include "autodiff/simd/table-inl.hpp"

constinit const rill::simd::Kernels rill::simd::avx512_kernels = make_table<xsimd::avx512dq>("avx512");
