#include "flow/transport/assignment.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/interruption.hpp"
#include "autodiff/memory.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "autodiff/simd/kernels.hpp"
#include "flow/transport/pairwise.hpp"

namespace rill::flow {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Index padded(Index n) { return (n + simd::kAssignmentBlock - 1) / simd::kAssignmentBlock * simd::kAssignmentBlock; }

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// Groups equal items into kinds: kind[i] is the kind of item i, and first[kind] the kind's first member.
struct Kinds {
  std::vector<Index> kind, first;
};

// The kinds of n items, given a key that is the same for equal ones and an order, less(i, k).
template <class Less>
Kinds kinds_of(const std::vector<double>& key, const Less& less) {
  const Index n = std::ssize(key);
  Kinds kinds{std::vector<Index>(at(n)), std::vector<Index>(at(n))};
  std::iota(kinds.first.begin(), kinds.first.end(), Index{0});
  kinds.kind = kinds.first;
  std::vector<double> sorted = key;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end()) return kinds;  // usually all are distinct

  std::vector<Index> order = kinds.first;
  const auto before = [&](Index i, Index k) {
    if (key[at(i)] != key[at(k)]) return key[at(i)] < key[at(k)];
    return less(i, k);
  };
  std::sort(order.begin(), order.end(), [&](Index i, Index k) { return before(i, k) || (!before(k, i) && i < k); });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const Index equal = kinds.kind[at(order[i - 1])];
    if (!before(equal, order[i])) kinds.kind[at(order[i])] = equal;
  }
  kinds.first.clear();
  for (Index i = 0; i < n; ++i) {
    Index& kind = kinds.kind[at(i)];
    if (kind == i) {
      kind = std::ssize(kinds.first);
      kinds.first.push_back(i);
    } else {
      kind = kinds.kind[at(kind)];
    }
  }
  return kinds;
}

// The kinds of a tensor's rows.
Kinds kinds_of_rows(const Tensor& points, double unit) {
  const Index n = points.dim(0), dimension = points.dim(1);
  const auto row = [&](Index i) { return points.data() + i * dimension; };
  std::vector<double> key;
  for (Index i = 0; i < n; ++i) key.push_back(squared_distance(row(i), row(0), dimension, unit));
  return kinds_of(
      key, [&](Index i, Index k) { return std::lexicographical_compare(row(i), row(i + 1), row(k), row(k + 1)); });
}

// Costs with rows and columns in random order, so that the first m of each are a random sample.
class Costs {
 public:
  Costs(std::span<const double> cost, Index n) : Costs(n, 1, 1) {
    doubles_.resize(at(n * stride_));
    std::vector<double> key;
    for (Index i = 0; i < n; ++i) {
      const double* from = cost.data() + origin(i) * n;
      double* to = doubles_.data() + i * stride_;
      for (Index j = 0; j < n; ++j) to[j] = from[origin(j)];
      double mean = 0;  // a running mean, because a sum might overflow
      for (Index j = 0; j < n; ++j) mean += from[j] / static_cast<double>(n);
      key.push_back(mean);
    }
    const Kinds rows = kinds_of(key, [&](Index i, Index k) {
      const double *of_i = doubles_.data() + i * stride_, *of_k = doubles_.data() + k * stride_;
      return std::lexicographical_compare(of_i, of_i + n, of_k, of_k + n);
    });
    kind_ = rows.kind;
    kinds_ = std::ssize(rows.first);
  }

  // In units of the points' scale, |x - y| or |x - y|^2. Up to kDirectDimension the latter is replaced by -x y: of
  // |x|^2 + |y|^2 - 2 x y, terms of one point alone cost all permutations the same. -x y is smallest, and has the least
  // rounding error, if both sets are centered.
  Costs(const Tensor& a, const Tensor& b, const Kinds& of_a, const Kinds& of_b, PointCost cost, double unit)
      : Costs(a.dim(0), a.dim(1), unit) {
    distance_ = cost == PointCost::kDistance;
    for (const Index i : order_) kind_.push_back(of_a.kind[at(i)]);
    kinds_ = std::ssize(of_a.first);
    if (dimension_ > kDirectDimension) {
      set_matrix(a, b, of_a, of_b);
      return;
    }
    mean_a_ = mean_of_rows(a, unit);
    mean_b_ = distance_ ? mean_a_ : mean_of_rows(b, unit);
    doubles_.resize(at(n_ * dimension_));
    points_.resize(at(dimension_ * stride_));
    for (Index i = 0; i < n_; ++i) {
      for (Index d = 0; d < dimension_; ++d) {
        doubles_[at(i * dimension_ + d)] = coordinate(a, i, d) - mean_a_[at(d)];
        points_[at(d * stride_ + i)] = coordinate(b, i, d) - mean_b_[at(d)];
      }
    }
  }

  Index size() const { return n_; }
  /// The original index of row i and column i.
  Index origin(Index i) const { return order_[at(i)]; }
  /// Rows of one kind are equal.
  Index kind(Index i) const { return kind_[at(i)]; }
  Index kinds() const { return kinds_; }

  simd::CostRow row(Index i) const {
    if (matrix_.defined()) return numbers(matrix_.data() + kind(i) * stride_);
    if (points_.empty()) return numbers(doubles_.data() + i * stride_);
    return {.point = doubles_.data() + i * dimension_,
            .points = points_.data(),
            .dimension = dimension_,
            .stride = stride_,
            .distance = distance_};
  }

  // Converts the potentials of these costs to those of the distance, or its square, between the points. With the means
  // m and l, x = a_i - m and y = b_j - l:
  //   |a_i - b_j|^2 = -2 x y + |a_i - l|^2 + |b_j - m|^2 - |m - l|^2
  void scale(const Tensor& a, const Tensor& b, Assignment& found) const {
    const double factor = distance_ ? unit_ : unit_ * unit_;
    if (distance_ || matrix_.defined()) {
      for (double& value : found.row) value *= factor;
      for (double& value : found.column) value *= factor;
      return;
    }
    double between = 0;
    for (std::size_t d = 0; d < mean_a_.size(); ++d) between += square(mean_a_[d] - mean_b_[d]);
    for (Index i = 0; i < n_; ++i) {
      double of_a = 0, of_b = 0;
      for (Index d = 0; d < dimension_; ++d) {
        of_a += square(coordinate(a, i, d) - mean_b_[at(d)]);
        of_b += square(coordinate(b, i, d) - mean_a_[at(d)]);
      }
      double &row = found.row[at(origin(i))], &column = found.column[at(origin(i))];
      row = (2 * row + of_a - between / 2) * factor;
      column = (2 * column + of_b - between / 2) * factor;
    }
  }

 private:
  static simd::CostRow numbers(const float* row) { return {.floats = row}; }
  static simd::CostRow numbers(const double* row) { return {.doubles = row}; }
  static double square(double x) { return x * x; }

  Costs(Index n, Index dimension, double unit)
      : n_(n), stride_(padded(n)), dimension_(dimension), unit_(unit), order_(Generator(0).permutation(n)) {}

  // A coordinate of point i in the random order.
  double coordinate(const Tensor& points, Index i, Index d) const {
    return static_cast<double>(points.data()[origin(i) * dimension_ + d]) / unit_;
  }

  // One row for each kind of a; equal points of b have the same costs, to the last bit.
  void set_matrix(const Tensor& a, const Tensor& b, const Kinds& of_a, const Kinds& of_b) {
    const bool all_different = std::ssize(of_b.first) == n_;
    const SquaredDistances squared(gather_rows(a.detach(), Indices(of_a.first)),
                                   gather_rows(b.detach(), Indices(all_different ? order_ : of_b.first)), unit_);
    matrix_ = Tensor::zeros({kinds_, stride_});
    constexpr Index kRows = 256;
    for (Index begin = 0; begin < kinds_; begin += kRows) {
      const Index end = std::min(kinds_, begin + kRows);
      Tensor block = squared.rows(begin, end);
      if (distance_) block = sqrt(block);
      for (Index i = begin; i < end; ++i) {
        const Real* from = block.data() + (i - begin) * block.dim(1);
        Real* to = matrix_.data() + i * stride_;
        if (all_different) {
          std::copy_n(from, n_, to);
        } else {
          for (Index j = 0; j < n_; ++j) to[j] = from[of_b.kind[at(origin(j))]];
        }
      }
    }
  }

  Index n_, stride_, dimension_;
  double unit_;
  std::vector<Index> order_;
  std::vector<Index> kind_;  // of rows
  Index kinds_ = 0;
  bool distance_ = false;
  memory::Vector<double> doubles_, points_;  // the matrix; or the x_i, [n, D], and the y_j, [D, stride]
  std::vector<double> mean_a_, mean_b_;      // of points
  Tensor matrix_;                            // [kinds, stride]
};

// A partial assignment with dual variables such that every reduced cost, cost(i, j) - price_j - least_i, is >= 0, and 0
// where row i has column j. Bids and augmentations assign more rows and preserve that; once all are assigned, no other
// permutation costs less.
class AssignmentSolver {
 public:
  explicit AssignmentSolver(const Costs& costs)
      : costs_(costs),
        columns_(at(4 * column_stride(costs.size())), 0),
        price_(columns_.data()),
        distance_(price_ + column_stride(costs.size())),
        from_(distance_ + column_stride(costs.size())),
        zero_(from_ + column_stride(costs.size())),
        searched_(at(costs.kinds()), 0) {}

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
      result.column[origin] = price_[i];
    }
    return result;
  }

 private:
  static constexpr Index kNone = -1;

  // A multiple of half a page, which avoids 4K aliasing: a load just ahead of a store in another array would be
  // mistaken for a load of the stored value if their addresses differed by whole pages.
  static Index column_stride(Index n) {
    constexpr Index kHalfPage = 256;
    return (padded(n) + kHalfPage - 1) / kHalfPage * kHalfPage;
  }
  void assign(Index i, Index j) {
    column_of_[at(i)] = j;
    row_of_[at(j)] = i;
  }

  // Extends a solution for fewer rows and columns to the first n, all free. The prices are the highest at which no row
  // of that solution prefers another column; without a solution, the least cost of any row.
  void grow(Index n) {
    std::fill_n(price_, n, kInfinity);
    for (Index i = 0; i < (n_ > 0 ? n_ : n); ++i) {
      check_interruption();
      kernels_.lower_prices(costs_.row(i), n_ > 0 ? least_[at(i)] : 0, padded(n), price_);
    }
    std::fill(price_ + n, price_ + padded(n), -kInfinity);
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
        check_interruption();
        const simd::Least best = kernels_.two_least(costs_.row(i), price_, padded(n_));
        const Index displaced = row_of_[at(best.at)];
        const bool margin = best.value < best.next && best.next < kInfinity;
        if (displaced != kNone && !(margin && displacements < n_)) {
          free.push_back(i);
          break;
        }
        if (margin) price_[best.at] -= best.next - best.value;
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
  // column whose distance is final is removed by the price -infinity. Rows of one kind lead to the same columns, the
  // later ones by no shorter path, so one of them is enough.
  void augment(Index start) {
    visited_.clear();
    ready_.clear();
    ++searches_;
    std::fill_n(distance_, padded(n_), kInfinity);
    Index i = start, j = kNone;
    double nearest = 0, base = 0;
    while (true) {
      check_interruption();
      simd::Least next{};
      Index& searched = searched_[at(costs_.kind(i))];
      const bool first = searched != searches_;
      if (first) {
        next = kernels_.relax(costs_.row(i), price_, base, static_cast<double>(i), padded(n_), distance_, from_);
        searched = searches_;
      }
      if (ready_.empty()) {
        if (!first) next = kernels_.two_least({.doubles = distance_}, zero_, padded(n_));
        nearest = next.value;
        require(std::abs(nearest) < kInfinity, "assignment: the costs overflow; scale them down");
        if (first) {
          ready_.push_back(next.at);
        } else {
          collect(nearest);
        }
      }
      j = ready_.back();
      ready_.pop_back();
      i = row_of_[at(j)];
      if (i == kNone) break;
      visited_.push_back({j, price_[j], nearest});
      base = nearest - least_[at(i)];
      price_[j] = -kInfinity;
      distance_[j] = kInfinity;
    }
    least_[at(start)] = nearest;
    for (const Visited& v : visited_) {
      price_[v.column] = v.price - (nearest - v.distance);
      least_[at(row_of_[at(v.column)])] += nearest - v.distance;
    }
    for (i = kNone; i != start;) {
      i = static_cast<Index>(from_[j]);
      const Index previous = column_of_[at(i)];
      assign(i, j);
      j = previous;
    }
  }

  // Takes all nearest columns, of which there are many if rows are equal; but a free one ends the search.
  void collect(double nearest) {
    for (Index j = 0; j < n_; ++j) {
      if (distance_[j] != nearest) continue;
      ready_.push_back(j);
      if (row_of_[at(j)] == kNone) return;
    }
  }

  struct Visited {
    Index column;
    double price, distance;
  };

  const Costs& costs_;
  const simd::Kernels& kernels_ = simd::kernels();
  Index n_ = 0;                     // current number of rows and columns
  memory::Vector<double> columns_;  // the memory of the four below
  double* price_;                   // of columns; -infinity from n_ to the end of the block
  double *distance_, *from_;        // of columns, while augmenting; and the previous row on the path
  const double* zero_;
  std::vector<double> least_;              // of rows: the least of cost - price
  std::vector<Index> column_of_, row_of_;  // kNone while free
  std::vector<Visited> visited_;
  std::vector<Index> ready_;     // columns with final distances, not yet expanded
  std::vector<Index> searched_;  // for each kind of row, the last augmentation that expanded it
  Index searches_ = 0;           // augmentations
};

std::vector<Index> inverse(const std::vector<Index>& permutation) {
  std::vector<Index> result(permutation.size());
  for (std::size_t i = 0; i < permutation.size(); ++i) result[at(permutation[i])] = static_cast<Index>(i);
  return result;
}

Assignment solve(const Tensor& a, const Tensor& b, const Kinds& of_a, const Kinds& of_b, PointCost cost, double unit) {
  const Costs costs(a, b, of_a, of_b, cost, unit);
  Assignment found = AssignmentSolver(costs).solve();
  costs.scale(a, b, found);
  return found;
}

// The side with fewer kinds of points becomes the rows.
Assignment solve(const Tensor& a, const Tensor& b, PointCost cost) {
  require(a.rank() == 2 && a.shape() == b.shape() && a.dim(1) > 0,
          "assignment: expected two sets of as many points [n, D], got ", a.shape(), " and ", b.shape());
  if (a.dim(0) == 0) return {};
  const double unit = common_unit("assignment", a, b);
  const Kinds of_a = kinds_of_rows(a, unit), of_b = kinds_of_rows(b, unit);
  if (of_a.first.size() <= of_b.first.size()) return solve(a, b, of_a, of_b, cost, unit);
  Assignment found = solve(b, a, of_b, of_a, cost, unit);
  return {inverse(found.partner), std::move(found.column), std::move(found.row)};
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
  return solve(a, b, PointCost::kSquaredDistance).partner;
}

Assignment assignment_with_potentials(const Tensor& a, const Tensor& b, PointCost cost) { return solve(a, b, cost); }

}  // namespace rill::flow
