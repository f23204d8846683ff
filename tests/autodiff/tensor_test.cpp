// Tensors, shapes, memory and random numbers, as users see them.
#include "autodiff/tensor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <functional>
#include <new>
#include <numeric>
#include <sstream>
#include <thread>

#include "autodiff/graph.hpp"
#include "autodiff/memory.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/random.hpp"
#include "autodiff/simd/kernels.hpp"

namespace rill {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Shape, SizesAndMisuse) {
  EXPECT_EQ(Shape{}.size(), 1);
  EXPECT_EQ((Shape{2, 0, 3}).size(), 0);
  EXPECT_EQ((Shape{2, 3, 4, 5, 6, 7}).size(), 5040);
  EXPECT_THAT(
      [] {
        Shape({1, 1, 1, 1, 1, 1, 1});
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("7 axes, at most 6")));
  EXPECT_THAT(
      [] {
        Tensor::empty({2, -1});
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("negative size in [2, -1]")));
  EXPECT_THAT(
      [] {
        Tensor::empty({Index{1} << 40, Index{1} << 40});
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("2^48")));
}

TEST(Shape, Broadcasting) {
  EXPECT_EQ(broadcast_shapes("op", {4, 1}, {3}), (Shape{4, 3}));
  EXPECT_EQ(broadcast_shapes("op", {}, {2, 1}), (Shape{2, 1}));
  EXPECT_EQ(broadcast_shapes("op", {1}, {0}), Shape{0});
  EXPECT_THROW(broadcast_shapes("op", {2}, {3}), std::invalid_argument);
}

TEST(Tensor, IsAValueWhoseCopiesShareTheBuffer) {
  Tensor a = Tensor::from({1, 2, 3}, {3});
  const Tensor b = a, c = a.clone();
  a.data()[0] = 9;
  EXPECT_EQ(b.data()[0], 9);
  EXPECT_EQ(c.data()[0], 1);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.data()) % 64, 0u);
}

TEST(Tensor, Making) {
  EXPECT_THAT(Tensor::linspace(0, 1, 5).to_vector(), ElementsAre(0, 0.25, 0.5, 0.75, 1));
  EXPECT_EQ(Tensor::scalar(2).rank(), 0);
  EXPECT_EQ(Tensor::scalar(2).item(), 2);
  EXPECT_EQ(Tensor::zeros({0, 4}).size(), 0);
  EXPECT_EQ(Tensor::zeros({3, 4}).dim(-1), 4);
  EXPECT_THAT(
      [] {
        Tensor::from({1, 2}, {3});
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("2 values for shape [3]")));
  EXPECT_THAT([] { Tensor::zeros({2}).item(); }, ThrowsMessage<std::invalid_argument>(HasSubstr("got shape [2]")));
  EXPECT_THAT([] { Tensor::zeros({2}).dim(1); }, ThrowsMessage<std::invalid_argument>(HasSubstr("axis 1")));
  std::ostringstream out;
  out << Tensor::from({1, 2}, {2}) << " " << Tensor();
  EXPECT_EQ(out.str(), "Tensor[2] {1, 2} undefined tensor");
}

TEST(Memory, BlocksAreAlignedDistinctAndReused) {
  for (const std::size_t bytes : {0, 1, 64, 65, 127, 129, 1000, 4096, 5000, 1 << 20, (1 << 20) + 1, 3 << 20}) {
    void* first = memory::allocate(bytes);
    void* second = memory::allocate(bytes);
    EXPECT_NE(first, second);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % memory::kAlignment, 0u);
    std::fill_n(static_cast<char*>(first), bytes, char{1});
    std::fill_n(static_cast<char*>(second), bytes, char{2});
    EXPECT_TRUE(bytes == 0 || static_cast<char*>(first)[bytes - 1] == 1);
    memory::deallocate(second, bytes);
    EXPECT_EQ(memory::allocate(bytes), second) << bytes;
    memory::deallocate(first, bytes);
    memory::deallocate(second, bytes);
  }
}

#ifdef RILL_ADDRESS_SANITIZER
// It knows only the system's blocks, and must be told which blocks of the allocator are in use.
TEST(Memory, AddressSanitizerSeesUsesOfReturnedBlocksAndPastTheEnd) {
  for (const std::size_t bytes : {4, 60, 64, 100, 5000}) {
    for (int round = 0; round < 2; ++round) {  // from the system, and used again
      volatile char* block = static_cast<char*>(memory::allocate(bytes));
      block[bytes - 1] = 1;
      EXPECT_DEATH(block[bytes] = 1, "AddressSanitizer") << bytes;
      memory::deallocate(const_cast<char*>(block), bytes);
      EXPECT_DEATH(block[0] = 1, "AddressSanitizer") << bytes;
      EXPECT_DEATH(block[bytes - 1] = 1, "AddressSanitizer") << bytes;
    }
  }
}
#endif

TEST(Memory, AThreadThatOnlyFreesFeedsTheOneThatOnlyAllocates) {
  const auto hand_over = [] {
    std::vector<void*> blocks;
    for (int i = 0; i < 1000; ++i) blocks.push_back(memory::allocate(10'000));
    std::thread([&] {
      for (void* block : blocks) memory::deallocate(block, 10'000);
    }).join();
  };
  hand_over();
  const auto before = memory::statistics();
  for (int round = 0; round < 5; ++round) hand_over();
  EXPECT_EQ(memory::statistics().blocks, before.blocks);
}

TEST(Memory, UnusedBlocksCanBeReturned) {
  memory::deallocate(memory::allocate(std::size_t{64} << 20), std::size_t{64} << 20);
  EXPECT_GE(memory::statistics().bytes, std::size_t{64} << 20);
  const auto before = memory::statistics();
  memory::release_unused();
  const auto after = memory::statistics();
  EXPECT_LE(after.bytes + (std::size_t{64} << 20), before.bytes);
  EXPECT_LT(after.blocks, before.blocks);
  EXPECT_LT(after.bytes, std::size_t{1} << 40) << "the count of bytes wrapped around";
}

TEST(Parallel, CoversTheRangeOnceInPiecesFixedByTheProblem) {
  const int threads = thread_count();
  for (const int n : {1, 2, 5}) {
    set_thread_count(n);
    for (const Index count : {0, 1, 9, 10, 11, 1000}) {
      std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
      parallel_for(count, 10, [&](Index begin, Index end) {
        EXPECT_EQ(begin % 10, 0);
        EXPECT_LE(end - begin, 10);
        for (Index i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
      });
      EXPECT_TRUE(std::all_of(visits.begin(), visits.end(), [](const auto& v) { return v == 1; }));
    }
  }
  set_thread_count(threads);
  EXPECT_THROW(set_thread_count(0), std::invalid_argument);
}

TEST(Parallel, LoopsWithinLoopsAndFromSeveralThreadsAtOnce) {
  const int threads = thread_count();
  set_thread_count(3);
  const auto count_visits = [](int* wrong) {
    for (Index round = 0; round < 300; ++round) {
      std::vector<std::atomic<int>> visits(static_cast<std::size_t>(4 * (1 + round % 20)));
      parallel_for(1 + round % 20, 1, [&](Index begin, Index) {
        parallel_for(4, 1, [&](Index inner, Index) { ++visits[static_cast<std::size_t>(4 * begin + inner)]; });
      });
      *wrong += !std::all_of(visits.begin(), visits.end(), [](const auto& v) { return v == 1; });
    }
  };
  int wrong[3] = {};
  std::thread one(count_visits, &wrong[0]), two(count_visits, &wrong[1]);
  count_visits(&wrong[2]);
  one.join();
  two.join();
  EXPECT_THAT(wrong, testing::Each(0));
  set_thread_count(threads);
}

TEST(Parallel, WhatAPieceThrowsComesOutInTheCaller) {
  const int threads = thread_count();
  for (const int count : {1, 2, 4}) {
    set_thread_count(count);
    std::atomic<bool> may_end{false};
    // Each thread holds one piece until one has thrown, so that with several it is often not the caller that throws.
    for (Index thrower = 0; thrower < count; ++thrower) {
      may_end = false;
      EXPECT_THROW(parallel_for(1000, 1,
                                [&](Index begin, Index) {
                                  if (begin == thrower) {
                                    may_end = true;
                                    throw std::bad_alloc();
                                  }
                                  while (begin > thrower && begin < count && !may_end) std::this_thread::yield();
                                }),
                   std::bad_alloc)
          << count << " threads, piece " << thrower;
    }
    // Within a loop, out of both.
    EXPECT_THROW(parallel_for(100, 1,
                              [&](Index begin, Index) {
                                parallel_for(100, 1, [&](Index inner, Index) {
                                  if (begin == 50 && inner == 50) throw std::runtime_error("inner");
                                });
                              }),
                 std::runtime_error);
    // And the next loop is whole.
    std::atomic<Index> total{0};
    parallel_for(1000, 1, [&](Index begin, Index) { total += begin; });
    EXPECT_EQ(total, 499'500);
  }
  set_thread_count(threads);
}

TEST(Tensor, UndefinedOnesSaySo) {
  const Tensor undefined;
  Tensor leaf = Tensor::ones({}).set_requires_grad();  // whose shape, [], an undefined tensor has too
  const std::vector<std::function<void()>> uses = {
      [&] { (void)undefined.data(); },
      [&] { (void)undefined.values(); },
      [&] { undefined.to_vector(); },
      [&] { undefined.clone(); },
      [&] { (void)undefined.item(); },
      [&] { (void)undefined.grad(); },
      [&] { Tensor().clear_grad(); },
      [&] { Tensor().set_requires_grad(); },
      [&] { undefined.backward(); },
      [&] { leaf.set_grad(undefined); },
      [&] { grad(undefined, leaf); },
      [&] { grad(2 * leaf, undefined); },
      [&] { grad({2 * leaf}, {leaf}, {}, {undefined}); },
      [&] { record("op", undefined, wrt(leaf, [](const Tensor& gy) { return gy; })); },
      [&] { record_each("op", undefined, std::vector{leaf}, [](const Tensor& gy, std::size_t) { return gy; }); },
      [&] {
        record_jointly(
            "op", undefined, [](const Tensor& gy) { return std::array{gy}; }, leaf);
      },
      [&] { vjp([](const Tensor&) { return Tensor(); }, leaf, leaf); },
      [&] { vjp([](const Tensor& x) { return x; }, undefined, leaf); },
      [&] { jvp([](const Tensor&) { return Tensor(); }, leaf, leaf); },
  };
  for (std::size_t i = 0; i < uses.size(); ++i) {
    EXPECT_THAT(uses[i], ThrowsMessage<std::invalid_argument>(HasSubstr("undefined"))) << "use " << i;
  }
  EXPECT_FALSE(undefined.defined());
  EXPECT_FALSE(undefined.requires_grad());
  EXPECT_FALSE(undefined.detach().defined());
}

// --- Random numbers --------------------------------------------------------------------------------------------------

TEST(Philox, KnownAnswersOfRandom123) {
  EXPECT_THAT(philox4x32({0, 0, 0, 0}, {0, 0}), ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  const std::uint32_t ones = 0xffffffff;
  EXPECT_THAT(philox4x32({ones, ones, ones, ones}, {ones, ones}),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(Generator, IsDefinedByPhiloxBlocks) {
  const std::uint64_t seed = 0x0123456789abcdef, stream = 42;
  Generator rng(seed, stream);
  std::vector<Real> u(200);
  rng.uniform(200, u.data());
  const auto word = [&](Index tile, Index i) {  // word w[i] of a tile: word i / 16 of block i % 16
    const auto counter = static_cast<std::uint32_t>(tile * simd::kRandomTileBlocks + i % 16);
    return philox4x32(
        {counter, 0, static_cast<std::uint32_t>(stream), 0},
        {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)})[static_cast<std::size_t>(i / 16)];
  };
  for (Index i = 0; i < 200; ++i) {
    const Index tile = i / simd::kRandomTile, at = i % simd::kRandomTile;
    const double expected =
        sizeof(Real) == 4
            ? std::ldexp(word(tile, at) >> 8, -24)
            : std::ldexp(static_cast<double>((std::uint64_t{word(tile, at)} << 32 | word(tile, at + 32)) >> 11), -53);
    EXPECT_EQ(u[static_cast<std::size_t>(i)], expected) << i;
  }
}

TEST(Generator, StreamsResumeFromTheirState) {
  Generator rng(1, 2);
  std::vector<Real> x(1000), y(1000);
  rng.normal(777, x.data());
  Generator again(rng.state());
  rng.uniform(1000, x.data());
  again.uniform(1000, y.data());
  EXPECT_EQ(x, y);
  Generator other(1, 3);
  other.uniform(1000, y.data());
  EXPECT_NE(x, y);
}

TEST(Generator, DoesNotDependOnThreads) {
  const int threads = thread_count();
  std::vector<Real> x(100'000), y(100'000);
  set_thread_count(1);
  Generator(9).normal(100'000, x.data());
  set_thread_count(4);
  Generator(9).normal(100'000, y.data());
  set_thread_count(threads);
  EXPECT_EQ(x, y);
}

TEST(Generator, MomentsOfUniformAndNormalNumbers) {
  const Index n = 1'000'000;
  Generator rng(4);
  const auto moment = [](const Tensor& x, int k) {
    double total = 0;
    for (const Real v : x.values()) total += std::pow(static_cast<double>(v), k);
    return total / static_cast<double>(x.size());
  };
  const Tensor u = Tensor::rand({n}, rng), z = Tensor::randn({n}, rng);
  // Bounds are five standard errors.
  EXPECT_NEAR(moment(u, 1), 1.0 / 2, 5 * 0.2887e-3);
  EXPECT_NEAR(moment(u, 2), 1.0 / 3, 5 * 0.2981e-3);
  EXPECT_GE(*std::min_element(u.values().begin(), u.values().end()), 0);
  EXPECT_LT(*std::max_element(u.values().begin(), u.values().end()), 1);
  EXPECT_NEAR(moment(z, 1), 0, 5e-3);
  EXPECT_NEAR(moment(z, 2), 1, 5 * 1.414e-3);
  EXPECT_NEAR(moment(z, 3), 0, 5 * 3.873e-3);
  EXPECT_NEAR(moment(z, 4), 3, 5 * 9.798e-3);
}

TEST(Generator, IntegersAreUniform) {
  Generator rng(6);
  std::vector<int> counts(7);
  const auto drawn = rng.integers(70'000, 7);
  for (const Index i : drawn) ++counts.at(static_cast<std::size_t>(i));
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - 10'000.0) * (count - 10'000.0) / 10'000.0;
  EXPECT_LT(chi_square, 22.5);  // 99.9 % quantile with 6 degrees of freedom
  EXPECT_THROW(rng.integers(1, 0), std::invalid_argument);
}

TEST(Generator, PermutationsAreUniform) {
  Generator rng(8);
  std::vector<int> counts(27);
  for (int i = 0; i < 12'000; ++i) {
    const auto p = rng.permutation(3);
    ASSERT_TRUE(std::is_permutation(p.begin(), p.end(), std::vector<Index>{0, 1, 2}.begin()));
    ++counts.at(static_cast<std::size_t>(9 * p[0] + 3 * p[1] + p[2]));
  }
  for (const int count : counts) EXPECT_TRUE(count == 0 || std::abs(count - 2000) < 5 * 41) << count;
  EXPECT_EQ(std::count(counts.begin(), counts.end(), 0), 21);
}

}  // namespace
}  // namespace rill
