#include "tools/reflow_pairs.hpp"

#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/random_streams.hpp"
#include "autodiff/text.hpp"
#include "nn/safetensors.hpp"
#include "tools/cli/phase.hpp"
#include "tools/cli/text.hpp"
#include "tools/watched.hpp"

namespace rill::tools {
namespace {

constexpr const char* kMadeFromKey = "made_from";

// Everything that the pairs depend on.
std::string made_from(const ReflowSettings& settings, std::uint64_t seed) {
  return concat(settings.pairs, " pairs, ", settings.solver, ", ", settings.steps, " steps, guidance ",
                exact(settings.guidance), ", seed ", seed, ", model ", std::hex,
                hash(read_file(model_file(settings.run))));
}

// Equally many of each class; empty without classes.
Indices labels_of(Index pairs, Index classes) {
  std::vector<Index> labels;
  for (Index i = 0; classes > 0 && i < pairs; ++i) labels.push_back(i % classes);
  return Indices(std::move(labels));
}

// Labels are stored as a tensor.
Tensor to_tensor(const Indices& labels) {
  const std::vector<Real> numbers(labels.begin(), labels.end());
  return Tensor::from(numbers, {labels.size()});
}

// Pairs of that shape with those labels.
flow::Pairs unpack(const nn::SafeTensors& contents, const Shape& shape, const Indices& labels,
                   const std::string& file) {
  const Tensor x_0 = Tensor::empty(shape), x_1 = Tensor::empty(shape), found = Tensor::empty({labels.size()});
  nn::require_finite(contents.tensors, file);
  nn::assign({{"x_0", x_0}, {"x_1", x_1}, {"labels", found}}, contents.tensors, file);
  require_file(found.to_vector() == to_tensor(labels).to_vector(), file,
               "the labels are not those of a reflow, 0, 1, 2, ... repeated");
  return {x_0, x_1, labels};
}

// The pairs in the file, unless they were made from something else.
std::optional<flow::Pairs> load(const std::string& file, const std::string& made_from, const Shape& shape,
                                const Indices& labels) {
  try {
    const nn::SafeTensors contents = nn::load_safetensors(file);
    const auto found = contents.metadata.find(kMadeFromKey);
    if (found == contents.metadata.end() || found->second != made_from) return std::nullopt;
    return unpack(contents, shape, labels, file);
  } catch (const FileError& error) {
    throw std::runtime_error(concat(error.what(), "; remove the file to make new pairs"));
  }
}

void save(const std::string& file, const flow::Pairs& pairs, const std::string& made_from) {
  nn::save_safetensors(file, {.tensors = {{"x_0", pairs.x_0}, {"x_1", pairs.x_1}, {"labels", to_tensor(pairs.labels)}},
                              .metadata = {{kMadeFromKey, made_from}}});
}

}  // namespace

void ReflowSettings::declare(Options& options) {
  options.group("Reflow");
  options.add(
      "reflow", run, "RUN",
      "straighten this run's flow, so that few steps are enough: trains from its weights on pairs of noise and the "
      "flow's samples; data and model are the run's");
  options.add("pairs", pairs, "COUNT", "reflow: number of pairs to train on");
  options.add("pair-solver", solver, "NAME", "reflow: the solver that makes them");
  options.add("pair-steps", steps, "COUNT", "reflow: its number of equal steps");
  options.add("pair-guidance", guidance, "WEIGHT", "reflow: their guidance, which is then built into the new flow");
}

void ReflowSettings::complete() {
  if (run.empty()) return;
  const std::filesystem::path path = std::filesystem::absolute(run).lexically_normal();
  run = (path.has_filename() ? path : path.parent_path()).string();  // without a trailing slash
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

flow::Pairs reflow_pairs(const ReflowSettings& settings, const TrainedModel& teacher, std::uint64_t seed,
                         const std::string& file) {
  const std::string from = made_from(settings, seed);
  const Indices labels = labels_of(settings.pairs, teacher.model->classes());
  if (std::filesystem::exists(file)) {
    const auto kept = load(file, from, {settings.pairs, teacher.model->dimension()}, labels);
    if (kept) return *kept;
    std::cerr << "the saved pairs were made with other settings or another model; making new ones" << std::endl;
  }
  const auto start = std::chrono::steady_clock::now();
  const SampleOptions sampling = settings.sampling();
  Generator rng(seed, streams::kPairNoise);
  const flow::GenerateOptions options = sampling.generate_options(*teacher.model);
  const flow::Dynamics dynamics = sampling.dynamics(*teacher.model).value();
  const flow::Pairs pairs = [&] {
    Phase phase("making pairs", evaluations_of(options) * static_cast<double>(settings.pairs));
    return flow::make_pairs(watched(dynamics, phase), dynamics.sample_source(settings.pairs, rng), labels, options);
  }();
  save(file, pairs, from);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  std::cerr << "made " << grouped(settings.pairs) << " pairs in " << duration(elapsed.count()) << std::endl;
  return pairs;
}

}  // namespace rill::tools
