#include "tools/data.hpp"

#include <utility>

#include "autodiff/error.hpp"
#include "datasets/batches.hpp"
#include "tools/text.hpp"

namespace rill::tools {
namespace {

class DensityData final : public Data {
 public:
  explicit DensityData(DataDescription description)
      : density_(datasets::make_density(description.source, description.parameters)) {
    description_ = std::move(description);
  }

  Index dimension() const override { return density_->dimension(); }
  const datasets::Density* density() const override { return density_.get(); }
  std::string size_text() const override { return concat("fresh points in ", dimension(), " dimensions"); }

  flow::BatchSource batches(Index batch, std::uint64_t, const Augmentation&) const override {
    return [this, batch](Index, Generator& rng) { return flow::Batch{density_->sample(batch, rng), {}}; };
  }
  flow::Batch draw(Index n, Generator& rng) const override { return {density_->sample(n, rng), {}}; }

 private:
  std::unique_ptr<datasets::Density> density_;
};

class TableData final : public Data {
 public:
  explicit TableData(DataDescription description) : points_(datasets::read_table(description.source)) {
    if (!description.standardization) description.standardization = datasets::Standardization::of(points_);
    const Index expected = description.standardization->mean.size();
    require_file(expected == dimension(), description.source, "has ", dimension(), " columns, expected ", expected,
                 " as when the model was trained");
    standardized_ = description.standardization->apply(points_);
    description_ = std::move(description);
  }

  Index dimension() const override { return points_.dim(1); }
  std::string size_text() const override {
    return concat(grouped(points_.dim(0)), " points in ", dimension(), " dimensions, standardized");
  }

  flow::BatchSource batches(Index batch, std::uint64_t seed, const Augmentation&) const override {
    const auto order = std::make_shared<datasets::ShuffledBatches>(points_.dim(0), batch, seed);
    return [this, order](Index step, Generator&) {
      return flow::Batch{gather_rows(standardized_, order->at(step)), {}};
    };
  }
  flow::Batch draw(Index n, Generator& rng) const override {
    return {gather_rows(points_, rng.integers(n, points_.dim(0))), {}};
  }

 private:
  Tensor points_, standardized_;
};

class ImageData final : public Data {
 public:
  ImageData(DataDescription description, Split split)
      : images_(datasets::load_images(description.source, split, description.classes)) {
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
  std::string size_text() const override {
    return concat(grouped(images_.size()), " images of ", images_.height(), " x ", images_.width(), " pixels in ",
                  images_.classes(), " classes");
  }

  flow::BatchSource batches(Index batch, std::uint64_t seed, const Augmentation& augmentation) const override {
    datasets::check(augmentation, images_.height(), images_.width());
    const auto order = std::make_shared<datasets::ShuffledBatches>(images_.size(), batch, seed);
    return [this, order, augmentation](Index step, Generator& rng) {
      const Indices items = order->at(step);
      const Tensor pixels = images_.pixels(items);
      return flow::Batch{datasets::augment(pixels, images_.height(), images_.width(), augmentation, rng),
                         images_.labels(items)};
    };
  }
  flow::Batch draw(Index n, Generator& rng) const override {
    const Indices items = rng.integers(n, images_.size());
    return {images_.pixels(items), images_.labels(items)};
  }

 private:
  datasets::Images images_;
};

}  // namespace

std::unique_ptr<Data> open_data(DataDescription description, Split split) {
  if (description.kind == "images") return std::make_unique<ImageData>(std::move(description), split);
  if (description.kind == "table") return std::make_unique<TableData>(std::move(description));
  return std::make_unique<DensityData>(std::move(description));
}

Tensor to_data_units(const DataDescription& description, const Tensor& x) {
  return description.standardization ? description.standardization->invert(x) : x;
}

}  // namespace rill::tools
