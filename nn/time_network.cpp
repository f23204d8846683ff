#include "nn/time_network.hpp"

#include <vector>

#include "autodiff/error.hpp"

namespace rill::nn {

TimeNetwork::TimeNetwork(Index dimension, Index classes) : dimension_(dimension), classes_(classes) {
  constexpr Index kMost = Index{1} << 40;  // small enough that sums with it do not overflow
  require(0 < dimension && dimension <= kMost, "network: dimension is ", dimension, ", expected 1 to ", kMost);
  require(0 <= classes && classes <= kMost, "network: ", classes, " classes, expected 0 to ", kMost);
}

void TimeNetwork::check_input(const Tensor& x, const Tensor& t, const Indices& labels) const {
  require(x.rank() == 2 && x.dim(1) == dimension_, "network: x has shape ", x.shape(), ", expected [N, ", dimension_,
          "]");
  require(t.rank() == 1 && t.dim(0) == x.dim(0), "network: t has shape ", t.shape(), ", expected [", x.dim(0),
          "], one time per row of x");
  require(labels.size() == 0 || labels.size() == x.dim(0), "network: ", labels.size(), " labels for ", x.dim(0),
          " points");
  require(labels.size() == 0 || classes_ > 0, "network: labels given to one without classes");
  for (const Index label : labels) {
    require(0 <= label && label <= classes_, "network: label ", label, ", expected 0 to ", classes_ - 1, ", or ",
            classes_, " for no class");
  }
}

Indices TimeNetwork::class_rows(const Indices& labels, Index count) const {
  if (labels.size() > 0) return labels;
  return Indices(std::vector<Index>(static_cast<std::size_t>(count), classes_));
}

}  // namespace rill::nn
