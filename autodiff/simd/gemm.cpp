// Matrix products: see gemm-inl.hpp.
#include "autodiff/simd/gemm.hpp"

#include "autodiff/simd/gemm-inl.hpp"
#include "autodiff/simd/set-inl.hpp"

namespace rill::simd {

namespace RILL_SET {

extern constinit const GemmKernels gemm_kernels = {
    .gemm_workspace = gemm_workspace<Registers>,
    .gemm = gemm<Registers>,
};

}

}  // namespace rill::simd
