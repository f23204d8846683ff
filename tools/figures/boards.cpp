// Checkerboards of 5 x 5 and 8 x 8 cells forming from noise.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/path/marginal.hpp"
#include "tools/cli/usage_error.hpp"
#include "tools/figures/drawing.hpp"
#include "tools/figures/figure.hpp"
#include "tools/figures/model_film.hpp"
#include "tools/plot/ticks.hpp"
#include "tools/run.hpp"

namespace rill::tools {
namespace {

constexpr int kFrames = 60;

class Boards final : public Figure {
 public:
  void declare(Options& options) override {
    options.group("Figure");
    options.add("cells", cells_, "COUNTS", "cells along an axis of each board, which forms by its exact field");
    options.add("points", points_, "COUNT", "data points that make the exact field");
    options.add("samples", samples_, "COUNT", "moving points");
    options.add("runs", runs_, "RUNS", "show these trained runs instead");
  }

  Film draw(std::uint64_t seed) override {
    require_at_least("samples", static_cast<double>(samples_), 1);
    require_at_least("points", static_cast<double>(points_), 1);
    std::vector<FilmPanel> panels;
    Tensor shown = Tensor::from({-kHalf, -kHalf, kHalf, kHalf}, {2, 2});  // what all panels must show
    const auto add = [&](const std::string& title, const datasets::Density* density, const std::vector<Tensor>& way) {
      const std::optional<double> inside = density != nullptr ? density->share_in_support(way.back()) : std::nullopt;
      panels.push_back({title, [=](const Axes& axes, double clock) {
                          draw_points(axes, at_clock(way, clock), kBlue, {1, 0.6});
                          if (clock == 1 && inside) {
                            axes.note(concat(format_fixed(100 * *inside, 1), " % on the board"), 1, kGray);
                          }
                        }});
    };
    if (!runs_.empty() && cells_ != Boards().cells_) throw UsageError("--cells: not together with --runs");
    for (const Index cells : runs_.empty() ? cells_ : std::vector<Index>()) {
      require_at_least("cells", static_cast<double>(cells), 2);
      const auto data = datasets::open_data(
          {.source = "checkerboard",
           .parameters = {{"cells", static_cast<double>(cells)}, {"low", -kHalf}, {"high", kHalf}}});
      add(concat(cells, " x ", cells, " cells"), data->density(), exact_way(*data, seed));
    }
    for (const std::string& run : runs_) {
      const TrainedModel trained = load_trained_model(run);
      if (trained.model->dimension() != 2) throw UsageError(concat("--runs: ", run, " is not of points in the plane"));
      const auto data = datasets::open_data(trained.data);
      Generator rng(seed);
      const Tensor points = data->draw(500, rng).x_1;
      shown = panels.empty() ? points : concatenate({shown, points}, 0);
      add(trained.data.text(), data->density(), way_of(*trained.model, samples_, kFrames, seed));
    }
    return film_of(std::move(panels), limits_around(shown),
                   {.width = 300, .frames = kFrames, .colors = 12, .moments = {0, 0.6, 0.8, 1}});
  }

 private:
  static constexpr double kHalf = 4;

  std::vector<Tensor> exact_way(const datasets::Data& data, std::uint64_t seed) const {
    constexpr double kSigmaMin = 0.03;
    Generator rng(seed);
    const Tensor points = data.draw(points_, rng).x_1;
    return way_of(flow::EmpiricalMarginal(points, std::make_shared<flow::CondOtScheduler>(kSigmaMin)),
                  Tensor::randn({samples_, 2}, rng), kFrames);
  }

  std::vector<Index> cells_ = {5, 8};
  Index points_ = 4000, samples_ = 2200;
  std::vector<std::string> runs_;
};

}  // namespace

std::unique_ptr<Figure> make_boards() { return std::make_unique<Boards>(); }

}  // namespace rill::tools
