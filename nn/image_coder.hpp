// Convolutional networks from an image to numbers, and back.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "autodiff/random.hpp"
#include "nn/image_shape.hpp"
#include "nn/module.hpp"

namespace rill::nn {

/// A network of rows [N, inputs] and a condition [N, C], which is undefined for C = 0 -> [N, outputs].
class ConditionalNetwork : public Module {
 public:
  virtual Tensor forward(const Tensor& x, const Tensor& condition) const = 0;
};

/// The sizes of the networks below.
struct CoderOptions {
  std::vector<Index> hidden = {128, 128};  ///< of a perceptron
  Index channels = 32;                     ///< of the first convolution, at half the size
  std::string activation = "silu";
};

/// A perceptron of both.   Parameters: those of Mlp under "layers."
class ConditionalMlp final : public ConditionalNetwork {
 public:
  /// Throws std::invalid_argument as Mlp does.
  ConditionalMlp(Index inputs, Index condition, Index outputs, const CoderOptions& options, Generator& rng);
  Tensor forward(const Tensor& x, const Tensor& condition) const override;

 private:
  std::shared_ptr<Layer> layers_;
};

/// Two convolutions of stride 2, with c and 2 c channels, each followed by the activation; then one linear layer, which
/// also sees the condition.   [N, H W C] -> [N, outputs]
class ImageEncoder final : public ConditionalNetwork {
 public:
  /// Throws std::invalid_argument unless 4 divides height and width.
  ImageEncoder(const ImageShape& image, Index condition, Index outputs, const CoderOptions& options, Generator& rng);
  Tensor forward(const Tensor& x, const Tensor& condition) const override;

 private:
  ImageShape image_;
  std::shared_ptr<Layer> convolutions_, output_;
};

/// The other way: one linear layer to a quarter of the size with 2 c channels; then twice the nearest neighbors and a
/// convolution, with c channels and with those of the outputs.   [N, inputs] -> [N, H W outputs]
/// (Nearest neighbors, since transposed convolutions leave a checkered pattern: Odena et al., "Deconvolution and
/// Checkerboard Artifacts", 2016.)
class ImageDecoder final : public ConditionalNetwork {
 public:
  /// Throws std::invalid_argument unless 4 divides height and width.
  ImageDecoder(Index inputs, Index condition, const ImageShape& image, Index outputs_per_pixel,
               const CoderOptions& options, Generator& rng);
  Tensor forward(const Tensor& x, const Tensor& condition) const override;

 private:
  ImageShape image_;
  Index channels_;
  std::shared_ptr<Layer> input_, first_, second_;
  std::shared_ptr<Layer> activation_;
};

}  // namespace rill::nn
