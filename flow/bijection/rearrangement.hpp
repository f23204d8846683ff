// Bijections without parameters: permutations, and pixels as numbers without bounds.
#pragma once

#include <memory>
#include <vector>

#include "flow/bijection/bijection.hpp"
#include "nn/image_shape.hpp"

namespace rill::flow {

/// The channels in another order, at every position: y_c = x_order[c]. Volumes stay.
class Permutation final : public Bijection {
 public:
  explicit Permutation(const std::vector<Index>& order);

  Mapped forward(const Tensor& x, const Tensor& condition) const override;
  Mapped inverse(const Tensor& y, const Tensor& condition) const override;

 private:
  Tensor matrix_;  // [channels, channels], of zeros and ones
};

/// Squares of 2 x 2 pixels become one pixel with four times the channels, so that the next couplings mix what lay side
/// by side (Dinh et al. 2017, section 3.6).   [H W C] -> [H/2 W/2 4C]
class Squeeze final : public Bijection {
 public:
  /// Throws std::invalid_argument unless height and width are even.
  explicit Squeeze(const nn::ImageShape& image);

  Mapped forward(const Tensor& x, const Tensor& condition) const override;
  Mapped inverse(const Tensor& y, const Tensor& condition) const override;
  nn::ImageShape result() const { return {image_.height / 2, image_.width / 2, 4 * image_.channels}; }

 private:
  nn::ImageShape image_;
};

/// Numbers in [-1, 1) without bounds: y = ln(p / (1 - p)), p = alpha + (1 - 2 alpha) (x + 1) / 2, alpha = 0.05
/// (Dinh et al. 2017, section 4.1): noise has no edges, and a flow should not have to make them.
class Logit final : public Bijection {
 public:
  Mapped forward(const Tensor& x, const Tensor& condition) const override;
  Mapped inverse(const Tensor& y, const Tensor& condition) const override;
};

/// The first half of the channels leaves, and `rest` goes on with the others: half of the image's numbers need fewer
/// layers than the other half (Dinh et al. 2017, section 3.6).
class MultiScale final : public Bijection {
 public:
  MultiScale(const nn::ImageShape& image, std::shared_ptr<Bijection> rest);

  Mapped forward(const Tensor& x, const Tensor& condition) const override;
  Mapped inverse(const Tensor& y, const Tensor& condition) const override;
  Tensor initialize(const Tensor& x, const Tensor& condition) override;

 private:
  struct Halves {
    Tensor leaving, staying;
  };
  Halves split(const Tensor& x) const;

  nn::ImageShape image_;
  std::shared_ptr<Bijection> rest_;
};

}  // namespace rill::flow
