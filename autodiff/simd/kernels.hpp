// The table of kernels: every loop over numbers that rill runs, once per instruction set.
//
// A kernel is noexcept, single-threaded, allocates nothing and checks nothing: the op that calls it has
// checked the shapes, allocated the result and split the work. Pointers need no alignment. Unless stated
// otherwise an output may be the same array as an input, but must not overlap one partly.
#pragma once

#include <cstdint>

#include "autodiff/real.hpp"

namespace rill::simd {

/// An operand of a two-dimensional elementwise kernel: element (r, c) is data[r * row + c * column].
/// `column` is 1 or 0, `row` anything; a stride of 0 repeats, which is how broadcasting reaches the kernels.
struct Operand {
  const Real* data;
  Index row;
  Index column;
};

/// C = op(A) op(B) (+ bias) (+ C), row-major, where op transposes when the flag is set.
///   op(A): [m, k], stored [m, k] or, transposed, [k, m], with rows `lda` apart;  op(B): [k, n] likewise;
///   C: [m, n] with rows `ldc` apart; bias: [n], added to every row, or null. C overlaps no input.
struct Gemm {
  bool transpose_a, transpose_b;
  Index m, n, k;
  const Real* a;
  Index lda;
  const Real* b;
  Index ldb;
  const Real* bias;
  bool accumulate;  ///< add to what C holds instead of overwriting it
  Real* c;
  Index ldc;
  /// If not null, called as rows [begin, end) of C are finished, while they are in cache; every row once.
  void (*finish)(const void* context, Index begin, Index end) noexcept = nullptr;
  const void* context = nullptr;
};

/// From one image, row of places or place of an array to the next, in numbers.
struct Steps {
  Index image, row, place;
};

/// The sums of a convolution, of one group of channels:
///   y[n, i, j, o] = bias[o] + sum_{u, v, c} x[n, i, j; u, v, c] w[u, v, c, o]
/// i < rows, j < columns, o < outputs; u < taps_y, v < taps_x, c < channels, with
///   x[n, i, j; u, v, c] = x[n x_step.image + i x_step.row + j x_step.place + u tap_row + v tap_place + c]
///   y[n, i, j, o]       = y[n y_step.image + i y_step.row + j y_step.place + o]
/// Padding is in the memory that x points to; stride is in x_step, and dilation in tap_row and tap_place.
struct Convolution {
  Index images, rows, columns, outputs;
  Index taps_y, taps_x, channels;
  const Real* x;
  Steps x_step;
  Index tap_row, tap_place;
  /// What will be needed next, which is fetched into the cache meanwhile: so many numbers for every row of y.
  const Real* next = nullptr;
  Index next_row = 0;
};

/// One head of attention: y = softmax(scale q k^T) v.   q: [queries, depth], k: [keys, depth], v: [keys, value_depth],
/// their rows ldq, ldk and ldv numbers apart; keys, depth and value_depth are at least 1.
struct Attention {
  Index queries, keys, depth, value_depth;
  Real scale;  ///< positive
  const Real* q;
  Index ldq;
  const Real* k;
  Index ldk;
  const Real* v;
  Index ldv;
};

/// Where the result of attention goes, and what the way back needs of it.
struct AttentionOutput {
  Real* y;  ///< [queries, value_depth], rows ldy apart
  Index ldy;
  // Per query, so that the weights are 2^(scale / ln 2 (<q, k_s> - top)) inverse_sum. Two numbers where ln sum_s
  // e^(scale <q, k_s>) would do, because large scores would round that so that the weights no longer add up to 1; and
  // `top` without the scale, because the product of the two would round, and the exponents of large scores be positive.
  Real* top;          ///< max_s <q, k_s>, but finite if all are -infinity
  Real* inverse_sum;  ///< 1 / sum_s 2^(scale / ln 2 (<q, k_s> - top))
};

/// The way back: from gy = dloss / dy to the gradients of q, k and v, laid out as those are.
struct AttentionGradient {
  const Real* gy;  ///< laid out as y
  Real *gq, *gk, *gv;
};

/// Some neighbouring rows or columns of places: [begin, end).
struct Range {
  Index begin, end;
};

/// For each place (i, j) of a grid, a rectangle of places of an image [., width, channels]: rows[i] by columns[j].
struct Rectangles {
  Index row_count, column_count;
  const Range* rows;     ///< row_count of them
  const Range* columns;  ///< column_count of them
  Index width, channels;
};

/// One step of Adam on n numbers, with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2):
///   m = beta1 m + (1 - beta1) s g,   v = beta2 v + (1 - beta2) (s g)^2
///   p = (1 - decay) p - step m / (sqrt(v / (1 - beta2^t)) + epsilon)
/// where s = `gradient_scale`, step = learning rate / (1 - beta1^t) and decay = learning rate times weight decay; and
/// of the exponential moving average, w = `average_weight`:
///   average = average + w (p - average)
/// A beta is told by its distance from 1, which a Real keeps where it would round the beta to 1. Where (s g)^2 is
/// beyond a Real, v becomes and stays infinite, and p stands still.
struct Adam {
  Real gradient_scale;
  Real rest1, rest2;  ///< 1 - beta1, 1 - beta2
  Real step;
  Real inverse_correction2;  ///< 1 / (1 - beta2^t)
  Real epsilon, decay, average_weight;
};

/// One row of the costs of an assignment problem (flow/transport/assignment.cpp), against columns j = 0, 1, ...
///   cost_j = floats[j], or doubles[j], whichever pointer is not null; or, of y_j = points[j], points[stride + j], ...,
///            -sum_d point[d] y_j[d], or |point - y_j| if `distance`
struct CostRow {
  const float* floats = nullptr;
  const double* doubles = nullptr;
  const double* point = nullptr;
  const double* points = nullptr;
  Index dimension = 0, stride = 0;
  bool distance = false;
};

/// The least of some numbers, the first place where it stands, and the least of the others.
struct Least {
  double value;
  Index at;
  double next;
};

/// What a stream of random numbers is at: see autodiff/random.hpp.
struct RandomState {
  std::uint64_t seed;     ///< the Philox key
  std::uint64_t stream;   ///< counter words 2 and 3
  std::uint64_t counter;  ///< counter words 0 and 1: the next block
};

/// One kernel per loop. x, y: n numbers.
struct Kernels {
  const char* name;  ///< scalar, sse2, avx2, avx512 or neon64
  int lanes;         ///< Reals in a register; 1 for scalar

  using Unary = void (*)(Index n, const Real* x, Real* y) noexcept;
  using Unary1 = void (*)(Index n, const Real* x, Real a, Real* y) noexcept;
  using Unary2 = void (*)(Index n, const Real* x, Real a, Real b, Real* y) noexcept;

  // y = f(x), element by element; NaN gives NaN, and so does sign. Of the exact value, at all arguments, exp and log
  // are within 2 units in the last place, and sin, cos, tanh, sigmoid, softplus, gelu, gelu_tanh, silu and elu within 4
  // (5 by sse2, which has no fused multiply-add). Denormal arguments and results count like others, infinities give the
  // limit (sin and cos NaN), and the functions that are odd or like x at 0 keep the sign of a zero. sin, cos, tanh and
  // sigmoid never leave [-1, 1].
  Unary exp, log, sqrt, square, sin, cos, tanh, sigmoid, softplus, relu;
  Unary gelu;       ///< x Phi(x), Phi the normal distribution's function
  Unary gelu_tanh;  ///< x sigmoid(a), a = 2 sqrt(2 / pi) (x + 0.044715 x^3)
  Unary silu, abs, sign;
  Unary1 leaky_relu;  ///< x > 0 ? x : a x
  Unary1 pow;         ///< x^a as C's pow, special values included
  Unary2 elu;         ///< x > 0 ? b x : b a (e^x - 1)
  Unary2 clamp;       ///< min(max(x, a), b); NaN stays NaN
  Unary2 affine;      ///< a x + b

  // gx = gy f'(.), element by element; each needs either the input x or the output y of its function.
  using Gradient = void (*)(Index n, const Real* gy, const Real* v, Real* gx) noexcept;
  using Gradient1 = void (*)(Index n, const Real* gy, const Real* v, Real a, Real* gx) noexcept;
  using Gradient2 = void (*)(Index n, const Real* gy, const Real* v, Real a, Real b, Real* gx) noexcept;
  Gradient tanh_gradient;         ///< gy (1 - y^2)
  Gradient sigmoid_gradient;      ///< gy y (1 - y)
  Gradient softplus_gradient;     ///< gy sigmoid(x)
  Gradient relu_gradient;         ///< x > 0 ? gy : 0
  Gradient gelu_gradient;         ///< gy (Phi(x) + x phi(x)), the normal distribution's Phi and phi
  Gradient gelu_tanh_gradient;    ///< gy s (1 + x (1 - s) a'), s = sigmoid(a)
  Gradient silu_gradient;         ///< gy s (1 + x (1 - s)), s = sigmoid(x)
  Gradient1 leaky_relu_gradient;  ///< x > 0 ? gy : a gy
  Gradient2 elu_gradient;         ///< of the output: y > 0 ? b gy : gy (y + a b)
  Gradient2 clamp_gradient;       ///< a <= x <= b ? gy : 0

  // y = f(x) and slope = f'(x), element by element: what a training step needs of functions whose slope the output
  // does not tell.
  using WithSlope = void (*)(Index n, const Real* x, Real* y, Real* slope) noexcept;
  WithSlope softplus_with_slope, gelu_with_slope, gelu_tanh_with_slope, silu_with_slope;

  // y[r, c] = f(a[r, c], b[r, c]), y contiguous.
  using Binary = void (*)(Index rows, Index columns, Operand a, Operand b, Real* y) noexcept;
  Binary add, subtract, multiply, divide, minimum, maximum;  // minimum, maximum: NaN if either is
  Binary less, less_equal, equal;                            // 1 or 0
  using Select = void (*)(Index rows, Index columns, Operand condition, Operand a, Operand b, Real* y) noexcept;
  Select select;  ///< condition != 0 ? a : b

  // Reductions. x: [outer, reduced, inner] -> y: [outer, inner]; y overlaps no input. Sums of many numbers
  // are kept accurate: the error grows no faster than with the square root of `reduced` / 64.
  using Reduction = void (*)(Index outer, Index reduced, Index inner, const Real* x, Real* y) noexcept;
  Reduction sum;
  Reduction mean;  ///< of equal numbers, that number; finite where the sum overflows; NaN when reduced = 0
  Reduction max;   ///< NaN if any is; -infinity when reduced = 0
  Real (*dot)(Index n, const Real* a, const Real* b) noexcept;

  // Rows. x, y: [rows, columns]; the maximum is subtracted first, so no row overflows.
  using Rows = void (*)(Index rows, Index columns, const Real* x, Real* y) noexcept;
  Rows softmax, log_softmax;
  Rows logsumexp;  ///< y: [rows]; -infinity for a row of -infinities

  Rows transpose;  ///< x: [rows, columns] -> y: [columns, rows], which do not overlap

  // Products. The workspace holds packed panels: gemm_workspace() says how many Reals that takes, 64-byte aligned.
  Index (*gemm_workspace)(const Gemm&) noexcept;
  void (*gemm)(const Gemm&, Real* workspace) noexcept;

  // Convolutions. What x is multiplied with, w in the first and y in the second, comes in panels: all rows of its first
  // `panel` columns, then all rows of the next ones; the last panel is filled up with zeros, and aligned like the
  // others.
  int panel;
  /// y[n, i, j, o] is at y[n step.image + i step.row + j step.place + o]; w has taps_y taps_x channels rows; bias may
  /// be null.
  void (*convolution)(const Convolution&, const Real* w, const Real* bias, Steps step, Real* y) noexcept;
  /// w[u, v, c, o] = sum_{n, i, j} x[n, i, j; u, v, c] y[n, i, j, o], added to what w holds if `accumulate`; it is at
  /// w[((u taps_x + v) channels + c) w_row + o]. y has images rows columns rows.
  void (*convolution_weight)(const Convolution&, const Real* y, bool accumulate, Index w_row, Real* w) noexcept;

  // Attention, of one head: softmax(scale q k^T) v, never holding more of the scores than a block; nothing overflows.
  // The workspace of both takes attention_workspace() Reals, 64-byte aligned. No output overlaps anything else.
  Index (*attention_workspace)(const Attention&) noexcept;
  void (*attention)(const Attention&, const AttentionOutput&, Real* workspace) noexcept;
  /// `output` is what attention() left.
  void (*attention_gradient)(const Attention&, const AttentionOutput& output, const AttentionGradient&,
                             Real* workspace) noexcept;

  // Normalization. x, g, y: [rows, columns]; what is told of each column: [columns].
  /// Of each column: the mean is mean_c + rest_c, where rest_c is what mean_c loses by rounding, and
  ///   deviation_c = sqrt(sum_r (x[r, c] - mean)^2 / rows).   rows >= 1
  /// Neither a mean far from 0 nor a row far from the others costs digits, and no square overflows; those of
  /// differences from the mean below 1e-17 (double: 1e-150) may vanish.
  void (*column_moments)(Index rows, Index columns, const Real* x, Real* mean, Real* rest, Real* deviation) noexcept;
  /// y = (x - mean_c) scale_c + shift_c
  void (*normalize_columns)(Index rows, Index columns, const Real* x, const Real* mean, const Real* scale,
                            const Real* shift, Real* y) noexcept;
  /// sum_c += sum_r g[r, c],   product_c += sum_r g[r, c] (x[r, c] - mean_c)
  void (*column_products)(Index rows, Index columns, const Real* g, const Real* x, const Real* mean, Real* sum,
                          Real* product) noexcept;
  /// gx = rstd_c (scale_c g - slope_c (x - mean_c) - shift_c)
  void (*normalize_columns_gradient)(Index rows, Index columns, const Real* g, const Real* x, const Real* mean,
                                     const Real* rstd, const Real* scale, const Real* slope, const Real* shift,
                                     Real* gx) noexcept;
  /// Of each row: y = xhat scale_c + shift_c,   xhat = (x - mean_r) rstd_r + low_r,   rstd_r = 1 / sqrt(variance_r +
  /// epsilon), where low_r is for what mean_r loses by rounding. moments: [rows, 3], the mean, rstd and low. columns >=
  /// 1. Digits, overflow and underflow as in column_moments.
  void (*normalize_rows)(Index rows, Index columns, const Real* x, const Real* scale, const Real* shift, Real epsilon,
                         Real* y, Real* moments) noexcept;
  /// gx = rstd_r (h - mean(h) - xhat mean(h xhat)) with h = g scale_c and the means over each row;
  /// gscale_c += sum_r g xhat,   gshift_c += sum_r g
  void (*normalize_rows_gradient)(Index rows, Index columns, const Real* g, const Real* x, const Real* moments,
                                  const Real* scale, Real* gx, Real* gscale, Real* gshift) noexcept;

  // Pooling, of one image. y: [row_count, column_count, channels]; x, v, gx: [., width, channels].
  /// y = the sum over each rectangle / divisor. The error does not grow with the number of places.
  void (*sum_rectangles)(const Rectangles&, const Real* x, Real divisor, Real* y) noexcept;
  /// y = v where x is first the maximum of each rectangle, channel by channel; or where x is first NaN, if it is. None
  /// of the rectangles is empty.
  void (*pick_at_maxima)(const Rectangles&, const Real* x, const Real* v, Real* y) noexcept;
  /// gx += g at those places
  void (*add_at_maxima)(const Rectangles&, const Real* x, const Real* g, Real* gx) noexcept;

  // In place: y += w (x - y), the step of an exponential moving average.
  void (*lerp)(Index n, const Real* x, Real w, Real* y) noexcept;
  /// `average` may be null.
  void (*adam)(Index n, const Real* gradient, const Adam&, Real* m, Real* v, Real* p, Real* average) noexcept;

  // Assignment, in double whatever a Real is. n is a multiple of kAssignmentBlock; columns that do not count have the
  // price -infinity.
  /// price_j = min(price_j, cost_j - discount)
  void (*lower_prices)(const CostRow&, double discount, Index n, double* price) noexcept;
  /// Of cost_j - price_j.
  Least (*two_least)(const CostRow&, const double* price, Index n) noexcept;
  /// Where cost_j - price_j + base < distance_j, that becomes the distance, and from_j becomes `row`. Returns the least
  /// distance of all, with an infinite `next`.
  Least (*relax)(const CostRow&, const double* price, double base, double row, Index n, double* distance,
                 double* from) noexcept;

  // Random numbers, in tiles of kRandomTileBlocks Philox4x32-10 blocks. Block b of a tile (b < 16) has the 128-bit
  // counter (counter + b, stream) and the key `seed`; its word j is the tile's word w[16 j + b]. So a tile is 64
  // words w, and the same on every instruction set. n numbers use ceil(n / numbers per tile) tiles.
  void (*random_bits)(RandomState, Index n, std::uint32_t* y) noexcept;  ///< 64 words per tile
  /// Uniform in [0, 1), the same bits on every instruction set. float: 64 per tile, u[i] = (w[i] >> 8) 2^-24;
  /// double: 32 per tile, u[i] = (2^32 w[i] + w[i + 32] >> 11) 2^-53.
  void (*random_uniform)(RandomState, Index n, Real* y) noexcept;
  /// Standard normal by Box-Muller (1958), as many per tile as uniforms, T: for i < T / 2
  ///   (z[i], z[i + T/2]) = sqrt(-2 ln v[i]) (cos, sin)(2 pi u[i + T/2])
  /// with v in (0, 1]. float: v[i] = (w[i] + 1) 2^-32, computed in float; double: v[i] = u[i] + 2^-53.
  void (*random_normal)(RandomState, Index n, Real* y) noexcept;
};

/// Columns are padded to a multiple of this many in the kernels of assignment: four of the widest registers.
inline constexpr Index kAssignmentBlock = 32;

/// Philox blocks in a tile: the step of RandomState::counter.
inline constexpr int kRandomTileBlocks = 16;
/// Numbers in a tile.
inline constexpr int kRandomTile = sizeof(Real) == 4 ? 64 : 32;

/// The kernels in force: the best set this CPU runs, or the one that the environment variable RILL_ISA names.
/// Chosen once, at first use. Throws std::invalid_argument when RILL_ISA names a set that is unknown, not built
/// or not supported by this CPU; the message lists those that can be had.
const Kernels& kernels();

/// Every set that is built and that this CPU runs, the plain C++ reference (scalar) first, the best last.
struct KernelList {
  const Kernels* const* begin_;
  const Kernels* const* end_;
  const Kernels* const* begin() const { return begin_; }
  const Kernels* const* end() const { return end_; }
};
KernelList available_kernels();

}  // namespace rill::simd
