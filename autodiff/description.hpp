// Descriptions: structs that list their fields once, for everyone who reads, writes or shows them.
//
// A description has a static member visit_fields(self, visit) that calls visit(key, field, setting) for every field,
// in the order of its text. From this one list follow its JSON (autodiff/description_json.hpp), its line for people
// (autodiff/summary.hpp), and the options and configuration files of the programs (tools/cli/options.hpp). A field that
// only some kinds have is visited for those kinds; a field that is itself a description is visited as one field.
#pragma once

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

namespace rill {

/// What choice of another setting a field depends on.
struct Only {
  const char* option = "";               ///< the setting that makes the choice, by the name that people know
  std::string chosen = {};               ///< its value
  std::vector<const char*> values = {};  ///< those with which the field counts; none: it always counts

  bool holds() const {
    return values.empty() || std::any_of(values.begin(), values.end(), [&](const char* v) { return chosen == v; });
  }
};

/// What people are told about a field. The default is for a field that nobody sets, since it follows from the data.
struct Setting {
  const char* unit = "";                          ///< stands for the value in a help text: COUNT; empty for a flag
  const char* help = "";                          ///< one line
  std::vector<std::string> (*names)() = nullptr;  ///< the values that there are, where they have names
  const char* option = "";                        ///< its name where people set it; by default the key with dashes
  const char* summary = "";                       ///< how a summary shows it, with the value in place of {}
  Only only = {};                                 ///< when it counts

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

/// What people call the fields that they can set, as options are named: of the fields that the description has.
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
