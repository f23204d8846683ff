// Solvers on the exact marginal field: where few steps end, and how fast the error falls with the evaluations.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/path/marginal.hpp"
#include "flow/solver/adaptive.hpp"
#include "flow/solver/ode.hpp"
#include "flow/solver/tableau.hpp"
#include "tools/cli/usage_error.hpp"
#include "tools/figures/drawing.hpp"
#include "tools/figures/figure.hpp"
#include "tools/figures/figure_data.hpp"
#include "tools/plot/line_chart.hpp"
#include "tools/plot/plot_grid.hpp"

namespace rill::tools {
namespace {

class Solvers final : public Figure {
 public:
  void declare(Options& options) override {
    options.group("Figure");
    options.add("view", view_, "NAME", "trajectories, or error: against evaluations, on logarithmic axes");
    data_.declare(options);
    options.add("points", points_, "COUNT", "size of the data set whose exact field is followed");
  }

  Film draw(std::uint64_t seed) override {
    by_option("view", [&] { require_known("view", view_, {"trajectories", "error"}); });
    require_at_least("points", static_cast<double>(points_), 1);
    const Tensor data = data_.points(points_, seed);
    const flow::EmpiricalMarginal marginal(data, std::make_shared<flow::CondOtScheduler>(0.2));
    const flow::Velocity velocity = [marginal](const Tensor& x, const Tensor& t) { return marginal.velocity(x, t); };
    Generator rng(seed);
    return view_ == "trajectories" ? trajectories(velocity, data, rng) : still_film(errors(velocity, rng));
  }

 private:
  struct Way {
    std::string name;
    std::vector<Point> points;
    std::vector<double> times;
    Index evaluations;
  };

  static Way fixed(const std::string& name, const flow::Velocity& velocity, const Tensor& x_0,
                   const flow::Tableau& method, Index steps) {
    Way way{name, {}, flow::uniform_grid(0, 1, steps), 0};
    way.evaluations = flow::solve(velocity, x_0, way.times, method, [&](Index, double, const Tensor& x) {
                        way.points.push_back({x.data()[0], x.data()[1]});
                      }).evaluations;
    return way;
  }
  // Every accepted step of an adaptive solver.
  static Way adaptive(const flow::Velocity& velocity, const Tensor& x_0, double tolerance) {
    flow::AdaptiveOptions options;
    options.tolerance = {.rtol = tolerance, .atol = tolerance};
    Way way{"dopri5, adaptive", {}, flow::uniform_grid(0, 1, 200), 0};
    const auto solution = flow::solve_adaptive(velocity, x_0, way.times, options);
    for (const Tensor& x : solution.at) way.points.push_back({x.data()[0], x.data()[1]});
    way.evaluations = solution.evaluations;
    return way;
  }

  static Film trajectories(const flow::Velocity& velocity, const Tensor& data, Generator& rng) {
    // Of some starts, the one whose way bends most: on a straight way one step of Euler is exact.
    Tensor x_0;
    double most = -1;
    for (int i = 0; i < 40; ++i) {
      const Tensor start = Tensor::randn({1, 2}, rng);
      const Point rough = fixed("", velocity, start, flow::kEuler, 2).points.back(),
                  fine = fixed("", velocity, start, flow::kRk4, 100).points.back();
      const double error = std::hypot(rough.x - fine.x, rough.y - fine.y);
      if (error > most) {
        most = error;
        x_0 = start;
      }
    }
    const Way exact = fixed("exact", velocity, x_0, flow::kRk4, 200);
    const std::vector<Way> ways = {fixed("Euler, 2 steps", velocity, x_0, flow::kEuler, 2),
                                   fixed("Euler, 5 steps", velocity, x_0, flow::kEuler, 5),
                                   fixed("Euler, 10 steps", velocity, x_0, flow::kEuler, 10),
                                   fixed("Heun, 5 steps", velocity, x_0, flow::kHeun2, 5),
                                   adaptive(velocity, x_0, 1e-3)};
    std::vector<FilmPanel> panels;
    for (const Way& way : ways) {
      panels.push_back({way.name, [=](const Axes& axes, double clock) {
                          draw_points(axes, data, kFrameGray, {1.2, 0.7});
                          axes.path(exact.points, 1 * axes.scale(), kInk.with_opacity(0.45));
                          // As far as the clock has come, within a step along its straight line.
                          std::vector<Point> done;
                          std::vector<double> ends;
                          for (std::size_t i = 0; i < way.points.size() && way.times[i] <= clock + 1e-9; ++i) {
                            done.push_back(way.points[i]);
                            if (way.points.size() < 100) ends.insert(ends.end(), {way.points[i].x, way.points[i].y});
                          }
                          if (done.size() < way.points.size()) {
                            const std::size_t i = done.size() - 1;
                            const double share = (clock - way.times[i]) / (way.times[i + 1] - way.times[i]);
                            done.push_back({std::lerp(way.points[i].x, way.points[i + 1].x, share),
                                            std::lerp(way.points[i].y, way.points[i + 1].y, share)});
                          }
                          axes.path(done, 1.8 * axes.scale(), kOrange);
                          axes.points(ends, kOrange, {2.6 * axes.scale(), 1});
                          const double here[] = {done.back().x, done.back().y};
                          axes.points(here, kBlue, {4 * axes.scale(), 1});
                          axes.note(concat(way.evaluations, " evaluations"), 1, kGray);
                        }});
    }
    // Close enough to see the steps.
    Limits limits{x_0.data()[0], x_0.data()[0], x_0.data()[1], x_0.data()[1]};
    for (const Way& way : ways) {
      for (const Point& p : way.points) {
        limits = {std::min(limits.x_low, p.x), std::max(limits.x_high, p.x), std::min(limits.y_low, p.y),
                  std::max(limits.y_high, p.y)};
      }
    }
    limits = {limits.x_low - 1, limits.x_high + 1, limits.y_low - 1, limits.y_high + 1};
    return film_of(std::move(panels), balanced(limits), {.width = 185, .moments = {0.5, 1}});
  }

  static Image errors(const flow::Velocity& velocity, Generator& rng) {
    const Tensor x_0 = Tensor::randn({200, 2}, rng);
    const auto end_of = [&](const flow::Tableau& method, Index steps) {
      return flow::solve(velocity, x_0, flow::uniform_grid(0, 1, steps), method);
    };
    const Tensor exact = end_of(flow::kRk4, 2000).x;
    const auto error_of = [&](const Tensor& x) {
      return std::sqrt(double{mean(sum(square(x - exact), {.axes = {1}})).item()});
    };
    std::vector<Series> series;
    const std::pair<const flow::Tableau*, Color> methods[] = {
        {&flow::kEuler, kOrange}, {&flow::kHeun2, kTeal}, {&flow::kRk4, kPurple}};
    for (const auto& [method, color] : methods) {
      Series line{concat(method->name, ", order ", method->order), {}, color};
      for (Index steps = 2; steps * method->stages <= 512; steps *= 2) {
        const flow::Solution solution = end_of(*method, steps);
        const double error = error_of(solution.x);
        if (error > kFloor) line.points.push_back({static_cast<double>(solution.evaluations), error});
      }
      series.push_back(std::move(line));
    }
    Series dopri{"dopri5, adaptive", {}, kBlue};
    for (double tolerance = 1e-1; tolerance > 1e-6; tolerance /= 10) {
      flow::AdaptiveOptions options;
      options.tolerance = {.rtol = tolerance, .atol = tolerance};
      const auto solution = flow::solve_adaptive(velocity, x_0, {0, 1}, options);
      const double error = error_of(solution.x);
      if (error > kFloor) dopri.points.push_back({static_cast<double>(solution.evaluations), error});
    }
    series.push_back(std::move(dopri));
    return line_chart(series, {.title = "error at t = 1, root mean square",
                               .x_label = "evaluations of the field",
                               .log_y = true,
                               .log2_x = true,
                               .names_beside = true});
  }

  static constexpr double kFloor = 2e-5;  // below it, errors are those of rounding

  std::string view_ = "trajectories";
  FigureData data_{.data = "8gaussians"};
  Index points_ = 200;
};

}  // namespace

std::unique_ptr<Figure> make_solvers() { return std::make_unique<Solvers>(); }

}  // namespace rill::tools
