// A training step in its steady state makes no heap allocation, counted by an operator new of the test program.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>

#include "autodiff/memory.hpp"
#include "autodiff/parallel.hpp"
#include "datasets/annulus.hpp"
#include "datasets/checkerboard.hpp"
#include "flow/model/flow_matching.hpp"

namespace {

std::atomic<long> heap_allocations{0};

void* counted(void* memory) {
  ++heap_allocations;
  if (!memory) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return counted(std::malloc(size)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto unit = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(unit, (size + unit - 1) / unit * unit));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++heap_allocations;
  return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace rill::flow {
namespace {

long allocations_of_ten_steps(const datasets::Density& density, const FlowMatchingDescription& description,
                              const nn::TrainerOptions& options) {
  Generator rng(0, 1);
  FlowMatching model(description, rng);
  const auto trainer = model.trainer(
      [&](Index, Generator& step_rng) {
        return datasets::Batch{density.sample(256, step_rng), {}};
      },
      options);
  for (int step = 0; step < 5; ++step) trainer->step();
  const long before = heap_allocations;
  for (int step = 0; step < 10; ++step) trainer->step();
  return heap_allocations - before;
}

TEST(Trainer, StepsTakeNothingFromTheHeap) {
  const int threads = thread_count();
  set_thread_count(1);
  EXPECT_EQ(
      allocations_of_ten_steps(datasets::Annulus(), {.network = {.hidden = {64, 64, 64}, .activation = "elu"}}, {}), 0);
  nn::TrainerOptions tuned;
  tuned.clip_norm = 1;
  tuned.ema_decay = 0.99;
  EXPECT_EQ(allocations_of_ten_steps(datasets::Checkerboard(),
                                     {.network = {.hidden = {64, 64, 64},
                                                  .activation = "silu",
                                                  .time_embedding = "fourier",
                                                  .time_frequencies = 2},
                                      .times = {.distribution = "late"}},
                                     tuned),
            0);
  const long before = heap_allocations;
  const std::unique_ptr<int> one(new int);
  EXPECT_EQ(heap_allocations - before, 1) << one.get() << ": or the counts above mean nothing";
  set_thread_count(threads);
}

}  // namespace
}  // namespace rill::flow
