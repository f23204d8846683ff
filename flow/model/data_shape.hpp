// What a model must know of its data before it sees them.
#pragma once

#include <optional>

#include "autodiff/description.hpp"
#include "autodiff/real.hpp"
#include "nn/image_shape.hpp"

namespace rill::flow {

/// The shape of the points that a model learns. A model's description in a file contains it.
struct DataShape {
  Index dimension = 2;               ///< numbers of a point; for an image, height * width * channels
  Index classes = 0;                 ///< number of labels; 0 for an unconditional model
  nn::ImageShape image = {0, 0, 0};  ///< of images; zeros for points

  bool is_image() const { return image.size() > 0; }
  std::optional<nn::ImageShape> image_shape() const { return is_image() ? std::optional(image) : std::nullopt; }

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("dimension", self.dimension, {});
    visit("classes", self.classes, {});
    visit("image", self.image, {});
  }
  friend bool operator==(const DataShape&, const DataShape&) = default;
};

}  // namespace rill::flow
