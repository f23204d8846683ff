#include "tools/family_settings.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"

namespace rill::tools {
namespace {

template <class Description>
concept HasNetwork = requires(Description& description) {
  description.network;
};
template <class Description>
concept HasSource = requires(Description& description) {
  description.source;
};

template <class Description>
concept HasAutoencoder = requires(Description& description) {
  description.autoencoder;
};

// Calls use.template operator()<Model>(settings) for every family.
template <class... Model, class Settings, class Use>
void for_each_family(const std::tuple<Model...>*, Settings& settings, const Use& use) {
  [&]<std::size_t... i>(std::index_sequence<i...>) { (use.template operator()<Model>(std::get<i>(settings)), ...); }
  (std::index_sequence_for<Model...>());
}
constexpr const flow::AllFamilies* kAll = nullptr;

}  // namespace

template <class Use>
void FamilySettings::visit(const Use& use) const {
  for_each_family(kAll, settings_, [&]<class Model>(const auto& settings) {
    if (name == Model::kFamily) use.template operator()<Model>(settings);
  });
}

void FamilySettings::declare(Options& options) {
  for_each_family(kAll, settings_,
                  [&]<class Model>(auto& settings) { options.add_fields(settings, "family", Model::kFamily); });
}

std::vector<std::string> FamilySettings::option_names() const {
  std::vector<std::string> names;
  for_each_family(kAll, settings_, [&]<class Model>(const auto& settings) {
    const std::vector<std::string> own = setting_names(settings);
    names.insert(names.end(), own.begin(), own.end());
  });
  return names;
}

void FamilySettings::use(Options& options, const nn::TrainerOptions& trainer, bool images) const {
  visit([&]<class Model>(const auto& settings) {
    std::vector<std::string> of_others;
    const std::string kind = images ? "images" : "points", other = images ? "points" : "images";
    Model::Description::visit_fields(settings, [&](const char* key, const auto&, const Setting& setting) {
      if (setting.data == other) of_others.push_back(setting.option_name(key));
    });
    options.refuse_unused(of_others, concat("is for ", other, ", but the data are ", kind));
    if constexpr (HasNetwork<typename Model::Description>) {
      options.use(network, settings, trainer);
    } else {
      const std::vector<std::string> own = setting_names(settings);
      std::vector<std::string> of_network = options.chosen_by("model");
      std::erase_if(of_network,
                    [&](const std::string& n) { return std::find(own.begin(), own.end(), n) != own.end(); });
      options.refuse_unused(of_network, concat("is for families with a time network, but --family is ", name));
      options.use(settings, trainer);
    }
  });
}

bool FamilySettings::has_network() const {
  bool has = false;
  visit([&]<class Model>(const auto&) { has = HasNetwork<typename Model::Description>; });
  return has;
}

bool FamilySettings::has_source() const {
  bool has = false;
  visit([&]<class Model>(const auto&) { has = HasSource<typename Model::Description>; });
  return has;
}

bool FamilySettings::has_autoencoder() const {
  bool has = false;
  visit([&]<class Model>(const auto&) { has = HasAutoencoder<typename Model::Description>; });
  return has;
}

namespace {

// Calls make(); a message about a field, "ode_steps: expected ...", becomes one about its option.
template <class Make>
auto by_options(const std::vector<std::string>& options, const Make& make) {
  try {
    return make();
  } catch (const std::invalid_argument& error) {
    const std::string message = error.what();
    std::string name = message.substr(0, message.find(':'));
    std::replace(name.begin(), name.end(), '_', '-');
    if (std::find(options.begin(), options.end(), name) == options.end()) throw;
    throw UsageError(concat("--", name, message.substr(name.size())));
  }
}

}  // namespace

std::shared_ptr<flow::GenerativeModel> FamilySettings::make(const flow::DataShape& shape,
                                                            const std::optional<datasets::DataDescription>& source,
                                                            const std::shared_ptr<flow::Vae>& autoencoder,
                                                            Generator& rng) const {
  std::shared_ptr<flow::GenerativeModel> model;
  visit([&]<class Model>(typename Model::Description settings) {
    if constexpr (HasNetwork<typename Model::Description>) settings.network = network;
    if constexpr (HasSource<typename Model::Description>) settings.source = source;
    std::vector<std::string> options = setting_names(settings);
    for (const char* shared : {"model", "autoencoder", "hidden"}) options.emplace_back(shared);
    if constexpr (HasAutoencoder<typename Model::Description>) {
      require(autoencoder != nullptr, "autoencoder: ", name, " needs one");
      settings.autoencoder = autoencoder->description();
      model = by_options(options, [&] {
        settings.set_shape(shape);
        return std::make_shared<Model>(settings, autoencoder, rng);
      });
    } else {
      settings.set_shape(shape);
      model = by_options(options, [&] { return std::make_shared<Model>(settings, rng); });
    }
  });
  return model;
}

}  // namespace rill::tools
