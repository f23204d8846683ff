// Descriptions as JSON and back. For the .cpp files of this folder: it needs nlohmann_json, which no user does.
//
// A description is a struct with a static member visit_fields(self, visit) that calls visit(key, field) for every field
// in the order of the text; a field that is itself a description becomes an object in the object.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>

#include "autodiff/error.hpp"

namespace rill::nn::description {

using Json = nlohmann::ordered_json;

struct AnyVisitor {
  void operator()(const char*, auto&) const {}
};
template <class T>
concept Described = requires(T& value) {
  T::visit_fields(value, AnyVisitor{});
};

template <Described D>
Json to_object(const D& value) {
  Json json;
  D::visit_fields(value, [&](const char* key, const auto& field) {
    if constexpr (Described<std::remove_cvref_t<decltype(field)>>) {
      json[key] = to_object(field);
    } else {
      json[key] = field;
    }
  });
  return json;
}

// Json converts 2.5 and true to integers without complaint, so what was read must equal what was written.
template <class Field>
void read_field(const Json& json, const std::string& what, const std::string& key, Field& field) {
  bool matches = false;
  try {
    json.get_to(field);
    matches = Json(field) == json;
  } catch (const Json::exception&) {
  }
  require(matches, what, ": '", key, "' is ", json.dump(), ", which has the wrong type");
}

/// Reads every field of `value`; `what` begins the messages, `prefix` the keys in them.
/// Throws std::invalid_argument for a missing, unknown or mistyped key.
template <Described D>
void read_object(Json json, const std::string& what, const std::string& prefix, D& value) {
  require(json.is_object(), what, ": expected a JSON object", prefix.empty() ? "" : " as '" + prefix + "'", ", found ",
          json.type_name());
  D::visit_fields(value, [&](const char* name, auto& field) {
    const std::string key = prefix.empty() ? name : prefix + "." + name;
    require(json.contains(name), what, ": '", key, "' is missing");
    if constexpr (Described<std::remove_cvref_t<decltype(field)>>) {
      read_object(json[name], what, key, field);
    } else {
      read_field(json[name], what, key, field);
    }
    json.erase(name);
  });
  require(json.empty(), what, ": unknown key '", prefix, prefix.empty() ? "" : ".",
          json.empty() ? "" : json.begin().key(), "'");
}

/// The description that the text holds. Throws std::invalid_argument, also for text that is not JSON.
template <Described D>
D parse(const std::string& text, const std::string& what) {
  D value;
  try {
    read_object(Json::parse(text), what, "", value);
  } catch (const Json::exception& error) {
    fail(what, ": not valid JSON: ", error.what());
  }
  return value;
}

}  // namespace rill::nn::description
