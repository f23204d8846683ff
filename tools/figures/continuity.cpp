// The continuity equation, dp/dt + div(p u) = 0: mass inside a box changes by what flows through its sides.
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "flow/path/marginal.hpp"
#include "tools/cli/usage_error.hpp"
#include "tools/figures/drawing.hpp"
#include "tools/figures/figure.hpp"
#include "tools/figures/figure_data.hpp"
#include "tools/plot/colormap.hpp"
#include "tools/plot/ticks.hpp"

namespace rill::tools {
namespace {

constexpr int kCells = 48;

// p and u of a moment at points [N, 2].
struct Moment {
  Tensor p, u;
};
Moment moment(const flow::EmpiricalMarginal& marginal, const Tensor& x, double t) {
  const Tensor times = Tensor::full({x.dim(0)}, t);
  return {exp(marginal.log_density(x, times)), marginal.velocity(x, times)};
}

class Continuity final : public Figure {
 public:
  void declare(Options& options) override {
    options.group("Figure");
    data_.declare(options);
    options.add("points", points_, "COUNT", "size of the data set");
    options.add("box", box_, "LOW,LOW,HIGH,HIGH", "the box: least x and y, greatest x and y");
  }

  Film draw(std::uint64_t seed) override {
    require_at_least("points", static_cast<double>(points_), 1);
    const Box box = parse_box();
    const Tensor data = data_.points(points_, seed);
    const flow::EmpiricalMarginal marginal(data, std::make_shared<flow::CondOtScheduler>(0.25));
    const Limits limits = limits_around(data, 1);
    const Tensor centers = cell_centers(limits, kCells);
    constexpr int kArrows = 12;
    const Tensor places = cell_centers(limits, kArrows);
    double high = 0, fastest = 0;
    for (const double t : {0.0, 0.5, 1.0}) {
      high = std::max(high, double{max(moment(marginal, centers, t).p).item()});
      fastest = std::max(fastest, greatest_speed(flux(moment(marginal, places, t))));
    }

    const auto draw_box = [=](const Axes& axes, double t) {
      axes.heat_map(moment(marginal, centers, t).p.to_vector(), kCells, kCells, 0, high, viridis);
      draw_field(axes, flux(moment(marginal, places, t)), limits, kArrows, fastest, kWhite);
      const Point corners[] = {{box.low_x, box.low_y},
                               {box.high_x, box.low_y},
                               {box.high_x, box.high_y},
                               {box.low_x, box.high_y},
                               {box.low_x, box.low_y}};
      axes.path(corners, 2.2 * axes.scale(), kOrange);
      const Balance here = balance(marginal, box, t);
      axes.note(concat("inside ", format_fixed(here.inside, 3)), 1, kInk);
      axes.note(concat("grows by ", format_fixed(here.growth, 3), ", enters ", format_fixed(here.entering, 3)), 2,
                kInk);
    };
    // dp/dt and -div(p u), by central differences, and what is left of their difference.
    const auto draw_rates = [=](int which) {
      return [=](const Axes& axes, double t) {
        const Rates rates = rates_of(marginal, limits, t);
        const double scale = std::max(1e-6, greatest(rates.change));
        const std::vector<Real>& shown = which == 0 ? rates.change : which == 1 ? rates.inflow : rates.left;
        axes.heat_map(shown, kCells, kCells, -scale, scale, red_blue);
        if (which == 2) {
          axes.note(concat("at most ", format_fixed(100 * greatest(rates.left) / scale, 1), " % of dp/dt"), 1, kInk);
        }
      };
    };
    return film_of({{"p, and the flux p u", draw_box},
                    {"dp/dt", draw_rates(0)},
                    {"-div(p u)", draw_rates(1)},
                    {"their difference", draw_rates(2)}},
                   limits, {.width = 205, .frames = 40, .moments = {0, 0.5, 0.8, 1}});
  }

 private:
  struct Box {
    double low_x, low_y, high_x, high_y;
  };
  /// Of a box: the mass inside, its rate of change, and the flux through its sides, inward.
  struct Balance {
    double inside, growth, entering;
  };
  struct Rates {
    std::vector<Real> change, inflow, left;
  };

  Box parse_box() const {
    std::vector<double> numbers;
    for (const std::string& text : box_) {
      std::size_t end = 0;
      try {
        numbers.push_back(std::stod(text, &end));
      } catch (const std::exception&) {
        end = 0;
      }
      if (end == 0 || end != text.size()) throw UsageError(concat("--box: expected four numbers, found '", text, "'"));
    }
    if (numbers.size() != 4 || !(numbers[0] < numbers[2] && numbers[1] < numbers[3])) {
      throw UsageError("--box: expected four numbers, least x and y, then greater x and y, such as 0,0,2,2");
    }
    return {numbers[0], numbers[1], numbers[2], numbers[3]};
  }

  static Tensor flux(const Moment& moment) { return reshape(moment.p, {moment.p.dim(0), 1}) * moment.u; }

  // White at 0, blue below and orange above.
  static Color red_blue(double value) {
    const double share = std::min(1.0, std::abs(2 * value - 1));
    const Color& end = value < 0.5 ? kBlue : kOrange;
    return {std::lerp(1, end.red, share), std::lerp(1, end.green, share), std::lerp(1, end.blue, share), 1};
  }
  static double greatest(const std::vector<Real>& values) {
    double result = 0;
    for (const Real value : values) result = std::max(result, std::abs(double{value}));
    return result;
  }

  // By the midpoint rule, with 80 cells along a side.
  static Balance balance(const flow::EmpiricalMarginal& marginal, const Box& box, double t) {
    constexpr int kAlong = 80;
    const Limits inside{box.low_x, box.high_x, box.low_y, box.high_y};
    const double area = inside.width() * inside.height();
    const Tensor x = cell_centers(inside, kAlong);
    const auto mass = [&](double time) { return area * double{mean(moment(marginal, x, time).p).item()}; };
    constexpr double kApart = 1e-2;
    const double before = std::max(0.0, t - kApart), after = std::min(1.0, t + kApart);

    Tensor sides = Tensor::empty({4 * kAlong, 2});
    for (int i = 0; i < kAlong; ++i) {
      const double share = (i + 0.5) / kAlong;
      const double along_x = std::lerp(box.low_x, box.high_x, share), along_y = std::lerp(box.low_y, box.high_y, share);
      const double points[4][2] = {
          {box.low_x, along_y}, {box.high_x, along_y}, {along_x, box.low_y}, {along_x, box.high_y}};
      for (int side = 0; side < 4; ++side) {
        for (int d = 0; d < 2; ++d) {
          sides.data()[2 * (side * kAlong + i) + d] = static_cast<Real>(points[side][d]);
        }
      }
    }
    const Tensor through = flux(moment(marginal, sides, t));
    double entering = 0;
    for (int side = 0; side < 4; ++side) {
      const double length = side < 2 ? inside.height() : inside.width(), inward = side % 2 == 0 ? 1 : -1;
      for (int i = 0; i < kAlong; ++i) {
        entering += inward * length / kAlong * double{through.data()[2 * (side * kAlong + i) + side / 2]};
      }
    }
    return {mass(t), (mass(after) - mass(before)) / (after - before), entering};
  }

  static Rates rates_of(const flow::EmpiricalMarginal& marginal, const Limits& limits, double t) {
    constexpr double kApart = 1e-2;
    const double before = std::max(0.0, t - kApart), after = std::min(1.0, t + kApart), now = (before + after) / 2;
    const Tensor x = cell_centers(limits, kCells);
    const Tensor change = (moment(marginal, x, after).p - moment(marginal, x, before).p) / (after - before);
    const double step = 0.02;
    Tensor inflow = Tensor::zeros({x.dim(0)});
    for (Index d = 0; d < 2; ++d) {
      const Tensor shift = d == 0 ? Tensor::from({static_cast<Real>(step), 0}, {1, 2})
                                  : Tensor::from({0, static_cast<Real>(step)}, {1, 2});
      const auto along = [&](const Tensor& at) {
        return reshape(slice(flux(moment(marginal, at, now)), 1, d, d + 1), {x.dim(0)});
      };
      inflow = inflow - (along(x + shift) - along(x - shift)) / (2 * step);
    }
    return {change.to_vector(), inflow.to_vector(), (change - inflow).to_vector()};
  }

  FigureData data_{.data = "moons"};
  Index points_ = 40;
  std::vector<std::string> box_ = {"-0.5", "0", "1.5", "1.6"};
};

}  // namespace

std::unique_ptr<Figure> make_continuity() { return std::make_unique<Continuity>(); }

}  // namespace rill::tools
