// Properties of all ops, tested for every entry of the table (op_table.hpp): values agree with the definition, on
// random shapes, broadcasts, axes and options, on special numbers and on empty tensors; first and second derivatives
// agree with central differences, or with formulas at special numbers; one tensor may be several inputs; results do not
// depend on the number of threads; undefined tensors and wrong shapes are rejected by name. Run once per instruction
// set.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <regex>
#include <string>

#include "autodiff/error.hpp"
#include "autodiff/parallel.hpp"
#include "tests/autodiff/op_table.hpp"
#include "tests/gradcheck.hpp"
#include "tests/misuse.hpp"

namespace rill::testing {
namespace {

using Inputs = std::vector<Tensor>;
using Limits = std::numeric_limits<Real>;
using Sizes = Draw::Sizes;

class OpProperties : public ::testing::TestWithParam<Op> {
 protected:
  const Op& op() const { return GetParam(); }

  // Calls body(case) for each of `draws` draws.
  template <class Body>
  void for_cases(int count, Sizes sizes, const Body& body) const {
    for (int i = 0; i < count; ++i) {
      Draw draw(static_cast<std::uint64_t>(1000 + i), sizes);
      const Case one = op().draw(draw);
      std::string shapes;
      for (const Tensor& x : one.inputs) shapes += concat(x.shape(), " ");
      SCOPED_TRACE(concat("draw ", i, " of ", op(), ": ", shapes));
      body(one);
      if (::testing::Test::HasFailure()) return;
    }
  }
};

std::vector<Array> arrays(const Inputs& inputs) { return {inputs.begin(), inputs.end()}; }

Inputs leaves(const Inputs& inputs) {
  Inputs result;
  for (const Tensor& x : inputs) result.push_back(x.clone().set_requires_grad());
  return result;
}

// Whether a Real is the expected one, within this many roundings of `size`, or of itself.
bool close(Real got, Wide wanted, double roundings, Wide size) {
  if (std::isnan(wanted)) return std::isnan(got);
  const Real rounded = static_cast<Real>(wanted);
  if (got == rounded) return true;
  if (std::isinf(wanted) || std::isnan(got)) return false;
  const Wide largest = Limits::max(), epsilon = Limits::epsilon();
  const Wide scale = std::max(std::abs(wanted), std::isfinite(size) ? size : 0);
  const Wide tolerance = roundings * epsilon * scale + 64 * static_cast<Wide>(Limits::denorm_min());
  // Just below the largest number a rounding makes the difference between that and infinity.
  if (std::isinf(got)) return (got > 0) == (wanted > 0) && std::abs(wanted) + tolerance > largest;
  return std::abs(static_cast<Wide>(got) - wanted) <= tolerance;
}

void expect_values(const Op& op, const Tensor& got, const Array& wanted) {
  ASSERT_EQ(got.shape(), wanted.shape);
  ASSERT_EQ(got.size(), static_cast<Index>(wanted.values.size()));
  for (std::size_t i = 0; i < wanted.values.size(); ++i) {
    const Real value = got.data()[i];
    const Wide size = wanted.sizes.empty() ? 0 : wanted.sizes[i];
    ASSERT_TRUE(close(value, wanted.values[i], op.roundings, size))
        << "number " << i << " is " << value << ", expected " << wanted.values[i];
  }
}

// The gradients of <y, v> for a fixed v, by the way that can be differentiated again or by the other.
Inputs gradients(const Case& one, const Inputs& x, bool create_graph) {
  const Tensor y = one.apply(x);
  if (!y.requires_grad()) return {};
  Generator rng(3);
  return grad({y}, x, {.create_graph = create_graph}, {Tensor::randn(y.shape(), rng)});
}

TEST_P(OpProperties, IsItsDefinition) {
  for_cases(30, Sizes::kSmall,
            [&](const Case& one) { expect_values(op(), one.apply(one.inputs), one.reference(arrays(one.inputs))); });
}

TEST_P(OpProperties, IsItsDefinitionOnEmptyTensors) {
  for_cases(30, Sizes::kPerhapsEmpty, [&](const Case& one) {
    const Inputs x = leaves(one.inputs);
    expect_values(op(), one.apply(x), one.reference(arrays(x)));
    for (const bool create_graph : {false, true}) {
      const Inputs g = gradients(one, x, create_graph);
      for (std::size_t i = 0; i < g.size(); ++i) EXPECT_EQ(g[i].shape(), x[i].shape());
    }
  });
}

TEST_P(OpProperties, IsItsDefinitionOnSpecialNumbers) {
  const auto largest = static_cast<Real>(op().largest);
  const std::vector<Real> finite = {
      0, Real(-0.), 1, -largest, largest, 1 / largest, Limits::denorm_min(), Limits::min()};
  const std::vector<Real> others = {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()};
  int number = 0;
  for_cases(60, Sizes::kSmall, [&](const Case& one) {
    Draw draw(static_cast<std::uint64_t>(++number), Sizes::kSmall);
    Inputs x;
    for (const Tensor& input : one.inputs) {
      const bool any = number % 2 == 0 && x.size() < op().finite;
      x.push_back(input.clone());
      for (Index i = 0; i < input.size(); ++i) {
        if (draw.integer(0, 3) != 0) continue;
        const auto& list = any && draw.integer(0, 5) == 0 ? others : finite;
        x.back().data()[i] = list[static_cast<std::size_t>(draw.integer(0, static_cast<Index>(list.size()) - 1))];
      }
    }
    expect_values(op(), one.apply(x), one.reference(arrays(x)));
  });
}

TEST_P(OpProperties, DerivativesAgreeWithDifferences) {
  for_cases(3, Sizes::kSmall, [&](const Case& one) { expect_gradients(one.apply, one.inputs); });
}

// The gradients are those of the same op whether they can be differentiated again or not.
TEST_P(OpProperties, BothWaysToTheGradientAgree) {
  for_cases(10, Sizes::kSmall, [&](const Case& one) {
    const Inputs x = leaves(one.inputs), plain = gradients(one, x, false), again = gradients(one, x, true);
    for (std::size_t i = 0; i < plain.size(); ++i) {
      for (Index j = 0; j < plain[i].size(); ++j) {
        const Wide wanted = again[i].data()[j];
        ASSERT_TRUE(close(plain[i].data()[j], wanted, 1024, 1 + std::abs(wanted))) << plain[i] << again[i];
      }
    }
  });
}

TEST_P(OpProperties, OneTensorMayBeSeveralInputs) {
  int found = 0;
  for_cases(100, Sizes::kSmall, [&](const Case& one) {
    if (found == 3 || one.inputs.size() < 2 || one.inputs[0].shape() != one.inputs[1].shape()) return;
    ++found;
    const auto twice = [](const auto& x) {
      auto all = x;
      all.insert(all.begin(), x[0]);
      return all;
    };
    const Inputs x(one.inputs.begin() + 1, one.inputs.end());
    expect_values(op(), one.apply(twice(x)), one.reference(arrays(twice(x))));
    const bool may_have_kinks = op().name == "linear" && !op().form.empty();
    if (!may_have_kinks) expect_gradients([&](const Inputs& v) { return one.apply(twice(v)); }, x);
  });
  EXPECT_TRUE(found > 0 || !op().of_two) << "no draw has two inputs of one shape";
}

TEST_P(OpProperties, DoesNotDependOnTheNumberOfThreads) {
  const int threads = thread_count();
  for_cases(2, Sizes::kLarge, [&](const Case& one) {
    const auto run = [&](int count) {
      set_thread_count(count);
      const Inputs x = leaves(one.inputs);
      Inputs results = gradients(one, x, false);
      results.push_back(one.apply(x));
      std::vector<std::vector<Real>> numbers;
      for (const Tensor& result : results) numbers.push_back(result.to_vector());
      return numbers;
    };
    EXPECT_EQ(run(1), run(3));
  });
  set_thread_count(threads);
}

TEST_P(OpProperties, RefusesUndefinedTensorsByName) {
  for_cases(5, Sizes::kSmall, [&](const Case& one) {
    for (std::size_t i = 0; i < std::min(one.inputs.size(), op().required); ++i) {
      Inputs x = one.inputs;
      x[i] = Tensor();
      EXPECT_EQ(misuse([&] { return one.apply(x); }).substr(0, op().message.size() + 1), op().message + ":");
    }
  });
}

TEST_P(OpProperties, RefusesOrTakesAnyShape) {
  int number = 0;
  for_cases(60, Sizes::kPerhapsEmpty, [&](const Case& one) {
    Draw draw(static_cast<std::uint64_t>(++number), Sizes::kPerhapsEmpty);
    Inputs x = one.inputs;
    const auto i = static_cast<std::size_t>(draw.integer(0, static_cast<Index>(x.size()) - 1));
    x[i] = draw.normal(draw.shape(0, 6));
    x = leaves(x);
    try {
      for (const Tensor& g : gradients(one, x, true)) EXPECT_TRUE(g.defined());
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(std::string(error.what()).substr(0, op().message.size() + 1), op().message + ":") << error.what();
    }
  });
}

INSTANTIATE_TEST_SUITE_P(, OpProperties, ::testing::ValuesIn(op_table()), [](const ::testing::TestParamInfo<Op>& info) {
  std::string name = concat(info.index, "_", info.param);
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
});

// --- Functions of one number and of two, at special numbers and all magnitudes ---------------------------------------

const std::vector<Real>& special_numbers() {
  static const std::vector<Real> all = [] {
    std::vector<Real> numbers = {0, Limits::denorm_min(), Limits::min(), Limits::max(), Limits::infinity()};
    for (const double x :
         {1e-38, 1e-30, 1e-20, 1e-10, 1e-4, 0.1,  0.5,  1.,   1.5,  2.,    3.,    4.,    5.,   5.5,  7.,
          10.,   12.,   15.,   20.,   30.,  40.,  60.,  87.,  89.,  104.,  120.,  300.,  708., 746., 760.,
          1e3,   1e4,   1e6,   1e8,   1e13, 1e19, 1e20, 1e30, 3e38, 1e100, 1e154, 1e200, 1e300}) {
      if (x <= static_cast<double>(Limits::max())) numbers.push_back(static_cast<Real>(x));
    }
    for (std::size_t i = numbers.size(); i > 0; --i) numbers.push_back(-numbers[i - 1]);
    numbers.push_back(Limits::quiet_NaN());
    return numbers;
  }();
  return all;
}

// dy/dx for y = f(x) number by number, zeros if it does not depend on it.
Tensor slope(const Tensor& y, const Tensor& x) {
  return y.requires_grad() ? grad(sum(y), x, {.create_graph = true}) : Tensor::zeros(x.shape());
}

TEST(OpSweep, FunctionsOfOneNumber) {
  const Tensor x = Tensor::from(special_numbers(), {static_cast<Index>(special_numbers().size())});
  for (const Op& op : op_table()) {
    if (!op.of_one) continue;
    SCOPED_TRACE(::testing::Message() << op);
    const TensorFunction apply = [&op] {
      Draw draw(1, Sizes::kSmall);
      return op.draw(draw).apply;
    }();
    const Tensor leaf = x.clone().set_requires_grad();
    const Tensor y = apply({leaf}), first = slope(y, leaf), second = slope(first, leaf);
    const Tensor plain = y.requires_grad() ? grad(sum(apply({leaf})), leaf) : first;
    for (Index i = 0; i < x.size(); ++i) {
      const Wide v = x.data()[i], wanted = op.of_one->value(v);
      EXPECT_TRUE(close(y.data()[i], wanted, op.roundings, 0))
          << "f(" << v << ") is " << y.data()[i] << ", expected " << wanted;
      if (op.signed_zero && wanted == 0) {
        EXPECT_EQ(std::signbit(y.data()[i]), std::signbit(wanted)) << "the sign of f(" << v << ")";
      }
      const Wide s = op.of_one->slope(v), c = op.of_one->curvature(v);
      const double roundings = std::max(op.roundings, op.slope_roundings);
      const Wide size = op.slope_roundings > 0 ? 1 : 0;
      EXPECT_TRUE(close(first.data()[i], s, roundings, size))
          << "f'(" << v << ") is " << first.data()[i] << ", expected " << s;
      EXPECT_TRUE(close(plain.data()[i], s, roundings, size))
          << "f'(" << v << ") without a graph is " << plain.data()[i] << ", expected " << s;
      EXPECT_TRUE(close(second.data()[i], c, 2 * roundings, size))
          << "f''(" << v << ") is " << second.data()[i] << ", expected " << c;
    }
  }
}

TEST(OpSweep, FunctionsOfTwoNumbers) {
  const std::vector<Real>& numbers = special_numbers();
  const Index n = static_cast<Index>(numbers.size());
  // All pairs.
  const Tensor a = broadcast_to(Tensor::from(numbers, {n, 1}), {n, n}).set_requires_grad();
  const Tensor b = broadcast_to(Tensor::from(numbers, {n}), {n, n}).set_requires_grad();
  for (const Op& op : op_table()) {
    if (!op.of_two) continue;
    SCOPED_TRACE(::testing::Message() << op);
    const TensorFunction apply = [&op] {
      Draw draw(1, Sizes::kSmall);
      return op.draw(draw).apply;
    }();
    const Tensor y = apply({a, b}), ya = slope(y, a), yb = slope(y, b);
    const struct {
      const char* name;
      const Tensor got;
      OfTwo::Function wanted;
    } all[] = {{"f", y, op.of_two->value},
               {"df/da", ya, op.of_two->a},
               {"df/db", yb, op.of_two->b},
               {"d2f/da2", slope(ya, a), op.of_two->aa},
               {"d2f/dadb", slope(ya, b), op.of_two->ab},
               {"d2f/dbda", slope(yb, a), op.of_two->ab},
               {"d2f/db2", slope(yb, b), op.of_two->bb}};
    for (const auto& one : all) {
      int failures = 0;
      for (Index i = 0; i < a.size() && failures < 20; ++i) {
        const Wide v = a.data()[i], w = b.data()[i], wanted = one.wanted(v, w);
        const bool good = close(one.got.data()[i], wanted, 16, 0);
        failures += !good;
        EXPECT_TRUE(good) << one.name << " at (" << v << ", " << w << ") is " << one.got.data()[i] << ", expected "
                          << wanted;
        if (one.got.data() == y.data() && op.signed_zero && wanted == 0) {
          EXPECT_EQ(std::signbit(y.data()[i]), std::signbit(wanted)) << "the sign of f(" << v << ", " << w << ")";
        }
      }
    }
  }
}

// The functions that other ops apply while their result is in cache.
TEST(OpSweep, ActivationsAsValues) {
  const std::vector<Real>& x = special_numbers();
  const Index n = static_cast<Index>(x.size());
  const std::vector<Real> ones(x.size(), 1);
  for (const Activation& f : activations()) {
    SCOPED_TRACE(f.name);
    const OfOne& reference = activation_reference(f.name);
    std::vector<Real> y(x.size()), slope(x.size()), at(x.size()), again(x.size());
    f.forward(n, x.data(), y.data());
    f.gradient_at(n, ones.data(), x.data(), at.data());
    if (f.gradient) {
      f.gradient(n, ones.data(), y.data(), slope.data());
      again = y;
    } else {
      f.forward_with_slope(n, x.data(), again.data(), slope.data());
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Wide v = x[i];
      for (const Real got : {y[i], again[i]}) {
        EXPECT_TRUE(close(got, reference.value(v), 8, 0)) << "f(" << v << ") is " << got;
      }
      for (const Real got : {slope[i], at[i]}) {
        EXPECT_TRUE(close(got, reference.slope(v), 32, 1))
            << "f'(" << v << ") is " << got << ", expected " << reference.slope(v);
      }
    }
  }
}

// --- Completeness ----------------------------------------------------------------------------------------------------

// An op that is declared but not in the table would not be tested: there must be as many entries as overloads.
TEST(OpTable, HasEveryOpThatIsDeclared) {
  std::ifstream header(RILL_OPS_HEADER);
  ASSERT_TRUE(header) << RILL_OPS_HEADER;
  const std::regex declaration(R"(^(inline )?(std::\w+<)?Tensor>? (\w+|operator.)\()");
  std::map<std::string, int> missing;
  std::size_t found = 0;
  for (std::string line; std::getline(header, line);) {
    std::smatch match;
    if (!std::regex_search(line, match, declaration)) continue;
    ++missing[match[3]];
    ++found;
  }
  ASSERT_GT(found, 60u) << "the declarations are not recognized any more";
  for (const Op& op : op_table()) --missing[op.name];
  for (const auto& [name, count] : missing) {
    EXPECT_LE(count, 0) << name << " is declared in autodiff/ops.hpp; op_table.hpp's entries lack " << count
                        << " of its overloads";
  }
}

}  // namespace
}  // namespace rill::testing
