// Descriptions: structs that list their fields once, for all code that reads, writes or prints them.
//
// A description has a static member visit_fields(self, visit) that calls visit(key, field, setting) for every field,
// in the order in which they are written. This one list yields its JSON (autodiff/description_json.hpp), its one-line
// summary (autodiff/summary.hpp), and the programs' options and configuration files (tools/cli/options.hpp). A field
// that only some kinds have is visited for those kinds only; a nested description is visited as one field.
#pragma once

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

namespace rill {

/// The condition on another setting under which a field applies: a name of a list, or a number in some range.
struct Only {
  const char* option = "";               ///< the other setting, by its option's name
  std::string chosen = {};               ///< its current value
  std::vector<const char*> values = {};  ///< the values for which the field applies; empty: always

  const char* needs = "";  ///< of a number: "--ode-tolerance 0"
  bool met = true;         ///< of a number: whether it is that

  bool holds() const {
    if (*needs != '\0') return met;
    return values.empty() || std::any_of(values.begin(), values.end(), [&](const char* v) { return chosen == v; });
  }
};

/// How a field is presented to users. A default-constructed Setting is for a field that follows from the data.
struct Setting {
  const char* unit = "";                          ///< placeholder for the value in help texts: COUNT; empty for a flag
  const char* help = "";                          ///< one line
  std::vector<std::string> (*names)() = nullptr;  ///< the valid names, for a field that takes one of a list
  const char* option = "";                        ///< the option's name; by default the key, with dashes
  const char* summary = "";                       ///< its text in a summary, where {} stands for the value
  Only only = {};                                 ///< when it applies
  const char* data = "";                          ///< the data to which it applies: images, points; empty for all

  /// False for a field that follows from the data.
  bool can_be_set() const { return *help != '\0' || names != nullptr; }
  std::string option_name(const char* key) const {
    std::string name = *option != '\0' ? option : key;
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
  }
};

struct AnyVisitor {
  void operator()(const char*, auto&, const Setting&) const {}
};

template <class T>
concept Described = requires(T& value) {
  T::visit_fields(value, AnyVisitor{});
};

/// The option names of the fields that can be set, nested descriptions included.
template <Described D>
std::vector<std::string> setting_names(const D& description) {
  std::vector<std::string> names;
  D::visit_fields(description, [&](const char* key, const auto& field, const Setting& setting) {
    if constexpr (Described<std::remove_cvref_t<decltype(field)>>) {
      const std::vector<std::string> inner = setting_names(field);
      names.insert(names.end(), inner.begin(), inner.end());
    } else if (setting.can_be_set()) {
      names.push_back(setting.option_name(key));
    }
  });
  return names;
}

}  // namespace rill
