// Reading a model's description from a file's metadata.
#pragma once

#include <stdexcept>
#include <string>

#include "autodiff/description_json.hpp"
#include "autodiff/error.hpp"
#include "nn/checkpoint.hpp"

namespace rill::flow {

/// Calls parse(text) with the entry; false if there is none. Throws std::invalid_argument, naming the entry and a
/// likely cause, for what parse() throws.
template <class Parse>
bool read_entry(const nn::Metadata& metadata, const char* key, const Parse& parse) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return false;
  try {
    parse(found->second);
  } catch (const std::invalid_argument& error) {
    fail("the metadata's '", key, "': ", error.what(),
         "; the programs keep the model's description there: save your own notes under another key");
  }
  return true;
}

/// The same for an entry without which there is no model. Throws std::invalid_argument if it is missing.
template <class Parse>
void require_entry(const nn::Metadata& metadata, const char* key, const Parse& parse) {
  require(read_entry(metadata, key, parse), "the metadata has no '", key, "'");
}

/// Sets a description from an entry that holds its JSON. Throws std::invalid_argument, naming the entry, if it is
/// missing or invalid.
template <class Description>
void require_description(const nn::Metadata& metadata, const char* key, Description& description) {
  require_entry(metadata, key, [&](const std::string& json) {
    const std::string what = std::string(key) + " description";
    description::read_object(parse_json(json, what), what, "", description);
  });
}

}  // namespace rill::flow
