#include "flow/transport/pairwise.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/interruption.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"

namespace rill::flow {
namespace {

// Below this fraction of |x|^2 + |y|^2, cancellation costs a squared distance more than five bits.
constexpr double kCanceled = 1. / 32;
// Below this, products of coordinates may be denormal.
constexpr double kVanishing = 1e8 * static_cast<double>(std::numeric_limits<Real>::min());

constexpr Index kGrain = Index{1} << 15;  // numbers that justify waking a thread

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

double largest_coordinate(const Tensor& points) {
  double largest = 0;
  for (const Real x : points.values()) largest = std::max(largest, std::abs(static_cast<double>(x)));
  return largest;
}

// x scale - center
Tensor around(const Tensor& x, double scale, const std::vector<double>& center) {
  const Index n = x.dim(0), dimension = x.dim(1);
  Tensor result = Tensor::empty(x.shape());
  for (Index i = 0; i < n; ++i) {
    const Real* from = x.data() + i * dimension;
    Real* to = result.data() + i * dimension;
    const double* middle = center.data();
    for (Index d = 0; d < dimension; ++d) to[d] = static_cast<Real>(static_cast<double>(from[d]) * scale - middle[d]);
  }
  return result;
}

// |x_i|^2
std::vector<double> squared_lengths(const Tensor& x) {
  const Index dimension = x.dim(1);
  const std::vector<Real> origin(at(dimension), 0);
  std::vector<double> result;
  for (Index i = 0; i < x.dim(0); ++i) {
    result.push_back(squared_distance(x.data() + i * dimension, origin.data(), dimension, 1));
  }
  return result;
}

}  // namespace

void require_finite(const char* what, const Tensor& points) {
  const Index dimension = points.dim(1);
  for (Index i = 0; i < points.size(); ++i) {
    require(std::isfinite(points.data()[i]), what, ": point ", i / dimension, " has the coordinate ", points.data()[i],
            ", expected points that are neither NaN nor infinite");
  }
}

double common_unit(const char* what, const Tensor& x, const Tensor& y) {
  require_finite(what, x);
  require_finite(what, y);
  const double largest = std::max(largest_coordinate(x), largest_coordinate(y));
  constexpr int kLeast = -1000;  // 2^-kLeast is finite
  return largest == 0 ? 1 : std::ldexp(1., std::max(std::ilogb(largest), kLeast));
}

Tensor in_unit(const Tensor& points, double unit) {
  Tensor result = Tensor::empty(points.shape());
  for (Index i = 0; i < points.size(); ++i) {
    result.data()[i] = static_cast<Real>(static_cast<double>(points.data()[i]) / unit);
  }
  return result;
}

std::vector<double> mean_of_rows(const Tensor& x, double unit) {
  const Index n = x.dim(0), dimension = x.dim(1);
  const double scale = 1 / unit;
  std::vector<double> mean(at(dimension), 0);
  for (Index i = 0; i < n; ++i) {
    const Real* row = x.data() + i * dimension;
    for (std::size_t d = 0; d < mean.size(); ++d) mean[d] += static_cast<double>(row[d]) * scale;
  }
  for (double& value : mean) value /= static_cast<double>(n);
  return mean;
}

double squared_distance(const Real* a, const Real* b, Index dimension, double unit) {
  constexpr Index kChains = 4;  // independent sums, so that no addition waits for the one before
  const double scale = 1 / unit;
  const auto square = [&](Index d) {
    const double difference = static_cast<double>(a[d]) * scale - static_cast<double>(b[d]) * scale;
    return difference * difference;
  };
  double sums[kChains] = {};
  Index d = 0;
  for (; d + kChains <= dimension; d += kChains) {
    for (Index k = 0; k < kChains; ++k) sums[k] += square(d + k);
  }
  for (; d < dimension; ++d) sums[0] += square(d);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

SquaredDistances::SquaredDistances(const Tensor& x, const Tensor& y, double unit)
    : x_(x.detach()), y_(y.detach()), unit_(unit) {
  require(x.rank() == 2 && y.rank() == 2 && x.dim(1) == y.dim(1),
          "pairwise distances: expected [n, D] and [m, D], got ", x.shape(), " and ", y.shape());
  n_ = x.dim(0);
  m_ = y.dim(0);
  dimension_ = x.dim(1);
  if (dimension_ > kFewDimensions) {
    const std::vector<double> center = mean_of_rows(y_, unit_);
    centered_x_ = around(x_, 1 / unit_, center);
    centered_y_ = around(y_, 1 / unit_, center);
    squares_x_ = squared_lengths(centered_x_);
    squares_y_ = squared_lengths(centered_y_);
    return;
  }
  columns_.resize(at(dimension_ * m_));
  for (Index j = 0; j < m_; ++j) {
    for (Index d = 0; d < dimension_; ++d) {
      columns_[at(d * m_ + j)] = static_cast<double>(y_.data()[j * dimension_ + d]) / unit_;
    }
  }
}

double SquaredDistances::exact(Index i, Index j) const {
  return squared_distance(x_.data() + i * dimension_, y_.data() + j * dimension_, dimension_, unit_);
}

template <class Number>
void SquaredDistances::few(Index begin, Index end, Number* out) const {
  constexpr Index kColumns = 512;  // columns whose sums stay in cache
  const double scale = 1 / unit_;
  parallel_for(end - begin, std::max<Index>(1, kGrain / std::max<Index>(1, m_)), [&](Index first, Index last) {
    double sums[kColumns];
    for (Index i = first; i < last; ++i) {
      const Real* point = x_.data() + (begin + i) * dimension_;
      for (Index left = 0; left < m_; left += kColumns) {
        const Index width = std::min(kColumns, m_ - left);
        std::fill_n(sums, width, 0.);
        for (Index d = 0; d < dimension_; ++d) {
          const double coordinate = static_cast<double>(point[d]) * scale;
          const double* column = columns_.data() + d * m_ + left;
          for (Index j = 0; j < width; ++j) sums[j] += (coordinate - column[j]) * (coordinate - column[j]);
        }
        for (Index j = 0; j < width; ++j) out[i * m_ + left + j] = static_cast<Number>(sums[j]);
      }
    }
  });
}

// |x - y|^2 = |x|^2 + |y|^2 - 2 x y
template <class Number>
void SquaredDistances::many(Index begin, Index end, Number* out) const {
  const NoGrad no_grad;
  const Tensor products = matmul(slice(centered_x_, 0, begin, end), centered_y_, {.b = true});
  parallel_for(end - begin, std::max<Index>(1, kGrain / std::max<Index>(1, m_)), [&](Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      const Real* product = products.data() + i * m_;
      const double of_x = squares_x_[at(begin + i)];
      const double* of_y = squares_y_.data();
      Number* to = out + i * m_;
      // A NaN, from lengths beyond the range of a Real, is not accurate enough either.
      const auto enough = [&](Index j) {
        const double lengths = of_x + of_y[j], squared = lengths - 2 * static_cast<double>(product[j]);
        return int{squared >= kCanceled * lengths} & int{lengths >= kVanishing};
      };
      int all = 1;  // two loops without branches for the common case
      for (Index j = 0; j < m_; ++j) to[j] = static_cast<Number>(of_x + of_y[j] - 2 * static_cast<double>(product[j]));
      for (Index j = 0; j < m_; ++j) all &= enough(j);
      for (Index j = 0; all == 0 && j < m_; ++j) {
        if (enough(j) == 0) to[j] = static_cast<Number>(exact(begin + i, j));
      }
    }
  });
}

template <class Number>
void SquaredDistances::compute(Index begin, Index end, Number* out) const {
  check_interruption();
  dimension_ > kFewDimensions ? many(begin, end, out) : few(begin, end, out);
}

Tensor SquaredDistances::rows(Index begin, Index end) const {
  Tensor result = Tensor::empty({end - begin, m_});
  compute(begin, end, result.data());
  return result;
}

memory::Vector<double> SquaredDistances::all_in_double() const {
  memory::Vector<double> result(at(n_ * m_));
  constexpr Index kRows = 256;  // rows whose products are in memory at once
  for (Index begin = 0; begin < n_; begin += kRows) {
    compute(begin, std::min(n_, begin + kRows), result.data() + begin * m_);
  }
  return result;
}

}  // namespace rill::flow
