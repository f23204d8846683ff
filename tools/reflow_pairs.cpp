#include "tools/reflow_pairs.hpp"

#include <chrono>
#include <filesystem>
#include <iostream>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "nn/safetensors.hpp"
#include "tools/text.hpp"

namespace rill::tools {
namespace {

// The noises' stream of the seed, beside those of tools/sampling.cpp.
constexpr std::uint64_t kPairStream = (std::uint64_t{1} << 59) + 64;

// Labels travel in the file as a tensor like the others.
flow::Pairs load(const std::string& file) {
  const nn::SafeTensors contents = nn::load_safetensors(file);
  const auto tensor = [&](const char* name) {
    for (const nn::NamedTensor& named : contents.tensors) {
      if (named.name == name) return named.tensor;
    }
    throw FileError(file, "holds no tensor '", name, "'; remove the file to make new pairs");
  };
  flow::Pairs pairs{tensor("x_0"), tensor("x_1"), {}};
  const Tensor labels = tensor("labels");
  std::vector<Index> numbers;
  for (const Real label : labels.values()) numbers.push_back(static_cast<Index>(label));
  pairs.labels = Indices(std::move(numbers));
  return pairs;
}

void save(const std::string& file, const flow::Pairs& pairs) {
  std::vector<Real> numbers;
  for (const Index label : pairs.labels) numbers.push_back(static_cast<Real>(label));
  const Tensor labels = Tensor::from(numbers, {pairs.labels.size()});
  nn::save_safetensors(file, {.tensors = {{"x_0", pairs.x_0}, {"x_1", pairs.x_1}, {"labels", labels}}, .metadata = {}});
}

}  // namespace

void ReflowSettings::declare(Options& options) {
  options.group("Reflow");
  options.add(
      "reflow", run, "RUN",
      "straighten this run's flow, so that few steps are enough: from its weights, on pairs of noise and what it "
      "makes of it; data and model are the run's");
  options.add("pairs", pairs, "COUNT", "reflow: how many pairs there are to learn from");
  options.add("pair-solver", solver, "NAME", "reflow: the solver that makes them");
  options.add("pair-steps", steps, "COUNT", "reflow: its equal steps");
  options.add("pair-guidance", guidance, "WEIGHT", "reflow: the guidance, which the new flow then has built in");
}

void ReflowSettings::complete() {
  if (run.empty()) return;
  const std::filesystem::path path = std::filesystem::absolute(run).lexically_normal();
  run = (path.has_filename() ? path : path.parent_path()).string();  // without a slash at its end
  require_at_least("pairs", static_cast<double>(pairs), 1);
  require_at_least("pair-steps", static_cast<double>(steps), 1);
  sampling().check();
}

SampleOptions ReflowSettings::sampling() const {
  SampleOptions options;
  options.run = run;
  options.solver = solver;
  options.steps = steps;
  options.guidance = guidance;
  return options;
}

flow::Pairs reflow_pairs(const ReflowSettings& settings, std::uint64_t seed, const std::string& file) {
  if (std::filesystem::exists(file)) {
    flow::Pairs kept = load(file);
    require_file(kept.x_0.rank() == 2 && kept.x_0.dim(0) == settings.pairs && kept.x_0.shape() == kept.x_1.shape(),
                 file, "holds points of shapes ", kept.x_0.shape(), " and ", kept.x_1.shape(), ", expected ",
                 settings.pairs, " pairs; remove the file to make new ones");
    return kept;
  }
  const auto start = std::chrono::steady_clock::now();
  const TrainedModel teacher = load_trained_model(settings.run);
  const SampleOptions sampling = settings.sampling();
  std::vector<Index> labels;
  for (Index i = 0; teacher.description.classes > 0 && i < settings.pairs; ++i) {
    labels.push_back(i % teacher.description.classes);
  }
  Generator rng(seed, kPairStream);
  const flow::Pairs pairs = flow::make_pairs(*sampling.model(teacher), teacher.source(settings.pairs, rng),
                                             Indices(std::move(labels)), sampling.generate_options(teacher));
  save(file, pairs);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  std::cerr << "made " << grouped(settings.pairs) << " pairs in " << duration(elapsed.count()) << std::endl;
  return pairs;
}

}  // namespace rill::tools
