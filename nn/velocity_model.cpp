#include "nn/velocity_model.hpp"

#include <vector>

#include "autodiff/error.hpp"

namespace rill::nn {

VelocityModel::VelocityModel(Index dimension, Index classes) : dimension_(dimension), classes_(classes) {
  constexpr Index kMost = Index{1} << 40;  // what is added to them does not overflow
  require(0 < dimension && dimension <= kMost, "velocity model: dimension is ", dimension, ", expected 1 to ", kMost);
  require(0 <= classes && classes <= kMost, "velocity model: ", classes, " classes, expected 0 to ", kMost);
}

Tensor VelocityModel::score_drift(const Tensor&, const Tensor&, const Indices&) const {
  fail("velocity model: this one has learned no score; train it with a score on a Schroedinger bridge");
}

void VelocityModel::check_input(const Tensor& x, const Tensor& t, const Indices& labels) const {
  require(x.rank() == 2 && x.dim(1) == dimension_, "velocity model: x has shape ", x.shape(), ", expected [N, ",
          dimension_, "]");
  require(t.rank() == 1 && t.dim(0) == x.dim(0), "velocity model: t has shape ", t.shape(), ", expected [", x.dim(0),
          "], one time per row of x");
  require(labels.size() == 0 || labels.size() == x.dim(0), "velocity model: ", labels.size(), " labels for ", x.dim(0),
          " points");
  require(labels.size() == 0 || classes_ > 0, "velocity model: labels given to a model without classes");
  for (const Index label : labels) {
    require(0 <= label && label <= classes_, "velocity model: label ", label, ", expected 0 to ", classes_ - 1, ", or ",
            classes_, " for no class");
  }
}

Indices VelocityModel::class_rows(const Indices& labels, Index count) const {
  if (labels.size() > 0) return labels;
  return Indices(std::vector<Index>(static_cast<std::size_t>(count), classes_));
}

}  // namespace rill::nn
