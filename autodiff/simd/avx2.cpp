// AVX2 with fused multiply-add: most x86-64 CPUs since 2013.
#include "autodiff/simd/table-inl.hpp"

constinit const rill::simd::Kernels rill::simd::avx2_kernels = make_table<xsimd::fma3<xsimd::avx2>>("avx2");
