#include "flow/model/dynamics.hpp"

#include <cmath>
#include <utility>

#include "autodiff/error.hpp"
#include "flow/path/prediction.hpp"

namespace rill::flow {
namespace {

class NetworkVelocity final : public VelocityField {
 public:
  explicit NetworkVelocity(std::shared_ptr<const nn::TimeNetwork> network)
      : VelocityField(network->dimension(), network->classes()), network_(std::move(network)) {}

  Tensor operator()(const Tensor& x, const Tensor& t, const Indices& labels) const override {
    return network_->forward(x, t, labels);
  }

 private:
  std::shared_ptr<const nn::TimeNetwork> network_;
};

}  // namespace

Tensor Dynamics::sample_source(Index n, Generator& rng) const {
  const Shape shape = {n, velocity->dimension()};
  return source ? source(shape, rng) : Tensor::randn(shape, rng);
}

// The density of factor x is that of x divided by factor^D.
void scale_source(Dynamics& dynamics, double factor) {
  if (factor == 1) return;
  dynamics.source = [source = dynamics.source, factor](const Shape& shape, Generator& rng) {
    return factor * (source ? source(shape, rng) : Tensor::randn(shape, rng));
  };
  if (!dynamics.source_log_density) return;
  dynamics.source_log_density = [log_p = dynamics.source_log_density, factor](const Tensor& x) {
    const Tensor scaled = x / factor;
    return log_p(scaled) - static_cast<double>(x.size() / x.dim(0)) * std::log(factor);
  };
}

std::shared_ptr<const VelocityField> velocity_of(std::shared_ptr<const nn::TimeNetwork> network) {
  return std::make_shared<NetworkVelocity>(std::move(network));
}

void require_score(const Dynamics& dynamics) {
  require(dynamics.no_score.empty(), "score: ", dynamics.no_score);
  require(dynamics.path != nullptr && dynamics.path->noise().kind == PathNoise::kNone,
          "score: the velocity determines it only on a path without noise");
}

Tensor score_at(const Dynamics& dynamics, const Tensor& x, const Tensor& t, const Indices& labels) {
  require_score(dynamics);
  return convert((*dynamics.velocity)(x, t, labels), Prediction::kVelocity, Prediction::kScore, x, t,
                 dynamics.path->scheduler());
}

}  // namespace rill::flow
