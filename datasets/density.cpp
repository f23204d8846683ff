#include "datasets/density.hpp"

#include <limits>
#include <numeric>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill::datasets {

std::optional<Tensor> Density::log_density(const Tensor&) const { return std::nullopt; }

std::optional<Tensor> Density::distance_to_support(const Tensor&) const { return std::nullopt; }

std::optional<Tensor> Density::in_support(const Tensor& x, double margin) const {
  require(margin >= 0, name(), ": the margin around the support is ", margin, ", expected at least 0");
  const std::optional<Tensor> distance = distance_to_support(x);
  if (!distance) return std::nullopt;
  return less_equal(*distance, Tensor::scalar(margin));
}

std::optional<double> Density::share_in_support(const Tensor& x, double margin) const {
  const std::optional<Tensor> inside = in_support(x, margin);
  if (!inside) return std::nullopt;
  const auto values = inside->values();
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<double> Density::mode_weights() const {
  std::vector<double> weights;
  for (const Mode& mode : modes()) weights.push_back(mode.weight);
  return weights;
}

std::vector<Index> Density::mode_of(const Tensor& x) const {
  require_points(x);
  const std::vector<Mode> all = modes();
  std::vector<Index> result;
  for (Index i = 0; i < x.dim(0); ++i) {
    Index nearest = -1;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < all.size(); ++k) {
      double squared = 0;
      for (Index j = 0; j < dimension(); ++j) {
        const double difference =
            static_cast<double>(x.data()[i * dimension() + j]) - all[k].mean[static_cast<std::size_t>(j)];
        squared += difference * difference;
      }
      if (squared < least) least = squared, nearest = static_cast<Index>(k);
    }
    result.push_back(nearest);
  }
  return result;
}

void Density::require_points(const Tensor& x) const {
  require(x.rank() == 2 && x.dim(1) == dimension(), name(), ": expected points of shape [n, ", dimension(), "], got ",
          x.shape());
}

Tensor columns(const Tensor& x, const Tensor& y) {
  const Index n = x.size();
  return transpose(concatenate({reshape(x, {1, n}), reshape(y, {1, n})}, 0));
}

}  // namespace rill::datasets
