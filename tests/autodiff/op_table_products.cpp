// The table's products, convolution and attention.
#include <algorithm>
#include <array>
#include <cmath>

#include "tests/autodiff/op_table.hpp"

namespace rill::testing {
namespace {

using Inputs = std::vector<Tensor>;
using Arrays = std::vector<Array>;

// Number (i, j) of matrix `batch` of x, whose last two axes are exchanged if `transposed`.
Wide element(const Array& x, Index batch, bool transposed, Index i, Index j) {
  const Index rows = x.shape[x.shape.rank() - 2], columns = x.shape[x.shape.rank() - 1];
  const Index at = transposed ? j * columns + i : i * columns + j;
  return x.values[static_cast<std::size_t>(batch * rows * columns + at)];
}

Op matmul_op() {
  const auto draw = [](Draw& d) {
    Shape batch;
    for (Index axes = d.integer(0, 2); axes > 0; --axes) batch.push_back(d.size(3, 3));
    const Index m = d.size(4, 130), k = d.size(4, 60), n = d.size(4, 300);
    const Transpose transpose{.a = d.coin(), .b = d.coin()};
    const auto matrix = [&](bool transposed, Index rows, Index columns) {
      Shape shape = batch;
      shape.push_back(transposed ? columns : rows);
      shape.push_back(transposed ? rows : columns);
      return d.normal(shape);
    };
    const Tensor a = matrix(transpose.a, m, k), b = matrix(transpose.b, k, n);
    return Case{
        {a, b},
        [transpose](const Inputs& in) { return matmul(in[0], in[1], transpose); },
        [=](const Arrays& in) {
          Shape shape = batch;
          shape.push_back(m);
          shape.push_back(n);
          Array y(shape);
          for (Index matrix_at = 0; matrix_at < batch.size(); ++matrix_at) {
            for (Index i = 0; i < m; ++i) {
              for (Index j = 0; j < n; ++j) {
                Sum sum;
                for (Index l = 0; l < k; ++l) {
                  sum.add(element(in[0], matrix_at, transpose.a, i, l) * element(in[1], matrix_at, transpose.b, l, j));
                }
                y.push_back(sum);
              }
            }
          }
          return y;
        }};
  };
  return {.name = "matmul", .form = "", .message = "matmul", .draw = draw, .roundings = 64, .largest = 1e15};
}

// Far enough from 0 for an activation that has a kink there.
bool off_zero(const Array& x) {
  return std::all_of(x.values.begin(), x.values.end(), [](Wide v) { return std::abs(v) > 0.05L; });
}

Array linear_of(const Arrays& in) {
  const Index n = in[0].shape[0], width = in[0].shape[1], outputs = in[1].shape[0];
  Array y(Shape{n, outputs});
  for (Index i = 0; i < n; ++i) {
    for (Index o = 0; o < outputs; ++o) {
      Sum sum;
      for (Index c = 0; c < width; ++c) sum.add(element(in[0], 0, false, i, c) * element(in[1], 0, true, c, o));
      if (in.size() > 2) sum.add(in[2].values[static_cast<std::size_t>(o)]);
      y.push_back(sum);
    }
  }
  return y;
}

// f of each number; an error of its argument becomes one of its value.
Array applied(const OfOne& f, Array x) {
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    const Wide at = x.values[i];
    x.values[i] = f.value(at);
    x.sizes[i] = std::abs(x.values[i]) + std::abs(x.sizes[i]) * 1.2L;
  }
  return x;
}

Op linear_op(const Activation* f) {
  const auto draw = [f](Draw& d) {
    while (true) {
      const Index n = d.size(3, 400), width = d.size(4, 60), outputs = d.size(3, 300);
      Inputs inputs{d.normal({n, width}), d.normal({outputs, width})};
      if (d.coin()) inputs.push_back(d.normal({outputs}));
      const Arrays arrays(inputs.begin(), inputs.end());
      if (f && inputs[0].size() < 100 && !off_zero(linear_of(arrays)) && width > 0) continue;
      return Case{inputs,
                  [f](const Inputs& in) {
                    const Tensor bias = in.size() > 2 ? in[2] : Tensor();
                    return f ? linear(in[0], in[1], bias, *f) : linear(in[0], in[1], bias);
                  },
                  [f](const Arrays& in) {
                    Array y = linear_of(in);
                    return f ? applied(activation_reference(f->name), std::move(y)) : y;
                  }};
    }
  };
  return {.name = "linear",
          .form = f ? f->name : "",
          .message = "linear",
          .draw = draw,
          .roundings = 64,
          .largest = 1e15,
          .required = 2};
}

Op conv2d_op() {
  const auto draw = [](Draw& d) {
    const Index groups = d.integer(1, 2), taps_y = d.integer(1, 3), taps_x = d.coin() ? taps_y : d.integer(1, 3);
    const bool plain = d.integer(0, 3) == 0;  // with a 1 x 1 kernel, a matrix product
    const Conv2dOptions options{
        .stride = plain ? 1 : d.integer(1, 3), .padding = plain ? 0 : d.integer(0, 2), .groups = plain ? 1 : groups};
    const Index n = d.size(2, 12), height = taps_y + d.integer(0, 3), width = taps_x + d.integer(0, 3);
    const Index channels = options.groups * d.size(2, 24), outputs = options.groups * d.size(2, 32);
    Inputs inputs{d.normal({n, height, width, channels}),
                  d.normal({taps_y, taps_x, channels / options.groups, outputs})};
    if (d.coin()) inputs.push_back(d.normal({outputs}));
    return Case{inputs,
                [options](const Inputs& in) { return conv2d(in[0], in[1], in.size() > 2 ? in[2] : Tensor(), options); },
                [=](const Arrays& in) {
                  const Index s = options.stride, p = options.padding;
                  const Shape shape{n, (height + 2 * p - taps_y) / s + 1, (width + 2 * p - taps_x) / s + 1, outputs};
                  const Index group_channels = channels / options.groups, group_outputs = outputs / options.groups;
                  Array y(shape);
                  for_each_index(shape, [&](const auto& at, Index) {
                    Sum sum;
                    const Index o = at[3];
                    if (in.size() > 2) sum.add(in[2].values[static_cast<std::size_t>(o)]);
                    for (Index u = 0; u < taps_y; ++u) {
                      for (Index v = 0; v < taps_x; ++v) {
                        const Index i = s * at[1] + u - p, j = s * at[2] + v - p;
                        for (Index c = 0; c < group_channels; ++c) {
                          const bool inside = 0 <= i && i < height && 0 <= j && j < width;
                          const Index x_at =
                              ((at[0] * height + i) * width + j) * channels + o / group_outputs * group_channels + c;
                          const Index w_at = ((u * taps_x + v) * group_channels + c) * outputs + o;
                          sum.add((inside ? in[0].values[static_cast<std::size_t>(x_at)] : 0) *
                                  in[1].values[static_cast<std::size_t>(w_at)]);
                        }
                      }
                    }
                    y.push_back(sum);
                  });
                  return y;
                }};
  };
  return {
      .name = "conv2d", .form = "", .message = "conv2d", .draw = draw, .roundings = 64, .largest = 1e15, .required = 2};
}

Op attention_op() {
  const auto draw = [](Draw& d) {
    const Index n = d.size(2, 3), queries = d.size(4, 60), keys = std::max<Index>(1, d.size(5, 60)),
                heads = d.integer(1, 2);
    const bool same = queries > 0 && d.coin();  // of one tensor, as in self-attention
    const Index depth = std::max<Index>(1, d.size(3, 32)), value_depth = same ? depth : d.integer(1, 3);
    const Shape of_keys{n, same ? queries : keys, heads * depth}, of_values{n, of_keys[1], heads * value_depth};
    return Case{{d.normal({n, queries, heads * depth}), d.normal(of_keys), d.normal(of_values)},
                [heads](const Inputs& in) { return attention(in[0], in[1], in[2], heads); },
                [=](const Arrays& in) {
                  const auto at = [&](const Array& x, Index image, Index row, Index head, Index c) {
                    const Index channels = x.shape[2];
                    return x.values[static_cast<std::size_t>((image * x.shape[1] + row) * channels +
                                                             head * (channels / heads) + c)];
                  };
                  const Shape shape{n, queries, heads * value_depth};
                  Array y(shape);
                  for_each_index(shape, [&](const auto& index, Index) {
                    const Index head = index[2] / value_depth, column = index[2] % value_depth;
                    std::vector<Sum> scores(static_cast<std::size_t>(of_keys[1]));
                    Wide top = -std::numeric_limits<Wide>::infinity(), rounding = 0;
                    for (Index s = 0; s < of_keys[1]; ++s) {
                      Sum& score = scores[static_cast<std::size_t>(s)];
                      for (Index c = 0; c < depth; ++c) {
                        score.add(at(in[0], index[0], index[1], head, c) * at(in[1], index[0], s, head, c) /
                                  std::sqrt(static_cast<Wide>(depth)));
                      }
                      top = std::isnan(score.value) || score.value > top ? score.value : top;
                      rounding = std::max(rounding, score.size);
                    }
                    Wide total = 0;
                    Sum value;
                    for (Index s = 0; s < of_keys[1]; ++s) {
                      // As a Real, since 0 weighs an infinite value as no small number does.
                      const Wide weight = static_cast<Real>(std::exp(scores[static_cast<std::size_t>(s)].value - top));
                      total += weight;
                      value.add(weight * at(in[2], index[0], s, head, column));
                    }
                    // An error of a score is a relative one of its weight.
                    y.push_back(value.value / total, value.size / total * (1 + 2 * rounding));
                  });
                  return y;
                }};
  };
  return {.name = "attention", .form = "", .message = "attention", .draw = draw, .roundings = 64, .largest = 1e6};
}

}  // namespace

std::vector<Op> product_ops() {
  std::vector<Op> all = {matmul_op(), linear_op(nullptr)};
  for (const Activation& f : activations()) all.push_back(linear_op(&f));
  all.push_back(conv2d_op());
  all.push_back(attention_op());
  return all;
}

}  // namespace rill::testing
