// The settings of every family of models, of which a run uses one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "autodiff/random.hpp"
#include "datasets/data.hpp"
#include "flow/model/data_shape.hpp"
#include "flow/model/families.hpp"
#include "nn/time_network_description.hpp"
#include "nn/trainer.hpp"
#include "tools/cli/options.hpp"

namespace rill::tools {

/// The chosen family, the settings of all, and what several of them share: a time network, for descriptions with a
/// member `network`; data to start from instead of noise, for those with a member `source`; and a trained autoencoder,
/// for those with a member `autoencoder`.
class FamilySettings {
 public:
  std::string name = flow::FlowMatching::kFamily;
  nn::TimeNetworkDescription network;

  /// The settings of one family.
  template <class Description>
  Description& of() {
    return std::get<Description>(settings_);
  }
  template <class Description>
  const Description& of() const {
    return std::get<Description>(settings_);
  }

  /// Declares the options of all families, each with its family as the owner.
  void declare(Options& options);
  /// The names of all of these.
  std::vector<std::string> option_names() const;
  /// Declares that only those of the chosen family and of `trainer` are in use, for images or for points: see
  /// Options::use().
  void use(Options& options, const nn::TrainerOptions& trainer, bool images) const;

  /// What the chosen family has.
  bool has_network() const;
  bool has_source() const;

  bool has_autoencoder() const;

  /// A new model for data of that shape, with weights drawn from `rng`. The autoencoder, for families that work in the
  /// latent space of one, may be null for others. Throws std::invalid_argument.
  std::shared_ptr<flow::GenerativeModel> make(const flow::DataShape& shape,
                                              const std::optional<datasets::DataDescription>& source,
                                              const std::shared_ptr<flow::Vae>& autoencoder, Generator& rng) const;

 private:
  template <class List>
  struct SettingsOf;
  template <class... Model>
  struct SettingsOf<std::tuple<Model...>> {
    using Type = std::tuple<typename Model::Description...>;
  };

  // Calls use.template operator()<Model>(settings) for the chosen family.
  template <class Use>
  void visit(const Use& use) const;

  SettingsOf<flow::AllFamilies>::Type settings_;
};

}  // namespace rill::tools
