// Two distant modes of unequal weight, sampled by gradient ascent, by Langevin dynamics, by annealing, and by a flow.
#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/metrics/mode_masses.hpp"
#include "flow/path/marginal.hpp"
#include "flow/solver/langevin.hpp"
#include "tools/cli/usage_error.hpp"
#include "tools/figures/drawing.hpp"
#include "tools/figures/figure.hpp"
#include "tools/figures/figure_data.hpp"
#include "tools/figures/model_film.hpp"
#include "tools/plot/plot_grid.hpp"
#include "tools/plot/ticks.hpp"

namespace rill::tools {
namespace {

constexpr int kFrames = 60;

class Modes final : public Figure {
 public:
  void declare(Options& options) override {
    options.group("Figure");
    data_.declare(options);
    options.add("samples", samples_, "COUNT", "moving points");
    options.add("points", points_, "COUNT", "data points that stand for the density, for annealing and the flow");
  }

  Film draw(std::uint64_t seed) override {
    require_at_least("samples", static_cast<double>(samples_), 1);
    require_at_least("points", static_cast<double>(points_), 1);
    const std::shared_ptr<datasets::Data> data = data_.open();
    const datasets::Density* density = data->density();
    if (density == nullptr || density->mode_weights().empty()) {
      throw UsageError(concat("--data: ", data_.data, " has no modes to count; try two-modes or 8gaussians"));
    }
    Generator rng(seed);
    const Tensor points = density->sample(points_, rng), start = Tensor::randn({samples_, 2}, rng);
    const flow::EmpiricalMarginal marginal(points, std::make_shared<flow::CondOtScheduler>(kLeastNoise));

    // The gradient of ln p, or of p.
    const auto gradient = [density](bool of_logarithm) -> Function {
      return [density, of_logarithm](const Tensor& x) {
        const GradMode record_graph(true);
        const Tensor at = x.detach().set_requires_grad(), log_p = density->log_density(at).value();
        return grad(sum(of_logarithm ? log_p : exp(log_p)), at);
      };
    };
    const Function score = gradient(true), slope = gradient(false);
    constexpr Index kStepsEach = 10;  // between frames
    std::vector<std::pair<std::string, std::vector<Tensor>>> ways;
    ways.emplace_back("uphill on p", states(start, [&](const Tensor& x, int) {
                        Tensor y = x;
                        for (Index i = 0; i < kStepsEach; ++i) y = y + kUphill * slope(y);
                        return y;
                      }));
    ways.emplace_back("uphill on ln p", states(start, [&](const Tensor& x, int) {
                        Tensor y = x;
                        for (Index i = 0; i < kStepsEach; ++i) y = y + kStep / 2 * score(y);
                        return y;
                      }));
    ways.emplace_back("Langevin", states(start, [&](const Tensor& x, int) {
                        return flow::langevin(score, x, {.step_size = kStep, .steps = kStepsEach}, rng);
                      }));
    ways.emplace_back("annealed Langevin", annealed(marginal, points, start, rng));
    ways.emplace_back("flow", way_of(marginal, start, kFrames));

    std::vector<FilmPanel> panels;
    for (const auto& [title, way] : ways) {
      panels.push_back({title, [=, way = way](const Axes& axes, double clock) {
                          const Tensor& x = at_clock(way, clock);
                          draw_points(axes, points, kOrange, {1.1, 0.1});
                          draw_points(axes, x, kBlue, {1.8, 0.7});
                          axes.note(shares_text(*data->density(), x), 1, kGray);
                        }});
    }
    return film_of(std::move(panels), limits_around(points, 0.8),
                   {.width = 185, .moments = {0, 0.1, 0.5, 1}, .time = "done"});
  }

 private:
  static constexpr double kStep = 0.02, kUphill = 0.05;
  static constexpr double kLeastNoise = 0.05;  // around each of the points that stand for the density

  // The points at every frame; step() takes them from one to the next.
  static std::vector<Tensor> states(const Tensor& start, const std::function<Tensor(const Tensor&, int)>& step) {
    std::vector<Tensor> all = {start};
    for (int frame = 1; frame < kFrames; ++frame) all.push_back(step(all.back(), frame));
    return all;
  }

  // Langevin dynamics at noise that falls from wider than the data to almost none. With noise s, the score of the data
  // is (E[x_1 | x] - x) / s^2, where x_t = t x of the path has that noise at 1 - t = s t.
  static std::vector<Tensor> annealed(const flow::EmpiricalMarginal& marginal, const Tensor& points,
                                      const Tensor& start, Generator& rng) {
    constexpr double kMost = 8, kLeast = 0.12;
    constexpr Index kStepsEach = 12;
    const auto noise_of = [](int frame) {
      return kMost * std::pow(kLeast / kMost, static_cast<double>(frame - 1) / (kFrames - 2));
    };
    return states(start * 1.0, [&](const Tensor& x, int frame) {
      const double s = noise_of(frame), t = 1 / (1 + s);
      const Tensor times = Tensor::full({x.dim(0)}, t);
      const Function score = [&](const Tensor& y) {
        return (matmul(marginal.weights(t * y, times), points) - y) / (s * s);
      };
      return flow::langevin(score, frame == 1 ? kMost * x : x, {.step_size = 0.2 * s * s, .steps = kStepsEach}, rng);
    });
  }

  // The left one's share of two modes; of more, the emptiest one's share of what it should be.
  static std::string shares_text(const datasets::Density& density, const Tensor& x) {
    const flow::ModeMasses masses = flow::mode_masses(density, x);
    if (masses.weights.size() != 2) return concat("emptiest mode: ", format_fixed(masses.least_filled, 2));
    return concat("left ", format_fixed(masses.shares[0].value, 2), ", should be ", format_fixed(masses.weights[0], 2));
  }

  FigureData data_{.data = "two-modes"};
  Index samples_ = 400, points_ = 1000;
};

}  // namespace

std::unique_ptr<Figure> make_modes() { return std::make_unique<Modes>(); }

}  // namespace rill::tools
