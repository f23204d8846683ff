// Shared parts of the kernels in plain C++.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/real.hpp"

namespace rill::simd::scalar {
namespace {

constexpr Real kInfinity = std::numeric_limits<Real>::infinity();

// A compensated sum (Kahan and Babuska, 1969) in twice the precision, accurate for any number of terms.
class LongSum {
 public:
  void add(Real x) {
    const Wide term = static_cast<Wide>(x), next = sum_ + term, part = next - sum_;
    lost_ += (sum_ - (next - part)) + (term - part);
    sum_ = next;
  }
  Wide value() const { return std::isfinite(sum_) ? sum_ + lost_ : sum_; }  // if sum_ is infinite, lost_ is NaN

 private:
  Wide sum_ = 0, lost_ = 0;
};

}  // namespace
}  // namespace rill::simd::scalar
