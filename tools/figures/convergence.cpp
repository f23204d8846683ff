// Noise gathers at data points: the conditional path x_t = (1 - t) x_0 + t x_1 and its field.
#include <algorithm>
#include <array>
#include <memory>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/path/marginal.hpp"
#include "tools/figures/drawing.hpp"
#include "tools/figures/figure.hpp"
#include "tools/figures/figure_data.hpp"

namespace rill::tools {
namespace {

constexpr std::array kColors = {kBlue, kOrange, kTeal, kPurple};

class Convergence final : public Figure {
 public:
  void declare(Options& options) override {
    options.group("Figure");
    options.add("samples", samples_, "COUNT", "points of noise");
    options.add("data", data_.data, "FILE|NAME", "take the data points from here instead: its first four points");
    options.add("data-param", data_.parameters, "NAME=NUMBER", "parameters of that density");
  }

  Film draw(std::uint64_t seed) override {
    require_at_least("samples", static_cast<double>(samples_), 1);
    const Tensor several = data_.data.empty() ? Tensor::from({1.6, 1.1, -1.7, 0.9, -0.9, -1.8, 1.5, -1.3}, {4, 2})
                                              : data_.points(static_cast<Index>(kColors.size()), seed);
    const Tensor one = slice(several, 0, 0, 1);
    Generator rng(seed);
    const Tensor x_0 = Tensor::randn({samples_, 2}, rng);
    const std::vector<Index> target = rng.integers(samples_, several.dim(0));
    const Limits limits = limits_around(several);

    // The noise that goes to data point k, at time t.
    const auto gathered = [=](const Tensor& data, double t, Index k) {
      std::vector<Index> own;
      for (Index i = 0; i < x_0.dim(0); ++i) {
        if (data.dim(0) == 1 || target[static_cast<std::size_t>(i)] == k) own.push_back(i);
      }
      return (1 - t) * gather_rows(x_0, Indices(own)) + t * slice(data, 0, k, k + 1);
    };
    const auto draw_samples = [=](const Axes& axes, const Tensor& data, double t) {
      for (Index k = 0; k < data.dim(0); ++k) {
        const Color color = kColors[static_cast<std::size_t>(k)];
        const Tensor goal = slice(data, 0, k, k + 1);
        draw_points(axes, gathered(data, t, k), color, {1.7, 0.7});
        draw_points(axes, goal, kInk, {5.2, 1});
        draw_points(axes, goal, color, {3.8, 1});
      }
    };
    constexpr int kCells = 13;
    const Tensor centers = cell_centers(limits, kCells);
    const auto scheduler = std::make_shared<flow::CondOtScheduler>();
    const flow::EmpiricalMarginal conditional(one, scheduler);
    // u_t(x | x_1) = (x_1 - x) / (1 - t): as t grows its direction stays, and it becomes faster.
    const auto draw_conditional = [=](const Axes& axes, double t) {
      const auto field_at = [&](double time) {
        return conditional.velocity(centers, Tensor::full({centers.dim(0)}, std::min(time, 0.98)));
      };
      draw_field(axes, field_at(t), limits, kCells, 1.2 * greatest_speed(field_at(0)), kGray);
    };
    return film_of({{"one data point", [=](const Axes& axes, double t) { draw_samples(axes, one, t); }},
                    {"several", [=](const Axes& axes, double t) { draw_samples(axes, several, t); }},
                    {"with the field of t = 0",
                     [=](const Axes& axes, double t) {
                       draw_conditional(axes, 0);
                       draw_samples(axes, one, t);
                     }},
                    {"with the field of each t",
                     [=](const Axes& axes, double t) {
                       draw_conditional(axes, t);
                       draw_samples(axes, one, t);
                     }}},
                   limits);
  }

 private:
  Index samples_ = 250;
  FigureData data_{.data = ""};
};

}  // namespace

std::unique_ptr<Figure> make_convergence() { return std::make_unique<Convergence>(); }

}  // namespace rill::tools
