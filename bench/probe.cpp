#include "bench/probe.hpp"

#include <chrono>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace rill::bench {
namespace {

// `kChains` independent chains of multiply-adds, more than latency times units of any CPU so far, on `Vector`s.
constexpr int kChains = 12;
constexpr Index kSteps = 1000;
#define RILL_MULTIPLY_ADDS(name, attributes, Vector)                                          \
  attributes void name(Real* data) {                                                          \
    Vector x, y, sum[kChains];                                                                \
    std::memcpy(&x, data, sizeof x);                                                          \
    std::memcpy(&y, data + 16, sizeof y);                                                     \
    for (int i = 0; i < kChains; ++i) sum[i] = y;                                             \
    for (Index step = 0; step < kSteps; ++step) {                                             \
      _Pragma("GCC unroll 12") for (int i = 0; i < kChains; ++i) { sum[i] = sum[i] * x + y; } \
    }                                                                                         \
    for (int i = 1; i < kChains; ++i) sum[0] += sum[i];                                       \
    std::memcpy(data + 32, &sum[0], sizeof x);                                                \
  }

using Vector16 [[gnu::vector_size(16)]] = Real;
RILL_MULTIPLY_ADDS(multiply_add_1, , Real)
RILL_MULTIPLY_ADDS(multiply_add_16, , Vector16)
#ifdef __x86_64__
using Vector32 [[gnu::vector_size(32)]] = Real;
using Vector64 [[gnu::vector_size(64)]] = Real;
RILL_MULTIPLY_ADDS(multiply_add_32, [[gnu::target("avx2,fma")]], Vector32)
RILL_MULTIPLY_ADDS(multiply_add_64, [[gnu::target("avx512f,fma")]], Vector64)
#endif

// The shortest of many runs: whatever disturbs a run makes it longer.
template <class Run>
double shortest_seconds(const Run& run) {
  using Clock = std::chrono::steady_clock;
  double best = 1e300;
  for (const auto stop = Clock::now() + std::chrono::milliseconds(100); Clock::now() < stop;) {
    const auto start = Clock::now();
    run();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

double measure_peak(const std::string& set) {
  void (*run)(Real*) = multiply_add_16;
  int lanes = 16 / sizeof(Real);
  if (set == "scalar") run = multiply_add_1, lanes = 1;
#ifdef __x86_64__
  if (set == "avx2") run = multiply_add_32, lanes = 32 / sizeof(Real);
  if (set == "avx512") run = multiply_add_64, lanes = 64 / sizeof(Real);
#endif
  Real data[48];
  for (Real& number : data) number = Real(0.5);  // sums tend to 1
  return 2. * kChains * kSteps * lanes / shortest_seconds([&] { run(data); });
}

double measure_copy(Index bytes) {
  std::vector<char> from(static_cast<std::size_t>(bytes), 1), to(from.size());
  return 2. * static_cast<double>(bytes) / shortest_seconds([&] {
           std::memcpy(to.data(), from.data(), from.size());
           asm volatile("" : : "r"(to.data()) : "memory");
         });
}

}  // namespace

double peak_flops(const char* set) {
  static std::map<std::string, double> measured;
  const auto [entry, added] = measured.try_emplace(set);
  if (added) entry->second = measure_peak(set);
  return entry->second;
}

double copy_bandwidth(Index bytes) {
  static std::map<Index, double> measured;
  const auto [entry, added] = measured.try_emplace(bytes);
  if (added) entry->second = measure_copy(bytes);
  return entry->second;
}

}  // namespace rill::bench
