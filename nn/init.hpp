// Initial values of parameters.
#pragma once

#include <string>

#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace rill::nn {

/// Numbers uniform in [-b, b), b = 1 / sqrt(fan_in), where fan_in is the number of inputs summed into one output.
/// This is PyTorch's default for the weight and the bias of a linear layer: kaiming_uniform (He et al. 2015, b = gain
/// sqrt(3 / fan_in)) with the gain of a leaky ReLU of slope sqrt(5), sqrt(2 / (1 + 5)).
/// Throws std::invalid_argument unless fan_in > 0.
Tensor uniform_by_fan_in(const Shape& shape, Index fan_in, Generator& rng);
/// Standard normal numbers.
Tensor normal(const Shape& shape, Generator& rng);
/// The same number everywhere.
Tensor constant(const Shape& shape, double value);

/// While it lives, the functions above, on its thread, make at most this many tensors and numbers in total: a
/// description from a file or a command line may ask for any size, and must be rejected before it takes the memory.
/// Beyond the limit they throw std::invalid_argument, with a message that ends with `reason`.
class BuildLimit {
 public:
  BuildLimit(Index tensors, Index numbers, std::string reason);
  ~BuildLimit();
  BuildLimit(const BuildLimit&) = delete;
  BuildLimit& operator=(const BuildLimit&) = delete;

  /// Counts a tensor of that shape against the innermost limit of this thread, if there is one.
  static void count(const Shape& shape);

 private:
  Index tensors_, numbers_;  // still available
  Index all_tensors_, all_numbers_;
  std::string reason_;
  BuildLimit* outer_;
};

/// Throws std::invalid_argument, beginning with "what: field is ...", unless 1 <= value <= kMaxSize: products of two
/// such sizes do not overflow.
void check_size(const char* what, const char* field, Index value);
inline constexpr Index kMaxSize = Index{1} << 20;

}  // namespace rill::nn
