// A batch of noise and data paired in different ways, and the flows that are learned from such pairs.
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/metrics/path_energy.hpp"
#include "flow/model/flow_matching.hpp"
#include "flow/model/generate.hpp"
#include "flow/transport/coupling.hpp"
#include "tools/cli/phase.hpp"
#include "tools/cli/usage_error.hpp"
#include "tools/figures/drawing.hpp"
#include "tools/figures/figure.hpp"
#include "tools/figures/figure_data.hpp"
#include "tools/plot/ticks.hpp"

namespace rill::tools {
namespace {

struct Way {
  std::string title;
  flow::CouplingDescription coupling;
  bool by_class = false;
};

class Pairs final : public Figure {
 public:
  void declare(Options& options) override {
    options.group("Figure");
    options.add("view", view_, "NAME", "batch: the pairs; flows: the flows that are trained on such pairs");
    data_.declare(options);
    options.add("batch", batch_, "COUNT", "pairs");
    options.add("steps", steps_, "COUNT", "flows: training steps of each");
    options.add("regularization", regularization_, "COST", "of Sinkhorn's pairs: the weight of the entropy");
  }

  Film draw(std::uint64_t seed) override {
    by_option("view", [&] { require_known("view", view_, {"batch", "flows"}); });
    require_at_least("batch", static_cast<double>(batch_), 2);
    require_at_least("steps", static_cast<double>(steps_), 1);
    if (!(regularization_ > 0)) {
      throw UsageError(concat("--regularization: expected a number above 0, got ", regularization_));
    }
    const std::shared_ptr<datasets::Data> data = data_.open();
    std::vector<Way> ways = {{"independent", {}},
                             {"optimal transport", {.name = "ot"}},
                             {"Sinkhorn", {.name = "entropic", .regularization = regularization_}}};
    if (has_modes(*data)) ways.push_back({"within each class", {.name = "ot"}, true});
    return view_ == "batch" ? batch(*data, ways, seed) : flows(data, ways, seed);
  }

 private:
  static bool has_modes(const datasets::Data& data) {
    return data.density() != nullptr && !data.density()->mode_weights().empty();
  }
  // The classes of a density with modes are its modes.
  static Indices classes_of(const datasets::Data& data, const Tensor& x) { return Indices(data.density()->mode_of(x)); }

  Film batch(const datasets::Data& data, const std::vector<Way>& ways, std::uint64_t seed) const {
    Generator rng(seed);
    const Tensor x_1 = data.draw(batch_, rng).x_1, x_0 = Tensor::randn(x_1.shape(), rng);
    std::vector<FilmPanel> panels;
    for (const Way& way : ways) {
      const Indices labels = way.by_class ? classes_of(data, x_1) : Indices();
      const Tensor partner = gather_rows(x_0, flow::couple(way.coupling, x_0, x_1, labels, rng));
      const double cost = mean(sum(square(x_1 - partner), {.axes = {1}})).item();
      panels.push_back({way.title, [=](const Axes& axes, double t) {
                          for (Index i = 0; i < x_1.dim(0); ++i) {
                            const Point pair[] = {{partner.data()[2 * i], partner.data()[2 * i + 1]},
                                                  {x_1.data()[2 * i], x_1.data()[2 * i + 1]}};
                            axes.path(pair, 0.8 * axes.scale(), kFrameGray.with_opacity(0.8));
                          }
                          draw_points(axes, partner, kGray, {2, 0.9});
                          draw_points(axes, x_1, kOrange, {2, 0.9});
                          if (t > 0) draw_points(axes, (1 - t) * partner + t * x_1, kBlue, {2.4, 1});
                          axes.note(concat("mean squared length ", format_fixed(cost, 1)), 0, kGray);
                        }});
    }
    return film_of(std::move(panels), limits_around(x_1), {.moments = {0}, .time = ""});
  }

  Film flows(const std::shared_ptr<datasets::Data>& data, const std::vector<Way>& ways, std::uint64_t seed) const {
    std::vector<FilmPanel> panels;
    Phase phase("training", static_cast<double>(steps_ * static_cast<Index>(ways.size())));
    for (const Way& way : ways) {
      flow::FlowMatchingDescription description;
      description.network.hidden = {64, 64, 64};
      if (way.by_class) description.network.classes = std::ssize(data->density()->mode_weights());
      description.coupling = way.coupling;
      Generator rng(seed);
      flow::FlowMatching model(description, rng);
      nn::TrainerOptions options;
      options.seed = seed;
      options.ema_decay = 0.99;
      options.learning_rate = {.schedule = "cosine", .peak = 0.005, .steps = steps_};
      const auto batches = [data, by_class = way.by_class](Index, Generator& draws) {
        datasets::Batch drawn = data->draw(256, draws);
        if (by_class) drawn.labels = classes_of(*data, drawn.x_1);
        return drawn;
      };
      const auto loop = model.trainer(batches, options);
      for (Index i = 0; i < steps_; ++i) {
        phase.advance(1);
        loop->step();
      }
      const Tensor x_0 = Tensor::randn({90, 2}, rng);
      const Indices labels = way.by_class ? Indices(rng.integers(x_0.dim(0), description.network.classes)) : Indices();
      const flow::Generated generated = flow::generate(
          *model.dynamics(), x_0, labels, {.solver = flow::FixedSteps{&flow::kRk4, 59}, .keep_trajectory = true});
      const double straightness = flow::straightness(generated.times, generated.trajectory).value;
      panels.push_back({way.title, [=](const Axes& axes, double t) {
                          const auto now = static_cast<std::size_t>(
                              std::lround(t * static_cast<double>(generated.trajectory.size() - 1)));
                          for (Index i = 0; i < x_0.dim(0); ++i) {
                            std::vector<Point> path;
                            for (std::size_t k = 0; k <= now; ++k) {
                              const Real* x = generated.trajectory[k].data() + 2 * i;
                              path.push_back({x[0], x[1]});
                            }
                            axes.path(path, 0.7 * axes.scale(), kOrange.with_opacity(0.5));
                          }
                          draw_points(axes, x_0, kFrameGray, {1.6, 1});
                          draw_points(axes, generated.trajectory[now], kBlue, {2, 0.9});
                          axes.note(concat("bend ", format_fixed(straightness, 2)), 1, kGray);
                        }});
    }
    Generator rng(seed);
    return film_of(std::move(panels), limits_around(data->draw(500, rng).x_1), {.moments = {0.3, 0.6, 1}});
  }

  std::string view_ = "batch";
  FigureData data_{.data = "8gaussians"};
  Index batch_ = 128, steps_ = 1500;
  double regularization_ = 2;
};

}  // namespace

std::unique_ptr<Figure> make_pairs() { return std::make_unique<Pairs>(); }

}  // namespace rill::tools
