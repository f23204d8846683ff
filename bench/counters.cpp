#include "bench/counters.hpp"

#include "autodiff/simd/kernels.hpp"
#include "bench/probe.hpp"

namespace rill::bench {

using benchmark::Counter;

namespace {

// Stands in the JSON output, from which bench/compare takes it.
const bool kNamed = [] {
  benchmark::AddCustomContext("kernels", simd::kernels().name);
  return true;
}();

}  // namespace

void count_flops(benchmark::State& state, std::uint64_t operations) {
  const auto total = static_cast<double>(operations);
  state.counters["FLOP/s"] = Counter(total, Counter::kIsRate);
  state.counters["of_peak"] = Counter(total / peak_flops(simd::kernels().name), Counter::kIsRate);
}

void count_bytes(benchmark::State& state, Index bytes, Index memory) {
  const double total = static_cast<double>(bytes) * static_cast<double>(state.iterations());
  state.counters["bytes/s"] = Counter(total, Counter::kIsRate);
  state.counters["of_copy"] = Counter(total / copy_bandwidth(memory / 2), Counter::kIsRate);
}

}  // namespace rill::bench
