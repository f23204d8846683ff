#include "tools/network_settings.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/text.hpp"
#include "nn/activation.hpp"
#include "nn/time_embedding.hpp"

namespace rill::tools {
namespace {

void fill_in(Index& value, Index by_default) {
  if (value == 0) value = by_default;
}
void fill_in(std::vector<Index>& value, const std::vector<Index>& by_default) {
  if (value.empty()) value = by_default;
}

}  // namespace

void NetworkSettings::declare(Options& options) {
  options.group("Model");
  options.add("model", kind, "KIND", "mlp or residual-mlp; of images also unet, dit, or classifier instead of a flow");
  options.add("hidden", hidden, "SIZES", "mlp, residual-mlp: units of each hidden layer or residual block");
  options.add("activation", activation, "NAME", joined(nn::activation_names()));
  options.add("time-embedding", time_embedding, "KIND", joined(nn::time_embedding_names()));
  options.add("time-frequencies", time_frequencies, "COUNT", "frequencies of the time embedding");

  options.group("Networks for images; 0 for the default of the kind");
  options.add("channels", channels, "COUNTS", "unet: of the first level, 32; classifier: of each stage, 32,64,128");
  options.add("multipliers", multipliers, "FACTORS", "unet: channels of each level, in those of the first; 1,2,2");
  options.add("blocks", blocks, "COUNT", "unet: residual blocks of a level, 1; dit: transformer blocks, 6");
  options.add("attention", attention, "LEVELS", "unet: levels with attention, counted from 0; none by default");
  options.add("heads", heads, "COUNT", "unet, dit: heads of attention; 1 and 4");
  options.add("patch", patch, "PIXELS", "unet, dit: side of the squares that the network sees as one; 1 and 4");
  options.add("scale-shift", scale_shift, "", "unet: time and class scale and shift units instead of being added");
  options.add("width", width, "COUNT", "dit: numbers of a token, 128");
  options.add("convolutions", convolutions, "COUNT", "classifier: of a stage, 1");
  options.add("features", features, "COUNT", "classifier: numbers that describe an image, 128");
  options.add("norm-groups", norm_groups, "COUNT", "unet, classifier: channels normalized together; 32 and 8 groups");
  options.add("dropout", dropout, "SHARE", "unet, classifier: units dropped in training");
}

namespace {

// Which kinds an option that not all have is for.
const std::vector<std::pair<std::string, std::vector<std::string>>>& kinds_of_options() {
  static const std::vector<std::pair<std::string, std::vector<std::string>>> all = {
      {"hidden", {"mlp", "residual-mlp"}},
      {"activation", {"mlp", "residual-mlp", "unet", "classifier"}},
      {"time-embedding", {"mlp", "residual-mlp", "unet", "dit"}},
      {"time-frequencies", {"mlp", "residual-mlp", "unet", "dit"}},
      {"channels", {"unet", "classifier"}},
      {"multipliers", {"unet"}},
      {"blocks", {"unet", "dit"}},
      {"attention", {"unet"}},
      {"heads", {"unet", "dit"}},
      {"patch", {"unet", "dit"}},
      {"scale-shift", {"unet"}},
      {"width", {"dit"}},
      {"convolutions", {"classifier"}},
      {"features", {"classifier"}},
      {"norm-groups", {"unet", "classifier"}},
      {"dropout", {"unet", "classifier"}}};
  return all;
}

}  // namespace

std::vector<std::string> NetworkSettings::names() {
  std::vector<std::string> all = {"model"};
  for (const auto& [name, kinds] : kinds_of_options()) all.push_back(name);
  return all;
}

void NetworkSettings::refuse_unused(Options& options) const {
  for (const auto& [name, kinds] : kinds_of_options()) {
    const bool has_it = std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
    if (!has_it) options.refuse_unused({name}, concat("is for ", joined(kinds), ", but --model is ", kind));
  }
  if (time_embedding == "plain") {
    options.refuse_unused({"time-frequencies"}, "needs another --time-embedding than plain");
  }
}

void NetworkSettings::complete() {
  const std::vector<std::string> kinds = {"mlp", "residual-mlp", "unet", "dit", "classifier"};
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
    throw UsageError("--model: " + unknown_name("kind", kind, kinds));
  }
  const std::pair<const char*, Index> counts[] = {{"blocks", blocks},    {"heads", heads},
                                                  {"patch", patch},      {"norm-groups", norm_groups},
                                                  {"width", width},      {"convolutions", convolutions},
                                                  {"features", features}};
  for (const auto& [name, value] : counts) require_at_least(name, static_cast<double>(value), 0);
  const nn::UNetDescription unet;
  const nn::DitDescription dit;
  const nn::ImageClassifierDescription classifier;
  if (kind == "unet") {
    fill_in(channels, {unet.base_channels});
    fill_in(multipliers, unet.multipliers);
    fill_in(blocks, unet.blocks);
    fill_in(heads, unet.heads);
    fill_in(patch, unet.patch);
    fill_in(norm_groups, unet.norm_groups);
    if (channels.size() != 1) {
      throw UsageError(concat("--channels: a unet takes one number, found ", channels.size(),
                              "; those of its levels are multiples of it, by --multipliers"));
    }
  } else if (kind == "dit") {
    fill_in(blocks, dit.blocks);
    fill_in(heads, dit.heads);
    fill_in(patch, dit.patch);
    fill_in(width, dit.width);
  } else if (kind == "classifier") {
    fill_in(channels, classifier.channels);
    fill_in(convolutions, classifier.convolutions);
    fill_in(features, classifier.features);
    fill_in(norm_groups, classifier.norm_groups);
  }
}

nn::TimeNetworkDescription NetworkSettings::model(Index dimension, const nn::ImageShape& image, Index classes) const {
  nn::TimeNetworkDescription description;
  description.kind = kind;
  description.dimension = dimension;
  description.hidden = hidden;
  description.activation = activation;
  description.time_embedding = time_embedding;
  description.time_frequencies = time_frequencies;
  description.classes = classes;
  if (kind == "unet") {
    description.image = image;
    description.unet.base_channels = channels.front();
    description.unet.multipliers = multipliers;
    description.unet.blocks = blocks;
    description.unet.attention = attention;
    description.unet.heads = heads;
    description.unet.norm_groups = norm_groups;
    description.unet.dropout = dropout;
    description.unet.scale_shift = scale_shift;
    description.unet.patch = patch;
  } else if (kind == "dit") {
    description.image = image;
    description.dit.patch = patch;
    description.dit.width = width;
    description.dit.blocks = blocks;
    description.dit.heads = heads;
  }
  return description;
}

nn::ImageClassifierDescription NetworkSettings::classifier(const nn::ImageShape& image, Index classes) const {
  nn::ImageClassifierDescription description;
  description.image = image;
  description.channels = channels;
  description.convolutions = convolutions;
  description.norm_groups = norm_groups;
  description.features = features;
  description.classes = classes;
  description.dropout = dropout;
  description.activation = activation;
  return description;
}

}  // namespace rill::tools
