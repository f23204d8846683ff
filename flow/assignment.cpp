#include "flow/assignment.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "autodiff/error.hpp"
#include "autodiff/memory.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "autodiff/simd/kernels.hpp"

namespace rill::flow {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Index padded(Index n) { return (n + simd::kAssignmentBlock - 1) / simd::kAssignmentBlock * simd::kAssignmentBlock; }

Tensor centre_of(const Tensor& points) {
  const Tensor m = mean(points.detach(), {.axes = {0}});
  require(std::all_of(m.values().begin(), m.values().end(), [](Real x) { return std::isfinite(x); }),
          "assignment: a point is NaN or infinite, or too large to be added up");
  return m;
}

// Costs whose rows and columns are in a random order, so that the first m of each stand for all of them.
class Costs {
 public:
  Costs(std::span<const double> cost, Index n) : Costs(n, 1) {
    doubles_.resize(static_cast<std::size_t>(n * stride_));
    for (Index i = 0; i < n; ++i) {
      const double* from = cost.data() + order_[static_cast<std::size_t>(i)] * n;
      double* to = doubles_.data() + i * stride_;
      for (Index j = 0; j < n; ++j) to[j] = from[order_[static_cast<std::size_t>(j)]];
    }
  }

  // |x - y|, or as good as its square: of |x|^2 + |y|^2 - 2 x y, what depends on one point alone costs all permutations
  // the same, so -x y will do. That is smallest, and rounds least, when both sets are centred.
  Costs(const Tensor& a, const Tensor& b, PointCost cost) : Costs(a.dim(0), a.dim(1)) {
    distance_ = cost == PointCost::kDistance;
    const Tensor mean_a = centre_of(a), mean_b = distance_ ? mean_a : centre_of(b);
    if (dimension_ <= kDirectDimension) {
      doubles_.resize(static_cast<std::size_t>(n_ * dimension_));
      points_.resize(static_cast<std::size_t>(dimension_ * stride_));
      centre(a, mean_a, [&](Index i, Index d) { return &doubles_[static_cast<std::size_t>(i * dimension_ + d)]; });
      centre(b, mean_b, [&](Index j, Index d) { return &points_[static_cast<std::size_t>(d * stride_ + j)]; });
      return;
    }
    Tensor x = Tensor::empty({n_, dimension_}), y = Tensor::empty({stride_, dimension_});
    centre(a, mean_a, [&](Index i, Index d) { return x.data() + i * dimension_ + d; });
    centre(b, mean_b, [&](Index j, Index d) { return y.data() + j * dimension_ + d; });
    std::fill(y.data() + n_ * dimension_, y.data() + stride_ * dimension_, Real(0));
    if (distance_) {
      const Tensor squares = sum(square(x), {.axes = {1}, .keep = true}) + sum(square(y), {.axes = {1}});
      products_ = sqrt(maximum(squares - 2 * matmul(x, y, {.b = true}), Tensor::scalar(0)));
    } else {
      for (Real& number : std::span(x.data(), static_cast<std::size_t>(x.size()))) number = -number;
      products_ = matmul(x, y, {.b = true});
    }
  }

  Index size() const { return n_; }
  /// Where row i and column i of these costs were to begin with.
  Index origin(Index i) const { return order_[static_cast<std::size_t>(i)]; }

  simd::CostRow row(Index i) const {
    if (products_.defined()) return numbers(products_.data() + i * stride_);
    if (points_.empty()) return numbers(doubles_.data() + i * stride_);
    return {.point = doubles_.data() + i * dimension_,
            .points = points_.data(),
            .dimension = dimension_,
            .stride = stride_,
            .distance = distance_};
  }

 private:
  static simd::CostRow numbers(const float* row) { return {.floats = row}; }
  static simd::CostRow numbers(const double* row) { return {.doubles = row}; }

  Costs(Index n, Index dimension)
      : n_(n), stride_(padded(n)), dimension_(dimension), order_(Generator(0).permutation(n)) {}

  // x - mean, point by point in the random order.
  template <class Place>
  void centre(const Tensor& x, const Tensor& mean, const Place& place) {
    for (Index i = 0; i < n_; ++i) {
      const Real* from = x.data() + origin(i) * dimension_;
      for (Index d = 0; d < dimension_; ++d) {
        using Number = std::remove_reference_t<decltype(*place(i, d))>;
        *place(i, d) = static_cast<Number>(from[d]) - static_cast<Number>(mean.data()[d]);
      }
    }
  }

  Index n_, stride_, dimension_;
  std::vector<Index> order_;
  bool distance_ = false;
  memory::Vector<double> doubles_, points_;  // the matrix; or the x_i, [n, D], and the y_j, [D, stride]
  Tensor products_;
};

// A partial assignment with dual variables such that every reduced cost, cost(i, j) - price_j - least_i, is >= 0, and 0
// where row i has column j. Bids and augmentations assign more rows and keep that true; when all are assigned, no other
// permutation costs less.
class AssignmentSolver {
 public:
  explicit AssignmentSolver(const Costs& costs)
      : costs_(costs), price_(at(padded(costs.size()))), distance_(price_.size()), from_(price_.size()) {}

  Assignment solve() {
    std::vector<Index> sizes{costs_.size()};
    while (sizes.back() > simd::kAssignmentBlock) sizes.push_back((sizes.back() + 1) / 2);
    for (; !sizes.empty(); sizes.pop_back()) {
      grow(sizes.back());
      for (const Index row : bid()) augment(row);
    }
    Assignment result{std::vector<Index>(at(n_)), std::vector<double>(at(n_)), std::vector<double>(at(n_))};
    for (Index i = 0; i < n_; ++i) {
      const std::size_t origin = at(costs_.origin(i));
      result.partner[origin] = costs_.origin(column_of_[at(i)]);
      result.row[origin] = least_[at(i)];
      result.column[origin] = price_[at(i)];
    }
    return result;
  }

 private:
  static constexpr Index kNone = -1;
  static std::size_t at(Index i) { return static_cast<std::size_t>(i); }
  void assign(Index i, Index j) {
    column_of_[at(i)] = j;
    row_of_[at(j)] = i;
  }

  // Goes on to the first n rows and columns, all free, from a solution for fewer. The prices are the highest at which
  // the rows of that solution want nothing more than what they have; without one, the least that any row has to pay.
  void grow(Index n) {
    std::fill_n(price_.begin(), n, kInfinity);
    for (Index i = 0; i < (n_ > 0 ? n_ : n); ++i) {
      kernels_.lower_prices(costs_.row(i), n_ > 0 ? least_[at(i)] : 0, padded(n), price_.data());
    }
    std::fill(price_.begin() + n, price_.begin() + padded(n), -kInfinity);
    n_ = n;
    least_.resize(at(n));
    column_of_.assign(at(n), kNone);
    row_of_.assign(at(n), kNone);
  }

  // Every row takes its best column, lowering the price by the margin over the second best, as a bidder would; the row
  // it displaces bids next, up to n times in all. Returns the rows that are free at the end.
  std::vector<Index> bid() {
    std::vector<Index> free;
    Index displacements = 0;
    for (Index start = 0; start < n_; ++start) {
      for (Index i = start; i != kNone;) {
        const simd::Least best = kernels_.two_least(costs_.row(i), price_.data(), padded(n_));
        const Index displaced = row_of_[at(best.at)];
        const bool margin = best.value < best.next && best.next < kInfinity;
        if (displaced != kNone && !(margin && displacements < n_)) {
          free.push_back(i);
          break;
        }
        if (margin) price_[at(best.at)] -= best.next - best.value;
        least_[at(i)] = margin ? best.next : best.value;
        assign(i, best.at);
        if (displaced != kNone) {
          column_of_[at(displaced)] = kNone;
          ++displacements;
        }
        i = displaced;
      }
    }
    return free;
  }

  // Dijkstra over columns by reduced cost, from a free row to the nearest free column; then the path is flipped. A
  // column whose distance is final leaves: at the price -infinity no way to it is short.
  void augment(Index start) {
    visited_.clear();
    std::fill_n(distance_.begin(), padded(n_), kInfinity);
    Index i = start, j = kNone;
    double nearest = 0, base = 0;
    while (true) {
      const simd::Least next = kernels_.relax(costs_.row(i), price_.data(), base, static_cast<double>(i), padded(n_),
                                              distance_.data(), from_.data());
      nearest = next.value;
      require(std::abs(nearest) < kInfinity, "assignment: the costs overflow; scale the points down");
      j = next.at;
      i = row_of_[at(j)];
      if (i == kNone) break;
      visited_.push_back({j, price_[at(j)], nearest});
      base = nearest - least_[at(i)];
      price_[at(j)] = -kInfinity;
      distance_[at(j)] = kInfinity;
    }
    least_[at(start)] = nearest;
    for (const Visited& v : visited_) {
      price_[at(v.column)] = v.price - (nearest - v.distance);
      least_[at(row_of_[at(v.column)])] += nearest - v.distance;
    }
    for (i = kNone; i != start;) {
      i = static_cast<Index>(from_[at(j)]);
      const Index previous = column_of_[at(i)];
      assign(i, j);
      j = previous;
    }
  }

  struct Visited {
    Index column;
    double price, distance;
  };

  const Costs& costs_;
  const simd::Kernels& kernels_ = simd::kernels();
  Index n_ = 0;                             // rows and columns so far
  memory::Vector<double> price_;            // of columns; -infinity from n_ to the end of the block
  std::vector<double> least_;               // of rows: the least of cost - price
  std::vector<Index> column_of_, row_of_;   // kNone while free
  memory::Vector<double> distance_, from_;  // of columns, while augmenting: the row that comes before
  std::vector<Visited> visited_;
};

// Squares of the points' distances from the other set's mean.
std::vector<double> squares(const Tensor& x, const Tensor& mean) {
  std::vector<double> result(static_cast<std::size_t>(x.dim(0)), 0);
  for (Index i = 0; i < x.size(); ++i) {
    const double difference = static_cast<double>(x.data()[i]) - static_cast<double>(mean.data()[i % x.dim(1)]);
    result[static_cast<std::size_t>(i / x.dim(1))] += difference * difference;
  }
  return result;
}

}  // namespace

Assignment assignment_with_potentials(std::span<const double> cost, Index n) {
  require(n >= 0 && static_cast<Index>(cost.size()) == n * n, "assignment: expected ", n, " x ", n, " costs, got ",
          cost.size());
  require(std::all_of(cost.begin(), cost.end(), [](double c) { return std::isfinite(c); }),
          "assignment: a cost is NaN or infinite");
  return AssignmentSolver(Costs(cost, n)).solve();
}

std::vector<Index> solve_assignment(std::span<const double> cost, Index n) {
  return assignment_with_potentials(cost, n).partner;
}

std::vector<Index> optimal_assignment(const Tensor& a, const Tensor& b) {
  require(a.rank() == 2 && a.shape() == b.shape() && a.dim(1) > 0,
          "assignment: expected two sets of as many points [n, D], got ", a.shape(), " and ", b.shape());
  if (a.dim(0) == 0) return {};
  return AssignmentSolver(Costs(a, b, PointCost::kSquaredDistance)).solve().partner;
}

Assignment assignment_with_potentials(const Tensor& a, const Tensor& b, PointCost cost) {
  require(a.rank() == 2 && a.shape() == b.shape() && a.dim(1) > 0,
          "assignment: expected two sets of as many points [n, D], got ", a.shape(), " and ", b.shape());
  if (a.dim(0) == 0) return {};
  Assignment result = AssignmentSolver(Costs(a, b, cost)).solve();
  if (cost == PointCost::kDistance) return result;
  // With the means m and l, x = a_i - m and y = b_j - l:
  //   |a_i - b_j|^2 = -2 x y + |a_i - l|^2 + |b_j - m|^2 - |m - l|^2
  const Tensor mean_a = centre_of(a), mean_b = centre_of(b);
  const double between = squares(reshape(mean_a, {1, a.dim(1)}), mean_b)[0];
  const std::vector<double> of_a = squares(a, mean_b), of_b = squares(b, mean_a);
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    result.row[i] = 2 * result.row[i] + of_a[i] - between / 2;
    result.column[i] = 2 * result.column[i] + of_b[i] - between / 2;
  }
  return result;
}

}  // namespace rill::flow
