// Work on a batch in groups of rows that fit a core's cache, spread over the threads.
#pragma once

#include <functional>

#include "autodiff/ops.hpp"
#include "autodiff/real.hpp"

namespace rill::flow {

/// Calls body(begin, end) so that the ranges cover [0, rows): groups of nearly equal size, `largest` rows at most,
/// which do not depend on the number of threads. Bodies run without recording a graph, several at a time. What one
/// throws is passed on once those that were begun have ended.
void for_row_groups(Index rows, Index largest, const std::function<void(Index begin, Index end)>& body);

/// The labels of some rows, or none where there are none.
Indices labels_of_rows(const Indices& labels, const Indices& rows);
/// Those of rows [begin, end).
Indices labels_of_rows(const Indices& labels, Index begin, Index end);

}  // namespace rill::flow
