// Transposition: see transpose-inl.hpp.
#include "autodiff/simd/transpose.hpp"

#include "autodiff/simd/set-inl.hpp"
#include "autodiff/simd/transpose-inl.hpp"

namespace rill::simd {

namespace RILL_SET {

extern constinit const TransposeKernels transpose_kernels = {
    .transpose = transpose<Registers>,
};

}

}  // namespace rill::simd
