// Sizes beyond memory or an Index give an error, never a block that is too small.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>
#include <vector>

#include "autodiff/memory.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"

namespace rill {
namespace {

using ::testing::HasSubstr;

constexpr Index kLargest = std::numeric_limits<Index>::max();

// The message of the std::invalid_argument that body throws.
std::string misuse(const std::function<void()>& body) {
  try {
    body();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "no error";
}

TEST(Sizes, OfShapes) {
  const std::vector<Shape> too_large = {
      {Index{1} << 62}, {kLargest}, {kLargest, kLargest}, {Index{1} << 40, Index{1} << 40}, {(Index{1} << 48) + 1}};
  for (const Shape& shape : too_large) {
    EXPECT_THAT(misuse([&] { Tensor::empty(shape); }), HasSubstr("more than memory can hold")) << shape;
    EXPECT_THAT(misuse([&] { (void)shape.size(); }), HasSubstr("at most 2^48")) << shape;
    // Nothing in it, but products of some of its sizes overflow.
    Shape none = shape;
    none.push_back(0);
    EXPECT_THAT(misuse([&] { Tensor::zeros(none); }), HasSubstr("more than memory can hold")) << none;
  }
  EXPECT_THAT(misuse([] { Tensor::zeros({0, Index{1} << 62, 2}); }), HasSubstr("[0, 4611686018427387904, 2]"));
  EXPECT_THAT(misuse([] { Tensor::zeros({0, -1}); }), HasSubstr("negative size"));
  EXPECT_EQ((Shape{0, Index{1} << 48}).size(), 0);
  EXPECT_EQ((Shape{Index{1} << 24, Index{1} << 24}).size(), Index{1} << 48);
}

TEST(Sizes, OfMemory) {
  // What a wrapped number of bytes would be enough for: 2^62 floats are 0 bytes, 2^61 doubles too.
  for (const Index size : {Index{1} << 61, Index{1} << 62, (Index{1} << 62) + 5, kLargest}) {
    EXPECT_THROW(Storage{size}, std::bad_alloc) << size;
    EXPECT_THROW((void)memory::Allocator<Real>().allocate(static_cast<std::size_t>(size)), std::bad_alloc) << size;
  }
  EXPECT_THAT(misuse([] { Storage{-1}; }), HasSubstr("negative size -1"));
  for (const std::size_t bytes : {~std::size_t{0}, ~std::size_t{0} - 63, (std::size_t{1} << 47) + 1}) {
    EXPECT_THROW((void)memory::allocate(bytes), std::bad_alloc) << bytes;
  }
  EXPECT_THAT(misuse([] {
                Tensor(std::make_shared<Storage>(3), {2, 2}, nullptr);
              }),
              HasSubstr("3 numbers for shape [2, 2]"));
}

TEST(Sizes, OfWhatIsMade) {
  EXPECT_THAT(misuse([] { Tensor::linspace(0, 1, Index{1} << 62); }), HasSubstr("more than memory can hold"));
  Generator rng(0);
  for (const Index n : {Index{1} << 61, Index{1} << 62, kLargest}) {
    EXPECT_THAT(misuse([&] { Tensor::randn({n}, rng); }), HasSubstr("more than memory can hold"));
    EXPECT_THAT(misuse([&] { rng.integers(n, 10); }), HasSubstr("more than memory can hold"));
    EXPECT_THAT(misuse([&] { rng.permutation(n); }), HasSubstr("more than memory can hold"));
  }
}

TEST(Sizes, OfReshapedAndJoinedTensors) {
  const Tensor x = Tensor::zeros({4});
  const Index half = Index{1} << 33;
  EXPECT_THAT(misuse([&] { reshape(x, {half, half, -1}); }), HasSubstr("is too large"));
  EXPECT_THAT(misuse([&] { reshape(x, {(Index{1} << 62) + 1, 4}); }), HasSubstr("is too large"));
  EXPECT_THAT(misuse([&] { reshape(x, {Index{1} << 62}); }), HasSubstr("more than memory can hold"));
  const std::vector<Tensor> many(40'000, Tensor::zeros({Index{1} << 48, 0}));
  EXPECT_THAT(misuse([&] { concatenate(many, 0); }), HasSubstr("is too large"));
  EXPECT_THAT(misuse([&] { broadcast_to(x, {Index{1} << 60, 4}); }), HasSubstr("more than memory can hold"));
  EXPECT_THAT(misuse([&] {
                scatter_rows(x, Indices({0, 1, 2, 3}), Index{1} << 62);
              }),
              HasSubstr("more than memory can hold"));
  EXPECT_THAT(misuse([&] {
                return Tensor::zeros({1 << 30, 1, 0}) + Tensor::zeros({1, 1 << 30, 0});
              }),
              HasSubstr("more than memory can hold"));
  EXPECT_THAT(misuse([&] {
                return matmul(Tensor::zeros({1 << 30, 0}), Tensor::zeros({0, 1 << 30}));
              }),
              HasSubstr("more than memory can hold"));
}

TEST(Sizes, OfImages) {
  const Tensor x = Tensor::zeros({1, 4, 4, 1}), w = Tensor::zeros({3, 3, 1, 1});
  for (const Index padding : {Index{1} << 40, Index{1} << 61, Index{1} << 62, kLargest}) {
    EXPECT_NE(misuse([&] { conv2d(x, w, {}, {.padding = padding}); }), "no error") << padding;
    EXPECT_NE(misuse([&] { max_pool(x, {.window = 2, .padding = padding}); }), "no error") << padding;
    EXPECT_NE(misuse([&] { average_pool(x, {.window = kLargest, .padding = padding}); }), "no error") << padding;
  }
  // (2^62 + 1) 4 is 4 when it wraps.
  for (const Index factor : {(Index{1} << 62) + 1, Index{1} << 62, kLargest}) {
    EXPECT_THAT(misuse([&] { upsample_nearest(x, factor); }), HasSubstr("is too large")) << factor;
  }
  EXPECT_THAT(misuse([&] { upsample_nearest(x, Index{1} << 40); }), HasSubstr("more than memory can hold"));
}

TEST(Sizes, AConvolutionsStrideBeyondTheImageIsAnyOther) {
  Generator rng(1);
  const Tensor x = Tensor::randn({2, 4, 5, 2}, rng).set_requires_grad();
  const Tensor w = Tensor::randn({3, 2, 2, 3}, rng).set_requires_grad();
  const auto results = [&](Index stride) {
    const Tensor y = conv2d(x, w, {}, {.stride = stride, .padding = 1});
    const auto g = grad({sum(square(y))}, {x, w});
    return std::vector{y.to_vector(), g[0].to_vector(), g[1].to_vector()};
  };
  const auto expected = results(100);
  EXPECT_EQ(expected[0].size(), 2u * 3u);
  for (const Index stride : {Index{1'000'000'000}, Index{1} << 62, kLargest}) EXPECT_EQ(results(stride), expected);
}

}  // namespace
}  // namespace rill
