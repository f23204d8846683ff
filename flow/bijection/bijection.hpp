// Bijections: invertible maps with a known change of volume, the parts of normalizing flows.
#pragma once

#include <memory>
#include <vector>

#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"
#include "nn/module.hpp"

namespace rill::flow {

/// Where a bijection takes points, and how it changes volumes there.
struct Mapped {
  Tensor y;                ///< [N, D]
  Tensor log_determinant;  ///< [N], ln |det dy/dx|
};

/// An invertible map of points [N, D], one for each condition [N, C]; the condition is undefined if C = 0. The density
/// of x follows from that of y by the change of variables,   ln p(x) = ln p(y) + ln |det dy/dx|
/// (Dinh et al., "NICE", 2015, equation 2).
class Bijection : public nn::Module {
 public:
  /// From data toward noise.
  virtual Mapped forward(const Tensor& x, const Tensor& condition) const = 0;
  /// Back: inverse(forward(x).y).y is x, and the logarithms of the determinants cancel. Records no graph.
  virtual Mapped inverse(const Tensor& y, const Tensor& condition) const = 0;
  /// Sets parameters by a first batch, for bijections that do so, and returns forward(x).y.
  virtual Tensor initialize(const Tensor& x, const Tensor& condition) { return forward(x, condition).y; }
};

/// One bijection after the other; the first is applied to the data first. Parameters: "0.", "1.", ...
class Chain final : public Bijection {
 public:
  explicit Chain(std::vector<std::shared_ptr<Bijection>> parts);

  Mapped forward(const Tensor& x, const Tensor& condition) const override;
  Mapped inverse(const Tensor& y, const Tensor& condition) const override;
  Tensor initialize(const Tensor& x, const Tensor& condition) override;

 private:
  std::vector<std::shared_ptr<Bijection>> parts_;
};

}  // namespace rill::flow
