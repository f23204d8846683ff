// Several threads at once on shared parameters, graphs, memory and loops. Also run under ThreadSanitizer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/random.hpp"

namespace rill {
namespace {

constexpr int kThreads = 4, kRounds = 200;

// body(thread) on each of kThreads threads at once.
void on_all_threads(const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

Tensor parameter(const Shape& shape, std::uint64_t seed) {
  Generator rng(seed);
  return Tensor::randn(shape, rng).set_requires_grad();
}

TEST(Threads, WalkGraphsOfTheirOwnToSharedParameters) {
  const Tensor w = parameter({8, 8}, 1), bias = parameter({8}, 2);
  int wrong[kThreads] = {};
  on_all_threads([&](int thread) {
    const Tensor x = parameter({3, 8}, 10 + static_cast<std::uint64_t>(thread)).detach();
    const auto gradients = [&] {
      const Tensor h = silu(linear(x, w, bias));
      return grad({sum(square(linear(h, w, bias)))}, {w, bias, h});
    };
    const auto expected = gradients();
    for (int round = 0; round < kRounds; ++round) {
      const auto found = gradients();
      for (std::size_t i = 0; i < found.size(); ++i) {
        wrong[thread] += found[i].to_vector() != expected[i].to_vector();
      }
    }
    // The first of them may be wrong itself.
    for (const Tensor& g : expected) wrong[thread] += sum(square(g)).item() == 0;
  });
  EXPECT_THAT(wrong, testing::Each(0));
}

TEST(Threads, AWalkIsNotDisturbedByAnothersVisitToItsLeaf) {
  // After one backward pass has added part of the leaf's gradient, another thread runs a whole pass to the same leaf.
  const Tensor w = Tensor::ones({3}).set_requires_grad();
  const Tensor five = 5 * w;
  Tensor other;
  const Tensor pause = record("pause", five.detach(), wrt(five, [&](const Tensor& gy) {
                                std::thread([&] { other = grad(sum(7 * w), w); }).join();
                                return gy;
                              }));
  const Tensor y = sum(pause + w);
  EXPECT_EQ(grad(y, w, {.retain_graph = true}).to_vector(), std::vector<Real>(3, 6));
  EXPECT_EQ(other.to_vector(), std::vector<Real>(3, 7));
  y.backward();
  EXPECT_EQ(w.grad().to_vector(), std::vector<Real>(3, 6));
  EXPECT_EQ(other.to_vector(), std::vector<Real>(3, 7));
}

TEST(Threads, BringEveryGradientToASharedLeaf) {
  const Tensor w = Tensor::ones({16}).set_requires_grad();
  on_all_threads([&](int thread) {
    for (int round = 0; round < kRounds; ++round) sum(w * static_cast<double>(thread + 1)).backward();
  });
  // Whole numbers, of which no order of summation loses any.
  EXPECT_EQ(w.grad().to_vector(), std::vector<Real>(16, Real{kRounds * (1 + 2 + 3 + 4)}));
}

TEST(Threads, WalkOneGraphTogetherWhereItIsKept) {
  const Tensor x = parameter({5, 6}, 3), scale = parameter({6}, 4), shift = parameter({6}, 5);
  const Tensor h = exp(x), y = sum(square(layer_norm(h, scale, shift)));
  const auto gradients = [&] { return grad({y}, {x, h, scale, shift}, {.retain_graph = true}); };
  const auto expected = gradients();
  int wrong[kThreads] = {};
  on_all_threads([&](int thread) {
    for (int round = 0; round < kRounds; ++round) {
      const auto found = gradients();
      for (std::size_t i = 0; i < found.size(); ++i) {
        wrong[thread] += found[i].to_vector() != expected[i].to_vector();
      }
    }
  });
  EXPECT_THAT(wrong, testing::Each(0));
}

TEST(Threads, DropTheLastHandlesOfOneGraph) {
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Tensor> handles;
    {
      const Tensor x = Tensor::ones({4}).set_requires_grad();
      Tensor y = x;
      for (int i = 0; i < 20; ++i) y = y * 2.0;
      for (int i = 0; i < kThreads; ++i) handles.push_back(y + static_cast<double>(i));
    }
    on_all_threads([&](int thread) { handles[static_cast<std::size_t>(thread)] = Tensor(); });
  }
}

TEST(Threads, LoopsThrowInTheirCallers) {
  const int threads = thread_count();
  set_thread_count(3);
  int wrong[kThreads] = {};
  on_all_threads([&](int thread) {
    for (int round = 0; round < kRounds; ++round) {
      try {
        parallel_for(64, 1, [&](Index begin, Index) {
          if (begin % 16 == thread) throw std::runtime_error(std::to_string(thread));
        });
        ++wrong[thread];
      } catch (const std::runtime_error& error) {
        wrong[thread] += error.what() != std::to_string(thread);
      }
    }
  });
  set_thread_count(threads);
  EXPECT_THAT(wrong, testing::Each(0));
}

}  // namespace
}  // namespace rill
