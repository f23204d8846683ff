#include "nn/model_description.hpp"

#include "autodiff/description_json.hpp"

namespace rill::nn {

std::string to_json(const ModelDescription& description) { return description::to_json(description); }

ModelDescription parse_model_description(const std::string& text) {
  return description::parse<ModelDescription>(text, "model description");
}

}  // namespace rill::nn
