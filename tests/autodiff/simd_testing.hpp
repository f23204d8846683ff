// Shared by the kernel tests: the sets to test, arrays that detect writes past their ends, and comparison.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "autodiff/simd/kernels.hpp"

namespace rill::simd {

inline constexpr Real kNan = std::numeric_limits<Real>::quiet_NaN();
inline constexpr Real kInf = std::numeric_limits<Real>::infinity();
inline constexpr Real kEpsilon = std::numeric_limits<Real>::epsilon();

/// The plain C++ kernels.
inline const Kernels& reference() { return **available_kernels().begin(); }

/// Lengths 0 to 4 registers + 1 are tested with these distances, in numbers, from a 64-byte boundary.
inline constexpr Index kMisalignments[] = {0, 1, 3};

/// n numbers at a chosen misalignment between two stretches of canaries.
class Numbers {
 public:
  Numbers(Index n, Index misalignment, Real fill = 0) : n_(n), storage_(static_cast<std::size_t>(n + 48), kCanary) {
    const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
    const auto to_boundary = static_cast<Index>((64 - address % 64) % 64 / sizeof(Real));
    first_ = to_boundary + 16 + misalignment;
    for (Index i = 0; i < n; ++i) data()[i] = fill;
  }
  Numbers(const Numbers&) = delete;
  Numbers& operator=(const Numbers&) = delete;

  Real* data() { return storage_.data() + first_; }
  const Real* data() const { return storage_.data() + first_; }
  Real& operator[](Index i) { return data()[i]; }
  Index size() const { return n_; }

  /// Whether all memory around the numbers is as it was.
  bool intact() const {
    for (Index i = 0; i < static_cast<Index>(storage_.size()); ++i) {
      if ((i < first_ || i >= first_ + n_) && storage_[static_cast<std::size_t>(i)] != kCanary) return false;
    }
    return true;
  }

 private:
  static constexpr Real kCanary = 12345;
  Index n_, first_;
  std::vector<Real> storage_;
};

/// A small generator for test inputs, independent of what is tested (Marsaglia's xorshift).
class TestRandom {
 public:
  explicit TestRandom(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15 + 1) {}
  std::uint64_t bits() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  Real uniform(double low, double high) {
    return static_cast<Real>(low + (high - low) * (static_cast<double>(bits() >> 11) * 0x1p-53));
  }

 private:
  std::uint64_t state_;
};

/// Equal, both NaN, or within `tolerance` units in the last place of `b`, or within `absolute`.
inline bool close(Real a, double b, double tolerance, double absolute = 0) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (a == static_cast<Real>(b)) return true;
  const double error = std::abs(static_cast<double>(a) - b);
  return error <= tolerance * static_cast<double>(kEpsilon) * std::abs(b) || error <= absolute;
}

}  // namespace rill::simd
