// Losses: scalars to minimize.
#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/elementwise.hpp"

namespace rill {

// With n elements:   ga = gy (2 / n) (a - b) = -gb
Tensor mse_loss(const Tensor& a, const Tensor& b) {
  detail::require_defined("mse_loss", a, b);
  require(a.shape() == b.shape(), "mse_loss: shapes ", a.shape(), " and ", b.shape(), " differ");
  const auto n = static_cast<double>(a.size());
  Tensor value;
  {
    const NoGrad no_grad;
    value = mean(square(a - b));
  }
  return record("mse_loss", value, wrt(a, [a, b, n](const Tensor& gy) { return (2 * gy / n) * (a - b); }),
                wrt(b, [a, b, n](const Tensor& gy) { return (2 * gy / n) * (b - a); }));
}

Tensor cross_entropy(const Tensor& logits, const Indices& labels) {
  require(logits.rank() == 2 && logits.dim(0) == labels.size(),
          "cross_entropy: expected logits [N, C] and N labels, got ", logits.shape(), " and ", labels.size());
  const Index classes = logits.dim(1);
  std::vector<Index> positions;
  positions.reserve(static_cast<std::size_t>(labels.size()));
  for (Index n = 0; n < labels.size(); ++n) {
    require(0 <= labels[n] && labels[n] < classes, "cross_entropy: label ", labels[n], " at ", n, ", expected 0 to ",
            classes - 1);
    positions.push_back(n * classes + labels[n]);
  }
  return -mean(gather_rows(reshape(log_softmax(logits), {-1}), Indices(std::move(positions))));
}

}  // namespace rill
