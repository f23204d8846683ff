// Descriptions (autodiff/description.hpp) as JSON and back.
//
// A nested description becomes a nested object.
#pragma once

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include "autodiff/description.hpp"
#include "autodiff/error.hpp"
#include "autodiff/json.hpp"
#include "autodiff/text.hpp"

namespace rill::description {

template <Described D>
Json to_object(const D& value) {
  Json json = Json::Object();
  D::visit_fields(value, [&](const char* key, const auto& field, const Setting&) {
    if constexpr (Described<std::remove_cvref_t<decltype(field)>>) {
      json[key] = to_object(field);
    } else {
      json[key] = field;
    }
  });
  return json;
}

/// Reads a field and removes it from the object. Messages begin with `what`, and keys in them with `prefix`.
/// Throws std::invalid_argument for a missing or mistyped one.
template <class Field>
void take_field(Json& json, const std::string& what, const std::string& prefix, const char* key, Field& field) {
  const Json* found = json.find(key);
  require(found != nullptr, what, ": '", prefix, key, "' is missing");
  if (!found->is<Field>()) {
    constexpr std::size_t kShown = 60;
    fail(what, ": '", prefix, key, "' is ", dump_json(*found).substr(0, kShown), ", which has the wrong type");
  }
  field = json.take(key).get<Field>();
}

/// Throws std::invalid_argument if the object has a key left.
inline void require_all_taken(const Json& json, const std::string& what, const std::string& prefix) {
  if (!json.object().empty()) fail(what, ": unknown key ", in_quotes(prefix + json.object().front().key));
}

/// Reads every field of `value`. Messages begin with `what`, and keys in them with `prefix`.
/// Throws std::invalid_argument for a missing, unknown or mistyped key.
template <Described D>
void read_object(Json json, const std::string& what, const std::string& prefix, D& value) {
  require(json.is_object(), what, ": expected a JSON object", prefix.empty() ? "" : " as '" + prefix + "'", ", found ",
          json.type_name());
  const std::string inner = prefix.empty() ? "" : prefix + ".";
  D::visit_fields(value, [&](const char* key, auto& field, const Setting&) {
    if constexpr (Described<std::remove_cvref_t<decltype(field)>>) {
      require(json.contains(key), what, ": '", inner, key, "' is missing");
      read_object(json.take(key), what, inner + key, field);
    } else {
      take_field(json, what, inner, key, field);
    }
  });
  require_all_taken(json, what, inner);
}

/// The description on one line.
template <Described D>
std::string to_json(const D& value) {
  return dump_json(to_object(value));
}

/// Parses a description. Throws std::invalid_argument, also for text that is not JSON.
template <Described D>
D parse(const std::string& text, const std::string& what) {
  D value;
  read_object(parse_json(text, what), what, "", value);
  return value;
}

}  // namespace rill::description
