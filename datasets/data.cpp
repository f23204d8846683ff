#include "datasets/data.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"
#include "datasets/batches.hpp"
#include "datasets/read_table.hpp"
#include "datasets/table_remarks.hpp"

namespace rill::datasets {
namespace {

class DensityData final : public Data {
 public:
  explicit DensityData(DataDescription description)
      : density_(make_density(description.source, description.parameters)) {
    description_ = std::move(description);
  }

  Index dimension() const override { return density_->dimension(); }
  const Density* density() const override { return density_.get(); }
  std::string size_text() const override { return concat("fresh points in ", counted(dimension(), "dimension")); }

  std::vector<std::string> remarks() const override;

  BatchSource batches(Index batch, std::uint64_t, const Augmentation&) const override {
    return [this, batch](Index, Generator& rng) { return Batch{density_->sample(batch, rng), {}}; };
  }
  Batch draw(Index n, Generator& rng) const override { return {density_->sample(n, rng), {}}; }

 private:
  std::unique_ptr<Density> density_;
};

struct Spread {
  double mean, deviation;

  // By what factor the numbers are too large or too small for a network, which expects mean 0 and deviation near 1.
  double excess() const { return std::max({std::abs(mean), deviation, 1 / deviation}); }
};

Spread spread_of_axis(const Tensor& x, Index axis) {
  const Index n = x.dim(0);
  const auto at = [&](Index row) { return static_cast<double>(x.data()[row * x.dim(1) + axis]); };
  Spread spread{0, 0};
  for (Index i = 0; i < n; ++i) spread.mean += at(i) / static_cast<double>(n);
  for (Index i = 0; i < n; ++i) spread.deviation += (at(i) - spread.mean) * (at(i) - spread.mean);
  spread.deviation = std::sqrt(spread.deviation / static_cast<double>(n));
  return spread;
}

std::vector<std::string> DensityData::remarks() const {
  constexpr Index kPoints = 1000, kNumbers = 1'000'000;
  constexpr double kFar = 20;  // short runs learn moons at a distance of 10, but not at 30
  Generator rng(0);
  const Tensor x = density_->sample(std::clamp(kNumbers / dimension(), Index{10}, kPoints), rng);
  for (Index axis = 0; axis < dimension(); ++axis) {
    const Spread spread = spread_of_axis(x, axis);
    if (spread.excess() <= kFar) continue;
    return {
        concat(description_.text(), ": along axis ", axis + 1, " the points have a mean of ", spread.mean,
               " and a deviation of ", spread.deviation,
               "; unlike tables, densities are not standardized, and little is learned this far from 0 and 1: choose ",
               "parameters that bring them closer")};
  }
  return {};
}

// `n` distinct ones of `size` items in random order, or all of them.
Indices different(Index n, Index size, Generator& rng) {
  std::vector<Index> order = rng.permutation(size);
  order.resize(static_cast<std::size_t>(std::min(n, size)));
  return Indices(std::move(order));
}

// Throws FileError unless the columns have the means and deviations that they had in training, to the precision of a
// float: otherwise other rows would be taken for the training data.
void check_same_table(const Standardization& then, const Standardization& now, const std::string& file) {
  for (std::size_t j = 0; j < then.mean.size(); ++j) {
    constexpr double kFloat = 1e-5;
    const double mean = then.mean[j], deviation = then.deviation[j];
    const double near = kFloat * deviation + std::numeric_limits<float>::epsilon() * std::abs(mean);
    require_file(std::abs(now.mean[j] - mean) <= near && std::abs(now.deviation[j] - deviation) <= near, file,
                 "is not the table that the model was trained on: column ", j + 1, " has the mean ", exact(now.mean[j]),
                 " and the deviation ", exact(now.deviation[j]), ", expected ", exact(mean), " and ", exact(deviation),
                 "; give that table by --data");
  }
}

class TableData final : public Data {
 public:
  explicit TableData(DataDescription description) {
    const Table table = read_table(description.source);
    const auto found = Standardization::of(table);
    if (!description.standardization) description.standardization = found;
    const Index expected = description.standardization->columns();
    require_file(expected == table.columns, description.source, "has ", table.columns, " columns, expected ", expected,
                 " as when the model was trained");
    check_same_table(*description.standardization, found, description.source);
    points_ = description.standardization->apply(table);
    for (const std::string& remark : rill::datasets::remarks(table, found)) {
      remarks_.push_back(concat(description.source, ": ", remark));
    }
    description_ = std::move(description);
  }

  Index dimension() const override { return points_.dim(1); }
  std::optional<Index> size() const override { return points_.dim(0); }
  std::string size_text() const override {
    return concat(counted(points_.dim(0), "point"), " in ", counted(dimension(), "dimension"), ", standardized");
  }
  std::vector<std::string> remarks() const override { return remarks_; }

  BatchSource batches(Index batch, std::uint64_t seed, const Augmentation&) const override {
    const auto order = std::make_shared<ShuffledBatches>(points_.dim(0), batch, seed);
    return [this, order](Index step, Generator&) { return Batch{gather_rows(points_, order->at(step)), {}}; };
  }
  Batch draw(Index n, Generator& rng) const override {
    return {gather_rows(points_, different(n, points_.dim(0), rng)), {}};
  }

 private:
  Tensor points_;  // standardized
  std::vector<std::string> remarks_;
};

class ImageData final : public Data {
 public:
  ImageData(DataDescription description, Split split)
      : images_(load_images(description.source, split, description.classes)) {
    require_file(images_.size() > 0, description.source, "holds no images");
    const bool fits =
        description.height == 0 || (description.height == images_.height() && description.width == images_.width());
    require_file(fits, description.source, "holds images of ", images_.height(), " x ", images_.width(),
                 " pixels, expected ", description.height, " x ", description.width, " as when the model was trained");
    description.height = images_.height();
    description.width = images_.width();
    description_ = std::move(description);
  }

  Index dimension() const override { return images_.height() * images_.width(); }
  std::optional<Index> size() const override { return images_.size(); }
  std::string size_text() const override {
    return concat(counted(images_.size(), "image"), " of ", images_.height(), " x ", images_.width(), " pixels in ",
                  images_.classes(), " classes");
  }

  BatchSource batches(Index batch, std::uint64_t seed, const Augmentation& augmentation) const override {
    check(augmentation, images_.height(), images_.width());
    const auto order = std::make_shared<ShuffledBatches>(images_.size(), batch, seed);
    return [this, order, augmentation](Index step, Generator& rng) {
      const Indices items = order->at(step);
      const Tensor pixels = images_.pixels(items);
      return Batch{augment(pixels, images_.height(), images_.width(), augmentation, rng), images_.labels(items)};
    };
  }
  Batch draw(Index n, Generator& rng) const override {
    const Indices items = different(n, images_.size(), rng);
    return {images_.pixels(items), images_.labels(items)};
  }

 private:
  Images images_;
};

}  // namespace

std::unique_ptr<Data> open_data(DataDescription description, Split split) {
  require_file(!description.source.empty(), "data", "the model's file does not say which data it was ",
               "trained on, as train's files do; it is needed here");
  if (description.kind == "images") return std::make_unique<ImageData>(std::move(description), split);
  if (description.kind == "table") return std::make_unique<TableData>(std::move(description));
  return std::make_unique<DensityData>(std::move(description));
}

Table to_data_units(const DataDescription& description, const Tensor& x) {
  if (description.standardization) return description.standardization->invert(x);
  return {x.dim(0), x.dim(1), {x.values().begin(), x.values().end()}, {}};
}

Tensor to_model_units(const DataDescription& description, const Table& x) {
  if (description.standardization) return description.standardization->apply(x);
  const std::vector<Real> values(x.values.begin(), x.values.end());
  return Tensor::from(values, {x.rows, x.columns});
}

Tensor to_measuring_units(const DataDescription& description, const Tensor& x) {
  if (!description.standardization) return x;
  const double unit = measuring_unit(description);
  std::vector<Real> factors;
  for (const double scale : description.standardization->deviation) factors.push_back(static_cast<Real>(scale / unit));
  return x * Tensor::from(factors, {static_cast<Index>(factors.size())});
}

double measuring_unit(const DataDescription& description) {
  if (!description.standardization) return 1;
  return *std::max_element(description.standardization->deviation.begin(),
                           description.standardization->deviation.end());
}

bool has_equal_axes(const DataDescription& description) { return description.kind != "table"; }

double log_volume(const DataDescription& description) {
  return description.standardization ? description.standardization->log_volume() : 0;
}

}  // namespace rill::datasets
