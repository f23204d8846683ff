// What models of one time network have in common.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "flow/model/generative_model.hpp"
#include "nn/time_network.hpp"
#include "nn/time_network_description.hpp"
#include "nn/time_networks.hpp"

namespace rill::flow {

/// A model whose description has a member `network`, next to the settings of its training. Parameters: those of the
/// network (nn/time_networks.hpp).
template <class D>
class NetworkModel : public GenerativeModel {
 public:
  using Description = D;

  const D& description() const& { return description_; }
  const D& description() const&& = delete;

  Index dimension() const override { return description_.network.dimension; }
  Index classes() const override { return description_.network.classes; }
  std::optional<nn::ImageShape> image_shape() const override { return description_.network.image_shape(); }
  nn::Module& module() override { return *network_; }
  const nn::Module& module() const override { return *network_; }
  // Defined in flow/model/network_model_texts.hpp, which the file of each family includes.
  nn::Metadata metadata() const override;
  std::string network_text() const override;
  std::string training_text() const override;

 protected:
  NetworkModel(const D& description, std::shared_ptr<nn::TimeNetwork> network)
      : description_(description), network_(std::move(network)) {}
  /// With weights drawn from `rng`. Throws std::invalid_argument for an invalid network.
  NetworkModel(const D& description, Generator& rng)
      : NetworkModel(description, nn::make_time_network(description.network, rng)) {}

  D description_;
  std::shared_ptr<nn::TimeNetwork> network_;
};

}  // namespace rill::flow
