#include "tools/watched.hpp"

#include <memory>
#include <utility>
#include <variant>

#include "flow/path/velocity.hpp"

namespace rill::tools {
namespace {

class WatchedVelocity final : public flow::VelocityField {
 public:
  WatchedVelocity(std::shared_ptr<const flow::VelocityField> field, Phase& phase)
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
  dynamics.velocity = std::make_shared<WatchedVelocity>(std::move(dynamics.velocity), phase);
  return dynamics;
}

double evaluations_of(const flow::GenerateOptions& options) {
  if (const auto* fixed = std::get_if<flow::FixedSteps>(&options.solver)) {
    return static_cast<double>(fixed->steps * fixed->method->stages);
  }
  if (const auto* noisy = std::get_if<flow::StochasticSteps>(&options.solver)) {
    return static_cast<double>(noisy->steps * (noisy->method == flow::SdeMethod::kHeun ? 2 : 1));
  }
  return 0;
}

}  // namespace rill::tools
