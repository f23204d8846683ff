// What is learned: a density, a table of points, or labelled images.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "autodiff/tensor.hpp"
#include "datasets/augmentation.hpp"
#include "datasets/density.hpp"
#include "datasets/images.hpp"
#include "datasets/known_densities.hpp"
#include "datasets/table.hpp"
#include "flow/trainer.hpp"

namespace rill::tools {

/// Which data, in a form that a model's file can hold: together with the model it is all that sampling needs.
struct DataDescription {
  std::string kind = "density";     ///< density, table or images
  std::string source;               ///< the density's name, the table's file or the images' folder
  datasets::Parameters parameters;  ///< of a density, where they differ from the defaults
  std::optional<datasets::Standardization> standardization;  ///< of a table: the model works in standardized units
  Index height = 0, width = 0, classes = 0;                  ///< of images

  /// "annulus (inner 1)", "points.npy", "images of /data (10 classes)".
  std::string text() const;
};

/// A JSON object on one line, which reads back as the same description.
std::string to_json(const DataDescription& description);
/// Throws std::invalid_argument when the text is no such object.
DataDescription parse_data_description(const std::string& json);

/// How images are changed before they are trained on; of other data nothing is.
using datasets::Augmentation;

/// The data themselves.
class Data {
 public:
  virtual ~Data() = default;

  const DataDescription& description() const& { return description_; }
  const DataDescription& description() const&& = delete;
  virtual Index dimension() const = 0;
  /// The density, if it is one.
  virtual const datasets::Density* density() const { return nullptr; }
  /// One line on how much there is.
  virtual std::string size_text() const = 0;

  /// Batches to train on, as the model sees them: standardized, with labels where there are classes; images augmented.
  /// The data must outlive the source.
  virtual flow::BatchSource batches(Index batch, std::uint64_t seed, const Augmentation& augmentation = {}) const = 0;
  /// n points in the data's own units, [n, D]: fresh ones of a density, randomly chosen ones of a table or images, with
  /// labels where there are classes.
  virtual flow::Batch draw(Index n, Generator& rng) const = 0;

 protected:
  DataDescription description_;
};

/// Which images; densities have no end, and of a table all points are used for both.
using datasets::Split;

/// Opens what `description` names. Of a table the standardization is worked out unless the description has one; of
/// images the sizes. Throws FileError for files, std::invalid_argument for unknown densities and parameters.
std::unique_ptr<Data> open_data(DataDescription description, Split split = Split::kTrain);

/// Points in the model's units -> the data's.   [N, D] -> [N, D]
Tensor to_data_units(const DataDescription& description, const Tensor& x);

}  // namespace rill::tools
