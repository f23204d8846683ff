#include "nn/init.hpp"

#include <cmath>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill::nn {
namespace {

constinit thread_local BuildLimit* innermost = nullptr;

}  // namespace

BuildLimit::BuildLimit(Index tensors, Index numbers, std::string reason)
    : tensors_(tensors),
      numbers_(numbers),
      all_tensors_(tensors),
      all_numbers_(numbers),
      reason_(std::move(reason)),
      outer_(std::exchange(innermost, this)) {}

BuildLimit::~BuildLimit() { innermost = outer_; }

void BuildLimit::count(const Shape& shape) {
  if (innermost == nullptr) return;
  BuildLimit& limit = *innermost;
  Index numbers = 1;
  bool fits = limit.tensors_ > 0;
  for (const Index size : shape) fits = fits && size >= 0 && !__builtin_mul_overflow(numbers, size, &numbers);
  require(fits && numbers <= limit.numbers_, "network: no room for a tensor of shape ", shape, " besides ",
          limit.all_tensors_ - limit.tensors_, " tensors of ", limit.all_numbers_ - limit.numbers_,
          " numbers; at most ", limit.all_tensors_, " of ", limit.all_numbers_, ": ", limit.reason_);
  --limit.tensors_;
  limit.numbers_ -= numbers;
}

void check_size(const char* what, const char* field, Index value) {
  require(1 <= value && value <= kMaxSize, what, ": ", field, " is ", value, ", expected 1 to ", kMaxSize);
}

Tensor normal(const Shape& shape, Generator& rng) {
  BuildLimit::count(shape);
  return Tensor::randn(shape, rng);
}

Tensor constant(const Shape& shape, double value) {
  BuildLimit::count(shape);
  return Tensor::full(shape, value);
}

Tensor uniform_by_fan_in(const Shape& shape, Index fan_in, Generator& rng) {
  require(fan_in > 0, "uniform_by_fan_in: fan_in is ", fan_in, ", expected at least 1");
  BuildLimit::count(shape);
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  return affine(Tensor::rand(shape, rng), 2 * bound, -bound);
}

}  // namespace rill::nn
