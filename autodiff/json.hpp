// JSON values, their parser and their printer.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace rill {

class Json;

/// A member of an object. A template, so that it is complete as soon as Json is.
template <class Value>
struct JsonMember {
  std::string key;
  Value value;

  friend bool operator==(const JsonMember&, const JsonMember&) = default;
};

/// A JSON value. Objects keep the order of their members.
class Json {
 public:
  using Member = JsonMember<Json>;
  using Array = std::vector<Json>;
  using Object = std::vector<Member>;

  /// null.
  Json() = default;
  Json(std::nullptr_t) {}
  Json(bool value) : value_(value) {}
  Json(double value) : value_(value) {}
  template <std::integral T>
  Json(T value) {
    if (std::cmp_less(value, 0)) {
      value_ = static_cast<std::int64_t>(value);
    } else {
      value_ = static_cast<std::uint64_t>(value);
    }
  }
  Json(const char* value) : value_(std::string(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value);
  Json(std::initializer_list<Member> members);
  template <class T>
  Json(const std::vector<T>& values) : value_(Array(values.begin(), values.end())) {}
  template <class T>
  Json(const std::map<std::string, T>& members);

  bool is_null() const { return holds<std::nullptr_t>(); }
  bool is_boolean() const { return holds<bool>(); }
  bool is_integer() const { return holds<std::int64_t>() || holds<std::uint64_t>(); }
  bool is_number() const { return is_integer() || holds<double>(); }
  bool is_string() const { return holds<std::string>(); }
  bool is_array() const { return holds<Array>(); }
  bool is_object() const { return holds<Object>(); }
  /// "object", "array", "string", "number", "boolean" or "null".
  const char* type_name() const;

  /// Whether the value is a T: bool, an integer type that can hold it, a floating-point type (which also takes
  /// integers), std::string, a std::vector of these, or a std::map from std::string to these.
  template <class T>
  bool is() const;
  /// The value as a T. Throws std::invalid_argument unless is<T>().
  template <class T>
  T get() const;

  /// Throw std::invalid_argument for other types.
  double number() const { return get<double>(); }
  const std::string& string() const;
  const Array& array() const;
  const Object& object() const;
  Array& array();
  Object& object();

  /// The member of that name; null if there is none, or if this is not an object.
  const Json* find(std::string_view key) const;
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  /// The member of that name, which is added if there is none. A null becomes an object; throws std::invalid_argument
  /// for other types.
  Json& operator[](std::string_view key);
  /// The member of that name. Throws std::invalid_argument if there is none.
  const Json& at(std::string_view key) const;
  /// Removes the member of that name and returns it. Throws as at() does.
  Json take(std::string_view key);

  /// Adds an item to an array; a null becomes an array. Throws std::invalid_argument for other types.
  void push_back(Json item);

  /// An integer equals a floating-point number of its value. Objects must have their members in the same order.
  friend bool operator==(const Json& a, const Json& b) {
    const bool mixed = a.is_number() && b.is_number() && a.is_integer() != b.is_integer();
    return mixed ? a.number() == b.number() : a.value_ == b.value_;
  }

 private:
  template <class T>
  bool holds() const {
    return std::holds_alternative<T>(value_);
  }
  [[noreturn]] void wrong_type(const char* expected) const;

  // Integers are stored as unsigned unless they are negative.
  std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object> value_;
};

/// Parses a text. Messages begin with `what`, such as "the header".
/// Throws std::invalid_argument for text that is not JSON or not UTF-8, for a key that occurs twice in an object, and
/// for nesting deeper than kMaxDepth, which could overflow the stack when the value is copied or printed.
Json parse_json(std::string_view text, const std::string& what);
inline constexpr int kMaxDepth = 32;

/// The value as text that parse_json() reads back: on one line or, if an indentation is given, with each element on its
/// own line, indented by that many spaces per level. String values may hold any bytes, as paths of files do: see
/// to_utf8(). Throws std::invalid_argument for a key that is not UTF-8.
std::string dump_json(const Json& value, int indentation = -1);

/// Encodes any bytes as UTF-8. Valid UTF-8 is unchanged, but each byte b that is not part of a valid character becomes
/// the character U+EF00 + b of Unicode's private use area, and so does each byte of such a character (the scheme of
/// OPTU-8, "raw octets" in the ConScript registry). parse_json() and dump_json() convert every string value.
std::string to_utf8(std::string_view bytes);
/// The inverse.
std::string from_utf8(std::string_view text);

template <class T>
Json::Json(const std::map<std::string, T>& members) : value_(Object()) {
  for (const auto& [key, value] : members) object().push_back({key, value});
}

namespace json_detail {
template <class T>
inline constexpr bool is_map = false;
template <class T>
inline constexpr bool is_map<std::map<std::string, T>> = true;

template <class T>
constexpr const char* name_of() {
  if constexpr (std::is_same_v<T, bool>) return "boolean";
  if constexpr (std::is_integral_v<T>) return "integer in range";
  if constexpr (std::is_floating_point_v<T>) return "number";
  if constexpr (std::is_same_v<T, std::string>) return "string";
  return is_map<T> ? "object whose members have one type" : "array whose items have one type";
}
}  // namespace json_detail

template <class T>
bool Json::is() const {
  if constexpr (std::is_same_v<T, bool>) {
    return is_boolean();
  } else if constexpr (std::is_integral_v<T>) {
    if (const auto* number = std::get_if<std::int64_t>(&value_)) return std::in_range<T>(*number);
    const auto* number = std::get_if<std::uint64_t>(&value_);
    return number != nullptr && std::in_range<T>(*number);
  } else if constexpr (std::is_floating_point_v<T>) {
    return is_number();
  } else if constexpr (std::is_same_v<T, std::string>) {
    return is_string();
  } else if constexpr (json_detail::is_map<T>) {
    if (!is_object()) return false;
    for (const Member& member : object()) {
      if (!member.value.is<typename T::mapped_type>()) return false;
    }
    return true;
  } else {
    if (!is_array()) return false;
    for (const Json& item : array()) {
      if (!item.is<typename T::value_type>()) return false;
    }
    return true;
  }
}

template <class T>
T Json::get() const {
  if (!is<T>()) wrong_type(json_detail::name_of<T>());
  if constexpr (std::is_same_v<T, bool>) {
    return std::get<bool>(value_);
  } else if constexpr (std::is_arithmetic_v<T>) {
    if (const auto* number = std::get_if<std::int64_t>(&value_)) return static_cast<T>(*number);
    if (const auto* number = std::get_if<std::uint64_t>(&value_)) return static_cast<T>(*number);
    return static_cast<T>(std::get<double>(value_));
  } else if constexpr (std::is_same_v<T, std::string>) {
    return string();
  } else {
    T result;
    if constexpr (json_detail::is_map<T>) {
      for (const Member& member : object()) result[member.key] = member.value.get<typename T::mapped_type>();
    } else {
      for (const Json& item : array()) result.push_back(item.get<typename T::value_type>());
    }
    return result;
  }
}

}  // namespace rill
