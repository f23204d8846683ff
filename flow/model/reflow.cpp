#include "flow/model/reflow.hpp"

#include <memory>
#include <utility>

#include "datasets/batches.hpp"
#include "flow/solver/row_groups.hpp"

namespace rill::flow {

Pairs make_pairs(const Dynamics& dynamics, const Tensor& x_0, const Indices& labels, const GenerateOptions& options) {
  return {x_0, generate(dynamics, x_0, labels, options).x, labels};
}

datasets::BatchSource batches_of(Pairs pairs, Index batch, std::uint64_t seed) {
  const auto order = std::make_shared<datasets::ShuffledBatches>(pairs.x_0.dim(0), batch, seed);
  return [pairs = std::move(pairs), order](Index step, Generator&) {
    const Indices rows = order->at(step);
    return datasets::Batch{gather_rows(pairs.x_1, rows), labels_of_rows(pairs.labels, rows),
                           gather_rows(pairs.x_0, rows)};
  };
}

}  // namespace rill::flow
