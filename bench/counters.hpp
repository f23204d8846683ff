// The counters of every benchmark, and its registration.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include "autodiff/parallel.hpp"
#include "autodiff/real.hpp"

namespace rill::bench {

/// FLOP/s, and of_peak: their share of what one thread's multiply-adds could do (bench/probe.hpp). `operations` is the
/// total of all iterations.
void count_flops(benchmark::State& state, std::uint64_t operations);

/// Bytes/s, and of_copy: their share of what a copy reaches on one thread that touches as much memory, and so runs from
/// the same cache. `bytes` is what an iteration must read and write at least, `memory` the size of where that is.
void count_bytes(benchmark::State& state, Index bytes, Index memory);

/// Registers `run(state)` as NAME/threads:1 and, where there are several cores, as NAME/threads:CORES. bench/compare
/// asks for benchmarks by these names.
template <class Run>
void register_work(const std::string& name, const Run& run) {
  const int cores = thread_count();
  auto* added = benchmark::RegisterBenchmark(name.c_str(), [run](benchmark::State& state) {
    set_thread_count(static_cast<int>(state.range(0)));
    run(state);
  });
  added->ArgName("threads")->Arg(1)->UseRealTime();
  if (cores > 1) added->Arg(cores);
}

}  // namespace rill::bench
