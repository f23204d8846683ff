#include "tools/reflow_pairs.hpp"

#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/text.hpp"
#include "nn/safetensors.hpp"
#include "tools/cli/phase.hpp"
#include "tools/cli/text.hpp"

namespace rill::tools {
namespace {

// The noises' stream of the seed, beside those of tools/sampling.cpp.
constexpr std::uint64_t kPairStream = (std::uint64_t{1} << 59) + 64;

constexpr const char* kMadeFromKey = "made_from";

// Everything that the pairs depend on.
std::string made_from(const ReflowSettings& settings, std::uint64_t seed) {
  return concat(settings.pairs, " pairs, ", settings.solver, ", ", settings.steps, " steps, guidance ",
                exact(settings.guidance), ", seed ", seed, ", model ", std::hex,
                hash(read_file(model_file(settings.run))));
}

// Labels travel in the file as a tensor like the others.
flow::Pairs unpack(const nn::SafeTensors& contents, const std::string& file) {
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

void save(const std::string& file, const flow::Pairs& pairs, const std::string& made_from) {
  std::vector<Real> numbers;
  for (const Index label : pairs.labels) numbers.push_back(static_cast<Real>(label));
  const Tensor labels = Tensor::from(numbers, {pairs.labels.size()});
  nn::save_safetensors(file, {.tensors = {{"x_0", pairs.x_0}, {"x_1", pairs.x_1}, {"labels", labels}},
                              .metadata = {{kMadeFromKey, made_from}}});
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
  const std::string from = made_from(settings, seed);
  if (std::filesystem::exists(file)) {
    const nn::SafeTensors kept = nn::load_safetensors(file);
    const auto found = kept.metadata.find(kMadeFromKey);
    if (found != kept.metadata.end() && found->second == from) return unpack(kept, file);
    std::cerr << "the pairs that are kept were made by other settings or another model; making new ones" << std::endl;
  }
  const auto start = std::chrono::steady_clock::now();
  const TrainedModel teacher = load_trained_model(settings.run);
  const SampleOptions sampling = settings.sampling();
  std::vector<Index> labels;
  for (Index i = 0; teacher.description.classes > 0 && i < settings.pairs; ++i) {
    labels.push_back(i % teacher.description.classes);
  }
  Generator rng(seed, kPairStream);
  const flow::GenerateOptions options = sampling.generate_options(teacher);
  const std::shared_ptr<const nn::VelocityModel> model = sampling.model(teacher);
  const flow::Pairs pairs = [&] {
    Phase phase("making pairs", evaluations_of(options) * static_cast<double>(settings.pairs));
    return flow::make_pairs(WatchedModel(*model, phase), teacher.source(settings.pairs, rng),
                            Indices(std::move(labels)), options);
  }();
  save(file, pairs, from);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  std::cerr << "made " << grouped(settings.pairs) << " pairs in " << duration(elapsed.count()) << std::endl;
  return pairs;
}

}  // namespace rill::tools
