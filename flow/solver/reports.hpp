// The reports of an adaptive solve: the points at requested times, which clocks pass at different steps.
#pragma once

#include <cstddef>
#include <tuple>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "flow/solver/runge_kutta.hpp"
#include "flow/solver/tableau.hpp"

namespace rill::flow {

/// A clock whose points are to be reported, at requested time number `time`; if the clock ends, also at all later ones.
struct Passage {
  std::size_t time;
  bool ends;
  bool inside;  ///< whether it is inside its step, at theta; otherwise at the end of the step
  std::size_t clock;
  double theta;

  auto group() const { return std::tuple(time, ends, inside); }
};

class Reports {
 public:
  explicit Reports(std::size_t times) : reports_(times) {}

  /// Adds the points of some rows at the requested times [begin, end).
  void add(std::size_t begin, std::size_t end, const Tensor& x, const Indices& rows);

  /// Adds the points of clocks that passed requested times during a step, to which it may add slopes.
  void add(const Tableau& method, Field& field, Step& step, std::vector<Passage> passages);

  /// The points at each requested time, in the order of the batch, once all rows have been added.
  std::vector<Tensor> assembled() const;

 private:
  struct Report {
    std::vector<Tensor> parts;
    std::vector<Index> rows;  // of all parts, concatenated
  };
  std::vector<Report> reports_;
};

}  // namespace rill::flow
