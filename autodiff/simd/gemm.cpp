// Matrix products: see gemm-inl.hpp.
#include "autodiff/simd/gemm.hpp"

#include "autodiff/simd/gemm-inl.hpp"
#include "autodiff/simd/set-inl.hpp"

namespace rill::simd {

namespace {
template <LayoutA layout, bool partial>
constexpr PanelProduct kProduct = panel_product<Registers, layout, partial, kWidestPanel, Index>;
}

namespace RILL_SET {

constinit const PanelProduct panel_products[3][2] = {
    {kProduct<LayoutA::kRows, false>, kProduct<LayoutA::kRows, kPartialLoads>},
    {kProduct<LayoutA::kColumns, false>, kProduct<LayoutA::kColumns, kPartialLoads>},
    {kProduct<LayoutA::kPacked, false>, kProduct<LayoutA::kPacked, kPartialLoads>},
};

extern constinit const GemmKernels gemm_kernels = {
    .gemm_workspace = gemm_workspace<Registers>,
    .gemm = gemm<Registers>,
};

}  // namespace RILL_SET

}  // namespace rill::simd
