#include "tools/watched.hpp"

#include <memory>
#include <utility>
#include <variant>

#include "flow/path/velocity.hpp"

namespace rill::tools {
namespace {

class WatchedField final : public flow::VelocityField {
 public:
  WatchedField(std::shared_ptr<const flow::VelocityField> field, Phase& phase)
      : VelocityField(field->dimension(), field->classes()), field_(std::move(field)), phase_(phase) {}

  Tensor operator()(const Tensor& x, const Tensor& t, const Indices& labels) const override {
    phase_.advance(static_cast<double>(x.dim(0)));
    return (*field_)(x, t, labels);
  }

 private:
  std::shared_ptr<const flow::VelocityField> field_;
  Phase& phase_;
};

}  // namespace

flow::Dynamics watched(flow::Dynamics dynamics, Phase& phase) {
  dynamics.velocity = std::make_shared<WatchedField>(std::move(dynamics.velocity), phase);
  return dynamics;
}

flow::ScoreLadder watched(flow::ScoreLadder ladder, Phase& phase) {
  ladder.score = std::make_shared<WatchedField>(std::move(ladder.score), phase);
  return ladder;
}

double evaluations_of(const flow::GenerateOptions& options) {
  if (const auto* fixed = std::get_if<flow::FixedSteps>(&options.solver)) {
    return static_cast<double>(fixed->steps * fixed->method->stages);
  }
  if (const auto* noisy = std::get_if<flow::StochasticSteps>(&options.solver)) {
    return static_cast<double>(noisy->steps * (noisy->method == flow::SdeMethod::kHeun ? 2 : 1));
  }
  if (const auto* ancestral = std::get_if<flow::AncestralSteps>(&options.solver)) {
    return static_cast<double>(ancestral->steps * (1 + ancestral->corrections) - ancestral->corrections);
  }
  if (const auto* langevin = std::get_if<flow::LangevinSteps>(&options.solver)) {
    return static_cast<double>(evaluations_of(*langevin, langevin->levels));
  }
  return 0;
}

}  // namespace rill::tools
