#include "flow/model/dynamics.hpp"

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

std::shared_ptr<const VelocityField> velocity_of(std::shared_ptr<const nn::TimeNetwork> network) {
  return std::make_shared<NetworkVelocity>(std::move(network));
}

Tensor score_at(const Dynamics& dynamics, const Tensor& x, double t, const Indices& labels) {
  require(dynamics.no_score.empty(), "score: ", dynamics.no_score);
  require(dynamics.path != nullptr && dynamics.path->noise().kind == PathNoise::kNone,
          "score: the velocity determines it only on a path without noise");
  const Tensor time = Tensor::full({x.dim(0)}, t);
  return convert((*dynamics.velocity)(x, time, labels), Prediction::kVelocity, Prediction::kScore, x, time,
                 dynamics.path->scheduler());
}

}  // namespace rill::flow
