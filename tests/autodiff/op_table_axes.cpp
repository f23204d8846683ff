// The table's ops over axes: reductions, layout, softmax, losses and dropout.
#include <algorithm>
#include <cmath>
#include <utility>

#include "tests/autodiff/op_table.hpp"

namespace rill::testing {
namespace {

using Inputs = std::vector<Tensor>;
using Arrays = std::vector<Array>;

// Some of the axes of a tensor, in any order and counted from either end; or none, which means all.
Over some_axes(Draw& d, int rank) {
  Over over{.keep = d.coin()};
  if (rank == 0 || d.coin()) return over;
  for (const Index axis : d.rng().permutation(rank)) {
    if (over.axes.rank() == 0 || d.coin()) over.axes.push_back(d.coin() ? axis : axis - rank);
  }
  return over;
}

// The numbers that each number of the result is made of.
struct Groups {
  Shape shape;
  std::vector<std::vector<Wide>> numbers;
};

Groups groups_of(const Array& x, const Over& over) {
  std::array<bool, kMaxRank> reduced{};
  if (over.axes.rank() == 0) reduced.fill(true);
  for (const Index axis : over.axes) reduced[static_cast<std::size_t>(axis < 0 ? axis + x.shape.rank() : axis)] = true;
  Groups groups;
  Shape kept;
  for (int axis = 0; axis < x.shape.rank(); ++axis) {
    const bool over_this = reduced[static_cast<std::size_t>(axis)];
    kept.push_back(over_this ? 1 : x.shape[axis]);
    if (!over_this || over.keep) groups.shape.push_back(over_this ? 1 : x.shape[axis]);
  }
  groups.numbers.resize(static_cast<std::size_t>(kept.size()));
  for_each_index(x.shape, [&](const auto& index, Index position) {
    Index at = 0;
    for (int axis = 0; axis < x.shape.rank(); ++axis) {
      at = at * kept[axis] + (kept[axis] == 1 ? 0 : index[static_cast<std::size_t>(axis)]);
    }
    groups.numbers[static_cast<std::size_t>(at)].push_back(x.values[static_cast<std::size_t>(position)]);
  });
  return groups;
}

Sum sum_of(const std::vector<Wide>& numbers) {
  Sum sum;
  for (const Wide x : numbers) sum.add(x);
  return sum;
}
Wide max_of(const std::vector<Wide>& numbers) {
  Wide most = -std::numeric_limits<Wide>::infinity();
  for (const Wide x : numbers) most = std::isnan(x) || x > most ? x : most;
  return most;
}

using Reduction = Tensor (*)(const Tensor&, const Over&);

Op reduction(const char* name, Reduction f, Sum (*reference)(const std::vector<Wide>&), bool of_any) {
  const auto draw = [f, reference, of_any](Draw& d) {
    Tensor x = d.distinct(d.shape(0, 4));
    if (!of_any && x.size() == 0) x = d.distinct({3, 2});
    const Over over = some_axes(d, x.rank());
    return Case{{x},
                [f, over](const Inputs& in) { return f(in[0], over); },
                [reference, over](const Arrays& in) {
                  const Groups groups = groups_of(in[0], over);
                  Array y(groups.shape);
                  for (const auto& numbers : groups.numbers) y.push_back(reference(numbers));
                  return y;
                }};
  };
  // The largest sums stay below the largest float.
  return {.name = name, .form = "", .message = name, .draw = draw, .roundings = 64};
}

Op unbroadcast_op() {
  const auto draw = [](Draw& d) {
    const Tensor x = d.normal(d.shape(0, 4));
    const Shape to = d.broadcast_from(x.shape());
    return Case{{x},
                [to](const Inputs& in) { return unbroadcast(in[0], to); },
                [to](const Arrays& in) {
                  std::vector<Sum> sums(static_cast<std::size_t>(to.size()));
                  const int offset = in[0].shape.rank() - to.rank();
                  for_each_index(in[0].shape, [&](const auto& index, Index position) {
                    Index at = 0;
                    for (int axis = 0; axis < to.rank(); ++axis) {
                      at = at * to[axis] + (to[axis] == 1 ? 0 : index[static_cast<std::size_t>(axis + offset)]);
                    }
                    sums[static_cast<std::size_t>(at)].add(in[0].values[static_cast<std::size_t>(position)]);
                  });
                  Array y(to);
                  for (const Sum& sum : sums) y.push_back(sum);
                  return y;
                }};
  };
  return {.name = "unbroadcast", .form = "", .message = "unbroadcast", .draw = draw, .roundings = 64};
}

// --- Layout: number i of the result is number source(i) of the input -------------------------------------------------

Op reshape_op() {
  const auto draw = [](Draw& d) {
    const Tensor x = d.normal(d.shape(0, 4));
    const int split = static_cast<int>(d.integer(0, x.rank()));
    Index before = 1, after = 1;
    for (int axis = 0; axis < x.rank(); ++axis) (axis < split ? before : after) *= x.shape()[axis];
    const Shape shape{before, 1, after};
    Shape asked = shape;
    if (x.size() > 0 && d.coin()) asked[static_cast<int>(d.integer(0, 2))] = -1;
    return Case{{x},
                [asked](const Inputs& in) { return reshape(in[0], asked); },
                [shape](const Arrays& in) {
                  Array y(shape);
                  y.values = in[0].values;
                  return y;
                }};
  };
  return {.name = "reshape", .form = "", .message = "reshape", .draw = draw};
}

Array permuted(const Array& x, const Axes& axes) {
  Shape shape = x.shape;
  for (int i = 0; i < axes.rank(); ++i) shape[i] = x.shape[static_cast<int>(axes[i])];
  Array y(shape);
  for_each_index(shape, [&](const auto& index, Index) {
    std::array<Index, kMaxRank> from{};
    for (int i = 0; i < axes.rank(); ++i) from[static_cast<std::size_t>(axes[i])] = index[static_cast<std::size_t>(i)];
    Index at = 0;
    for (int axis = 0; axis < x.shape.rank(); ++axis) at = at * x.shape[axis] + from[static_cast<std::size_t>(axis)];
    y.push_back(x.values[static_cast<std::size_t>(at)]);
  });
  return y;
}

Op permute_op() {
  const auto draw = [](Draw& d) {
    const Tensor x = d.normal(d.shape(0, 5));
    Axes axes, asked;
    for (const Index axis : d.rng().permutation(x.rank())) {
      axes.push_back(axis);
      asked.push_back(d.coin() ? axis : axis - x.rank());
    }
    return Case{{x},
                [asked](const Inputs& in) { return permute(in[0], asked); },
                [axes](const Arrays& in) { return permuted(in[0], axes); }};
  };
  return {.name = "permute", .form = "", .message = "permute", .draw = draw};
}

Op transpose_op() {
  const auto draw = [](Draw& d) {
    return Case{{d.normal(d.shape(2, 5))},
                [](const Inputs& in) { return transpose(in[0]); },
                [](const Arrays& in) {
                  const int rank = in[0].shape.rank();
                  Axes axes;
                  for (int axis = 0; axis < rank; ++axis) axes.push_back(axis);
                  std::swap(axes[rank - 2], axes[rank - 1]);
                  return permuted(in[0], axes);
                }};
  };
  return {.name = "transpose", .form = "", .message = "transpose", .draw = draw};
}

Op broadcast_to_op() {
  const auto draw = [](Draw& d) {
    const Shape to = d.shape(0, 4);
    return Case{{d.normal(d.broadcast_from(to))},
                [to](const Inputs& in) { return broadcast_to(in[0], to); },
                [to](const Arrays& in) {
                  Array y(to);
                  for_each_index(to,
                                 [&](const auto& index, Index) { y.push_back(broadcast_at(in[0], index, to.rank())); });
                  return y;
                }};
  };
  return {.name = "broadcast_to", .form = "", .message = "broadcast_to", .draw = draw};
}

Array slice_of(const Array& x, int axis, Index begin, Index end) {
  Shape shape = x.shape;
  shape[axis] = end - begin;
  Array y(shape);
  for_each_index(x.shape, [&](const auto& index, Index position) {
    const Index at = index[static_cast<std::size_t>(axis)];
    if (begin <= at && at < end) y.push_back(x.values[static_cast<std::size_t>(position)]);
  });
  return y;
}

Op concatenate_op(bool list) {
  const auto draw = [list](Draw& d) {
    const Shape shape = d.shape(1, 4);
    const int axis = static_cast<int>(d.integer(0, shape.rank() - 1));
    const Index asked = d.coin() ? axis : axis - shape.rank();
    Inputs xs;
    for (Index i = list ? 2 : d.integer(1, 4); i > 0; --i) {
      Shape one = shape;
      if (d.coin()) one[axis] = d.size(3, shape[axis]);
      xs.push_back(d.normal(one));
    }
    return Case{xs,
                [asked, list](const Inputs& in) {
                  return list ? concatenate({in[0], in[1]}, asked) : concatenate(in, asked);
                },
                [axis](const Arrays& in) {
                  Shape to = in[0].shape;
                  to[axis] = 0;
                  for (const Array& x : in) to[axis] += x.shape[axis];
                  Array y(to);
                  for_each_index(to, [&](auto index, Index) {
                    Index& at = index[static_cast<std::size_t>(axis)];
                    std::size_t i = 0;
                    for (; at >= in[i].shape[axis]; ++i) at -= in[i].shape[axis];
                    Index position = 0;
                    for (int a = 0; a < to.rank(); ++a) {
                      position = position * in[i].shape[a] + index[static_cast<std::size_t>(a)];
                    }
                    y.push_back(in[i].values[static_cast<std::size_t>(position)]);
                  });
                  return y;
                }};
  };
  return {.name = "concatenate", .form = list ? "a list" : "a span", .message = "concatenate", .draw = draw};
}

Op slice_op() {
  const auto draw = [](Draw& d) {
    const Tensor x = d.normal(d.shape(1, 4));
    const int axis = static_cast<int>(d.integer(0, x.rank() - 1));
    const Index asked = d.coin() ? axis : axis - x.rank();
    const Index end = d.integer(0, x.shape()[axis]), begin = d.integer(0, end);
    return Case{{x},
                [=](const Inputs& in) { return slice(in[0], asked, begin, end); },
                [=](const Arrays& in) { return slice_of(in[0], axis, begin, end); }};
  };
  return {.name = "slice", .form = "", .message = "slice", .draw = draw};
}

Op gather_op() {
  const auto draw = [](Draw& d) {
    const Tensor x = d.normal(d.shape(1, 3));
    const Index count = x.dim(0) == 0 ? 0 : d.size(5, 700);
    const Indices rows = count == 0 ? Indices() : d.rows(count, x.dim(0));
    return Case{{x},
                [rows](const Inputs& in) { return gather_rows(in[0], rows); },
                [rows](const Arrays& in) {
                  Shape shape = in[0].shape;
                  shape[0] = rows.size();
                  Array y(shape);
                  for (const Index row : rows) {
                    for (const Wide v : slice_of(in[0], 0, row, row + 1).values) y.push_back(v);
                  }
                  return y;
                }};
  };
  return {.name = "gather_rows", .form = "", .message = "gather_rows", .draw = draw};
}

Op scatter_op() {
  const auto draw = [](Draw& d) {
    const Tensor x = d.normal(d.shape(1, 3));
    const Index count = d.integer(1, 5);
    const Indices rows = d.rows(x.dim(0), count);
    return Case{{x},
                [=](const Inputs& in) { return scatter_rows(in[0], rows, count); },
                [=](const Arrays& in) {
                  Shape shape = in[0].shape;
                  shape[0] = 1;
                  const auto width = static_cast<std::size_t>(shape.size());
                  std::vector<Sum> sums(static_cast<std::size_t>(count) * width);
                  for (Index i = 0; i < rows.size(); ++i) {
                    for (std::size_t j = 0; j < width; ++j) {
                      sums[static_cast<std::size_t>(rows[i]) * width + j].add(
                          in[0].values[static_cast<std::size_t>(i) * width + j]);
                    }
                  }
                  shape[0] = count;
                  Array y(shape);
                  for (const Sum& sum : sums) y.push_back(sum);
                  return y;
                }};
  };
  return {.name = "scatter_rows", .form = "", .message = "scatter_rows", .draw = draw, .roundings = 64};
}

// --- Softmax and losses ----------------------------------------------------------------------------------------------

// Per row: its largest number, and ln sum e^(x - largest).
struct Row {
  Wide largest;
  Wide log_sum;
};
Row row_of(const Wide* x, Index n) {
  const Wide largest = max_of({x, x + n});
  Wide sum = 0;
  for (Index c = 0; c < n; ++c) sum += std::exp(x[c] - largest);
  return {largest, std::log(sum)};
}

// f(y, x, row) appends what a row x gives. An error of x - largest is a relative one of its exponential.
template <class F>
Array rowwise(const Array& x, const Shape& shape, const F& f) {
  Array y(shape);
  const Index n = x.shape[x.shape.rank() - 1];
  for (std::size_t at = 0; at < x.values.size(); at += static_cast<std::size_t>(n)) {
    f(y, &x.values[at], n, row_of(&x.values[at], n));
  }
  return y;
}

Shape with_columns(Draw& d) {
  Shape shape = d.shape(1, 3);
  Index& last = shape[shape.rank() - 1];
  last = std::max<Index>(last, 1);
  return shape;
}

Array softmax_of(const Array& x) {
  return rowwise(x, x.shape, [](Array& y, const Wide* v, Index n, const Row& row) {
    for (Index c = 0; c < n; ++c) {
      const Wide z = v[c] - row.largest, value = std::exp(z - row.log_sum);
      y.push_back(value, value == 0 ? 0 : value * (1 + std::abs(z)));
    }
  });
}
Array log_softmax_of(const Array& x) {
  return rowwise(x, x.shape, [](Array& y, const Wide* v, Index n, const Row& row) {
    for (Index c = 0; c < n; ++c) {
      y.push_back(v[c] - row.largest - row.log_sum, std::abs(v[c] - row.largest) + std::abs(row.log_sum) + 1);
    }
  });
}

Op rows_op(const char* name, Tensor (*f)(const Tensor&), Array (*reference)(const Array&)) {
  const auto draw = [f, reference](Draw& d) {
    return Case{{d.normal(with_columns(d))},
                [f](const Inputs& in) { return f(in[0]); },
                [reference](const Arrays& in) { return reference(in[0]); }};
  };
  return {.name = name, .form = "", .message = name, .draw = draw, .roundings = 32};
}

Array logsumexp_of(const Array& x) {
  Shape shape;
  for (int axis = 0; axis + 1 < x.shape.rank(); ++axis) shape.push_back(x.shape[axis]);
  return rowwise(x, shape, [](Array& y, const Wide*, Index, const Row& row) {
    y.push_back(std::isinf(row.largest) ? row.largest : row.largest + row.log_sum,
                std::abs(row.largest) + std::abs(row.log_sum) + 1);
  });
}

Op mse_op() {
  const auto draw = [](Draw& d) {
    const Shape shape = d.shape(0, 4);
    return Case{{d.normal(shape), d.normal(shape)},
                [](const Inputs& in) { return mse_loss(in[0], in[1]); },
                [](const Arrays& in) {
                  Sum sum;
                  for (std::size_t i = 0; i < in[0].values.size(); ++i) {
                    const Wide a = in[0].values[i], b = in[1].values[i];
                    sum.add((a - b) * (a - b));
                  }
                  Array y(Shape{});
                  const auto n = static_cast<Wide>(in[0].values.size());
                  y.push_back(sum.value / n, sum.size / n);
                  return y;
                }};
  };
  return {.name = "mse_loss", .form = "", .message = "mse_loss", .draw = draw, .roundings = 64, .largest = 1e15};
}

Op cross_entropy_op() {
  const auto draw = [](Draw& d) {
    const Index n = d.size(5, 3000), classes = d.integer(1, 6);
    const Indices labels = d.rows(n, classes);
    return Case{{d.normal({n, classes})},
                [labels](const Inputs& in) { return cross_entropy(in[0], labels); },
                [labels, classes](const Arrays& in) {
                  const Array log = log_softmax_of(in[0]);
                  Sum sum;
                  for (Index i = 0; i < labels.size(); ++i) {
                    const auto at = static_cast<std::size_t>(i * classes + labels[i]);
                    sum.value -= log.values[at];
                    sum.size += log.sizes[at];
                  }
                  Array y(Shape{});
                  const auto count = static_cast<Wide>(labels.size());
                  y.push_back(sum.value / count, sum.size / count);
                  return y;
                }};
  };
  return {.name = "cross_entropy", .form = "", .message = "cross_entropy", .draw = draw, .roundings = 64};
}

Op dropout_op() {
  const auto draw = [](Draw& d) {
    const double p = static_cast<double>(d.integer(0, 4)) / 4;
    const auto seed = static_cast<std::uint64_t>(d.integer(0, 1000));
    return Case{{d.normal(d.shape(0, 4))},
                [=](const Inputs& in) {
                  Generator rng(seed);
                  return dropout(in[0], p, rng);
                },
                [=](const Arrays& in) {
                  Generator rng(seed);
                  const Tensor u = Tensor::rand(in[0].shape, rng);
                  Array y(in[0].shape);
                  for (Index i = 0; i < u.size(); ++i) {
                    const bool dropped = static_cast<double>(u.data()[i]) < p;
                    y.push_back(dropped ? 0 : in[0].values[static_cast<std::size_t>(i)] / (1 - p));
                  }
                  return y;
                }};
  };
  return {.name = "dropout", .form = "", .message = "dropout", .draw = draw};
}

}  // namespace

std::vector<Op> axis_ops() {
  const auto mean_of = [](const std::vector<Wide>& numbers) {
    const Sum sum = sum_of(numbers);
    const auto n = static_cast<Wide>(numbers.size());
    return Sum{sum.value / n, sum.size / n};
  };
  const auto largest_of = [](const std::vector<Wide>& numbers) {
    const Wide most = max_of(numbers);
    return Sum{most, std::abs(most)};
  };
  return {reduction("sum", sum, sum_of, true),
          reduction("mean", mean, mean_of, true),
          reduction("max", max, largest_of, false),
          unbroadcast_op(),
          reshape_op(),
          permute_op(),
          transpose_op(),
          broadcast_to_op(),
          concatenate_op(false),
          concatenate_op(true),
          slice_op(),
          gather_op(),
          scatter_op(),
          rows_op("softmax", softmax, softmax_of),
          rows_op("log_softmax", log_softmax, log_softmax_of),
          rows_op("logsumexp", logsumexp, logsumexp_of),
          mse_op(),
          cross_entropy_op(),
          dropout_op()};
}

}  // namespace rill::testing
