// Which table of kernels runs: decided once, by asking the CPU.
//
// This file is compiled for the baseline instruction set, so it runs on every CPU. __builtin_cpu_supports also checks
// that the operating system saves the wide registers.
#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include "autodiff/error.hpp"
#include "autodiff/simd/kernels.hpp"

namespace rill::simd {

// Each compiled for its set (table.cpp), and called only where the CPU has it.
namespace scalar {
Kernels table(const char* name, int lanes) noexcept;
}
namespace sse2 {
Kernels table(const char* name, int lanes) noexcept;
}
namespace avx2 {
Kernels table(const char* name, int lanes) noexcept;
}
namespace avx512 {
Kernels table(const char* name, int lanes) noexcept;
}
namespace neon64 {
Kernels table(const char* name, int lanes) noexcept;
}

namespace {

// An instruction set, the bytes in its registers, and whether this CPU supports it.
struct Candidate {
  const char* name;
  std::size_t register_bytes;
  Kernels (*table)(const char* name, int lanes) noexcept;
  bool supported;
};

// The sets that are built, in ascending order of preference.
auto candidates() {
  const Candidate reference = {"scalar", sizeof(Real), scalar::table, true};
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#if defined(RILL_AVX2_ONLY)  // sanitized builds (meson.build)
  return std::array{reference, Candidate{"avx2", 32, avx2::table, avx2}};
#else
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl");
  return std::array{reference, Candidate{"sse2", 16, sse2::table, true}, Candidate{"avx2", 32, avx2::table, avx2},
                    Candidate{"avx512", 64, avx512::table, avx512}};
#endif
#elif defined(__aarch64__)
  return std::array{reference, Candidate{"neon64", 16, neon64::table, true}};
#else
  return std::array{reference};
#endif
}

const Kernels& choose() {
  const KernelList available = available_kernels();
  const char* wanted = std::getenv("RILL_ISA");
  if (wanted == nullptr || *wanted == '\0') return **(available.end() - 1);
  std::string names;
  for (const Kernels* set : available) {
    if (wanted == std::string_view(set->name)) return *set;
    names += names.empty() ? "" : ", ";
    names += set->name;
  }
  fail("RILL_ISA: no kernels for '", wanted, "' in this build or on this CPU; choose one of ", names);
}

}  // namespace

KernelList available_kernels() {
  struct Supported {
    std::array<Kernels, std::tuple_size_v<decltype(candidates())>> tables{};
    std::array<const Kernels*, std::tuple_size_v<decltype(candidates())>> sets{};
    std::size_t count = 0;
    Supported() {
      for (const Candidate& candidate : candidates()) {
        if (!candidate.supported) continue;
        tables[count] = candidate.table(candidate.name, static_cast<int>(candidate.register_bytes / sizeof(Real)));
        sets[count] = &tables[count];
        ++count;
      }
    }
  };
  static const Supported supported;
  return {supported.sets.data(), supported.sets.data() + supported.count};
}

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

}  // namespace rill::simd
