// NEON, which every 64-bit ARM CPU has.
#include "autodiff/simd/table-inl.hpp"

constinit const rill::simd::Kernels rill::simd::neon64_kernels = make_table<xsimd::neon64>("neon64");
