// The data of a model: a density, a table of points, or labeled images.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "autodiff/description.hpp"
#include "autodiff/tensor.hpp"
#include "datasets/augmentation.hpp"
#include "datasets/batch.hpp"
#include "datasets/density.hpp"
#include "datasets/images.hpp"
#include "datasets/known_densities.hpp"
#include "datasets/standardization.hpp"
#include "datasets/table.hpp"

namespace rill::datasets {

/// Identifies the data, in a form that a model's file can hold: with the model, it is all that sampling needs.
struct DataDescription {
  std::string kind = "density";                         ///< density, table or images
  std::string source = {};                              ///< the density's name, the table's file or the images' folder
  Parameters parameters = {};                           ///< of a density, where they differ from the defaults
  std::optional<Standardization> standardization = {};  ///< of a table: the model works in standardized units
  Index height = 0, width = 0, classes = 0;             ///< of images

  /// The fields follow from the options for data, which have another form, so none of them is a setting.
  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("kind", self.kind, {});
    visit("source", self.source, {});
    if (self.kind == "density") visit("parameters", self.parameters, {});
    if (self.standardization) {
      visit("mean", self.standardization->mean, {});
      visit("deviation", self.standardization->deviation, {});
    }
    if (self.holds_images()) {
      visit("height", self.height, {});
      visit("width", self.width, {});
      visit("classes", self.classes, {});
    }
  }

  bool holds_images() const { return kind == "images"; }
  bool is_table() const { return kind == "table"; }

  /// Throws std::invalid_argument unless the data fits a model of this dimension and this many labels.
  void require_points(Index dimension, Index labels) const;

  /// "annulus (inner 1)", "points.npy", "images of /data (10 classes)".
  std::string text() const;
};

/// A JSON object on one line, which reads back as the same description.
std::string to_json(const DataDescription& description);
/// Throws std::invalid_argument if the text is not such an object.
DataDescription parse_data_description(const std::string& json);

/// The data itself. Points are in the model's units: tables are standardized, image bytes 0 to 255 are mapped to -1 to
/// 1, densities are unchanged. A table's own units are used only in files and pictures, in double (below).
class Data {
 public:
  virtual ~Data() = default;

  const DataDescription& description() const& { return description_; }
  const DataDescription& description() const&& = delete;
  virtual Index dimension() const = 0;
  /// The density, if it is one.
  virtual const Density* density() const { return nullptr; }
  /// The number of points; nullopt for a density, which has no end of them.
  virtual std::optional<Index> size() const { return std::nullopt; }
  /// One line on the size of the data.
  virtual std::string size_text() const = 0;
  /// What a user should know before training on this data, one sentence each.
  virtual std::vector<std::string> remarks() const { return {}; }

  /// Batches to train on, with labels if there are classes; images are augmented. The data must outlive the source.
  virtual BatchSource batches(Index batch, std::uint64_t seed, const Augmentation& augmentation = {}) const = 0;
  /// n points, [n, D], with labels if there are classes: new samples of a density, or distinct rows of a table or
  /// images, chosen at random. All of them if there are fewer than n.
  virtual Batch draw(Index n, Generator& rng) const = 0;

 protected:
  DataDescription description_;
};

/// Opens the data that `description` names, and computes a table's standardization, unless the description has one, and
/// the sizes of images. Throws FileError for files, std::invalid_argument for unknown densities and parameters.
std::unique_ptr<Data> open_data(DataDescription description, Split split = Split::kTrain);

/// Points in the model's units -> the data's own, in double.   [N, D] -> [N, D]
Table to_data_units(const DataDescription& description, const Tensor& x);
/// And back.
Tensor to_model_units(const DataDescription& description, const Table& x);

/// Points in the model's units -> units in which distances can be measured. The columns of a table have scales s_c, the
/// largest of which, s = measuring_unit(), is the unit: points are multiplied by s_c / s but not shifted, so that
/// neither an offset nor the size of the numbers costs a float any digits. Distances in the data's units are s times
/// the measured ones, squared distances s^2 times, and ln p in the data's units is ln p in the model's minus
/// log_volume(). For all other data the units are the same, and s is 1.   [N, D] -> [N, D]
Tensor to_measuring_units(const DataDescription& description, const Tensor& x);
double measuring_unit(const DataDescription& description);
/// Whether the coordinates of points in the plane share a unit, so that pictures show both at one scale. The columns of
/// a table, say an age and an income, do not.
bool has_equal_axes(const DataDescription& description);

/// sum_c ln s_c.
double log_volume(const DataDescription& description);

}  // namespace rill::datasets
