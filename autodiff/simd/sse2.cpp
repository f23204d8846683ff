// SSE2, which every x86-64 CPU has.
#include "autodiff/simd/table-inl.hpp"

constinit const rill::simd::Kernels rill::simd::sse2_kernels = make_table<xsimd::sse2>("sse2");
