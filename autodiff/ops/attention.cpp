// Scaled dot-product attention (Vaswani et al. 2017, equation 1).
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill {
namespace {

void check_shapes(const Tensor& q, const Tensor& k, const Tensor& v, Index heads) {
  require(q.rank() == 3 && k.rank() == 3 && v.rank() == 3 && q.dim(0) == k.dim(0) && k.dim(0) == v.dim(0) &&
              k.dim(1) == v.dim(1) && q.dim(2) == k.dim(2),
          "attention: expected q [N, T, C], k [N, S, C] and v [N, S, Cv], got ", q.shape(), ", ", k.shape(), " and ",
          v.shape());
  require(k.dim(1) > 0, "attention: expected at least one key, got k ", k.shape());
  require(q.dim(2) > 0 && v.dim(2) > 0, "attention: expected at least one channel, got q ", q.shape(), " and v ",
          v.shape());
  require(heads >= 1 && q.dim(2) % heads == 0 && v.dim(2) % heads == 0, "attention: ", q.dim(2), " and ", v.dim(2),
          " channels of q and v cannot be shared equally by ", heads, " heads");
}

// [N, T, C] -> [N, heads, T, D]
Tensor split_heads(const Tensor& x, Index heads) {
  return permute(reshape(x, {x.dim(0), x.dim(1), heads, x.dim(2) / heads}), {0, 2, 1, 3});
}

// [N, heads, T, D] -> [N, T, C]
Tensor join_heads(const Tensor& x) {
  return reshape(permute(x, {0, 2, 1, 3}), {x.dim(0), x.dim(2), x.dim(1) * x.dim(3)});
}

}  // namespace

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, Index heads) {
  check_shapes(q, k, v, heads);
  const double scale = 1 / std::sqrt(static_cast<double>(q.dim(2) / heads));
  const Tensor scores = matmul(split_heads(q * scale, heads), split_heads(k, heads), {.b = true});
  return join_heads(matmul(softmax(scores), split_heads(v, heads)));
}

}  // namespace rill
