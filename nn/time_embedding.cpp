#include "nn/time_embedding.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/ops.hpp"
#include "nn/init.hpp"

namespace rill::nn {

TimeEmbedding::TimeEmbedding(const std::string& kind, Index frequencies) {
  if (kind == "plain") return;
  if (kind != "fourier" && kind != "sinusoidal" && kind != "unscaled") {
    fail(unknown_name("time embedding", kind, time_embedding_names()));
  }
  check_size("time embedding", "the number of frequencies", frequencies);
  angular_ = constant({1, frequencies}, 0);
  with_time_ = kind == "fourier";
  cosines_first_ = kind == "unscaled";
  const double scale = cosines_first_ ? 1 : 1000;
  for (Index k = 0; k < frequencies; ++k) {
    const double omega = with_time_
                             ? std::numbers::pi * static_cast<double>(k + 1)
                             : scale * std::pow(10000, -static_cast<double>(k) / static_cast<double>(frequencies));
    angular_.data()[k] = static_cast<Real>(omega);
  }
}

Index TimeEmbedding::features() const { return (angular_.defined() ? 2 * angular_.size() : 0) + (with_time_ ? 1 : 0); }

Tensor TimeEmbedding::forward(const Tensor& t) const {
  require(t.rank() == 1, "TimeEmbedding: expected [N], got ", t.shape());
  const Tensor column = reshape(t, {t.dim(0), 1});
  if (!angular_.defined()) return column;
  // In a solver, all points share one time; its features are computed once.
  if (t.size() > 1 && !t.requires_grad() && std::count(t.data(), t.data() + t.size(), *t.data()) == t.size()) {
    return broadcast_to(forward(slice(t, 0, 0, 1)), {t.size(), features()});
  }
  const Tensor angles = column * angular_;
  if (with_time_) return concatenate({column, sin(angles), cos(angles)}, 1);
  if (cosines_first_) return concatenate({cos(angles), sin(angles)}, 1);
  return concatenate({sin(angles), cos(angles)}, 1);
}

std::vector<std::string> time_embedding_names() { return {"plain", "fourier", "sinusoidal", "unscaled"}; }

}  // namespace rill::nn
