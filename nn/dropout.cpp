#include "nn/dropout.hpp"

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill::nn {
namespace {

thread_local Generator* training_generator = nullptr;

}  // namespace

TrainingScope::TrainingScope(Generator& rng) : previous_(training_generator) { training_generator = &rng; }
TrainingScope::~TrainingScope() { training_generator = previous_; }
Generator* TrainingScope::generator() { return training_generator; }

Dropout::Dropout(double p) : p_(p) { require(0 <= p && p < 1, "Dropout: probability ", p, ", expected 0 <= p < 1"); }

Tensor Dropout::forward(const Tensor& x) const {
  Generator* rng = TrainingScope::generator();
  return p_ > 0 && rng != nullptr ? dropout(x, p_, *rng) : x;
}

}  // namespace rill::nn
