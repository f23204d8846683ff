#include "flow/path/example.hpp"

#include "autodiff/error.hpp"

namespace rill::flow {

ExampleMaker::ExampleMaker(const ExampleOptions& options) : options_(options), path_(make_path(options.path)) {
  Generator unused(0);
  sample_times(options_.times, 0, unused);  // throws for an unknown distribution
  check(options_.coupling);
  require_label_dropout(options_.no_class, options_.label_dropout);
}

Example ExampleMaker::make(const datasets::Batch& batch, Generator& rng) const {
  const Shape& shape = batch.x_1.shape();
  const bool paired = batch.x_0.defined();
  Tensor x_0 = paired ? batch.x_0 : options_.source ? options_.source(shape, rng) : Tensor::randn(shape, rng);
  require(x_0.shape() == shape, "the source gave points of shape ", x_0.shape(), " for data of shape ", shape,
          "; they must be equal");
  if (!paired && options_.coupling.name != "independent") {
    x_0 = gather_rows(x_0, couple(options_.coupling, x_0, batch.x_1, batch.labels, rng));
  }
  const Tensor t = sample_times(options_.times, shape[0], rng);
  Example example{path_.sample(x_0, batch.x_1, t, rng), batch.labels};
  if (options_.label_dropout > 0 && batch.labels.size() > 0) {
    example.labels = drop_labels(batch.labels, options_.label_dropout, options_.no_class, rng);
  }
  return example;
}

void require_label_dropout(Index classes, double probability) {
  require(0 <= probability && probability < 1, "label_dropout: expected 0 <= p < 1, got ", probability);
  require(probability == 0 || classes > 0,
          "label_dropout: the model has no classes; train on labeled data, or leave it at 0");
}

Indices drop_labels(const Indices& labels, double probability, Index no_class, Generator& rng) {
  require(0 <= probability && probability <= 1, "label dropping: expected a probability from 0 to 1, got ",
          probability);
  const Tensor u = Tensor::rand({labels.size()}, rng);
  std::vector<Index> kept(labels.begin(), labels.end());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (static_cast<double>(u.data()[i]) < probability) kept[i] = no_class;
  }
  return Indices(std::move(kept));
}

}  // namespace rill::flow
