#include "flow/model/generative_model.hpp"

#include "autodiff/error.hpp"

namespace rill::flow {

Tensor GenerativeModel::from_noise(const Tensor&, const Indices&) const {
  fail("from_noise: models of the family ", family(), " do not map noise to data in one step");
}

Tensor GenerativeModel::reconstruct(const Tensor&, const Indices&) const {
  fail("reconstruct: models of the family ", family(), " encode no data");
}

}  // namespace rill::flow
