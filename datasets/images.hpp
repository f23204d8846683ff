// Labeled grayscale images in MNIST's file format.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"

namespace rill::datasets {

/// Training or test set.
enum class Split { kTrain, kTest };

/// Images stored as bytes, a fourth of the memory or less; only batches are converted to Reals.
class Images {
 public:
  /// pixels: [count, height, width] bytes; labels: one for each image. Throws std::invalid_argument when the
  /// sizes disagree or a label is outside [0, classes).
  Images(const Shape& shape, std::vector<std::uint8_t> pixels, std::vector<std::uint8_t> labels, Index classes = 10);

  Index size() const { return shape_[0]; }
  Index height() const { return shape_[1]; }
  Index width() const { return shape_[2]; }
  /// Labels are 0 to classes() - 1.
  Index classes() const { return classes_; }

  /// The chosen images, one per row, with bytes 0 to 255 mapped to -1 to 1: [n, height * width].
  /// Throws std::invalid_argument for an image that does not exist.
  Tensor pixels(const Indices& items) const;
  /// Their labels, [n].
  Indices labels(const Indices& items) const;

 private:
  void require_items(const Indices& items) const;

  Shape shape_;
  std::vector<std::uint8_t> pixels_, labels_;
  Index classes_;
};

/// Loads MNIST, Fashion-MNIST or any data in their format from a folder: {train,t10k}-images-idx3-ubyte and
/// {train,t10k}-labels-idx1-ubyte, each raw or .gz, and with a dot or a hyphen before "idx".
/// Throws FileError for what read_idx() rejects, a missing folder or file (saying where to get one),
/// images of rank other than 3 or without pixels, labels of rank other than 1, numbers of images and labels that
/// differ, and labels outside [0, classes).
Images load_images(const std::string& folder, Split split, Index classes = 10);

}  // namespace rill::datasets
