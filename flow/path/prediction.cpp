#include "flow/path/prediction.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "flow/path/path.hpp"

namespace rill::flow {

const double kConversionMargin = std::sqrt(static_cast<double>(std::numeric_limits<Real>::epsilon()));

namespace {

// E[x_1] and E[x_0] in terms of the value and the point.
struct Ends {
  Conversion data, noise;
};

Ends ends_from(Prediction from, const Coefficients& c) {
  const Conversion data_alone = {0, 1 / c.alpha}, noise_alone = {0, 1 / c.sigma};  // where sigma = 0, where alpha = 0
  Ends ends{};
  switch (from) {
    case Prediction::kVelocity: {
      // The determinant of the equations is alpha' sigma - sigma' alpha; if sigma' is infinite, sigma sigma' is not.
      const double scale = std::isinf(c.d_sigma) ? c.sigma : 1;
      const double d_sigma = std::isinf(c.d_sigma) ? c.sigma_d_sigma : c.d_sigma;
      const double determinant = scale * c.d_alpha * c.sigma - d_sigma * c.alpha;
      ends.data = {scale * c.sigma / determinant, -d_sigma / determinant};
      ends.noise = {-scale * c.alpha / determinant, scale * c.d_alpha / determinant};
      break;
    }
    case Prediction::kData:
      ends.data = {1, 0};
      ends.noise = {-c.alpha / c.sigma, 1 / c.sigma};
      break;
    case Prediction::kNoise:
      ends.noise = {1, 0};
      ends.data = {-c.sigma / c.alpha, 1 / c.alpha};
      break;
    case Prediction::kScore:
      ends.noise = {-c.sigma, 0};
      ends.data = {c.sigma * c.sigma / c.alpha, 1 / c.alpha};
      break;
    case Prediction::kV: {
      const double squared = c.alpha * c.alpha + c.sigma * c.sigma, root = std::sqrt(squared);
      ends.data = {-c.sigma / root, c.alpha / squared};
      ends.noise = {c.alpha / root, c.sigma / squared};
      return ends;  // defined everywhere
    }
  }
  if (c.sigma == 0 && from != Prediction::kData) ends.data = data_alone;
  if (c.alpha == 0 && from != Prediction::kNoise && from != Prediction::kScore) ends.noise = noise_alone;
  return ends;
}

// The conversion by the formulas; infinite or NaN where they are undefined.
Conversion formula(Prediction from, Prediction to, const Coefficients& c) {
  if (std::isinf(c.d_sigma) && from == Prediction::kVelocity && to == Prediction::kScore) {
    // -x_0 / sigma with the determinant times sigma, alpha' sigma^2 - sigma sigma' alpha
    const double determinant = c.d_alpha * c.sigma * c.sigma - c.sigma_d_sigma * c.alpha;
    return {c.alpha / determinant, -c.d_alpha / determinant};
  }
  if (from == Prediction::kScore && to == Prediction::kVelocity) {
    // alpha' (x + sigma^2 score) / alpha - sigma sigma' score
    return {c.sigma * c.sigma * c.d_alpha / c.alpha - c.sigma_d_sigma, c.d_alpha / c.alpha};
  }
  const auto [data, noise] = ends_from(from, c);
  switch (to) {
    case Prediction::kData:
      return data;
    case Prediction::kNoise:
      return noise;
    case Prediction::kScore:
      return {-noise.of_value / c.sigma, -noise.of_point / c.sigma};
    case Prediction::kVelocity:
      return {c.d_alpha * data.of_value + c.d_sigma * noise.of_value,
              c.d_alpha * data.of_point + c.d_sigma * noise.of_point};
    case Prediction::kV: {
      const double root = std::hypot(c.alpha, c.sigma);
      return {(c.alpha * noise.of_value - c.sigma * data.of_value) / root,
              (c.alpha * noise.of_point - c.sigma * data.of_point) / root};
    }
  }
  fail("conversion: unknown prediction ", static_cast<int>(to));
}

}  // namespace

Conversion conversion(Prediction from, Prediction to, double t, const Scheduler& scheduler) {
  if (from == to) return {1, 0};
  const auto finite = [](const Conversion& c) { return std::isfinite(c.of_value) && std::isfinite(c.of_point); };
  const Conversion exact = formula(from, to, scheduler.at(t));
  if (finite(exact)) return exact;
  return formula(from, to, scheduler.at(std::clamp(t, kConversionMargin, 1 - kConversionMargin)));
}

Tensor convert(const Tensor& value, Prediction from, Prediction to, const Tensor& x_t, const Tensor& t,
               const Scheduler& scheduler) {
  require(value.shape() == x_t.shape() && x_t.rank() >= 1 && t.shape() == Shape{x_t.dim(0)},
          "convert: expected a value and x_t of one shape [N, ...] and t [N], got ", value.shape(), ", ", x_t.shape(),
          " and ", t.shape());
  if (from == to) return value;
  Tensor of_value = Tensor::empty(t.shape()), of_point = Tensor::empty(t.shape());
  Conversion c{};
  for (Index i = 0; i < t.size(); ++i) {
    // In a solver, the whole batch has one time.
    const bool again = i > 0 && t.data()[i] == t.data()[i - 1];
    if (!again) c = conversion(from, to, static_cast<double>(t.data()[i]), scheduler);
    of_value.data()[i] = static_cast<Real>(c.of_value);
    of_point.data()[i] = static_cast<Real>(c.of_point);
  }
  return per_sample(of_value, x_t.rank()) * value + per_sample(of_point, x_t.rank()) * x_t;
}

}  // namespace rill::flow
