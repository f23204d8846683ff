#include "flow/model/coupling_flow.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autodiff/description_json.hpp"
#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random_streams.hpp"
#include "autodiff/summary.hpp"
#include "flow/bijection/act_norm.hpp"
#include "flow/bijection/rearrangement.hpp"
#include "flow/metrics/dequantization.hpp"
#include "flow/metrics/likelihood.hpp"
#include "flow/model/label_condition.hpp"
#include "flow/model/metadata.hpp"
#include "flow/solver/row_groups.hpp"
#include "nn/trainer.hpp"

namespace rill::flow {
namespace {

// Couplings on one scale.
void add_couplings(const CouplingFlowDescription& description, const nn::ImageShape& image, Generator& rng,
                   std::vector<std::shared_ptr<Bijection>>& parts) {
  for (Index i = 0; i < description.layers; ++i) {
    if (description.act_norm) parts.push_back(std::make_shared<ActNorm>(image.height * image.width, image.channels));
    if (i > 0 && image.channels > 2) {
      // A file holds the parameters alone, so the order must follow from the architecture, not from the run's seed.
      Generator order(static_cast<std::uint64_t>(i), streams::kPermutations);
      parts.push_back(std::make_shared<Permutation>(order.permutation(image.channels)));
    }
    parts.push_back(
        std::make_shared<Coupling>(image, description.shape.classes, i % 2 == 1, description.coupling, rng));
  }
}

std::shared_ptr<Bijection> levels(const CouplingFlowDescription& description, const nn::ImageShape& image, Index left,
                                  Generator& rng) {
  std::vector<std::shared_ptr<Bijection>> parts;
  const auto squeeze = std::make_shared<Squeeze>(image);
  const nn::ImageShape small = squeeze->result();
  parts.push_back(squeeze);
  add_couplings(description, small, rng, parts);
  if (left > 1) {
    const nn::ImageShape half{small.height, small.width, small.channels - small.channels / 2};
    parts.push_back(std::make_shared<MultiScale>(small, levels(description, half, left - 1, rng)));
  }
  return std::make_shared<Chain>(std::move(parts));
}

std::shared_ptr<Bijection> bijection_of(const CouplingFlowDescription& description, Generator& rng) {
  const DataShape& shape = description.shape;
  require(description.layers >= 1, "layers: expected at least 1, got ", description.layers);
  require(description.levels >= 1, "levels: expected at least 1, got ", description.levels);
  if (shape.is_image()) {
    nn::check(shape.image, shape.dimension, CouplingFlow::kFamily);
    return std::make_shared<Chain>(std::vector<std::shared_ptr<Bijection>>{
        std::make_shared<Logit>(), levels(description, shape.image, description.levels, rng)});
  }
  require(shape.dimension >= 1, "coupling-flow: dimension is ", shape.dimension, ", expected at least 1");
  std::vector<std::shared_ptr<Bijection>> parts;
  add_couplings(description, {1, 1, shape.dimension}, rng, parts);
  return std::make_shared<Chain>(std::move(parts));
}

// ln p, [N], with a graph if gradients are enabled.
Tensor log_density_of(const Bijection& bijection, const Tensor& x, const Tensor& condition) {
  const Mapped mapped = bijection.forward(x, condition);
  return standard_normal_log_density(mapped.y) + mapped.log_determinant;
}

}  // namespace

CouplingFlowExample CouplingFlowObjective::make_example(const datasets::Batch& batch, Generator& rng) const {
  return {shape_.is_image() ? dequantize(levels_of(batch.x_1), rng) : batch.x_1, batch.labels};
}

Tensor CouplingFlowObjective::loss(const CouplingFlowExample& example) const {
  return -mean(log_density_of(*bijection_, example.x, one_hot(example.labels, shape_.classes, CouplingFlow::kFamily)));
}

CouplingFlow::CouplingFlow(const CouplingFlowDescription& description, Generator& rng)
    : description_(description), bijection_(bijection_of(description, rng)) {}

nn::Metadata CouplingFlow::metadata() const { return {{kFamily, description::to_json(description_)}}; }

CouplingFlowDescription CouplingFlow::read_description(const nn::Metadata& metadata) {
  CouplingFlowDescription description;
  require_description(metadata, kFamily, description);
  return description;
}

nn::Metadata CouplingFlow::identity() const { return {{"run.network", description::to_json(description_)}}; }

std::string CouplingFlow::network_text() const { return summary(description_); }

std::string CouplingFlow::training_text() const { return "maximum likelihood"; }

// For each coupling, the inputs and outputs of its layers.
double CouplingFlow::numbers_of_step(Index batch) const {
  const CouplingLayerOptions& coupling = description_.coupling;
  const Index each = coupling.transform == "spline" ? spline_parameters(coupling.bins) : 2;
  double units = static_cast<double>(dimension() * each) / 2;
  for (const Index hidden : coupling.hidden) units += static_cast<double>(hidden);
  return static_cast<double>(batch) * static_cast<double>(description_.layers) * units;
}

std::unique_ptr<nn::TrainingLoop> CouplingFlow::trainer(datasets::BatchSource source,
                                                        const nn::TrainerOptions& options) {
  if (description_.act_norm) {
    Generator rng(options.seed, streams::kSteps);
    const CouplingFlowExample first = objective().make_example(source(0, rng), rng);
    const NoGrad no_grad;
    bijection_->initialize(first.x, one_hot(first.labels, classes(), kFamily));
  }
  return std::make_unique<nn::Trainer<CouplingFlowObjective>>(bijection_->named_parameters(), objective(),
                                                              std::move(source), options);
}

double CouplingFlow::held_out_loss(const datasets::BatchSource& source, Index samples, std::uint64_t seed) const {
  return nn::mean_loss(objective(), source, samples, seed);
}

Tensor CouplingFlow::sample(Index n, const Indices& labels, Generator& rng) const {
  const Tensor z = Tensor::randn({n, dimension()}, rng);
  return from_noise(z, labels_or_uniform(labels, n, classes(), rng, kFamily));
}

Tensor CouplingFlow::from_noise(const Tensor& noise, const Indices& labels) const {
  require(noise.rank() == 2 && noise.dim(1) == dimension() && labels.size() == (classes() > 0 ? noise.dim(0) : 0),
          "coupling-flow: expected noise [N, ", dimension(), "] and a label for each, got ", noise.shape(), " and ",
          labels.size(), " labels");
  Tensor x = Tensor::empty(noise.shape());
  for_row_groups(noise.dim(0), rows_in_cache(dimension()), [&](Index begin, Index end) {
    const Tensor condition = one_hot(labels_of_rows(labels, begin, end), classes(), kFamily);
    const Tensor part = bijection_->inverse(slice(noise, 0, begin, end), condition).y;
    std::copy_n(part.data(), part.size(), x.data() + begin * dimension());
  });
  return x;
}

Tensor CouplingFlow::log_density(const Tensor& x, const Indices& labels) const {
  return log_density_of_groups(x, labels, classes(), kFamily, [&](const Tensor& rows, const Tensor& condition, Index) {
    return log_density_of(*bijection_, rows, condition);
  });
}

}  // namespace rill::flow
