// The table of kernels: rill's loops over numbers, for each instruction set.
//
// Each subject has its part of the table and its files: SUBJECT.hpp says what its kernels compute, in words and in
// plain C++, the reference; SUBJECT.cpp does it in registers, compiled for each instruction set.
//
// A kernel is noexcept, single-threaded, allocates nothing and checks nothing: the op that calls it has
// checked the shapes, allocated the result and split the work. Pointers need no alignment. Unless stated
// otherwise, an output may be the same array as an input, but must not partially overlap one.
#pragma once

#include "autodiff/simd/assignment.hpp"
#include "autodiff/simd/attention.hpp"
#include "autodiff/simd/convolution.hpp"
#include "autodiff/simd/elementwise.hpp"
#include "autodiff/simd/gemm.hpp"
#include "autodiff/simd/normalization.hpp"
#include "autodiff/simd/optimizer.hpp"
#include "autodiff/simd/pooling.hpp"
#include "autodiff/simd/random.hpp"
#include "autodiff/simd/reduction.hpp"
#include "autodiff/simd/softmax.hpp"
#include "autodiff/simd/transpose.hpp"

namespace rill::simd {

struct Kernels : AssignmentKernels,
                 AttentionKernels,
                 ConvolutionKernels,
                 ElementwiseKernels,
                 GemmKernels,
                 NormalizationKernels,
                 OptimizerKernels,
                 PoolingKernels,
                 RandomKernels,
                 ReductionKernels,
                 SoftmaxKernels,
                 TransposeKernels {
  const char* name;  ///< scalar, sse2, avx2, avx512 or neon64
  int lanes;         ///< Reals in a register; 1 for scalar
};

/// The kernels in use: the best set that this CPU supports, or the one that the environment variable RILL_ISA names.
/// Chosen once, at first use. Throws std::invalid_argument when RILL_ISA names a set that is unknown, not built
/// or not supported by this CPU; the message lists the available ones.
const Kernels& kernels();

/// Every set that is built and that this CPU supports, the plain C++ reference (scalar) first, the best last.
struct KernelList {
  const Kernels* const* begin_;
  const Kernels* const* end_;
  const Kernels* const* begin() const { return begin_; }
  const Kernels* const* end() const { return end_; }
};
KernelList available_kernels();

}  // namespace rill::simd
