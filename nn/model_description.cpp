#include "nn/model_description.hpp"

#include <nlohmann/json.hpp>

#include "autodiff/error.hpp"

namespace rill::nn {
namespace {

using Json = nlohmann::ordered_json;

// Calls visit(key, field) for every field of a description, in the order of the text.
template <class Description, class Visit>
void for_each_field(Description& description, const Visit& visit) {
  visit("kind", description.kind);
  visit("dimension", description.dimension);
  visit("hidden", description.hidden);
  visit("activation", description.activation);
  visit("time_embedding", description.time_embedding);
  visit("time_frequencies", description.time_frequencies);
  visit("classes", description.classes);
  visit("score", description.score);
}

// Json converts 2.5 and true to integers without complaint, so what was read must equal what was written.
template <class Field>
void read_field(const Json& value, const char* key, Field& field) {
  bool matches = false;
  try {
    value.get_to(field);
    matches = Json(field) == value;
  } catch (const Json::exception&) {
  }
  require(matches, "model description: '", key, "' is ", value.dump(), ", which has the wrong type");
}

}  // namespace

std::string to_json(const ModelDescription& description) {
  Json json;
  for_each_field(description, [&](const char* key, const auto& field) { json[key] = field; });
  return json.dump();
}

ModelDescription parse_model_description(const std::string& text) {
  ModelDescription description;
  try {
    Json json = Json::parse(text);
    require(json.is_object(), "model description: expected a JSON object, found ", json.type_name());
    for_each_field(description, [&](const char* key, auto& field) {
      require(json.contains(key), "model description: '", key, "' is missing");
      read_field(json[key], key, field);
      json.erase(key);
    });
    require(json.empty(), "model description: unknown key '", json.empty() ? "" : json.begin().key(), "'");
  } catch (const Json::exception& error) {
    fail("model description: not valid JSON: ", error.what());
  }
  return description;
}

}  // namespace rill::nn
