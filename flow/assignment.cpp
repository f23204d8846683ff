#include "flow/assignment.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "autodiff/error.hpp"
#include "autodiff/parallel.hpp"

namespace rill::flow {

std::vector<double> squared_distances(const Tensor& a, const Tensor& b) {
  require(a.rank() == 2 && b.rank() == 2 && a.dim(1) == b.dim(1), "squared_distances: expected [N, D] and [M, D], got ",
          a.shape(), " and ", b.shape());
  const Index rows = a.dim(0), columns = b.dim(0), dimension = a.dim(1);
  std::vector<double> cost(static_cast<std::size_t>(rows * columns));
  const Index grain = std::max<Index>(1, (Index{1} << 16) / std::max<Index>(1, columns * dimension));
  parallel_for(rows, grain, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      for (Index j = 0; j < columns; ++j) {
        double distance = 0;
        for (Index d = 0; d < dimension; ++d) {
          const double difference =
              static_cast<double>(a.data()[i * dimension + d]) - static_cast<double>(b.data()[j * dimension + d]);
          distance += difference * difference;
        }
        cost[static_cast<std::size_t>(i * columns + j)] = distance;
      }
    }
  });
  return cost;
}

namespace {

// A partial assignment with dual variables such that every reduced cost, cost[i, j] - price[j] minus the least of its
// row, is >= 0 and 0 where row i has column j. Each augmentation assigns one more row and keeps that true.
class AssignmentSolver {
 public:
  AssignmentSolver(std::span<const double> cost, Index n)
      : cost_(cost.data()), n_(n), price_(size()), column_of_(size(), kNone), row_of_(size(), kNone) {}

  std::vector<Index> solve() {
    reduce_columns();
    std::vector<Index> free;
    for (Index i = 0; i < n_; ++i) {
      if (column_of_[at(i)] == kNone) free.push_back(i);
    }
    for (int pass = 0; pass < 2; ++pass) free = reduce_rows(free);
    for (const Index row : free) augment(row);
    return column_of_;
  }

 private:
  static constexpr Index kNone = -1;
  static std::size_t at(Index i) { return static_cast<std::size_t>(i); }
  std::size_t size() const { return at(n_); }
  const double* row(Index i) const { return cost_ + i * n_; }
  void assign(Index i, Index j) {
    column_of_[at(i)] = j;
    row_of_[at(j)] = i;
  }

  // Prices every column at its least cost and gives it to that row, if the row is still free.
  void reduce_columns() {
    std::vector<Index> cheapest(size(), 0);
    std::copy_n(cost_, n_, price_.begin());
    for (Index i = 1; i < n_; ++i) {
      for (Index j = 0; j < n_; ++j) {
        if (row(i)[j] < price_[at(j)]) {
          price_[at(j)] = row(i)[j];
          cheapest[at(j)] = i;
        }
      }
    }
    for (Index j = n_ - 1; j >= 0; --j) {
      if (column_of_[at(cheapest[at(j)])] == kNone) assign(cheapest[at(j)], j);
    }
  }

  // Every free row takes its best column, lowering the price by the margin over the second best, as a bidder would; the
  // row it displaces bids next if the price moved. Returns the rows that are free at the end.
  std::vector<Index> reduce_rows(const std::vector<Index>& free) {
    std::vector<Index> left;
    Index bids = 0;
    for (const Index start : free) {
      Index i = start;
      while (i != kNone) {
        Index best = 0, second = 0;
        double least = std::numeric_limits<double>::infinity(), next = least;
        for (Index j = 0; j < n_; ++j) {
          const double reduced = row(i)[j] - price_[at(j)];
          if (reduced < next) {
            if (reduced < least) {
              next = least;
              second = best;
              least = reduced;
              best = j;
            } else {
              next = reduced;
              second = j;
            }
          }
        }
        const bool margin = n_ > 1 && least < next;
        if (margin) {
          price_[at(best)] -= next - least;
        } else if (row_of_[at(best)] != kNone) {
          best = second;  // as good, and perhaps free
        }
        const Index displaced = row_of_[at(best)];
        assign(i, best);
        i = kNone;
        if (displaced != kNone) {
          column_of_[at(displaced)] = kNone;
          // Bids that only pass a column around are left to the augmentation, which always ends.
          if (margin && ++bids < 10 * n_) {
            i = displaced;
          } else {
            left.push_back(displaced);
          }
        }
      }
    }
    return left;
  }

  // Dijkstra over columns by reduced cost, from a free row to the nearest free column; then the path is flipped.
  void augment(Index start) {
    std::vector<double>& distance = distance_;
    distance.resize(size());
    columns_.resize(size());
    from_.assign(size(), start);
    std::iota(columns_.begin(), columns_.end(), Index{0});
    for (Index j = 0; j < n_; ++j) distance[at(j)] = row(start)[j] - price_[at(j)];

    // columns_[0, done): final; [done, ready): at the least distance of the rest; behind: not reached yet
    std::size_t done = 0, ready = 0, settled = 0;
    double least = 0;
    Index sink = kNone;
    while (sink == kNone) {
      if (done == ready) {
        settled = done;
        least = distance[at(columns_[done])];
        for (std::size_t k = done; k < size(); ++k) {
          const double d = distance[at(columns_[k])];
          if (d > least) continue;
          if (d < least) {
            least = d;
            ready = done;
          }
          std::swap(columns_[k], columns_[ready++]);
        }
        for (std::size_t k = done; k < ready && sink == kNone; ++k) {
          if (row_of_[at(columns_[k])] == kNone) sink = columns_[k];
        }
      }
      while (sink == kNone && done < ready) {
        const Index through = columns_[done++], i = row_of_[at(through)];
        const double base = row(i)[through] - price_[at(through)] - least;
        for (std::size_t k = ready; k < size(); ++k) {
          const Index j = columns_[k];
          const double d = row(i)[j] - price_[at(j)] - base;
          if (d >= distance[at(j)]) continue;
          distance[at(j)] = d;
          from_[at(j)] = i;
          if (d > least) continue;
          if (row_of_[at(j)] == kNone) {
            sink = j;
            break;
          }
          std::swap(columns_[k], columns_[ready++]);
        }
      }
    }
    for (std::size_t k = 0; k < settled; ++k) price_[at(columns_[k])] += distance[at(columns_[k])] - least;
    for (Index j = sink, i = kNone; i != start;) {
      i = from_[at(j)];
      const Index previous = column_of_[at(i)];
      assign(i, j);
      j = previous;
    }
  }

  const double* cost_;
  Index n_;
  std::vector<double> price_;              // of columns
  std::vector<Index> column_of_, row_of_;  // kNone while free
  std::vector<double> distance_;           // scratch of augment(), as are the next two
  std::vector<Index> columns_, from_;
};

}  // namespace

std::vector<Index> solve_assignment(std::span<const double> cost, Index n) {
  require(n >= 0 && static_cast<Index>(cost.size()) == n * n, "assignment: expected ", n, " x ", n, " costs, got ",
          cost.size());
  require(std::all_of(cost.begin(), cost.end(), [](double c) { return std::isfinite(c); }),
          "assignment: a cost is NaN or infinite");
  return AssignmentSolver(cost, n).solve();
}

}  // namespace rill::flow
