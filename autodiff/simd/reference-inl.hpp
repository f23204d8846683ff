// What the kernels in plain C++ share.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/real.hpp"

namespace rill::simd::scalar {
namespace {

constexpr Real kInfinity = std::numeric_limits<Real>::infinity();

// A sum in twice the precision, together with what each addition loses (Kahan and Babuska, 1969), so that it does not
// matter how many numbers it is of.
class LongSum {
 public:
  void add(Real x) {
    const Wide term = static_cast<Wide>(x), next = sum_ + term, part = next - sum_;
    lost_ += (sum_ - (next - part)) + (term - part);
    sum_ = next;
  }
  Wide value() const { return std::isfinite(sum_) ? sum_ + lost_ : sum_; }  // infinity lost a NaN

 private:
  Wide sum_ = 0, lost_ = 0;
};

}  // namespace
}  // namespace rill::simd::scalar
