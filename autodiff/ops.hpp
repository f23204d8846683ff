// Every op on one page. Each records its gradient, which is made of ops and can be differentiated again.
//
// Shapes are in brackets; N is the batch size, C the number of channels or classes. Elementwise ops broadcast by
// NumPy's rule. Misuse throws std::invalid_argument naming the op and the shapes. Labels and row indices are Indices.
#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "autodiff/graph.hpp"
#include "autodiff/tensor.hpp"

namespace rill {

// --- Arithmetic (ops/arithmetic.cpp) ---------------------------------------------------------------------------------

Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& x);

/// scale * x + shift, which implements most operators with a scalar. A product has a shift of -0, which changes no
/// number, while 0 would turn -0 into 0.
Tensor affine(const Tensor& x, double scale, double shift);
inline Tensor operator+(const Tensor& x, double c) { return affine(x, 1, c); }
inline Tensor operator+(double c, const Tensor& x) { return affine(x, 1, c); }
inline Tensor operator-(const Tensor& x, double c) { return affine(x, 1, -c); }
inline Tensor operator-(double c, const Tensor& x) { return affine(x, -1, c); }
inline Tensor operator*(const Tensor& x, double c) { return affine(x, c, -0.0); }
inline Tensor operator*(double c, const Tensor& x) { return affine(x, c, -0.0); }
/// A true division: a product with 1 / c would round twice, and be infinite where 1 / c overflows.
Tensor operator/(const Tensor& x, double c);
Tensor operator/(double c, const Tensor& x);

/// Elementwise; where a = b, each gets half the gradient. NaN if either is.
Tensor minimum(const Tensor& a, const Tensor& b);
Tensor maximum(const Tensor& a, const Tensor& b);
/// min(max(x, low), high); the gradient is 1 on [low, high], 0 outside. Throws unless low <= high.
Tensor clamp(const Tensor& x, double low, double high);
/// condition != 0 ? a : b. No gradient flows to the condition.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);

// 1 where the comparison holds, 0 elsewhere; no gradient.
Tensor less(const Tensor& a, const Tensor& b);
Tensor less_equal(const Tensor& a, const Tensor& b);
Tensor equal(const Tensor& a, const Tensor& b);

// --- Functions (ops/function.cpp) ------------------------------------------------------------------------------------

Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor square(const Tensor& x);
/// x^p for a constant p.
Tensor pow(const Tensor& x, double p);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
/// |x|; its gradient is sign(x), which is 0 at 0.
Tensor abs(const Tensor& x);
/// -1, 0 or 1; no gradient.
Tensor sign(const Tensor& x);

// --- Activations (ops/activation.cpp) --------------------------------------------------------------------------------

Tensor tanh(const Tensor& x);
/// 1 / (1 + e^-x)
Tensor sigmoid(const Tensor& x);
/// max(x, 0); the gradient is 0 at 0.
Tensor relu(const Tensor& x);
/// x > 0 ? x : slope x
Tensor leaky_relu(const Tensor& x, double slope = 0.01);
/// x > 0 ? x : alpha (e^x - 1)   (Clevert et al. 2015). Throws for alpha <= 0.
Tensor elu(const Tensor& x, double alpha = 1);
/// The self-normalizing ELU, with its two constants   (Klambauer et al. 2017).
Tensor selu(const Tensor& x);
/// How gelu computes the normal CDF: exactly or, as the original models do, by tanh.
struct Approximate {
  bool tanh = false;
};
/// x Phi(x), where Phi is the CDF of the standard normal distribution; its tanh approximation is
/// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2   (Hendrycks and Gimpel 2016).
Tensor gelu(const Tensor& x, Approximate approximate = {});
/// x sigmoid(x)
Tensor silu(const Tensor& x);
/// ln(1 + e^x)
Tensor softplus(const Tensor& x);

/// An activation as a value, for ops that apply one to their result while it is still in cache.
struct Activation {
  const char* name;
  Tensor (*apply)(const Tensor& x);                             ///< f(x), the op
  Tensor (*apply_gradient)(const Tensor& gy, const Tensor& x);  ///< gy f'(x), made of ops
  /// y = f(x), n numbers; y may be x.
  void (*forward)(Index n, const Real* x, Real* y);
  /// gx = gy f'(x) from the output y = f(x), if the derivative follows from the output; or null, and then
  void (*gradient)(Index n, const Real* gy, const Real* y, Real* gx);
  /// y = f(x) and slope = f'(x) at once.
  void (*forward_with_slope)(Index n, const Real* x, Real* y, Real* slope);
  /// gx = gy f'(x) from the argument; gx may be x, but not gy.
  void (*gradient_at)(Index n, const Real* gy, const Real* x, Real* gx);
};
/// All of them, each with its default parameters; gelu_tanh is gelu with `tanh`.
std::span<const Activation> activations();

// --- Reductions (ops/reduction.cpp) ----------------------------------------------------------------------------------

/// The axes of a reduction; all of them by default. With `keep`, they stay, with size 1.
struct Over {
  Axes axes = {};
  bool keep = false;
};
Tensor sum(const Tensor& x, const Over& over = {});
/// NaN over no elements.
Tensor mean(const Tensor& x, const Over& over = {});
/// Equal maxima share the gradient equally. Throws over no elements.
Tensor max(const Tensor& x, const Over& over = {});
/// Sums x over the axes that broadcasting repeated, down to the given shape; x itself if it has that shape.
/// Throws unless the shape broadcasts to that of x.
Tensor unbroadcast(const Tensor& x, const Shape& shape);

// --- Products (ops/linear.cpp) ---------------------------------------------------------------------------------------

struct Transpose {
  bool a = false, b = false;
};
/// op(a) op(b) where op transposes the last two axes when its flag is set.   [..., M, K] x [..., K, N] -> [..., M, N]
/// The leading axes, if any, must be equal: one product each.
Tensor matmul(const Tensor& a, const Tensor& b, Transpose transpose = {});
/// x w^T + bias   x: [N, In], w: [Out, In], bias: [Out] or undefined -> [N, Out]
Tensor linear(const Tensor& x, const Tensor& w, const Tensor& bias = {});
/// f(x w^T + bias) as one op: f(linear(x, w, bias)) without a second pass over memory, and with f' saved instead of its
/// argument. The gradients can be differentiated again; the argument is then recomputed.
Tensor linear(const Tensor& x, const Tensor& w, const Tensor& bias, const Activation& f);

// --- Images: [N, H, W, C], channels innermost ------------------------------------------------------------------------

// Convolution (ops/convolution.cpp)

/// The same along both axes.
struct Conv2dOptions {
  Index stride = 1, padding = 0, groups = 1;
};
/// y[n, i, j, o] = bias[o] + sum_{u, v, c} x[n, s i + u - p, s j + v - p, c] w[u, v, c, o]   s: stride, p: padding
/// x: [N, H, W, C], w: [KH, KW, C / groups, O], bias: [O] or undefined -> [N, (H + 2p - KH) / s + 1, ..., O]
/// Outside the image, x is 0. With several groups, each group's outputs see only the channels of that group.
Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& bias = {}, const Conv2dOptions& options = {});

// Attention (ops/attention.cpp)

/// softmax(q k^T / sqrt(D)) v for each head, D = C / heads. Head h has columns [h D, (h + 1) D) of q and k, likewise of
/// v and the result   (Vaswani et al. 2017).   q: [N, T, C], k: [N, S, C], v: [N, S, Cv] -> [N, T, Cv]
/// Throws if there are no keys or channels, and unless `heads` divides C and Cv.
Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, Index heads = 1);

// Normalization (ops/normalization.cpp): xhat scale + shift, xhat = (x - mean) / sqrt(variance + epsilon), with the
// mean and the (biased) variance of each group of numbers. scale and shift: [C]; or [N, C], one row per sample; or
// undefined, meaning 1 and 0. x: [N, ..., C], and so is the result. All throw unless epsilon is a number >= 0; with 0,
// a group of equal numbers gives NaN.

/// A group is C / groups adjacent channels of a sample, at all its positions   (Wu and He 2018). Throws unless `groups`
/// divides C.
Tensor group_norm(const Tensor& x, Index groups, const Tensor& scale, const Tensor& shift, double epsilon = 1e-5);
/// f(group_norm(...)) as one op, without a second pass over memory.
Tensor group_norm(const Tensor& x, Index groups, const Tensor& scale, const Tensor& shift, const Activation& f,
                  double epsilon = 1e-5);
/// A group is one channel of a sample   (Ulyanov et al. 2016).
Tensor instance_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, double epsilon = 1e-5);
/// A group is the C channels at one position   (Ba et al. 2016).
Tensor layer_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, double epsilon = 1e-5);

/// Windows of window x window pixels, `stride` apart, on an image with a border of `padding` pixels.
struct Pool {
  Index window;
  Index stride = 0;   ///< 0: the size of the window, so that windows do not overlap
  Index padding = 0;  ///< at most half the window
};
// Pooling (ops/pooling.cpp).   [N, H, W, C] -> [N, H', W', C] with H' = (H + 2 padding - window) / stride + 1, rounded
// down. Throws where no window fits.

/// The maximum of each window, ignoring the border; the first of equal ones gets the gradient. NaN if any is.
Tensor max_pool(const Tensor& x, const Pool& pool);
/// The mean of each window, where the border counts as zeros.
Tensor average_pool(const Tensor& x, const Pool& pool);
/// Repeats every pixel factor x factor times.   [N, H, W, C] -> [N, factor H, factor W, C]
Tensor upsample_nearest(const Tensor& x, Index factor);

/// 0 with probability p, even where x is NaN; otherwise x / (1 - p), which preserves the mean (ops/dropout.cpp). Any
/// shape; p in [0, 1]; x itself for p = 0. The mask is not saved: the gradient draws it again.
Tensor dropout(const Tensor& x, double p, Generator& rng);

// --- Layout (ops/layout.cpp) -----------------------------------------------------------------------------------------

/// The same numbers in another shape, sharing the buffer; one size may be -1, and is inferred.
Tensor reshape(const Tensor& x, Shape shape);
/// Axis i of the result is axis axes[i] of x. A copy.
Tensor permute(const Tensor& x, const Axes& axes);
/// Swaps the last two axes. A copy.
Tensor transpose(const Tensor& x);
/// x repeated along its axes of size 1 (and new ones in front) to the given shape. A copy.
Tensor broadcast_to(const Tensor& x, const Shape& shape);
/// Joins tensors along an axis; their other sizes must be equal.
Tensor concatenate(std::span<const Tensor> xs, Index axis);
inline Tensor concatenate(std::initializer_list<Tensor> xs, Index axis) {
  return concatenate(std::span(xs.begin(), xs.size()), axis);
}
/// Elements [begin, end) of an axis. A copy.
Tensor slice(const Tensor& x, Index axis, Index begin, Index end);

/// Row indices or labels: a shared, immutable list of integers.
class Indices {
 public:
  Indices() = default;
  Indices(std::vector<Index> values) : values_(std::make_shared<const std::vector<Index>>(std::move(values))) {}
  Index size() const { return values_ ? static_cast<Index>(values_->size()) : 0; }
  Index operator[](Index i) const { return (*values_)[static_cast<std::size_t>(i)]; }
  const Index* begin() const& { return values_ ? values_->data() : nullptr; }
  const Index* end() const& { return begin() + size(); }
  const Index* begin() const&& = delete;  // of a temporary: it would point to nothing
  const Index* end() const&& = delete;

 private:
  std::shared_ptr<const std::vector<Index>> values_;
};
/// y[i] = x[rows[i]].   x: [R, ...], rows: [N] -> [N, ...]. Throws for a row outside [0, R).
Tensor gather_rows(const Tensor& x, const Indices& rows);
/// y[rows[i]] += x[i], starting from zeros.   x: [N, ...], rows: [N] -> [count, ...]. The gradient of gather_rows.
Tensor scatter_rows(const Tensor& x, const Indices& rows, Index count);

// --- Softmax (ops/softmax.cpp): over the last axis of any shape ------------------------------------------------------

/// e^{x_c} / sum_c e^{x_c}
Tensor softmax(const Tensor& x);
/// x_c - ln sum_c e^{x_c}
Tensor log_softmax(const Tensor& x);
/// ln sum_c e^{x_c}   [..., C] -> [...]
Tensor logsumexp(const Tensor& x);

// --- Losses (ops/loss.cpp) -------------------------------------------------------------------------------------------

/// mean (a - b)^2 over all elements; the shapes must be equal. A scalar.
Tensor mse_loss(const Tensor& a, const Tensor& b);
/// mean_n -log_softmax(logits)[n, labels[n]]   logits: [N, C], labels: [N] in [0, C). A scalar.
Tensor cross_entropy(const Tensor& logits, const Indices& labels);

}  // namespace rill
