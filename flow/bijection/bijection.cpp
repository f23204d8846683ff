#include "flow/bijection/bijection.hpp"

#include <string>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"

namespace rill::flow {

Chain::Chain(std::vector<std::shared_ptr<Bijection>> parts) : parts_(std::move(parts)) {
  require(!parts_.empty(), "chain of bijections: expected at least one");
  for (std::size_t i = 0; i < parts_.size(); ++i) register_module(std::to_string(i), parts_[i]);
}

Mapped Chain::forward(const Tensor& x, const Tensor& condition) const {
  Mapped all = parts_.front()->forward(x, condition);
  for (std::size_t i = 1; i < parts_.size(); ++i) {
    const Mapped next = parts_[i]->forward(all.y, condition);
    all = {next.y, all.log_determinant + next.log_determinant};
  }
  return all;
}

Mapped Chain::inverse(const Tensor& y, const Tensor& condition) const {
  const NoGrad no_grad;
  Mapped all = parts_.back()->inverse(y, condition);
  for (std::size_t i = parts_.size() - 1; i-- > 0;) {
    const Mapped next = parts_[i]->inverse(all.y, condition);
    all = {next.y, all.log_determinant + next.log_determinant};
  }
  return all;
}

Tensor Chain::initialize(const Tensor& x, const Tensor& condition) {
  Tensor y = x;
  for (const auto& part : parts_) y = part->initialize(y, condition);
  return y;
}

}  // namespace rill::flow
