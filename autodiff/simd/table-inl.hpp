// The table of one instruction set.
#pragma once

#include "autodiff/simd/assignment-inl.hpp"
#include "autodiff/simd/attention-inl.hpp"
#include "autodiff/simd/convolution-inl.hpp"
#include "autodiff/simd/elementwise-inl.hpp"
#include "autodiff/simd/gemm-inl.hpp"
#include "autodiff/simd/mean-inl.hpp"
#include "autodiff/simd/normalization-inl.hpp"
#include "autodiff/simd/optimizer-inl.hpp"
#include "autodiff/simd/pooling-inl.hpp"
#include "autodiff/simd/random-inl.hpp"
#include "autodiff/simd/reduction-inl.hpp"
#include "autodiff/simd/softmax-inl.hpp"
#include "autodiff/simd/tables.hpp"
#include "autodiff/simd/transpose-inl.hpp"

namespace rill::simd {
namespace {

template <class Arch>
constexpr Kernels make_table(const char* name) {
  using V = Reals<Arch>;
  using F = Functions<V>;
  return {
      .name = name,
      .lanes = V::size,

      .exp = unary<V, F::exp>,
      .log = unary<V, F::log>,
      .sqrt = unary<V, F::sqrt>,
      .square = unary<V, F::square>,
      .sin = unary<V, F::sin>,
      .cos = unary<V, F::cos>,
      .tanh = unary<V, F::tanh>,
      .sigmoid = unary<V, F::sigmoid>,
      .softplus = unary<V, F::softplus>,
      .relu = unary<V, F::relu>,
      .gelu = unary<V, F::gelu>,
      .gelu_tanh = unary<V, F::gelu_tanh>,
      .silu = unary<V, F::silu>,
      .abs = unary<V, F::abs>,
      .sign = unary<V, F::sign>,
      .leaky_relu = unary1<V, F::leaky_relu>,
      .pow = pow<V>,
      .elu = unary2<V, F::elu>,
      .clamp = unary2<V, F::clamp>,
      .affine = unary2<V, F::affine>,

      .tanh_gradient = gradient<V, F::tanh_gradient>,
      .sigmoid_gradient = gradient<V, F::sigmoid_gradient>,
      .softplus_gradient = gradient<V, F::softplus_gradient>,
      .relu_gradient = gradient<V, F::relu_gradient>,
      .gelu_gradient = gradient<V, F::gelu_gradient>,
      .gelu_tanh_gradient = gradient<V, F::gelu_tanh_gradient>,
      .silu_gradient = gradient<V, F::silu_gradient>,
      .leaky_relu_gradient = gradient1<V, F::leaky_relu_gradient>,
      .elu_gradient = gradient2<V, F::elu_gradient>,
      .clamp_gradient = gradient2<V, F::clamp_gradient>,

      .softplus_with_slope = with_slope<V, F::softplus_with_slope>,
      .gelu_with_slope = with_slope<V, F::gelu_with_slope>,
      .gelu_tanh_with_slope = with_slope<V, F::gelu_tanh_with_slope>,
      .silu_with_slope = with_slope<V, F::silu_with_slope>,

      .add = binary<V, F::add>,
      .subtract = binary<V, F::subtract>,
      .multiply = binary<V, F::multiply>,
      .divide = binary<V, F::divide>,
      .minimum = binary<V, F::minimum>,
      .maximum = binary<V, F::maximum>,
      .less = binary<V, F::less>,
      .less_equal = binary<V, F::less_equal>,
      .equal = binary<V, F::equal>,
      .select = select<V>,

      .sum = reduce<V, Sum>,
      .mean = mean<V>,
      .max = reduce<V, Max>,
      .dot = dot<V>,
      .softmax = softmax<V>,
      .log_softmax = log_softmax<V>,
      .logsumexp = logsumexp<V>,
      .transpose = transpose<V>,
      .gemm_workspace = gemm_workspace<V>,
      .gemm = gemm<V>,
      .panel = kConvolutionPanel<V>,
      .convolution = convolution<V>,
      .convolution_weight = convolution_weight<V>,
      .attention_workspace = attention_workspace<V>,
      .attention = attention<V>,
      .attention_gradient = attention_gradient<V>,

      .column_moments = column_moments<V>,
      .normalize_columns = normalize_columns<V>,
      .column_products = column_products<V>,
      .normalize_columns_gradient = normalize_columns_gradient<V>,
      .normalize_rows = normalize_rows<V>,
      .normalize_rows_gradient = normalize_rows_gradient<V>,

      .sum_rectangles = sum_rectangles<V>,
      .pick_at_maxima = pick_at_maxima<V>,
      .add_at_maxima = add_at_maxima<V>,

      .lerp = lerp<V>,
      .adam = adam<V>,

      .lower_prices = lower_prices<Arch>,
      .two_least = two_least<Arch>,
      .relax = relax<Arch>,

      .random_bits = random<V, BitsTile>,
      .random_uniform = random<V, UniformTile<V>>,
      .random_normal = random<V, NormalTile<V>>,
  };
}

}  // namespace
}  // namespace rill::simd
