// The table's normalizations, pooling and upsampling.
#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "tests/autodiff/op_table.hpp"

namespace rill::testing {
namespace {

using Inputs = std::vector<Tensor>;
using Arrays = std::vector<Array>;

enum class Grouping { kChannels, kPlace };

// x: [N, places, C]. Places are normalized on their own, or groups of channels over all places.
Array normalized(const Arrays& in, Grouping grouping, Index groups, bool scaled, bool shifted, double epsilon) {
  const Array& x = in[0];
  const int rank = x.shape.rank();
  const Index samples = x.shape[0], channels = x.shape[rank - 1];
  Index places = 1;
  for (int axis = 1; axis + 1 < rank; ++axis) places *= x.shape[axis];
  const Index size = channels / groups;
  const auto at = [&](Index n, Index p, Index c) {
    return x.values[static_cast<std::size_t>((n * places + p) * channels + c)];
  };
  const auto of_sample = [&](const Array& v, Index n, Index c) {
    return v.values[static_cast<std::size_t>((v.shape.rank() == 2 ? n * channels : 0) + c)];
  };
  Array y(x.shape);
  for (Index n = 0; n < samples; ++n) {
    for (Index p = 0; p < places; ++p) {
      for (Index c = 0; c < channels; ++c) {
        const Index first = c / size * size;
        Wide count = 0, mean = 0, variance = 0;
        const auto for_group = [&](const auto& body) {
          for (Index q = grouping == Grouping::kPlace ? p : 0; q < (grouping == Grouping::kPlace ? p + 1 : places);
               ++q) {
            for (Index k = first; k < first + size; ++k) body(at(n, q, k));
          }
        };
        for_group([&](Wide v) {
          mean += v;
          ++count;
        });
        mean /= count;
        Wide largest = 0;
        for_group([&](Wide v) {
          variance += (v - mean) * (v - mean);
          largest = std::max(largest, std::abs(v));
        });
        const Wide deviation = std::sqrt(variance / count + epsilon);
        Sum sum;
        sum.add((at(n, p, c) - mean) / deviation * (scaled ? of_sample(in[1], n, c) : 1));
        // A mean is off by a rounding of the largest number.
        sum.size = std::max(sum.size, (1 + largest / deviation) * (scaled ? std::abs(of_sample(in[1], n, c)) : 1));
        if (shifted) sum.add(of_sample(in[scaled ? 2 : 1], n, c));
        y.push_back(sum);
      }
    }
  }
  return y;
}

enum class Norm { kGroup, kInstance, kLayer };

Op norm_op(const char* name, Norm norm, const Activation* f = nullptr) {
  const auto draw = [norm, f](Draw& d) {
    const Index groups = norm == Norm::kGroup ? d.integer(1, 3) : 1,
                channels = groups * std::max<Index>(1, d.size(3, 24));
    Shape shape{d.size(3, 40)};
    for (Index axes = d.integer(0, 2); axes > 0; --axes) shape.push_back(d.size(3, 20));
    if (norm == Norm::kInstance) shape.push_back(3);  // of one number alone there is nothing but the shift
    shape.push_back(channels);
    const bool scaled = d.coin(), shifted = d.coin();
    const Shape own = d.coin() ? Shape{channels} : Shape{shape[0], channels};
    Inputs inputs{4 * d.distinct(shape)};  // apart by much more than the root of epsilon: gently curved
    if (scaled) inputs.push_back(d.normal(own));
    if (shifted) inputs.push_back(d.normal(own));
    const double epsilon = d.coin() ? 1e-5 : 0.1;
    return Case{inputs,
                [=](const Inputs& in) {
                  const Tensor scale = scaled ? in[1] : Tensor(), shift = shifted ? in[scaled ? 2 : 1] : Tensor();
                  if (f) return group_norm(in[0], groups, scale, shift, *f, epsilon);
                  if (norm == Norm::kGroup) return group_norm(in[0], groups, scale, shift, epsilon);
                  if (norm == Norm::kInstance) return instance_norm(in[0], scale, shift, epsilon);
                  return layer_norm(in[0], scale, shift, epsilon);
                },
                [=](const Arrays& in) {
                  Array y = normalized(in, norm == Norm::kLayer ? Grouping::kPlace : Grouping::kChannels,
                                       norm == Norm::kInstance ? channels : groups, scaled, shifted, epsilon);
                  for (std::size_t i = 0; f && i < y.values.size(); ++i) {
                    y.values[i] = activation_reference(f->name).value(y.values[i]);
                  }
                  return y;
                }};
  };
  return {.name = name,
          .form = f ? f->name : "",
          .message = name,
          .draw = draw,
          .roundings = 64,
          .largest = 1e15,
          .required = 1,
          .finite = 1};  // an infinite scale makes the least rounding of a mean infinite
}

// f(numbers of the window, how many of its places are padding)
template <class F>
Array pooled(const Array& x, const Pool& pool, const F& f) {
  const Index stride = pool.stride == 0 ? pool.window : pool.stride, height = x.shape[1], width = x.shape[2];
  const Shape shape{x.shape[0], (height + 2 * pool.padding - pool.window) / stride + 1,
                    (width + 2 * pool.padding - pool.window) / stride + 1, x.shape[3]};
  Array y(shape);
  for_each_index(shape, [&](const auto& at, Index) {
    std::vector<Wide> numbers;
    for (Index u = 0; u < pool.window; ++u) {
      for (Index v = 0; v < pool.window; ++v) {
        const Index i = at[1] * stride + u - pool.padding, j = at[2] * stride + v - pool.padding;
        if (i < 0 || i >= height || j < 0 || j >= width) continue;
        numbers.push_back(x.values[static_cast<std::size_t>(((at[0] * height + i) * width + j) * x.shape[3] + at[3])]);
      }
    }
    y.push_back(f(numbers));
  });
  return y;
}

Op pool_op(const char* name, Tensor (*f)(const Tensor&, const Pool&), bool largest) {
  const auto draw = [f, largest](Draw& d) {
    const Index window = d.integer(1, 3);
    const Pool pool{.window = window, .stride = d.integer(0, 3), .padding = d.integer(0, window / 2)};
    const Shape shape{d.size(3, 12), window + d.integer(0, 3), window + d.integer(0, 3), d.size(4, 600)};
    return Case{{d.distinct(shape)},
                [=](const Inputs& in) { return f(in[0], pool); },
                [=](const Arrays& in) {
                  return pooled(in[0], pool, [&](const std::vector<Wide>& numbers) {
                    Sum sum;
                    if (!largest) {
                      for (const Wide x : numbers) sum.add(x / static_cast<Wide>(window * window));
                      return sum;
                    }
                    sum.value = -std::numeric_limits<Wide>::infinity();
                    for (const Wide x : numbers) sum.value = std::isnan(x) || x > sum.value ? x : sum.value;
                    return sum;
                  });
                }};
  };
  return {.name = name, .form = "", .message = name, .draw = draw, .roundings = 16};
}

Op upsample_op() {
  const auto draw = [](Draw& d) {
    const Index factor = d.integer(1, 3);
    return Case{{d.normal({d.size(3, 12), d.size(3, 5), d.size(3, 5), d.size(4, 200)})},
                [factor](const Inputs& in) { return upsample_nearest(in[0], factor); },
                [factor](const Arrays& in) {
                  const Array& x = in[0];
                  const Shape shape{x.shape[0], factor * x.shape[1], factor * x.shape[2], x.shape[3]};
                  Array y(shape);
                  for_each_index(shape, [&](const auto& at, Index) {
                    const Index place = (at[0] * x.shape[1] + at[1] / factor) * x.shape[2] + at[2] / factor;
                    y.push_back(x.values[static_cast<std::size_t>(place * x.shape[3] + at[3])]);
                  });
                  return y;
                }};
  };
  return {.name = "upsample_nearest", .form = "", .message = "upsample_nearest", .draw = draw};
}

}  // namespace

std::vector<Op> image_ops() {
  std::vector<Op> all = {norm_op("group_norm", Norm::kGroup),          norm_op("instance_norm", Norm::kInstance),
                         norm_op("layer_norm", Norm::kLayer),          pool_op("max_pool", max_pool, true),
                         pool_op("average_pool", average_pool, false), upsample_op()};
  for (const Activation& f : activations()) {
    const std::string_view name = f.name;
    if (name == "silu" || name == "gelu" || name == "tanh") all.push_back(norm_op("group_norm", Norm::kGroup, &f));
  }
  return all;
}

}  // namespace rill::testing
