// The exact marginal field of a finite data set, which a perfect network would learn, and how it comes about.
#include "flow/path/marginal.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "autodiff/text.hpp"
#include "tools/cli/usage_error.hpp"
#include "tools/figures/drawing.hpp"
#include "tools/figures/figure.hpp"
#include "tools/figures/figure_data.hpp"
#include "tools/figures/model_film.hpp"

namespace rill::tools {
namespace {

constexpr int kFrames = 60;

class Marginal final : public Figure {
 public:
  void declare(Options& options) override {
    options.group("Figure");
    options.add(
        "view", view_, "NAME",
        "field: with and without samples; weights: which data points a sample may still reach; mean: conditional "
        "fields at one place, and their mean");
    data_.declare(options);
    options.add("points", points_, "COUNT", "size of the data set");
    options.add("samples", samples_, "COUNT", "moving points");
    options.add("sigma-min", sigma_min_, "SIGMA", "deviation around each data point at t = 1");
  }

  Film draw(std::uint64_t seed) override {
    by_option("view", [&] { require_known("view", view_, {"field", "weights", "mean"}); });
    require_at_least("points", static_cast<double>(points_), 1);
    require_at_least("samples", static_cast<double>(samples_), 1);
    if (!(0 < sigma_min_ && sigma_min_ < 1)) {
      throw UsageError(concat("--sigma-min: expected a number between 0 and 1, got ", sigma_min_));
    }
    const Tensor data = data_.points(points_, seed);
    const flow::EmpiricalMarginal marginal(data, std::make_shared<flow::CondOtScheduler>(sigma_min_));
    return view_ == "field"     ? field(data, marginal, seed)
           : view_ == "weights" ? weights(data, marginal, seed)
                                : mean(data, marginal, seed);
  }

 private:
  Film field(const Tensor& data, const flow::EmpiricalMarginal& marginal, std::uint64_t seed) const {
    Generator rng(seed);
    const std::vector<Tensor> states = way_of(marginal, Tensor::randn({samples_, 2}, rng), kFrames);
    const Limits limits = limits_around(data);
    constexpr int kCells = 14;
    const Tensor centers = cell_centers(limits, kCells);
    // The fastest arrow at t = 0 spans a cell. At the end, where points gather, the field is many times as fast.
    const double full = greatest_speed(marginal.velocity(centers, Tensor::zeros({centers.dim(0)})));
    const auto draw_arrows = [=](const Axes& axes, double t) {
      const Tensor times = Tensor::full({centers.dim(0)}, t);
      draw_field(axes, marginal.velocity(centers, times), limits, kCells, full, kGray);
    };
    const auto draw_samples = [=](const Axes& axes, double t) {
      draw_points(axes, at_clock(states, t), kBlue, {1.7, 0.75});
    };
    const auto draw_data = [=](const Axes& axes) { draw_points(axes, data, kOrange, {1.5, 0.35}); };
    return film_of({{"the field, and samples",
                     [=](const Axes& axes, double t) {
                       draw_arrows(axes, t);
                       draw_samples(axes, t);
                     }},
                    {"the field",
                     [=](const Axes& axes, double t) {
                       draw_data(axes);
                       draw_arrows(axes, t);
                     }},
                    {"samples", draw_samples}},
                   limits, {.width = 245, .frames = kFrames});
  }

  // Each panel follows one sample. A data point is as large as the sample is likely to end there.
  Film weights(const Tensor& data, const flow::EmpiricalMarginal& marginal, std::uint64_t seed) const {
    constexpr Index kStarts = 3;
    Generator rng(seed);
    const std::vector<Tensor> states = way_of(marginal, Tensor::randn({kStarts, 2}, rng), kFrames);
    std::vector<FilmPanel> panels;
    for (Index k = 0; k < kStarts; ++k) {
      panels.push_back({k == 0 ? "where this sample may end" : "another", [=](const Axes& axes, double t) {
                          const Tensor x = slice(at_clock(states, t), 0, k, k + 1);
                          const Tensor w = marginal.weights(x, Tensor::full({1}, t));
                          const Real greatest = max(w).item();
                          draw_points(axes, data, kFrameGray, {1.3, 1});
                          for (Index i = 0; i < data.dim(0); ++i) {
                            const double share = static_cast<double>(w.data()[i] / greatest);
                            if (share < 0.02) continue;
                            draw_points(axes, slice(data, 0, i, i + 1), kOrange,
                                        {1.3 + 2.4 * std::sqrt(share), 0.15 + 0.85 * share});
                          }
                          std::vector<Point> way;
                          for (const Tensor& state : states) {
                            way.push_back({state.data()[2 * k], state.data()[2 * k + 1]});
                            if (&state == &at_clock(states, t)) break;
                          }
                          axes.path(way, 1.4 * axes.scale(), kBlue);
                          draw_points(axes, x, kBlue, {4, 1});
                          const double sum_of_squares = static_cast<double>(sum(square(w)).item());
                          axes.note(concat("about ", counted(std::llround(1 / sum_of_squares), "data point"), " left"),
                                    1, kGray);
                        }});
    }
    return film_of(std::move(panels), limits_around(data), {.width = 245, .frames = kFrames});
  }

  // Where one sample is, an arrow for each data point that it may reach, and their mean, along which it moves.
  Film mean(const Tensor& data, const flow::EmpiricalMarginal& marginal, std::uint64_t seed) const {
    Generator rng(seed);
    const std::vector<Tensor> states = way_of(marginal, Tensor::randn({1, 2}, rng), kFrames);
    const auto draw = [=, scheduler = flow::CondOtScheduler(sigma_min_)](const Axes& axes, double t) {
      const Tensor &place = at_clock(states, t), times = Tensor::full({1}, t), w = marginal.weights(place, times);
      const flow::Coefficients c = scheduler.at(t);
      const double greatest = max(w).item(), x = place.data()[0], y = place.data()[1];
      // Half of the velocity keeps the arrows in the picture.
      const auto arrow = [&](double u, double v, double width, const Color& color) {
        axes.arrow({x, y}, {x + 0.5 * u, y + 0.5 * v}, width, color);
      };
      draw_points(axes, data, kFrameGray, {1.5, 1});
      for (Index i = 0; i < data.dim(0); ++i) {
        const double share = w.data()[i] / greatest;
        if (share < 0.01) continue;
        const double x_1 = data.data()[2 * i], y_1 = data.data()[2 * i + 1];
        const double z_x = (x - c.alpha * x_1) / c.sigma, z_y = (y - c.alpha * y_1) / c.sigma;
        draw_points(axes, slice(data, 0, i, i + 1), kBlue, {2.4, 0.2 + 0.8 * share});
        arrow(c.d_alpha * x_1 + c.d_sigma * z_x, c.d_alpha * y_1 + c.d_sigma * z_y, 1,
              kBlue.with_opacity(0.04 + 0.4 * share));
      }
      const Tensor u = marginal.velocity(place, times);
      arrow(u.data()[0], u.data()[1], 3, kOrange);
      draw_points(axes, place, kInk, {4, 1});
    };
    return film_of({{"conditional fields where a sample is, and their mean", draw}}, limits_around(data),
                   {.width = 330, .frames = kFrames, .moments = {0, 0.25, 0.5, 0.75}});
  }

  std::string view_ = "field";
  FigureData data_{.data = "8gaussians"};
  Index points_ = 300, samples_ = 250;
  double sigma_min_ = 0.1;
};

}  // namespace

std::unique_ptr<Figure> make_marginal() { return std::make_unique<Marginal>(); }

}  // namespace rill::tools
