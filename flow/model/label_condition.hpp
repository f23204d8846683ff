// Labels as a condition, for families whose networks take one class and have none for "no class".
#pragma once

#include <functional>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace rill::flow {

/// [N, classes], 1 in the column of the label; undefined without classes. Throws std::invalid_argument, beginning with
/// `what`, for other labels.
Tensor one_hot(const Indices& labels, Index classes, const char* what);

/// The labels of n samples: these or, if there are none but there are classes, drawn uniformly. Throws
/// std::invalid_argument, beginning with `what`, for another number of them.
Indices labels_or_uniform(const Indices& labels, Index n, Index classes, Generator& rng, const char* what);

/// ln p of points [N, D], [N], in groups of rows on several threads, from that of one group with its condition, which
/// takes the index of its first row as well. Without labels but with classes: of the mixture of all classes in equal
/// parts. Records no graph. Throws std::invalid_argument, beginning with `what`, for another number of labels.
Tensor log_density_of_groups(
    const Tensor& x, const Indices& labels, Index classes, const char* what,
    const std::function<Tensor(const Tensor& x, const Tensor& condition, Index first_row)>& log_density);

}  // namespace rill::flow
