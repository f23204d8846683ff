// Processes a batch in groups of rows that fit into a core's cache, on several threads.
#pragma once

#include <functional>

#include "autodiff/ops.hpp"
#include "autodiff/real.hpp"

namespace rill::flow {

/// The most points of a dimension per group: enough rows to keep the matrix kernels busy and to amortize the overhead
/// of ops, few enough that the input and output of a layer (a thousand rows of 64 numbers each take 512 KB) fit into
/// L2. Points of high dimension are assumed to meet layers some tens of times as wide.
Index rows_in_cache(Index dimension);

/// Calls body(begin, end) for ranges that cover [0, rows): groups of nearly equal size, at most `largest` rows, which
/// do not depend on the number of threads. Calls run concurrently and record no graph. An exception is rethrown once
/// the calls that have begun are done.
void for_row_groups(Index rows, Index largest, const std::function<void(Index begin, Index end)>& body);

/// The labels of some rows; empty if there are none.
Indices labels_of_rows(const Indices& labels, const Indices& rows);
/// The labels of rows [begin, end).
Indices labels_of_rows(const Indices& labels, Index begin, Index end);

}  // namespace rill::flow
