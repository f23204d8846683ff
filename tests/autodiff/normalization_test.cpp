// Group, instance and layer norm: values against the definition, gradients, per-sample scales, misuse.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "tests/gradcheck.hpp"
#include "tests/misuse.hpp"

namespace rill {
namespace {

using testing::expect_gradients;
using Inputs = std::vector<Tensor>;

Tensor normal(const Shape& shape, std::uint64_t stream = 0) {
  Generator rng(17, stream);
  return Tensor::randn(shape, rng);
}

const Activation& activation(std::string_view name) {
  for (const Activation& f : activations()) {
    if (f.name == name) return f;
  }
  fail("no activation ", name);
}

// Number (n, p, c) of group_norm with [C] scale and shift, by the definition and in double. x: [N, places, C].
double by_definition(const Tensor& x, Index groups, const Tensor& scale, const Tensor& shift, Index n, Index p,
                     Index c) {
  const Index places = x.dim(1), channels = x.dim(2), size = channels / groups;
  double total = 0, squares = 0;
  const auto for_group = [&](const auto& body) {
    for (Index q = 0; q < places; ++q) {
      for (Index k = c / size * size; k < (c / size + 1) * size; ++k) {
        body(static_cast<double>(x.data()[(n * places + q) * channels + k]));
      }
    }
  };
  const auto count = static_cast<double>(places * size);
  for_group([&](double v) { total += v; });
  for_group([&](double v) { squares += (v - total / count) * (v - total / count); });
  const double xhat = (static_cast<double>(x.data()[(n * places + p) * channels + c]) - total / count) /
                      std::sqrt(squares / count + 1e-5);
  return xhat * static_cast<double>(scale.data()[c]) + static_cast<double>(shift.data()[c]);
}

TEST(GroupNorm, ValuesAreThoseOfTheDefinition) {
  // More places than a block of the kernels, channels on either side of a register; a mean far from 0 must not cost
  // digits of the variance.
  for (const Index channels : {4, 12, 32, 36}) {
    for (const Index groups : {Index{1}, Index{2}, channels / 2, channels}) {
      for (const double offset : {0., 100.}) {
        const Tensor x = normal({2, 150, channels}) + offset, scale = normal({channels}, 1),
                     shift = normal({channels}, 2);
        const Tensor y = group_norm(x, groups, scale, shift);
        // A rounding error of the input, of epsilon times the offset, stands in every result.
        const double tolerance = (sizeof(Real) == 8 ? 1e-13 : 1e-5) * (1 + offset / 4);
        for (Index n = 0; n < 2; ++n) {
          for (Index p = 0; p < 150; p += 7) {
            for (Index c = 0; c < channels; ++c) {
              ASSERT_NEAR(y.data()[(n * 150 + p) * channels + c], by_definition(x, groups, scale, shift, n, p, c),
                          tolerance)
                  << channels << " channels, " << groups << " groups, offset " << offset;
            }
          }
        }
      }
    }
  }
}

TEST(GroupNorm, Gradients) {
  for (const Index groups : {1, 2, 6}) {
    expect_gradients([=](const Inputs& v) { return group_norm(v[0], groups, v[1], v[2]); },
                     {normal({2, 2, 3, 6}), normal({6}, 1), normal({6}, 2)});
    expect_gradients([=](const Inputs& v) { return group_norm(v[0], groups, v[1], v[2]); },
                     {normal({2, 2, 3, 6}), normal({2, 6}, 1), normal({2, 6}, 2)});
  }
  expect_gradients([](const Inputs& v) { return group_norm(v[0], 2, {}, {}); }, {normal({2, 5, 4})});
  expect_gradients([](const Inputs& v) { return group_norm(v[0], 2, v[1], {}); }, {normal({2, 5, 4}), normal({4}, 1)});
  expect_gradients([](const Inputs& v) { return group_norm(v[0], 2, {}, v[1]); }, {normal({2, 5, 4}), normal({4}, 1)});
}

TEST(GroupNorm, FusedActivationsHaveTheSameValuesAndGradients) {
  for (const Activation& f : activations()) {
    SCOPED_TRACE(f.name);
    const auto leaves = [] {
      return Inputs{normal({3, 4, 5, 6}).set_requires_grad(), normal({6}, 1).set_requires_grad(),
                    normal({6}, 2).set_requires_grad()};
    };
    const Inputs a = leaves(), b = leaves();
    const Tensor fused = group_norm(a[0], 3, a[1], a[2], f), apart = f.apply(group_norm(b[0], 3, b[1], b[2]));
    const Tensor weight = normal(fused.shape(), 3);
    sum(fused * weight).backward();
    sum(apart * weight).backward();
    for (Index i = 0; i < fused.size(); ++i) ASSERT_NEAR(fused.data()[i], apart.data()[i], 1e-5);
    for (std::size_t k = 0; k < 3; ++k) {
      for (Index i = 0; i < a[k].size(); ++i) {
        ASSERT_NEAR(a[k].grad().data()[i], b[k].grad().data()[i], 2e-5) << "input " << k;
      }
    }
  }
  for (const char* smooth : {"silu", "gelu", "tanh", "softplus"}) {
    expect_gradients([&](const Inputs& v) { return group_norm(v[0], 2, v[1], v[2], activation(smooth)); },
                     {normal({2, 5, 4}), normal({4}, 1), normal({4}, 2)});
    expect_gradients([&](const Inputs& v) { return group_norm(v[0], 2, v[1], v[2], activation(smooth)); },
                     {normal({2, 5, 4}), normal({2, 4}, 1), normal({2, 4}, 2)});
  }
}

TEST(GroupNorm, InstanceNormIsOneGroupPerChannel) {
  const Tensor x = normal({2, 4, 4, 3}), scale = normal({3}, 1), shift = normal({3}, 2);
  EXPECT_EQ(instance_norm(x, scale, shift).to_vector(), group_norm(x, 3, scale, shift).to_vector());
}

TEST(LayerNorm, ValuesAreThoseOfTheDefinition) {
  // A place is a sample of one place and one group.
  for (const Index channels : {1, 3, 16, 64, 70}) {
    const Tensor x = normal({3, 5, channels}), scale = normal({channels}, 1), shift = normal({channels}, 2);
    const Tensor y = layer_norm(x, scale, shift), rows = reshape(x, {15, 1, channels});
    for (Index row = 0; row < 15; ++row) {
      for (Index c = 0; c < channels; ++c) {
        ASSERT_NEAR(y.data()[row * channels + c], by_definition(rows, 1, scale, shift, row, 0, c),
                    sizeof(Real) == 8 ? 1e-13 : 1e-5)
            << channels;
      }
    }
  }
}

TEST(LayerNorm, Gradients) {
  const auto f = [](const Inputs& v) { return layer_norm(v[0], v[1], v[2]); };
  expect_gradients(f, {normal({2, 3, 6}), normal({6}, 1), normal({6}, 2)});
  expect_gradients(f, {normal({2, 3, 6}), normal({2, 6}, 1), normal({2, 6}, 2)});
  expect_gradients(f, {normal({4, 6}), normal({6}, 1), normal({6}, 2)});
  expect_gradients([](const Inputs& v) { return layer_norm(v[0], {}, {}); }, {normal({2, 3, 6})});
}

TEST(Normalization, ScalesPerSampleAreThoseOfEachSampleAlone) {
  const Tensor x = normal({3, 4, 8}), scale = normal({3, 8}, 1), shift = normal({3, 8}, 2);
  const Tensor group = group_norm(x, 2, scale, shift), layer = layer_norm(x, scale, shift);
  for (Index n = 0; n < 3; ++n) {
    const Tensor x_n = slice(x, 0, n, n + 1), scale_n = reshape(slice(scale, 0, n, n + 1), {8}),
                 shift_n = reshape(slice(shift, 0, n, n + 1), {8});
    EXPECT_EQ(slice(group, 0, n, n + 1).to_vector(), group_norm(x_n, 2, scale_n, shift_n).to_vector());
    EXPECT_EQ(slice(layer, 0, n, n + 1).to_vector(), layer_norm(x_n, scale_n, shift_n).to_vector());
  }
}

TEST(LayerNorm, OfEqualNumbersIsZeroAndItsGradientTheCenteredOne) {
  for (const Index channels : {2, 3, 7, 15, 41, 100}) {
    for (const double value : {1., 0.1, 1e4, -12345.678}) {
      Tensor x = Tensor::full({1, channels}, static_cast<Real>(value)).set_requires_grad();
      const Tensor y = layer_norm(x, {}, {}), weight = normal({1, channels});
      EXPECT_EQ(y.to_vector(), std::vector<Real>(static_cast<std::size_t>(channels), 0)) << value;
      const auto w = [&](Index c) { return static_cast<double>(weight.data()[c]); };
      double mean_weight = 0;
      for (Index c = 0; c < channels; ++c) mean_weight += w(c) / static_cast<double>(channels);
      for (const bool create_graph : {false, true}) {
        const Tensor g = grad(sum(y * weight), x, {.create_graph = create_graph, .retain_graph = true});
        for (Index c = 0; c < channels; ++c) {
          EXPECT_NEAR(g.data()[c], (w(c) - mean_weight) / std::sqrt(1e-5), sizeof(Real) == 8 ? 1e-10 : 1e-3)
              << channels << " of " << value << (create_graph ? ", by ops" : "");
        }
      }
    }
  }
}

// x: [1, places, channels], with a mean, a spread and a first place of its own.
struct Hard {
  const char* name;
  double mean, spread, first;
};
constexpr double kHuge = sizeof(Real) == 4 ? 1e30 : 1e200;
constexpr Hard kHard[] = {{"plain", 0, 1, 0},
                          {"mean far from 0", 1e4, 1, 0},
                          {"first far off", 1000, 1, -2000},
                          {"constant", 12345.6, 0, 0},
                          {"small", 0, 1e-6, 0},
                          {"large", 1e16, 1e15, 0},
                          {"huge", 0, kHuge, 0},
                          {"huge mean", kHuge, kHuge / 8, 0}};

// Against the definition in double: values, gradients by kernels and gradients made of ops.
void check_hard(const Hard& hard, Index places, Index channels, Index groups, double epsilon) {
  SCOPED_TRACE(::testing::Message() << hard.name << ", " << places << " places, " << channels << " channels, " << groups
                                    << " groups, epsilon " << epsilon);
  using Wide = long double;
  const bool rows = groups == 0;  // layer_norm
  Tensor x = Tensor::empty({1, places, channels}), scale = normal({channels}, 1), shift = normal({channels}, 2);
  const Tensor noise = normal(x.shape(), 3), weight = normal(x.shape(), 4);
  for (Index i = 0; i < x.size(); ++i) {
    const double from_mean =
        i < (rows ? 1 : channels) ? hard.first : hard.spread * static_cast<double>(noise.data()[i]);
    x.data()[i] = static_cast<Real>(hard.mean + from_mean);
  }
  x.set_requires_grad(), scale.set_requires_grad(), shift.set_requires_grad();
  const Tensor y = rows ? layer_norm(x, scale, shift, epsilon) : group_norm(x, groups, scale, shift, epsilon);
  const Inputs by_kernels = grad({sum(y * weight)}, {x, scale, shift}, {.retain_graph = true});
  const Inputs by_ops = grad({sum(y * weight)}, {x, scale, shift}, {.create_graph = true});

  const Index size = rows ? channels : channels / groups;
  const auto group_of = [&](Index i) { return rows ? i / channels : i % channels / size; };
  const auto wide = [](const Tensor& t, Index i) { return static_cast<Wide>(t.data()[i]); };
  const auto h = [&](Index i) { return wide(weight, i) * wide(scale, i % channels); };
  std::vector<Wide> gscale(static_cast<std::size_t>(channels)), gshift(gscale.size());
  for (Index group = 0; group < (rows ? places : groups); ++group) {
    Wide count = 0, mean = 0, variance = 0, h_mean = 0, h_slope = 0;
    const auto for_group = [&](const auto& body) {
      for (Index i = 0; i < x.size(); ++i) {
        if (group_of(i) == group) body(i);
      }
    };
    for_group([&](Index i) { count += 1, mean += wide(x, i); });
    mean /= count;
    Wide lost = 0;  // by rounding
    for_group([&](Index i) { lost += (wide(x, i) - mean) / count; });
    const auto centered = [&](Index i) { return (wide(x, i) - mean) - lost; };
    for_group([&](Index i) { variance += centered(i) * centered(i) / count; });
    const Wide rstd = 1 / std::sqrt(variance + static_cast<Wide>(epsilon));
    const auto xhat = [&](Index i) { return centered(i) * rstd; };
    for_group([&](Index i) { h_mean += h(i) / count, h_slope += h(i) * xhat(i) / count; });
    const double tolerance = 100 * static_cast<double>(std::numeric_limits<Real>::epsilon()) *
                             std::max<double>(1, std::sqrt(static_cast<double>(count)) / 4);
    for_group([&](Index i) {
      const Index c = i % channels;
      gscale[static_cast<std::size_t>(c)] += wide(weight, i) * xhat(i);
      gshift[static_cast<std::size_t>(c)] += wide(weight, i);
      ASSERT_NEAR(y.data()[i], static_cast<double>(xhat(i) * wide(scale, c) + wide(shift, c)), tolerance) << i;
      const auto gx = static_cast<double>(h(i) - h_mean - xhat(i) * h_slope);
      ASSERT_NEAR(static_cast<double>(wide(by_kernels[0], i) / rstd), gx, tolerance) << i;
      ASSERT_NEAR(static_cast<double>(wide(by_ops[0], i) / rstd), gx, tolerance) << i;
    });
  }
  for (Index c = 0; c < channels; ++c) {
    const double tolerance =
        100 * static_cast<double>(std::numeric_limits<Real>::epsilon() * static_cast<Real>(places));
    for (const Inputs& g : {by_kernels, by_ops}) {
      ASSERT_NEAR(g[1].data()[c], static_cast<double>(gscale[static_cast<std::size_t>(c)]), tolerance) << c;
      ASSERT_NEAR(g[2].data()[c], static_cast<double>(gshift[static_cast<std::size_t>(c)]), tolerance) << c;
    }
  }
}

TEST(Normalization, KeepsItsDigitsAtEveryMeanAndScale) {
  for (const Hard& hard : kHard) {
    for (const double epsilon : {1e-5, 0.}) {
      if (epsilon == 0 && hard.spread == 0) continue;  // 0 / 0
      for (const Index channels : {6, 34}) {
        for (const Index groups : {Index{0}, Index{1}, Index{2}, channels}) {
          check_hard(hard, 150, channels, groups, epsilon);
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
  check_hard({"tiny", 0, 1e-25, 0}, 20, 15, 0, 0);
  check_hard({"tiny", 0, 1e-25, 0}, 20, 15, 3, 0);
}

// Their deviation is above 0, but 1 / deviation is beyond a Real. One group of two, so that each has a factor of its
// own.
TEST(Normalization, OfDenormalsWithoutEpsilonIsThatOfTheirMultiples) {
  const double least = std::numeric_limits<Real>::denorm_min();
  for (const bool rows : {false, true}) {
    const auto normalize = [&](const Tensor& x) {
      return rows ? layer_norm(x, {}, {}, 0) : group_norm(x, 2, {}, {}, 0);
    };
    Tensor small = Tensor::empty({1, 8, 8}), large = Tensor::empty({1, 8, 8});
    for (Index i = 0; i < 64; ++i) {
      const double number = static_cast<double>((i * i * 7 + i) % 64 - 20);
      const bool of_second = rows ? i >= 32 : i % 8 >= 4;
      small.data()[i] = static_cast<Real>(number * (of_second ? 1 : least));
      large.data()[i] = static_cast<Real>(number);
    }
    const Tensor scale = normal({8}, 1).set_requires_grad(), weight = normal({1, 8, 8}, 2);
    const auto scaled = [&](const Tensor& x) {
      return rows ? layer_norm(x, scale, {}, 0) : group_norm(x, 2, scale, {}, 0);
    };
    const Tensor gx = grad(sum(normalize(small.set_requires_grad()) * weight), small);
    const Tensor y = normalize(small), expected = normalize(large);
    const Tensor g = grad(sum(scaled(small) * weight), scale), expected_g = grad(sum(scaled(large) * weight), scale);
    const Tensor expected_gx = grad(sum(normalize(large.set_requires_grad()) * weight), large);
    const double tolerance = 16 * static_cast<double>(std::numeric_limits<Real>::epsilon());
    for (Index i = 0; i < 64; ++i) {
      EXPECT_NEAR(y.data()[i], expected.data()[i], tolerance) << i;
      const bool of_second = rows ? i >= 32 : i % 8 >= 4;  // the others' are beyond a Real
      if (of_second) {
        EXPECT_NEAR(gx.data()[i], expected_gx.data()[i], tolerance) << i;
      }
    }
    for (Index c = 0; c < 8; ++c) EXPECT_NEAR(g.data()[c], expected_g.data()[c], 10 * tolerance) << c;
  }
}

TEST(Normalization, OfNoPlacesHasGradientsOfZero) {
  Tensor x = Tensor::zeros({2, 0, 6}), scale = normal({2, 6}, 1), shift = normal({6}, 2);
  const Inputs inputs = {x.set_requires_grad(), scale.set_requires_grad(), shift.set_requires_grad()};
  for (const Tensor& y : {layer_norm(x, scale, shift), group_norm(x, 2, scale, shift)}) {
    const Inputs g = grad({sum(y)}, inputs);
    EXPECT_EQ(g[0].shape(), x.shape());
    EXPECT_EQ(g[1].shape(), scale.shape());
    EXPECT_EQ(g[1].to_vector(), std::vector<Real>(12, 0));
    EXPECT_EQ(g[2].to_vector(), std::vector<Real>(6, 0));
  }
}

TEST(Normalization, MisuseIsNamed) {
  const Tensor x = Tensor::zeros({2, 5, 6});
  EXPECT_EQ(misuse([&] { group_norm(x, 4, {}, {}); }),
            "group_norm: 4 groups do not divide the 6 channels of x [2, 5, 6]");
  EXPECT_EQ(misuse([&] { group_norm(x, 0, {}, {}); }),
            "group_norm: 0 groups do not divide the 6 channels of x [2, 5, 6]");
  EXPECT_EQ(misuse([&] { group_norm(x, 2, Tensor::zeros({5}), {}); }),
            "group_norm: scale of shape [5] for x of shape [2, 5, 6]; expected [6] or [2, 6]");
  EXPECT_EQ(misuse([&] {
              layer_norm(x, {}, Tensor::zeros({5, 6}));
            }),
            "layer_norm: shift of shape [5, 6] for x of shape [2, 5, 6]; expected [6] or [2, 6]");
  for (const double epsilon : {-1e-5, -HUGE_VAL, HUGE_VAL, std::nan("")}) {
    const std::string rest = concat(": epsilon is ", epsilon, ", expected a number >= 0");
    EXPECT_EQ(misuse([&] { layer_norm(x, {}, {}, epsilon); }), "layer_norm" + rest);
    EXPECT_EQ(misuse([&] { group_norm(x, 2, {}, {}, epsilon); }), "group_norm" + rest);
    EXPECT_EQ(misuse([&] { group_norm(x, 2, {}, {}, activation("silu"), epsilon); }), "group_norm" + rest);
    EXPECT_EQ(misuse([&] { instance_norm(x, {}, {}, epsilon); }), "instance_norm" + rest);
  }
  EXPECT_EQ(misuse([] { layer_norm(Tensor::zeros({6}), {}, {}); }), "layer_norm: expected x [N, ..., C], got [6]");
}

}  // namespace
}  // namespace rill
