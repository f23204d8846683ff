// Scaled dot-product attention (Vaswani et al. 2017, equation 1).
#include <algorithm>
#include <array>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/operation_count.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/simd/kernels.hpp"

namespace rill {
namespace {

// Multiply-adds that justify waking a thread, and how many queries of a head make one piece of work.
constexpr Index kWorthAThread = 1 << 20, kPieceQueries = 448;

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

double score_scale(const Tensor& q, Index heads) { return 1 / std::sqrt(static_cast<double>(q.dim(2) / heads)); }

// ---------------------------------------------------------------------------------------------------------------------
// With kernels

// Where head h of image n begins in each tensor, and the arguments of the kernels.
class Heads {
 public:
  Heads(const Tensor& q, const Tensor& k, const Tensor& v, Index heads)
      : heads_(heads),
        channels_(q.dim(2)),
        value_channels_(v.dim(2)),
        all_{.queries = q.dim(1),
             .keys = k.dim(1),
             .depth = channels_ / heads,
             .value_depth = value_channels_ / heads,
             .scale = static_cast<Real>(score_scale(q, heads)),
             .q = q.data(),
             .ldq = channels_,
             .k = k.data(),
             .ldk = channels_,
             .v = v.data(),
             .ldv = value_channels_} {}

  Index queries_at(Index i) const { return place(i, all_.queries, channels_); }
  Index keys_at(Index i) const { return place(i, all_.keys, channels_); }
  Index values_at(Index i) const { return place(i, all_.keys, value_channels_); }
  Index output_at(Index i) const { return place(i, all_.queries, value_channels_); }
  Index value_channels() const { return value_channels_; }

  // Head i % heads of image i / heads.
  simd::Attention operator[](Index i) const {
    simd::Attention one = all_;
    one.q += queries_at(i);
    one.k += keys_at(i);
    one.v += values_at(i);
    return one;
  }

  // The multiply-adds of the two products of the forward pass, for this many queries of one head.
  Index multiply_adds(Index queries) const {
    return checked_product("attention", {queries, all_.keys, all_.depth + all_.value_depth});
  }

 private:
  Index place(Index i, Index rows, Index channels) const {
    return i / heads_ * rows * channels + i % heads_ * (channels / heads_);
  }

  Index heads_, channels_, value_channels_;
  simd::Attention all_;
};

Tensor workspace(const simd::Attention& a) { return Tensor::empty({simd::kernels().attention_workspace(a)}); }

Index grain(Index multiply_adds) { return std::max<Index>(1, kWorthAThread / std::max<Index>(1, multiply_adds)); }

// What the gradient kernel needs from the forward pass: y itself, and two numbers for each query of each head.
struct Result {
  Tensor y, top, inverse_sum;

  simd::AttentionOutput output(const Heads& heads, Index i, Index queries) {
    return {y.data() + heads.output_at(i), heads.value_channels(), top.data() + i * queries,
            inverse_sum.data() + i * queries};
  }
};

Result attend(const Tensor& q, const Tensor& k, const Tensor& v, Index heads) {
  const Index count = q.dim(0) * heads, queries = q.dim(1);
  Result result = {Tensor::empty({q.dim(0), queries, v.dim(2)}), Tensor::empty({count, queries}),
                   Tensor::empty({count, queries})};
  const Heads all(q, k, v, heads);
  count_operations(2 * count * all.multiply_adds(queries));
  const Index pieces = (queries + kPieceQueries - 1) / kPieceQueries;
  parallel_for(count * pieces, grain(all.multiply_adds(std::min(queries, kPieceQueries))), [&](Index begin, Index end) {
    Tensor space = workspace(all[0]);
    for (Index piece = begin; piece < end; ++piece) {
      const Index i = piece / pieces, first = piece % pieces * kPieceQueries;
      simd::Attention one = all[i];
      simd::AttentionOutput out = result.output(all, i, queries);
      one.queries = std::min(kPieceQueries, queries - first);
      one.q += first * one.ldq;
      out.y += first * out.ldy;
      out.top += first;
      out.inverse_sum += first;
      simd::kernels().attention(one, out, space.data());
    }
  });
  return result;
}

std::array<Tensor, 3> gradients_by_kernel(const Tensor& q, const Tensor& k, const Tensor& v, Index heads, Result result,
                                          const Tensor& gy) {
  const Index queries = q.dim(1);
  if (queries == 0) return {Tensor::zeros(q.shape()), Tensor::zeros(k.shape()), Tensor::zeros(v.shape())};
  std::array<Tensor, 3> g = {Tensor::empty(q.shape()), Tensor::empty(k.shape()), Tensor::empty(v.shape())};
  const Heads all(q, k, v, heads);
  // Recomputing the scores does not count: those products were counted in the forward pass.
  count_operations(4 * q.dim(0) * heads * all.multiply_adds(queries));
  parallel_for(q.dim(0) * heads, grain(2 * all.multiply_adds(queries)), [&](Index begin, Index end) {
    Tensor space = workspace(all[0]);
    for (Index i = begin; i < end; ++i) {
      simd::kernels().attention_gradient(all[i], result.output(all, i, queries),
                                         {.gy = gy.data() + all.output_at(i),
                                          .gq = g[0].data() + all.queries_at(i),
                                          .gk = g[1].data() + all.keys_at(i),
                                          .gv = g[2].data() + all.values_at(i)},
                                         space.data());
    }
  });
  return g;
}

// ---------------------------------------------------------------------------------------------------------------------
// With ops, for gradients that will be differentiated again

// [N, T, C] -> [N, heads, T, D]
Tensor split_heads(const Tensor& x, Index heads) {
  return permute(reshape(x, {x.dim(0), x.dim(1), heads, x.dim(2) / heads}), {0, 2, 1, 3});
}

// [N, heads, T, D] -> [N, T, C]
Tensor join_heads(const Tensor& x) {
  return reshape(permute(x, {0, 2, 1, 3}), {x.dim(0), x.dim(2), x.dim(1) * x.dim(3)});
}

// y = p v, p = softmax(x), x = scale q k^T:   gv = p^T gy,   gx = p (gp - sum_s p gp) with gp = gy v^T,
// gq = scale gx k,   gk = scale gx^T q
std::array<Tensor, 3> gradients_of_ops(const Tensor& q_in, const Tensor& k_in, const Tensor& v_in, Index heads,
                                       const Tensor& gy_in) {
  const double scale = score_scale(q_in, heads);
  const Tensor q = split_heads(q_in * scale, heads), k = split_heads(k_in, heads);
  const Tensor v = split_heads(v_in, heads), gy = split_heads(gy_in, heads);
  const Tensor p = softmax(matmul(q, k, {.b = true})), gp = matmul(gy, v, {.b = true});
  const Tensor gx = p * (gp - sum(p * gp, {.axes = {-1}, .keep = true}));
  std::array<Tensor, 3> g;
  if (q_in.requires_grad()) g[0] = join_heads(matmul(gx, k) * scale);
  if (k_in.requires_grad()) g[1] = join_heads(matmul(gx, q, {.a = true}));
  if (v_in.requires_grad()) g[2] = join_heads(matmul(p, gy, {.a = true}));
  return g;
}

}  // namespace

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, Index heads) {
  check_shapes(q, k, v, heads);
  const Result result = attend(q, k, v, heads);
  return record_jointly(
      "attention", result.y,
      [q, k, v, heads, result](const Tensor& gy) {
        return grad_enabled() ? gradients_of_ops(q, k, v, heads, gy) : gradients_by_kernel(q, k, v, heads, result, gy);
      },
      q, k, v);
}

}  // namespace rill
