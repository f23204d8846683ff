#include "bench/works.hpp"

#include "autodiff/error.hpp"
#include "datasets/annulus.hpp"
#include "datasets/checkerboard.hpp"

namespace rill::bench {
namespace {

nn::TrainerOptions constant_rate(double learning_rate) {
  nn::TrainerOptions options;
  options.learning_rate.peak = learning_rate;
  return options;
}

nn::TrainerOptions tuned() {
  nn::TrainerOptions options = constant_rate(1e-2);
  options.clip_norm = 1;
  options.ema_decay = 0.99;
  return options;
}

flow::FlowMatchingDescription annulus_model() {
  flow::FlowMatchingDescription model;
  model.network = {.hidden = {64, 64, 64}, .activation = "silu", .time_embedding = "fourier", .time_frequencies = 2};
  model.times.distribution = "late";
  return model;
}

nn::TimeNetworkDescription mnist_unet() {
  nn::TimeNetworkDescription model;
  model.kind = "unet";
  model.dimension = 28 * 28;
  model.image = {.height = 28, .width = 28, .channels = 1};
  model.classes = 10;
  model.time_embedding = "unscaled";
  model.time_frequencies = 16;
  model.unet = {.attention = {0}, .no_class = false};
  return model;
}

}  // namespace

datasets::BatchSource Work::source(Index points) const {
  return [this, points](Index, Generator& rng) {
    datasets::Batch batch{data(points, rng), {}};
    if (model.network.classes > 0) batch.labels = rng.integers(points, model.network.classes);
    return batch;
  };
}

const std::vector<Work>& works() {
  static const auto annulus = [](Index n, Generator& rng) { return datasets::Annulus().sample(n, rng); };
  static const auto checkerboard = [](Index n, Generator& rng) { return datasets::Checkerboard().sample(n, rng); };
  static const auto images = [](Index n, Generator& rng) { return 2 * Tensor::rand({n, 28 * 28}, rng) - 1; };
  static const std::vector<Work> all = {
      {"annulus-plain", annulus, {.network = {.hidden = {64, 64, 64}, .activation = "elu"}}, 256, constant_rate(1e-2)},
      {"annulus", annulus, annulus_model(), 256, tuned()},
      {"checkerboard", checkerboard, {.network = {.hidden = {512, 512, 512, 512}}}, 4096, constant_rate(1e-3)},
      {"mnist-unet", images, {.network = mnist_unet()}, 128, constant_rate(1e-3)}};
  return all;
}

const Work& work(const std::string& name) {
  for (const Work& each : works()) {
    if (each.name == name) return each;
  }
  fail("unknown work '", name, "': expected annulus-plain, annulus, checkerboard or mnist-unet");
}

}  // namespace rill::bench
