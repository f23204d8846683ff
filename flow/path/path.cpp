#include "flow/path/path.hpp"

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/ops.hpp"

namespace rill::flow {

Tensor per_sample(const Tensor& values, int rank) {
  Shape shape{values.size()};
  while (shape.rank() < rank) shape.push_back(1);
  return reshape(values, shape);
}

PathNoise::Value PathNoise::at(double t) const {
  switch (kind) {
    case kNone:
      return {.gamma = 0, .d_gamma = 0};
    case kConstant:
      return {.gamma = sigma, .d_gamma = 0};
    case kBridge: {
      const double root = std::sqrt(t * (1 - t));
      return {.gamma = sigma * root, .d_gamma = sigma * (1 - 2 * t) / (2 * root)};
    }
  }
  fail("path: unknown kind of noise ", static_cast<int>(kind));
}

AffinePath::AffinePath(std::unique_ptr<Scheduler> scheduler, PathNoise noise)
    : scheduler_(std::move(scheduler)), noise_(noise) {
  require(noise_.kind == PathNoise::kNone ? noise_.sigma == 0 : noise_.sigma > 0, "path: sigma is ", noise_.sigma,
          noise_.kind == PathNoise::kNone ? " for a path without noise" : ", expected a number > 0");
  const auto infinite_at = [&](double t) {
    const Coefficients c = scheduler_->at(t);
    return !std::isfinite(c.d_alpha) || !std::isfinite(c.d_sigma) || !std::isfinite(noise_.at(t).d_gamma);
  };
  infinite_start_ = infinite_at(0);
  infinite_end_ = infinite_at(1);
}

PathSample AffinePath::sample(const Tensor& x_0, const Tensor& x_1, const Tensor& t, Generator& rng) const {
  PathSample sample = line(x_0, x_1, t);
  if (noise_.kind == PathNoise::kNone) return sample;
  Tensor gamma = Tensor::empty(t.shape()), d_gamma = Tensor::empty(t.shape());
  for (Index i = 0; i < t.size(); ++i) {
    const PathNoise::Value value = noise_.at(static_cast<double>(sample.t.data()[i]));
    gamma.data()[i] = static_cast<Real>(value.gamma);
    d_gamma.data()[i] = static_cast<Real>(value.d_gamma);
  }
  sample.z = Tensor::randn(x_1.shape(), rng);
  sample.x_t = sample.x_t + per_sample(gamma, x_1.rank()) * sample.z;
  sample.dx_t = sample.dx_t + per_sample(d_gamma, x_1.rank()) * sample.z;
  return sample;
}

PathSample AffinePath::sample(const Tensor& x_0, const Tensor& x_1, const Tensor& t) const {
  require(noise_.kind == PathNoise::kNone, "path: this path adds noise; give sample() a generator to draw it from");
  return line(x_0, x_1, t);
}

// The sample without gamma z.
PathSample AffinePath::line(const Tensor& x_0, const Tensor& x_1, const Tensor& t) const {
  require(x_0.shape() == x_1.shape() && x_1.rank() >= 1 && t.shape() == Shape{x_1.dim(0)},
          "path: expected x_0 and x_1 of one shape [N, ...] and t [N], got ", x_0.shape(), ", ", x_1.shape(), " and ",
          t.shape());
  const Tensor inside = within_ends(t);
  const CoefficientTensors c = scheduler_->at(inside);
  const auto mix = [&](const Tensor& data_share, const Tensor& noise_share) {
    return per_sample(data_share, x_1.rank()) * x_1 + per_sample(noise_share, x_0.rank()) * x_0;
  };
  return {.x_t = mix(c.alpha, c.sigma), .dx_t = mix(c.d_alpha, c.d_sigma), .t = inside, .z = {}};
}

Tensor AffinePath::within_ends(const Tensor& t) const {
  if (!infinite_start_ && !infinite_end_) return t;
  return clamp(t, infinite_start_ ? kEndMargin : 0, infinite_end_ ? 1 - kEndMargin : 1);
}

std::vector<std::string> path_names() {
  std::vector<std::string> names = scheduler_names();
  names.insert(names.end(), {"target", "i-cfm", "vp-cfm", "schroedinger-bridge"});
  return names;
}

AffinePath make_path(const PathDescription& description) {
  const std::string& name = description.name;
  const double sigma = description.sigma;
  if (name == "target") return AffinePath(make_scheduler({.name = "cond-ot", .sigma_min = sigma}));
  if (name == "i-cfm" || name == "vp-cfm") {
    const PathNoise noise = sigma == 0 ? PathNoise{} : PathNoise{.kind = PathNoise::kConstant, .sigma = sigma};
    return AffinePath(make_scheduler({.name = name == "i-cfm" ? "cond-ot" : "cosine"}), noise);
  }
  if (name == "schroedinger-bridge") {
    require(sigma > 0, "path schroedinger-bridge: sigma is ", sigma,
            ", which leaves no bridge; set a sigma above 0, or use the path i-cfm with the coupling ot");
    return AffinePath(make_scheduler({.name = "cond-ot"}), {.kind = PathNoise::kBridge, .sigma = sigma});
  }
  for (const std::string& scheduler : scheduler_names()) {
    if (name != scheduler) continue;
    require(sigma == 0, "path ", name, ": sigma is ", sigma,
            ", but this path has none; leave it at 0, or use target, i-cfm, vp-cfm or schroedinger-bridge");
    return AffinePath(make_scheduler({.name = name, .power = description.power}));
  }
  fail(unknown_name("path", name, path_names()));
}

}  // namespace rill::flow
