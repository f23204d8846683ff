// The table's elementwise ops, with their derivatives, each written so that it loses no digits for any argument.
#include <cmath>
#include <numbers>
#include <string_view>

#include "autodiff/error.hpp"
#include "tests/autodiff/op_table.hpp"

namespace rill::testing {
namespace {

enum class Points { kAny, kPositive, kOffKinks };

Tensor points(Draw& d, const Shape& shape, Points where) {
  switch (where) {
    case Points::kPositive:
      return d.positive(shape);
    case Points::kOffKinks:
      return d.grid(shape, 0.2);
    default:
      return d.normal(shape);
  }
}

struct Traits {
  Points points = Points::kAny;
  double roundings = 8;
  bool signed_zero = true;
  double slope_roundings = 0;
};

Op of_one(std::string name, std::string form, std::string message, std::function<Tensor(const Tensor&)> f,
          OfOne reference, const Traits& traits = {}) {
  const auto draw = [f, value = reference.value, traits](Draw& d) {
    return Case{{points(d, d.shape(0, 4), traits.points)},
                [f](const std::vector<Tensor>& x) { return f(x[0]); },
                [value](const std::vector<Array>& x) {
                  Array y(x[0].shape);
                  for (const Wide v : x[0].values) y.push_back(value(v));
                  return y;
                }};
  };
  return {.name = std::move(name),
          .form = std::move(form),
          .message = std::move(message),
          .draw = draw,
          .roundings = traits.roundings,
          .of_one = std::move(reference),
          .signed_zero = traits.signed_zero,
          .slope_roundings = traits.slope_roundings};
}

Op of_two(std::string name, std::string message, Tensor (*f)(const Tensor&, const Tensor&), const OfTwo& reference,
          Points where, bool signed_zero = true) {
  const auto draw = [f, value = reference.value, where](Draw& d) {
    const Shape shape = d.shape(0, 4), other = d.broadcast_from(shape);
    // Off each other's numbers, where minima have kinks.
    const Tensor first = points(d, shape, where);
    const Tensor second = where == Points::kOffKinks ? d.grid(other, 0) : points(d, other, where);
    const bool swapped = d.coin();
    return Case{
        swapped ? std::vector{second, first} : std::vector{first, second},
        [f](const std::vector<Tensor>& x) { return f(x[0], x[1]); },
        [value, shape](const std::vector<Array>& x) {
          Array y(shape);
          for_each_index(shape, [&](const auto& index, Index) {
            y.push_back(value(broadcast_at(x[0], index, shape.rank()), broadcast_at(x[1], index, shape.rank())));
          });
          return y;
        }};
  };
  return {.name = std::move(name),
          .form = "",
          .message = std::move(message),
          .draw = draw,
          .of_two = reference,
          .signed_zero = signed_zero};
}

Op where_op() {
  const auto draw = [](Draw& d) {
    const Shape shape = d.shape(0, 4);
    const Tensor condition = less(d.grid(d.coin() ? shape : d.broadcast_from(shape), 0.2), Tensor::scalar(0));
    const Tensor a = d.normal(d.broadcast_from(shape)), b = d.normal(d.broadcast_from(shape));
    const Shape result = broadcast_shapes("where", condition.shape(), broadcast_shapes("where", a.shape(), b.shape()));
    return Case{{a, b},
                [condition](const std::vector<Tensor>& x) { return rill::where(condition, x[0], x[1]); },
                [condition = Array(condition), result](const std::vector<Array>& x) {
                  Array y(result);
                  for_each_index(result, [&](const auto& index, Index) {
                    const bool chosen = broadcast_at(condition, index, result.rank()) != 0;
                    y.push_back(broadcast_at(x[chosen ? 0 : 1], index, result.rank()));
                  });
                  return y;
                }};
  };
  return {.name = "where", .form = "", .message = "where", .draw = draw};
}

// Derivatives that are the same for every argument.
Wide zero(Wide) { return 0; }
Wide one(Wide) { return 1; }
Wide zero_of_two(Wide, Wide) { return 0; }
OfOne line(Wide scale, Wide shift) {
  return {[=](Wide x) { return scale * x + shift; }, [=](Wide) { return scale; }, zero};
}
OfOne multiple(Wide scale) {
  return {[=](Wide x) { return scale * x; }, [=](Wide) { return scale; }, zero};
}
OfOne quotient(Wide c) {
  return {[=](Wide x) { return x / c; }, [=](Wide) { return 1 / c; }, zero};
}

Op power(double p) {
  const auto term = [](Wide factor, Wide x, Wide exponent) { return factor == 0 ? 0 : factor * std::pow(x, exponent); };
  const Wide q = static_cast<Real>(p);
  const OfOne reference = {[=](Wide x) { return std::pow(x, q); }, [=](Wide x) { return term(q, x, q - 1); },
                           [=](Wide x) { return term(q * (q - 1), x, q - 2); }};
  return of_one("pow", concat(p), "pow", [p](const Tensor& x) { return pow(x, p); }, reference,
                {.points = Points::kPositive, .roundings = 40});
}

// x y where y has become 0 faster than x grows.
Wide vanishing(Wide x, Wide y) { return y == 0 ? std::copysign(y, x) : x * y; }

Wide sigmoid_of(Wide x) { return 1 / (1 + std::exp(-x)); }
Wide sigmoid_slope(Wide x) {
  const Wide e = std::exp(-std::abs(x));
  return e / ((1 + e) * (1 + e));
}
Wide cdf(Wide x) { return std::erfc(-x / std::numbers::sqrt2_v<Wide>) / 2; }
Wide pdf(Wide x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi_v<Wide>); }

// The argument of the sigmoid that the tanh form of gelu multiplies x with, and its derivatives.
constexpr Wide kCubic = 0.044715L;
Wide gelu_scale() { return std::sqrt(8 / std::numbers::pi_v<Wide>); }
Wide gelu_argument(Wide x) { return gelu_scale() * (x + kCubic * x * x * x); }
Wide gelu_tanh_slope(Wide x) {
  const Wide a = gelu_argument(x), a1 = gelu_scale() * (1 + 3 * kCubic * x * x);
  return sigmoid_of(a) + vanishing(x * a1, sigmoid_slope(a));
}
Wide gelu_tanh_curvature(Wide x) {
  const Wide a = gelu_argument(x), a1 = gelu_scale() * (1 + 3 * kCubic * x * x), a2 = 6 * gelu_scale() * kCubic * x;
  if (sigmoid_slope(a) == 0) return 0;
  return sigmoid_slope(a) * (2 * a1 + x * (a2 - std::tanh(a / 2) * a1 * a1));
}

OfOne elu_of(Wide alpha, Wide scale) {
  return {[=](Wide x) { return scale * (x > 0 ? x : alpha * std::expm1(x)); },
          [=](Wide x) { return scale * (x > 0 ? 1 : alpha * std::exp(x)); },
          [=](Wide x) { return scale * (x > 0 ? 0 : alpha * std::exp(x)); }};
}
OfOne leaky_of(Wide slope) {
  return {[=](Wide x) { return x > 0 ? x : slope * x; }, [=](Wide x) { return x > 0 ? 1 : slope; }, zero};
}

struct NamedActivation {
  std::string_view name;
  OfOne reference;
};
const std::vector<NamedActivation>& activation_references() {
  const Wide selu_alpha = 1.6732632423543772848L, selu_scale = 1.0507009873554804934L;
  static const std::vector<NamedActivation> all = {
      {"relu", {[](Wide x) { return x < 0 ? 0 : x; }, [](Wide x) -> Wide { return x > 0; }, zero}},
      {"leaky_relu", leaky_of(static_cast<Real>(0.01))},
      {"elu", elu_of(1, 1)},
      {"selu", elu_of(selu_alpha, selu_scale)},
      {"tanh",
       {[](Wide x) { return std::tanh(x); }, [](Wide x) { return 1 / (std::cosh(x) * std::cosh(x)); },
        [](Wide x) { return -2 * std::tanh(x) / (std::cosh(x) * std::cosh(x)); }}},
      {"sigmoid", {sigmoid_of, sigmoid_slope, [](Wide x) { return -sigmoid_slope(x) * std::tanh(x / 2); }}},
      {"softplus",
       {[](Wide x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }, sigmoid_of,
        sigmoid_slope}},
      {"gelu",
       {[](Wide x) { return x < 0 ? vanishing(x, cdf(x)) : x * cdf(x); },
        [](Wide x) { return cdf(x) + vanishing(x, pdf(x)); }, [](Wide x) { return vanishing(2 - x * x, pdf(x)); }}},
      {"gelu_tanh",
       {[](Wide x) { return x < 0 ? vanishing(x, sigmoid_of(gelu_argument(x))) : x * sigmoid_of(gelu_argument(x)); },
        gelu_tanh_slope, gelu_tanh_curvature}},
      {"silu",
       {[](Wide x) { return x < 0 ? vanishing(x, sigmoid_of(x)) : x * sigmoid_of(x); },
        [](Wide x) { return sigmoid_of(x) + vanishing(x, sigmoid_slope(x)); },
        [](Wide x) { return vanishing(2 - x * std::tanh(x / 2), sigmoid_slope(x)); }}},
  };
  return all;
}

Op activation(const char* name, const char* form, std::function<Tensor(const Tensor&)> f, std::string_view reference,
              Points where = Points::kAny) {
  return of_one(name, form, std::string(reference), std::move(f), activation_reference(reference),
                {.points = where, .slope_roundings = 32});
}

}  // namespace

const OfOne& activation_reference(std::string_view name) {
  for (const NamedActivation& f : activation_references()) {
    if (f.name == name) return f.reference;
  }
  fail("no reference of the activation ", name, ": add one to activation_references() in op_table_elementwise.cpp");
}

std::vector<Op> elementwise_ops() {
  const Traits off_kinks{.points = Points::kOffKinks}, positive{.points = Points::kPositive};
  const Traits any_zero{.signed_zero = false};
  const Wide c = static_cast<Real>(1.7), third = static_cast<Real>(1 / 3.);
  std::vector<Op> all = {
      of_two(
          "operator+", "add", [](const Tensor& a, const Tensor& b) { return a + b; },
          {[](Wide a, Wide b) { return a + b; }, [](Wide, Wide) -> Wide { return 1; },
           [](Wide, Wide) -> Wide { return 1; }, zero_of_two, zero_of_two, zero_of_two},
          Points::kAny),
      of_one(
          "operator+", "x + c", "affine", [](const Tensor& x) { return x + 1.7; }, line(1, c)),
      of_one(
          "operator+", "c + x", "affine", [](const Tensor& x) { return 1.7 + x; }, line(1, c)),
      of_two(
          "operator-", "subtract", [](const Tensor& a, const Tensor& b) { return a - b; },
          {[](Wide a, Wide b) { return a - b; }, [](Wide, Wide) -> Wide { return 1; },
           [](Wide, Wide) -> Wide { return -1; }, zero_of_two, zero_of_two, zero_of_two},
          Points::kAny),
      of_one(
          "operator-", "-x", "affine", [](const Tensor& x) { return -x; }, multiple(-1)),
      of_one(
          "operator-", "x - c", "affine", [](const Tensor& x) { return x - 1.7; }, line(1, -c)),
      of_one("operator-", "x - 0", "affine", [](const Tensor& x) { return x - 0; },
             {[](Wide x) { return x - 0.0L; }, one, zero}),
      of_one(
          "operator-", "c - x", "affine", [](const Tensor& x) { return 1.7 - x; }, line(-1, c)),
      of_one("operator-", "0 - x", "affine", [](const Tensor& x) { return 0 - x; },
             {[](Wide x) { return 0.0L - x; }, [](Wide) -> Wide { return -1; }, zero}),
      of_two(
          "operator*", "multiply", [](const Tensor& a, const Tensor& b) { return a * b; },
          {[](Wide a, Wide b) { return a * b; }, [](Wide, Wide b) { return b; }, [](Wide a, Wide) { return a; },
           zero_of_two, [](Wide, Wide) -> Wide { return 1; }, zero_of_two},
          Points::kAny),
      of_one(
          "operator*", "x c", "affine", [](const Tensor& x) { return x * (1 / 3.); }, multiple(third)),
      of_one(
          "operator*", "c x", "affine", [](const Tensor& x) { return -1.7 * x; }, multiple(-c)),
      of_two(
          "operator/", "divide", [](const Tensor& a, const Tensor& b) { return a / b; },
          {[](Wide a, Wide b) { return a / b; }, [](Wide, Wide b) { return 1 / b; },
           [](Wide a, Wide b) { return -(a / b) / b; }, zero_of_two, [](Wide, Wide b) { return -1 / b / b; },
           [](Wide a, Wide b) {
             // Two terms 0 / b^3 of opposite sign, which cannot be distinguished if 1 / b overflows a Real.
             return a == 0 && std::isinf(static_cast<Real>(1 / b)) ? std::nanl("") : 2 * (a / b / b / b);
           }},
          Points::kPositive),
      of_one(
          "operator/", "x / c", "divide", [](const Tensor& x) { return x / -1.7; }, quotient(-c)),
      of_one(
          "operator/", "c / x", "divide", [](const Tensor& x) { return 3 / x; },
          {[](Wide x) { return 3 / x; }, [](Wide x) { return -3 / x / x; }, [](Wide x) { return 6 / x / x / x; }},
          positive),
      of_one("affine", "", "affine", [](const Tensor& x) { return affine(x, -2, 1 / 3.); }, line(-2, third),
             {.roundings = 16}),
      of_two(
          "minimum", "minimum", minimum,
          {[](Wide a, Wide b) { return std::isnan(a) || a < b ? a : b; },
           [](Wide a, Wide b) -> Wide { return a < b    ? 1
                                               : a == b ? 0.5L
                                                        : 0; },
           [](Wide a, Wide b) -> Wide { return b < a    ? 1
                                               : a == b ? 0.5L
                                                        : 0; }, zero_of_two, zero_of_two, zero_of_two},
          Points::kOffKinks, false),
      of_two(
          "maximum", "maximum", maximum,
          {[](Wide a, Wide b) { return std::isnan(a) || a > b ? a : b; },
           [](Wide a, Wide b) -> Wide { return a > b    ? 1
                                               : a == b ? 0.5L
                                                        : 0; },
           [](Wide a, Wide b) -> Wide { return b > a    ? 1
                                               : a == b ? 0.5L
                                                        : 0; }, zero_of_two, zero_of_two, zero_of_two},
          Points::kOffKinks, false),
      of_one(
          "clamp", "", "clamp", [](const Tensor& x) { return clamp(x, -1, 0.5); },
          {[](Wide x) -> Wide { return x < -1     ? -1
                                       : x > 0.5L ? 0.5L
                                                  : x; },
           [](Wide x) -> Wide { return -1 <= x && x <= 0.5L; }, zero},
          off_kinks),
      where_op(),
      of_two("less", "less", less,
             {[](Wide a, Wide b) -> Wide { return a < b; }, zero_of_two, zero_of_two, zero_of_two, zero_of_two,
              zero_of_two},
             Points::kOffKinks),
      of_two("less_equal", "less_equal", less_equal,
             {[](Wide a, Wide b) -> Wide { return a <= b; }, zero_of_two, zero_of_two, zero_of_two, zero_of_two,
              zero_of_two},
             Points::kOffKinks),
      of_two("equal", "equal", equal,
             {[](Wide a, Wide b) -> Wide { return a == b; }, zero_of_two, zero_of_two, zero_of_two, zero_of_two,
              zero_of_two},
             Points::kOffKinks),
      of_one(
          "exp", "", "exp", exp,
          {[](Wide x) { return std::exp(x); }, [](Wide x) { return std::exp(x); }, [](Wide x) { return std::exp(x); }}),
      of_one("log", "", "log", log,
             {[](Wide x) { return std::log(x); }, [](Wide x) { return 1 / x; }, [](Wide x) { return -1 / x / x; }},
             {.points = Points::kPositive, .signed_zero = false}),
      of_one("sqrt", "", "sqrt", sqrt,
             {[](Wide x) { return std::sqrt(x); }, [](Wide x) { return 0.5L / std::sqrt(x); },
              [](Wide x) { return -0.25L / (std::sqrt(x) * std::sqrt(x) * std::sqrt(x)); }},
             positive),
      of_one("square", "", "square", square,
             {[](Wide x) { return x * x; }, [](Wide x) { return 2 * x; }, [](Wide) -> Wide { return 2; }}),
      of_one("sin", "", "sin", sin,
             {[](Wide x) { return std::sin(x); }, [](Wide x) { return std::cos(x); },
              [](Wide x) { return -std::sin(x); }}),
      of_one("cos", "", "cos", cos,
             {[](Wide x) { return std::cos(x); }, [](Wide x) { return -std::sin(x); },
              [](Wide x) { return -std::cos(x); }},
             any_zero),
      of_one("abs", "", "abs", abs,
             {[](Wide x) { return std::abs(x); },
              [](Wide x) -> Wide { return std::isnan(x) ? x
                                          : x > 0       ? 1
                                          : x < 0       ? -1
                                                        : 0; }, zero},
             off_kinks),
      of_one("sign", "", "sign", sign,
             {[](Wide x) -> Wide { return std::isnan(x) ? x
                                          : x > 0       ? 1
                                          : x < 0       ? -1
                                                        : x; }, zero, zero}, off_kinks),
  };
  for (const double p : {-3., -1., -0.5, 0., 0.5, 1., 2., 2.5, 3., 7., 16.}) all.push_back(power(p));
  return all;
}

std::vector<Op> activation_ops() {
  std::vector<Op> all = {
      activation("tanh", "", tanh, "tanh"),
      activation("sigmoid", "", sigmoid, "sigmoid"),
      activation("relu", "", relu, "relu", Points::kOffKinks),
      activation(
          "leaky_relu", "", [](const Tensor& x) { return leaky_relu(x); }, "leaky_relu", Points::kOffKinks),
      activation(
          "elu", "", [](const Tensor& x) { return elu(x); }, "elu", Points::kOffKinks),
      activation("selu", "", selu, "selu", Points::kOffKinks),
      activation(
          "gelu", "", [](const Tensor& x) { return gelu(x); }, "gelu"),
      activation(
          "gelu", "tanh", [](const Tensor& x) { return gelu(x, {.tanh = true}); }, "gelu_tanh"),
      activation("silu", "", silu, "silu"),
      activation("softplus", "", softplus, "softplus"),
      of_one("leaky_relu", "slope 0.3", "leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.3); },
             leaky_of(static_cast<Real>(0.3)), {.points = Points::kOffKinks}),
      of_one("elu", "alpha 1.5", "elu", [](const Tensor& x) { return elu(x, 1.5); }, elu_of(1.5L, 1),
             {.points = Points::kOffKinks, .slope_roundings = 32}),
  };
  return all;
}

}  // namespace rill::testing
