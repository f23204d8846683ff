// The densities of several runs on the same data, side by side, for docs/roads.md.
//
//   bench_roads_picture OUT.png TITLE RUN [TITLE RUN ...]
//
// For a model without a density: that of 40,000 samples, counted in cells.
#include <cmath>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "datasets/data.hpp"
#include "flow/solver/adaptive.hpp"
#include "tools/cli/phase.hpp"
#include "tools/density_picture.hpp"
#include "tools/measurements.hpp"
#include "tools/plot/png.hpp"
#include "tools/run.hpp"
#include "tools/sampling.hpp"

namespace rill::tools {
namespace {

flow::LogDensity counted(const TrainedModel& trained) {
  constexpr double kCell = 0.2;
  constexpr Index kSamples = 40'000;
  using Cell = std::pair<Index, Index>;
  const auto cell = [](const Real* point) {
    return Cell(std::llround(static_cast<double>(point[0]) / kCell),
                std::llround(static_cast<double>(point[1]) / kCell));
  };
  SampleRequest request;
  request.count = kSamples;
  const Tensor x = draw_samples(trained, request).x;
  std::map<Cell, Index> counts;
  for (Index i = 0; i < kSamples; ++i) ++counts[cell(x.data() + 2 * i)];
  return [counts, cell](const Tensor& at) {
    Tensor log_p = Tensor::empty({at.dim(0)});
    for (Index i = 0; i < at.dim(0); ++i) {
      const auto found = counts.find(cell(at.data() + 2 * i));
      const double share = found == counts.end() ? 0 : static_cast<double>(found->second) / kSamples;
      log_p.data()[i] = static_cast<Real>(std::log(share / (kCell * kCell)));
    }
    return log_p;
  };
}

int draw(int argc, char** argv) {
  if (argc < 4 || argc % 2 != 0) {
    std::cerr << "usage: bench_roads_picture OUT.png TITLE RUN [TITLE RUN ...]" << std::endl;
    return 2;
  }
  std::vector<TrainedModel> models;
  for (int i = 3; i < argc; i += 2) models.push_back(load_trained_model(argv[i]));
  flow::LikelihoodOptions options;
  flow::AdaptiveOptions solver;
  solver.tolerance = {.rtol = 1e-4, .atol = 1e-4};
  options.solver = solver;
  Phase phase("drawing", 0);
  std::vector<TitledDensity> learned;
  for (std::size_t i = 0; i < models.size(); ++i) {
    const bool known = models[i].model->density_kind() != flow::DensityKind::kNone;
    learned.push_back({argv[2 + 2 * i], known ? learned_log_density(models[i], options, phase) : counted(models[i])});
  }
  constexpr double kWidth = 150;
  write_png(argv[1], density_picture(*datasets::open_data(models.front().data), learned, 0, kWidth));
  return 0;
}

}  // namespace
}  // namespace rill::tools

int main(int argc, char** argv) {
  try {
    return rill::tools::draw(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "bench_roads_picture: " << error.what() << std::endl;
    return 1;
  }
}
