// The same data by every family of models, as films on one clock.
#include "flow/model/families.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/random.hpp"
#include "nn/training_loop.hpp"
#include "tools/cli/phase.hpp"
#include "tools/cli/usage_error.hpp"
#include "tools/figures/drawing.hpp"
#include "tools/figures/figure.hpp"
#include "tools/figures/figure_data.hpp"
#include "tools/figures/model_film.hpp"
#include "tools/run.hpp"

namespace rill::tools {
namespace {

constexpr int kFrames = 60;

class FamiliesFigure final : public Figure {
 public:
  void declare(Options& options) override {
    options.group("Figure");
    data_.declare(options);
    options.add("steps", steps_, "COUNT",
                "training steps of each family; of those that solve an ODE in each, a twentieth");
    options.add("samples", samples_, "COUNT", "moving points");
    options.add("runs", runs_, "RUNS", "show these runs instead of models trained for the figure");
  }

  Film draw(std::uint64_t seed) override {
    require_at_least("steps", static_cast<double>(steps_), 1);
    require_at_least("samples", static_cast<double>(samples_), 1);
    std::vector<std::shared_ptr<flow::GenerativeModel>> models;
    Tensor points;
    if (runs_.empty()) {
      const std::shared_ptr<datasets::Data> data = data_.open();
      models = trained(*data, seed);
      points = data_.points(600, seed);
    } else {
      for (const std::string& run : runs_) {
        TrainedModel loaded = load_trained_model(run);
        if (loaded.model->dimension() != 2) throw UsageError(concat("--runs: ", run, " is not of points in the plane"));
        if (models.empty()) {
          Generator rng(seed);
          points = datasets::open_data(loaded.data)->draw(600, rng).x_1;
        }
        models.push_back(std::move(loaded.model));
      }
    }
    std::vector<FilmPanel> panels;
    for (const auto& model : models) {
      panels.push_back(
          {model->family(), [=, way = way_of(*model, samples_, kFrames, seed)](const Axes& axes, double clock) {
             draw_points(axes, points, kOrange, {1.1, 0.12});
             draw_points(axes, at_clock(way, clock), kBlue, {1.5, 0.75});
           }});
    }
    return film_of(std::move(panels), limits_around(points, 0.8),
                   {.width = 138, .frames = kFrames, .moments = {0, 0.5, 0.8, 1}, .time = "done"});
  }

 private:
  std::vector<std::shared_ptr<flow::GenerativeModel>> trained(const datasets::Data& data, std::uint64_t seed) const {
    std::vector<std::shared_ptr<flow::GenerativeModel>> models;
    Phase phase("training", 0);
    const auto of_each = [&]<class... Model>(const std::tuple<Model...>*) {
      (models.push_back(trained_one<Model>(data, seed, models, phase)), ...);
    };
    of_each(static_cast<const flow::AllFamilies*>(nullptr));
    return models;
  }

  template <class Model>
  std::shared_ptr<flow::GenerativeModel> trained_one(const datasets::Data& data, std::uint64_t seed,
                                                     const std::vector<std::shared_ptr<flow::GenerativeModel>>& others,
                                                     Phase& phase) const {
    typename Model::Description description;
    if constexpr (requires { description.network.hidden; }) {
      description.network.hidden = {64, 64, 64};
      description.network.activation = "silu";
    }
    const flow::DataShape shape{.dimension = 2};
    Generator rng(seed);
    std::shared_ptr<Model> model;
    if constexpr (requires { description.autoencoder; }) {
      // That of the family before, which has been trained on the same data.
      std::shared_ptr<flow::Vae> autoencoder;
      for (const auto& other : others) {
        if (auto vae = std::dynamic_pointer_cast<flow::Vae>(other)) autoencoder = vae;
      }
      require(autoencoder != nullptr, "families: a latent flow needs an autoencoder before it");
      description.autoencoder = autoencoder->description();
      description.set_shape(shape);
      model = std::make_shared<Model>(description, autoencoder, rng);
    } else {
      description.set_shape(shape);
      model = std::make_shared<Model>(description, rng);
    }
    const bool solves = std::is_same_v<Model, flow::ContinuousFlow>;
    const Index steps = solves ? std::max<Index>(1, steps_ / 20) : steps_;
    nn::TrainerOptions options;
    options.seed = seed;
    options.clip_norm = 5;
    options.learning_rate = {.schedule = "cosine", .peak = solves ? 0.01 : 0.003, .steps = steps};
    const auto loop = model->trainer(data.batches(256, seed), options);
    for (Index i = 0; i < steps; ++i) {
      phase.advance(1);
      loop->step();
    }
    return model;
  }

  FigureData data_{.data = "moons"};
  Index steps_ = 3000, samples_ = 500;
  std::vector<std::string> runs_;
};

}  // namespace

std::unique_ptr<Figure> make_families() { return std::make_unique<FamiliesFigure>(); }

}  // namespace rill::tools
