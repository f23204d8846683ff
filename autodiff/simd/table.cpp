// The whole table of one instruction set, RILL_SET, joined from the parts that its subjects define.
#include "autodiff/simd/kernels.hpp"

namespace rill::simd::RILL_SET {

extern const AssignmentKernels assignment_kernels;
extern const AttentionKernels attention_kernels;
extern const ConvolutionKernels convolution_kernels;
extern const ElementwiseKernels elementwise_kernels;
extern const GemmKernels gemm_kernels;
extern const NormalizationKernels normalization_kernels;
extern const OptimizerKernels optimizer_kernels;
extern const PoolingKernels pooling_kernels;
extern const RandomKernels random_kernels;
extern const ReductionKernels reduction_kernels;
extern const SoftmaxKernels softmax_kernels;
extern const TransposeKernels transpose_kernels;

Kernels table(const char* name, int lanes) noexcept;

Kernels table(const char* name, int lanes) noexcept {
  return {assignment_kernels,
          attention_kernels,
          convolution_kernels,
          elementwise_kernels,
          gemm_kernels,
          normalization_kernels,
          optimizer_kernels,
          pooling_kernels,
          random_kernels,
          reduction_kernels,
          softmax_kernels,
          transpose_kernels,
          name,
          lanes};
}

}  // namespace rill::simd::RILL_SET
