// A trained run: its samples, density, field, trajectories, loss and likelihoods.
#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "autodiff/text.hpp"
#include "datasets/csv.hpp"
#include "flow/metrics/likelihood.hpp"
#include "flow/model/flow_matching.hpp"
#include "flow/path/marginal.hpp"
#include "flow/path/time_sampling.hpp"
#include "tools/cli/phase.hpp"
#include "tools/cli/usage_error.hpp"
#include "tools/density_picture.hpp"
#include "tools/figures/drawing.hpp"
#include "tools/figures/figure.hpp"
#include "tools/figures/model_film.hpp"
#include "tools/measurements.hpp"
#include "tools/plot/line_chart.hpp"
#include "tools/plot/path_plot.hpp"
#include "tools/run.hpp"
#include "tools/sampling.hpp"

namespace rill::tools {
namespace {

constexpr Index kExactPoints = 3000;  // that stand for the data in its exact field
constexpr double kLatest = 0.999;     // at t = 1 the exact field of a path without noise is undefined

class RunFigure final : public Figure {
 public:
  void declare(Options& options) override {
    options.group("Figure");
    options.add_positional("RUN", run_, "a trained run of points in the plane, such as runs/annulus");
    options.add("view", view_, "NAME", joined(views()));
    options.add("samples", samples_, "COUNT", "points");
  }

  Film draw(std::uint64_t seed) override {
    if (run_.empty()) throw UsageError("expected a trained run; train one with train --preset annulus");
    by_option("view", [&] { require_known("view", view_, views()); });
    require_at_least("samples", static_cast<double>(samples_), 1);
    if (view_ == "loss") return still_film(loss(seed));
    const TrainedModel trained = load_trained_model(run_);
    if (trained.model->dimension() != 2) {
      throw UsageError(concat("the points of ", run_, " have ", counted(trained.model->dimension(), "coordinate"),
                              "; this figure shows the plane"));
    }
    const std::shared_ptr<datasets::Data> data = datasets::open_data(trained.data);
    if (view_ == "film") return film(trained, *data, seed);
    if (view_ == "samples") {
      SampleRequest request;
      request.count = samples_;
      request.seed = seed;
      return still_film(sample_picture(trained, draw_samples(trained, request), data.get(), seed));
    }
    if (view_ == "trajectories") return still_film(trajectories(trained, seed));
    if (view_ == "field") return field(trained, *data, seed);
    if (trained.model->density_kind() == flow::DensityKind::kNone) {
      throw UsageError(concat("--view ", view_, ": ", trained.model->no_density()));
    }
    return still_film(view_ == "density" ? density(trained, *data, seed) : likelihoods(trained, *data, seed));
  }

 private:
  static std::vector<std::string> views() {
    return {"film", "samples", "density", "field", "trajectories", "loss", "likelihood"};
  }

  Film film(const TrainedModel& trained, const datasets::Data& data, std::uint64_t seed) const {
    constexpr int kFrames = 60;
    const Tensor points = draw_data(data, 800, seed);
    const std::vector<Tensor> way = way_of(*trained.model, samples_, kFrames, seed);
    return film_of({{trained.data.text(),
                     [=](const Axes& axes, double clock) {
                       draw_points(axes, points, kOrange, {1.3, 0.2});
                       draw_points(axes, at_clock(way, clock), kBlue, {1.5, 0.7});
                     }}},
                   limits_around(points), {.width = 400, .frames = kFrames});
  }

  Image trajectories(const TrainedModel& trained, std::uint64_t seed) const {
    std::vector<std::vector<double>> states;
    for (const Tensor& x : way_of(*trained.model, std::min<Index>(samples_, 400), 60, seed)) {
      states.push_back(datasets::to_data_units(trained.data, x).values);
    }
    const std::vector<std::span<const double>> spans(states.begin(), states.end());
    return path_plot(spans, datasets::has_equal_axes(trained.data));
  }

  // The field that a perfect network would learn from so many data points.
  static flow::EmpiricalMarginal exact_field(const flow::GenerativeModel& model, const datasets::Data& data,
                                             std::uint64_t seed) {
    const auto dynamics = model.dynamics();
    if (!dynamics || model.dynamics_are_latent() || dynamics->path == nullptr || dynamics->source ||
        dynamics->path->noise().kind != flow::PathNoise::kNone || !dynamics->no_score.empty() || model.classes() > 0) {
      throw UsageError(
          "--view: the exact field is known only for flows and diffusions from Gaussian noise, with "
          "independent pairs and without classes");
    }
    const std::shared_ptr<const flow::Scheduler> scheduler(dynamics->path, &dynamics->path->scheduler());
    return {draw_data(data, kExactPoints, seed, 1), scheduler};
  }

  static Film field(const TrainedModel& trained, const datasets::Data& data, std::uint64_t seed) {
    const flow::EmpiricalMarginal exact = exact_field(*trained.model, data, seed);
    const auto velocity = trained.model->dynamics()->velocity;
    const Tensor points = draw_data(data, 500, seed);
    const Limits limits = limits_around(points);
    constexpr int kCells = 15;
    const Tensor centers = cell_centers(limits, kCells);
    const double full = greatest_speed(exact.velocity(centers, Tensor::zeros({centers.dim(0)})));
    // Where hardly a point comes by, nothing was learned, and nothing is drawn.
    const auto draw = [=](int which) {
      return [=](const Axes& axes, double clock) {
        const Tensor t = Tensor::full({centers.dim(0)}, std::min(clock, 0.97));
        const Tensor log_p = exact.log_density(centers, t);
        const Tensor seen = reshape(less(max(log_p).item() - 7 - log_p, Tensor::scalar(0)), {centers.dim(0), 1});
        const Tensor learned = seen * (*velocity)(centers, t, {}), truth = seen * exact.velocity(centers, t);
        draw_points(axes, points, kOrange, {1.2, 0.15});
        draw_field(axes,
                   which == 0   ? learned
                   : which == 1 ? truth
                                : learned - truth,
                   limits, kCells, full, which == 2 ? kOrange : kGray);
      };
    };
    return film_of({{"learned field", draw(0)}, {"exact field", draw(1)}, {"difference", draw(2)}}, limits,
                   {.width = 245, .moments = {0, 0.5, 0.9}});
  }

  static Image density(const TrainedModel& trained, const datasets::Data& data, std::uint64_t seed) {
    Phase phase("drawing the density", 0);
    const TitledDensity learned[] = {{"learned", learned_log_density(trained, likelihood_options(), phase)}};
    return density_picture(data, learned, seed);
  }
  static flow::LikelihoodOptions likelihood_options() {
    flow::LikelihoodOptions options;
    flow::AdaptiveOptions solver;
    solver.tolerance = {.rtol = 1e-4, .atol = 1e-4};
    options.solver = solver;
    return options;
  }

  // How ln p of the model is spread over data and over its own samples: alike for a good model.
  static Image likelihoods(const TrainedModel& trained, const datasets::Data& data, std::uint64_t seed) {
    constexpr Index kPoints = 2000;
    Phase phase("computing likelihoods", 0);
    const flow::LogDensity log_density = learned_log_density(trained, likelihood_options(), phase);
    SampleRequest request;
    request.count = kPoints;
    request.seed = seed;
    const Tensor sets[] = {log_density(draw_data(data, kPoints, seed)), log_density(draw_samples(trained, request).x)};
    double low = 0, high = 0;
    for (const Tensor& values : sets) {
      std::vector<Real> sorted = values.to_vector();
      std::sort(sorted.begin(), sorted.end());
      low = &values == &sets[0] ? sorted[kPoints / 100] : std::min<double>(low, sorted[kPoints / 100]);
      high = &values == &sets[0] ? sorted.back() : std::max<double>(high, sorted.back());
    }
    constexpr int kBins = 40;
    const double width = (high - low) / kBins;
    std::vector<Series> series = {{"data", {}, kInk}, {"samples", {}, kBlue}};
    for (std::size_t i = 0; i < 2; ++i) {
      std::vector<double> shares(kBins);
      for (const Real value : sets[i].to_vector()) {
        const double bin = std::floor((value - low) / width);
        if (bin >= 0 && bin < kBins) shares[static_cast<std::size_t>(bin)] += 1.0 / kPoints / width;
      }
      for (int bin = 0; bin < kBins; ++bin) {
        series[i].points.push_back({low + (bin + 0.5) * width, shares[static_cast<std::size_t>(bin)]});
      }
    }
    return line_chart(series,
                      {.title = "how ln p is distributed", .x_label = "ln p of the model, nats", .names_beside = true});
  }

  Image loss(std::uint64_t seed) const {
    const RunFiles files(run_);
    const datasets::Table metrics = datasets::read_csv(files.metrics);
    const auto column = [&](const std::string& name) {
      const auto found = std::find(metrics.names.begin(), metrics.names.end(), name);
      require_file(found != metrics.names.end(), files.metrics, "has no column ", in_quotes(name));
      return static_cast<Index>(found - metrics.names.begin());
    };
    const Index step = column("step"), loss = column("loss");
    std::vector<Series> series = {{"loss in training", {}, kBlue}};
    for (Index row = 0; row < metrics.rows; ++row) {
      const double* values = metrics.values.data() + row * metrics.columns;
      series[0].points.push_back({values[step], values[loss]});
    }
    require_file(!series[0].points.empty(), files.metrics, "has no rows; train for more steps than --log-every");
    // Of flow matching the least possible loss is known from the exact field.
    const TrainedModel trained = load_trained_model(run_);
    if (const auto* flow = dynamic_cast<const flow::FlowMatching*>(trained.model.get());
        flow != nullptr && flow->dimension() == 2) {
      const auto data = datasets::open_data(trained.data);
      const double floor =
          least_loss(exact_field(*flow, *data, seed), *flow, draw_data(*data, kExactPoints, seed, 1), seed);
      const double first = series[0].points.front().x, last = series[0].points.back().x;
      series.push_back({"least possible", {{first, floor}, {last, floor}}, kOrange});
    }
    return line_chart(series, {.title = "loss", .x_label = "step", .log_y = true, .names_beside = true});
  }

  // E |dx_t - u_t(x_t)|^2 / D over pairs of noise and those data points that make the field, at the times of the
  // training: with other times the floor is another.
  static double least_loss(const flow::EmpiricalMarginal& exact, const flow::FlowMatching& model, const Tensor& data,
                           std::uint64_t seed) {
    Generator rng(seed);
    const auto dynamics = model.dynamics();
    const Tensor x_0 = Tensor::randn(data.shape(), rng);
    const Tensor t = flow::sample_times(model.description().times, data.dim(0), rng);
    const flow::PathSample sample = dynamics->path->sample(x_0, data, minimum(t, Tensor::scalar(kLatest)));
    return mean(square(sample.dx_t - exact.velocity(sample.x_t, sample.t))).item();
  }

  std::string run_, view_ = "film";
  Index samples_ = 1000;
};

}  // namespace

std::unique_ptr<Figure> make_run_figure() { return std::make_unique<RunFigure>(); }

}  // namespace rill::tools
