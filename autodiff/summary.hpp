// A description as one readable line.
#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include "autodiff/description.hpp"
#include "autodiff/text.hpp"

namespace rill {
namespace summary_detail {

struct Field {
  std::string name, pattern, value;
  bool counts;
};

/// The line. `defaults` are the same fields of a default description.
std::string line(const std::vector<Field>& fields, const std::vector<Field>& defaults);

inline std::string text_of(const std::string& value) { return value; }
inline std::string text_of(bool value) { return value ? "true" : "false"; }
inline std::string text_of(double value) { return exact(value); }
inline std::string text_of(const std::vector<Index>& value) { return value.empty() ? "none" : joined(value, "-"); }
template <class T>
requires std::is_integral_v<T> std::string text_of(T value) { return std::to_string(value); }

template <Described D>
void collect(const D& description, std::vector<Field>& fields) {
  D::visit_fields(description, [&](const char* key, const auto& field, const Setting& setting) {
    if constexpr (Described<std::remove_cvref_t<decltype(field)>>) {
      collect(field, fields);
    } else if (setting.can_be_set()) {
      fields.push_back({setting.option_name(key), setting.summary, text_of(field), setting.only.holds()});
    }
  });
}

}  // namespace summary_detail

/// "mlp 64-64-64, silu, plain time": of the fields that apply, those with a text of their own (Setting::summary), and
/// the others where they differ from the defaults of the description's kind.
template <Described D>
std::string summary(const D& description) {
  D plain;
  if constexpr (requires { plain.kind; }) plain.kind = description.kind;
  std::vector<summary_detail::Field> fields, defaults;
  summary_detail::collect(description, fields);
  summary_detail::collect(plain, defaults);
  return summary_detail::line(fields, defaults);
}

}  // namespace rill
