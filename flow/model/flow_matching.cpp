#include "flow/model/flow_matching.hpp"

#include <algorithm>
#include <utility>

#include "autodiff/description_json.hpp"
#include "autodiff/error.hpp"
#include "autodiff/summary.hpp"
#include "autodiff/text.hpp"
#include "flow/loss/loss.hpp"
#include "flow/model/generate.hpp"
#include "flow/model/guidance.hpp"
#include "flow/model/metadata.hpp"
#include "flow/model/network_model_texts.hpp"
#include "flow/transport/assignment.hpp"
#include "nn/time_networks.hpp"

namespace rill::flow {
namespace {

// The entries of a file's metadata.
constexpr const char* kNetworkKey = nn::kNetworkKey;
constexpr const char* kFlowKey = "flow";

// Two networks as one module.
class VelocityAndScore final : public nn::Module {
 public:
  VelocityAndScore(std::shared_ptr<nn::TimeNetwork> velocity, std::shared_ptr<nn::TimeNetwork> score) {
    register_module("velocity", std::move(velocity));
    register_module("score", std::move(score));
  }
};

std::string to_json(const FlowMatchingDescription& flow) {
  Json json = description::to_object(flow);
  if (flow.source) json["source"] = datasets::to_json(*flow.source);
  return dump_json(json);
}

// Files written before there were families have the score flag with the network.
void parse_network(const std::string& text, FlowMatchingDescription& flow) {
  Json json = parse_json(text, "network description");
  if (json.contains("score")) {
    description::take_field(json, "network description", "", "score", flow.score);
  }
  flow.network = nn::parse_time_network_description(dump_json(json));
}

// Missing keys leave the defaults.
void parse_flow(const std::string& text, FlowMatchingDescription& flow) {
  const std::string what = "flow description";
  Json json = parse_json(text, what);
  require(json.is_object(), what, ": expected a JSON object, found ", json.type_name());
  const auto take = [&](const char* key, auto& field, const Setting& = {}) {
    if (json.contains(key)) description::take_field(json, what, "", key, field);
  };
  FlowMatchingDescription::visit_fields(flow, take);
  std::string source;
  take("source", source);
  description::require_all_taken(json, what, "");
  make_path(flow.path);  // checks the name and the ranges
  check(flow.coupling);
  if (source.empty()) return;
  flow.source = datasets::parse_data_description(source);
  require(flow.source->kind == "density", what, ": the source is ", flow.source->kind, ", expected a density");
  flow.source->require_points(flow.network.dimension, flow.network.classes);
}

std::shared_ptr<const datasets::Data> open_source(const FlowMatchingDescription& description) {
  if (!description.source) return nullptr;
  std::shared_ptr<const datasets::Data> source = datasets::open_data(*description.source);
  require(source->dimension() == description.network.dimension, "source: ", description.source->text(), " has ",
          counted(source->dimension(), "dimension"), ", but the data have ", description.network.dimension,
          "; they must be equal");
  return source;
}

// ln p_0, or an empty function if it is not known.
LogDensity log_density_of(const std::shared_ptr<const datasets::Data>& source) {
  if (!source) return standard_normal_log_density;
  const datasets::Density* density = source->density();
  Generator rng(0);
  if (density == nullptr || !density->log_density(density->sample(1, rng))) return {};
  return [source, density](const Tensor& x) { return density->log_density(x).value(); };
}

// On a path without noise, the score follows from the velocity if x_0 is Gaussian given x_1.
std::string no_score(const FlowMatchingDescription& flow) {
  const bool gaussian = !flow.source && flow.coupling.name == "independent";
  if (gaussian || flow.path.name == "schroedinger-bridge") return "";
  const std::string found = flow.source ? "the source " + flow.source->text() : "the coupling " + flow.coupling.name;
  return concat("this model has ", found,
                ", but the score follows from the velocity only for independent pairs with Gaussian noise; train it "
                "with these, or with the path schroedinger-bridge and a score");
}

}  // namespace

FlowMatchingObjective::FlowMatchingObjective(std::shared_ptr<const nn::TimeNetwork> velocity,
                                             std::shared_ptr<const nn::TimeNetwork> score,
                                             const ExampleOptions& examples)
    : velocity_(std::move(velocity)), score_(std::move(score)), examples_(examples) {
  require(!score_ || examples_.path().noise().kind == PathNoise::kBridge,
          "a model that learns a score needs the path schroedinger-bridge, whose noise has one");
}

Tensor FlowMatchingObjective::loss(const Example& example) const {
  // A lambda of two references fits into a Velocity; with_labels() would copy the labels to the heap in every step.
  const auto velocity = [&](const Tensor& x, const Tensor& t) { return velocity_->forward(x, t, example.labels); };
  const Tensor loss = conditional_flow_matching_loss(velocity, example.sample);
  if (!score_) return loss;
  const auto drift = [&](const Tensor& x, const Tensor& t) { return score_->forward(x, t, example.labels); };
  return loss + bridge_score_loss(drift, example.sample, examples_.path().noise().sigma);
}

FlowMatchingObjective FlowMatchingObjective::held_out() const {
  ExampleOptions options = examples_.options();
  options.times = {};
  options.label_dropout = 0;
  return {velocity_, score_, options};
}

FlowMatching::FlowMatching(const FlowMatchingDescription& description, Generator& rng)
    : NetworkModel(description, rng),
      module_(network_),
      path_(std::make_shared<AffinePath>(make_path(description.path))),
      source_(open_source(description)) {
  if (description.score) {
    score_ = nn::make_time_network(description.network, rng);
    module_ = std::make_shared<VelocityAndScore>(network_, score_);
  }
  objective();  // throws for invalid options
}

FlowMatching::FlowMatching(const FlowMatching& other, const FlowMatchingDescription& description)
    : NetworkModel(description, other.network_),
      score_(other.score_),
      module_(other.module_),
      path_(std::make_shared<AffinePath>(make_path(description.path))),
      source_(open_source(description)) {
  require(description.network == other.description_.network && description.score == other.description_.score,
          "flow matching: another training of the same networks cannot change their description");
  objective();
}

FlowMatchingObjective FlowMatching::objective() const {
  ExampleOptions examples;
  examples.path = description_.path;
  examples.times = description_.times;
  examples.coupling = description_.coupling;
  examples.label_dropout = description_.label_dropout;
  examples.no_class = classes();
  if (source_) {
    examples.source = [source = source_](const Shape& shape, Generator& rng) {
      return source->draw(shape[0], rng).x_1;
    };
  }
  return {network_, score_, examples};
}

nn::Metadata FlowMatching::metadata() const {
  return {{kNetworkKey, nn::to_json(description_.network)}, {kFlowKey, to_json(description_)}};
}

FlowMatchingDescription FlowMatching::read_description(const nn::Metadata& metadata) {
  FlowMatchingDescription description;
  require_entry(metadata, kNetworkKey, [&](const std::string& json) { parse_network(json, description); });
  read_entry(metadata, kFlowKey, [&](const std::string& json) { parse_flow(json, description); });
  return description;
}

nn::Metadata FlowMatching::identity() const {
  const PathDescription& path = description_.path;
  return {{"run.network", nn::to_json(description_.network)},
          {"run.path", concat(path.name, ", sigma ", exact(path.sigma), ", power ", exact(path.power))},
          {"run.source", description_.source ? datasets::to_json(*description_.source) : "noise"}};
}

// x_0, x_1, x_t, dx_t, what the network saves for each point, and the costs of all pairs if they are needed.
double FlowMatching::numbers_of_step(Index batch) const {
  const auto points = static_cast<double>(batch), numbers = static_cast<double>(dimension());
  const std::string& coupling = description_.coupling.name;
  const bool matrix = coupling == "entropic" || (coupling == "ot" && dimension() > kDirectDimension);
  const double pairs = points * points / static_cast<double>(std::max<Index>(1, classes()));
  return points * (4 * numbers + nn::units_kept(description_.network)) + (matrix ? pairs : 0);
}

std::unique_ptr<nn::TrainingLoop> FlowMatching::trainer(datasets::BatchSource source,
                                                        const nn::TrainerOptions& options) {
  return std::make_unique<nn::Trainer<FlowMatchingObjective>>(module_->named_parameters(), objective(),
                                                              std::move(source), options);
}

double FlowMatching::held_out_loss(const datasets::BatchSource& source, Index samples, std::uint64_t seed) const {
  return nn::mean_loss(objective().held_out(), source, samples, seed);
}

Tensor FlowMatching::sample(Index n, const Indices& labels, Generator& rng) const {
  const Dynamics flow = *dynamics();
  return generate(flow, flow.sample_source(n, rng), labels).x;
}

std::optional<Dynamics> FlowMatching::dynamics() const {
  Dynamics dynamics{.velocity = velocity_of(network_), .path = path_};
  if (source_) {
    dynamics.source = [source = source_](const Shape& shape, Generator& rng) {
      return source->draw(shape[0], rng).x_1;
    };
  }
  dynamics.source_log_density = log_density_of(source_);
  if (score_) dynamics.score_drift = velocity_of(score_);
  dynamics.no_score = no_score(description_);
  dynamics.no_guidance = why_no_guidance(classes(), description_.label_dropout);
  return dynamics;
}

DensityKind FlowMatching::density_kind() const {
  return log_density_of(source_) ? DensityKind::kOde : DensityKind::kNone;
}

std::string FlowMatching::no_density() const {
  if (density_kind() != DensityKind::kNone) return "";
  return concat("the source ", description_.source->text(), " has no known density");
}

Tensor FlowMatching::log_density(const Tensor& x, const Indices& labels) const {
  LikelihoodOptions options;
  options.source = log_density_of(source_);
  if (!options.source) fail("log density: ", no_density());
  return log_likelihood(velocity_of(network_), x, labels, options).log_p;
}

}  // namespace rill::flow
