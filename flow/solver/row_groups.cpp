#include "flow/solver/row_groups.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "autodiff/graph.hpp"
#include "autodiff/interruption.hpp"
#include "autodiff/parallel.hpp"

namespace rill::flow {

Index rows_in_cache(Index dimension) { return std::clamp<Index>(65536 / std::max<Index>(1, dimension), 16, 1000); }

void for_row_groups(Index rows, Index largest, const std::function<void(Index begin, Index end)>& body) {
  if (rows == 0) return;
  const Index groups = (rows + largest - 1) / largest;
  parallel_for(rows, (rows + groups - 1) / groups, [&](Index begin, Index end) {
    check_interruption();
    const NoGrad no_grad;
    body(begin, end);
  });
}

Indices labels_of_rows(const Indices& labels, const Indices& rows) {
  if (labels.size() == 0) return labels;
  std::vector<Index> part;
  for (const Index row : rows) part.push_back(labels[row]);
  return Indices(std::move(part));
}

Indices labels_of_rows(const Indices& labels, Index begin, Index end) {
  if (labels.size() == 0) return labels;
  return Indices(std::vector<Index>(labels.begin() + begin, labels.begin() + end));
}

}  // namespace rill::flow
