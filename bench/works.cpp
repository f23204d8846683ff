#include "bench/works.hpp"

#include "autodiff/error.hpp"
#include "datasets/annulus.hpp"
#include "datasets/checkerboard.hpp"

namespace rill::bench {
namespace {

flow::TrainerOptions constant_rate(double learning_rate) {
  flow::TrainerOptions options;
  options.learning_rate.peak = learning_rate;
  return options;
}

flow::TrainerOptions tuned() {
  flow::TrainerOptions options = constant_rate(1e-2);
  options.examples.times.distribution = "late";
  options.clip_norm = 1;
  options.ema_decay = 0.99;
  return options;
}

}  // namespace

flow::BatchSource Work::source(Index points) const {
  return [this, points](Index, Generator& rng) { return flow::Batch{density.sample(points, rng), {}}; };
}

const std::vector<Work>& works() {
  static const datasets::Annulus annulus;
  static const datasets::Checkerboard checkerboard;
  static const std::vector<Work> all = {
      {"annulus-plain", annulus, {.hidden = {64, 64, 64}, .activation = "elu"}, 256, constant_rate(1e-2)},
      {"annulus",
       annulus,
       {.hidden = {64, 64, 64}, .activation = "silu", .time_embedding = "fourier", .time_frequencies = 2},
       256,
       tuned()},
      {"checkerboard", checkerboard, {.hidden = {512, 512, 512, 512}}, 4096, constant_rate(1e-3)}};
  return all;
}

const Work& work(const std::string& name) {
  for (const Work& each : works()) {
    if (each.name == name) return each;
  }
  fail("unknown work '", name, "': expected annulus-plain, annulus or checkerboard");
}

}  // namespace rill::bench
