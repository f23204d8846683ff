#include "flow/model/interpolation.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autodiff/error.hpp"

namespace rill::flow {

Tensor spherical_interpolation(const Tensor& a, const Tensor& b, const Tensor& w) {
  require(a.rank() == 2 && a.shape() == b.shape() && w.shape() == Shape{a.dim(0)},
          "spherical_interpolation: expected [N, D], [N, D] and [N], got ", a.shape(), ", ", b.shape(), " and ",
          w.shape());
  constexpr double kSmallest = 1e-4;  // sine to divide by
  Tensor result = Tensor::empty(a.shape());
  const Index dimension = a.dim(1);
  for (Index n = 0; n < a.dim(0); ++n) {
    const Real *p = a.data() + n * dimension, *q = b.data() + n * dimension;
    double pp = 0, qq = 0, pq = 0;
    for (Index d = 0; d < dimension; ++d) {
      const auto x = static_cast<double>(p[d]), y = static_cast<double>(q[d]);
      pp += x * x;
      qq += y * y;
      pq += x * y;
    }
    const double theta = std::acos(std::clamp(pq / std::sqrt(pp * qq), -1.0, 1.0)), sine = std::sin(theta);
    const auto weight = static_cast<double>(w.data()[n]);
    const bool arc = sine > kSmallest;  // false for a NaN too, which a point at 0 gives
    const double of_a = arc ? std::sin((1 - weight) * theta) / sine : 1 - weight;
    const double of_b = arc ? std::sin(weight * theta) / sine : weight;
    for (Index d = 0; d < dimension; ++d) {
      result.data()[n * dimension + d] =
          static_cast<Real>(of_a * static_cast<double>(p[d]) + of_b * static_cast<double>(q[d]));
    }
  }
  return result;
}

ClassMixtures::ClassMixtures(std::shared_ptr<const VelocityField> field, std::vector<ClassMixture> mixtures)
    : VelocityField(field->dimension(), static_cast<Index>(mixtures.size())),
      field_(std::move(field)),
      mixtures_(std::move(mixtures)) {
  require(!mixtures_.empty(), "class mixtures: expected at least one");
  for (const ClassMixture& mixture : mixtures_) {
    for (const Index label : {mixture.first, mixture.second}) {
      require(0 <= label && label < field_->classes(), "class mixtures: class ", label, ", expected 0 to ",
              field_->classes() - 1);
    }
    require(0 <= mixture.weight && mixture.weight <= 1, "class mixtures: a weight of ", mixture.weight,
            ", expected 0 to 1");
  }
}

Tensor ClassMixtures::operator()(const Tensor& x, const Tensor& t, const Indices& labels) const {
  check_input(x, t, labels);
  if (labels.size() == 0) return (*field_)(x, t);
  const Index points = x.dim(0);
  std::vector<Index> both(static_cast<std::size_t>(2 * points));
  std::vector<Real> weights;
  for (Index n = 0; n < points; ++n) {
    const bool none = labels[n] == classes();
    const ClassMixture mixture =
        none ? ClassMixture{field_->classes(), field_->classes(), 0} : mixtures_[static_cast<std::size_t>(labels[n])];
    both[static_cast<std::size_t>(n)] = mixture.first;
    both[static_cast<std::size_t>(points + n)] = mixture.second;
    weights.push_back(static_cast<Real>(mixture.weight));
  }
  const Tensor v = (*field_)(concatenate({x, x}, 0), concatenate({t, t}, 0), Indices(std::move(both)));
  const Tensor first = slice(v, 0, 0, points), second = slice(v, 0, points, 2 * points);
  return first + Tensor::from(weights, {points, 1}) * (second - first);
}

}  // namespace rill::flow
