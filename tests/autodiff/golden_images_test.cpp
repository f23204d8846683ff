// Convolution, normalization, pooling, upsampling and attention against PyTorch's values and gradients.
#include <gtest/gtest.h>

#include <cmath>
#include <string_view>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "tests/autodiff/golden/images.hpp"

namespace rill {
namespace {

// Number i of input k of golden/images.py.
double number(int k, Index i) { return std::sin((0.37 + 0.013 * k) * static_cast<double>((i + 1) * (i + 1))); }

Tensor input(int k, const Shape& shape) {
  Tensor x = Tensor::empty(shape);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<Real>(number(k, i));
  return x;
}

Tensor leaf(int k, const Shape& shape) { return input(k, shape).set_requires_grad(); }

const Activation& silu_activation() {
  for (const Activation& f : activations()) {
    if (f.name == std::string_view("silu")) return f;
  }
  fail("no silu");
}

// The inner products agree to rounding errors: each number of x has one relative to the terms it was summed from, which
// are of size 1, and to itself.
void expect_products(const Tensor& x, const double (&expected)[4], const char* what) {
  double squares = 0;
  for (const Real v : x.values()) squares += static_cast<double>(v) * static_cast<double>(v);
  const double tolerance = (sizeof(Real) == 8 ? 1e-12 : 1e-5) * (1 + std::sqrt(squares));
  for (int k = 0; k < 4; ++k) {
    double product = 0;
    for (Index i = 0; i < x.size(); ++i) product += static_cast<double>(x.data()[i]) * number(100 + k, i);
    EXPECT_NEAR(product, expected[k], tolerance) << what << ", product " << k;
  }
}

template <std::size_t n>
void expect_golden(const Tensor& y, const std::vector<Tensor>& inputs, const double (&expected)[n][4]) {
  expect_products(y, expected[0], "y");
  const std::vector<Tensor> gradients = grad({y}, inputs, {}, {input(50, y.shape())});
  ASSERT_EQ(gradients.size(), n - 1);
  for (std::size_t i = 1; i < n; ++i)
    expect_products(gradients[i - 1], expected[i], concat("gradient of input ", i - 1).c_str());
}

TEST(Golden, Conv2d) {
  for (const golden::Conv2d& g : golden::kConv2d) {
    SCOPED_TRACE(concat(g.height, 'x', g.width, 'x', g.channels, " -> ", g.outputs, ", kernel ", g.kernel, ", stride ",
                        g.stride, ", padding ", g.padding, ", groups ", g.groups));
    const Tensor x = leaf(0, {2, g.height, g.width, g.channels}),
                 w = leaf(1, {g.kernel, g.kernel, g.channels / g.groups, g.outputs}), bias = leaf(2, {g.outputs});
    expect_golden(conv2d(x, w, bias, {.stride = g.stride, .padding = g.padding, .groups = g.groups}), {x, w, bias},
                  g.products);
  }
}

TEST(Golden, Normalization) {
  for (const golden::Norm& g : golden::kNorm) {
    SCOPED_TRACE(
        concat(g.height, 'x', g.width, 'x', g.channels, ", groups ", g.groups, ", own ", g.own, ", silu ", g.silu));
    const Shape per_channel = g.own ? Shape{2, g.channels} : Shape{g.channels};
    const Tensor x = leaf(0, {2, g.height, g.width, g.channels}), scale = leaf(1, per_channel),
                 shift = leaf(2, per_channel);
    const Tensor y = g.groups == 0 ? layer_norm(x, scale, shift)
                     : g.silu      ? group_norm(x, g.groups, scale, shift, silu_activation())
                                   : group_norm(x, g.groups, scale, shift);
    // The other way to the same gradients, made of ops; it keeps the graph.
    const std::vector<Tensor> of_ops = grad({y}, {x, scale, shift}, {.create_graph = true}, {input(50, y.shape())});
    for (std::size_t i = 0; i < 3; ++i) expect_products(of_ops[i], g.products[i + 1], "gradient made of ops");
    expect_golden(y, {x, scale, shift}, g.products);
  }
}

TEST(Golden, Pooling) {
  for (const golden::Pool& g : golden::kPool) {
    SCOPED_TRACE(
        concat(g.maximum ? "max" : "average", ", window ", g.window, ", stride ", g.stride, ", padding ", g.padding));
    const Tensor x = leaf(0, {2, 7, 6, g.channels});
    const Pool pool{.window = g.window, .stride = g.stride, .padding = g.padding};
    expect_golden(g.maximum ? max_pool(x, pool) : average_pool(x, pool), {x}, g.products);
  }
}

TEST(Golden, UpsampleNearest) {
  for (const golden::Upsample& g : golden::kUpsample) {
    SCOPED_TRACE(concat("factor ", g.factor));
    const Tensor x = leaf(0, {2, 3, 4, g.channels});
    expect_golden(upsample_nearest(x, g.factor), {x}, g.products);
  }
}

TEST(Golden, Attention) {
  for (const golden::Attention& g : golden::kAttention) {
    SCOPED_TRACE(concat(g.queries, " queries, ", g.keys, " keys, ", g.heads, " heads"));
    const Tensor q = leaf(0, {2, g.queries, g.channels}), k = leaf(1, {2, g.keys, g.channels}),
                 v = leaf(2, {2, g.keys, g.value_channels});
    expect_golden(attention(q, k, v, g.heads), {q, k, v}, g.products);
  }
}

}  // namespace
}  // namespace rill
