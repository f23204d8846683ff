#include "autodiff/json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "autodiff/error.hpp"

namespace rill {
namespace {

unsigned byte_at(std::string_view text, std::size_t i) {
  return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
}

// The length in bytes of the UTF-8 character at the start of the text; 0 if there is none (RFC 3629: no overlong forms,
// no surrogates, nothing past U+10FFFF).
std::size_t character_bytes(std::string_view text) {
  const unsigned first = byte_at(text, 0), second = byte_at(text, 1);
  const auto continues = [&](std::size_t i) { return (byte_at(text, i) & 0xc0) == 0x80; };
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && second < 0xa0, surrogate = first == 0xed && second >= 0xa0;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool overlong = first == 0xf0 && second < 0x90, past_the_end = first == 0xf4 && second >= 0x90;
    return continues(1) && continues(2) && continues(3) && !overlong && !past_the_end ? 4 : 0;
  }
  return 0;
}

// Whether it is one of U+EF80 to U+EFFF, EE BE 80 to EE BF BF, which encode the bytes 0x80 to 0xff.
bool stands_for_byte(std::string_view character) {
  return character.size() == 3 && byte_at(character, 0) == 0xee && (byte_at(character, 1) | 1) == 0xbf;
}

using Library = nlohmann::ordered_json;

// Builds a value from the events of the parser.
class Builder {
 public:
  using number_integer_t = Library::number_integer_t;
  using number_unsigned_t = Library::number_unsigned_t;
  using number_float_t = Library::number_float_t;
  using string_t = Library::string_t;
  using binary_t = Library::binary_t;

  explicit Builder(const std::string& what) : what_(what) {}

  Json result() { return std::move(root_); }

  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(number_integer_t value) { return add(value); }
  bool number_unsigned(number_unsigned_t value) { return add(value); }
  bool number_float(number_float_t value, const string_t&) { return add(value); }
  bool string(string_t& value) { return add(from_utf8(value)); }
  bool binary(binary_t&) { return true; }  // does not occur in JSON text
  bool start_object(std::size_t) { return open(Json::Object()); }
  bool start_array(std::size_t) { return open(Json::Array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(string_t& name) {
    require(keys_.back().insert(name).second, what_, " has the key ", Library(name).dump(), " twice");
    open_.back()->object().push_back({name, nullptr});
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Library::exception& error) {
    constexpr std::size_t kMaxReason = 200;  // it quotes the input, which may be long
    fail(what_, " is not valid JSON: ", std::string(error.what()).substr(0, kMaxReason));
  }

 private:
  Json& place() {
    if (open_.empty()) return root_;
    Json& parent = *open_.back();
    return parent.is_object() ? parent.object().back().value : parent.array().emplace_back();
  }
  bool add(Json value) {
    place() = std::move(value);
    return true;
  }
  bool open(Json value) {
    require(open_.size() < static_cast<std::size_t>(kMaxDepth), what_, " is nested more than ", kMaxDepth, " deep");
    Json& here = place();
    here = std::move(value);
    open_.push_back(&here);  // the pointer stays valid: no sibling is added before it is closed
    keys_.emplace_back();
    return true;
  }
  bool close() {
    open_.pop_back();
    keys_.pop_back();
    return true;
  }

  const std::string& what_;
  Json root_;
  std::vector<Json*> open_;                  // arrays and objects, from the outermost to the innermost
  std::vector<std::set<std::string>> keys_;  // of the open ones
};

// Converts a value to the type of the library that prints it.
Library to_library(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is<std::uint64_t>()) return value.get<std::uint64_t>();
  if (value.is_integer()) return value.get<std::int64_t>();
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return to_utf8(value.string());
  if (value.is_array()) {
    Library array = Library::array();
    for (const Json& item : value.array()) array.push_back(to_library(item));
    return array;
  }
  if (value.is_object()) {
    Library object = Library::object();
    auto& members = object.get_ref<Library::object_t&>();
    // object[key] would search all keys so far.
    for (const auto& [key, member] : value.object()) members.emplace_back(key, to_library(member));
    return object;
  }
  return nullptr;
}

}  // namespace

std::string to_utf8(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const std::size_t size = character_bytes(bytes);
    const std::string_view character = bytes.substr(0, std::max<std::size_t>(size, 1));
    if (size > 0 && !stands_for_byte(character)) {
      text += character;
    } else {
      for (const char c : character) {
        const unsigned byte = static_cast<unsigned char>(c);
        text += {'\xee', static_cast<char>(byte < 0xc0 ? 0xbe : 0xbf), static_cast<char>(0x80 | (byte & 0x3f))};
      }
    }
    bytes.remove_prefix(character.size());
  }
  return text;
}

std::string from_utf8(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    const std::string_view character = text.substr(0, std::max<std::size_t>(character_bytes(text), 1));
    if (stands_for_byte(character)) {
      bytes += static_cast<char>((byte_at(character, 1) == 0xbe ? 0x80 : 0xc0) | (byte_at(character, 2) & 0x3f));
    } else {
      bytes += character;
    }
    text.remove_prefix(character.size());
  }
  return bytes;
}

Json::Json(Object value) : value_(std::move(value)) {}
Json::Json(std::initializer_list<Member> members) : value_(Object(members)) {}

const char* Json::type_name() const {
  if (is_object()) return "object";
  if (is_array()) return "array";
  if (is_string()) return "string";
  if (is_number()) return "number";
  return is_boolean() ? "boolean" : "null";
}

void Json::wrong_type(const char* expected) const {
  fail("JSON: found a value of type ", type_name(), ", expected ", expected);
}

const std::string& Json::string() const {
  if (!is_string()) wrong_type("string");
  return std::get<std::string>(value_);
}

const Json::Array& Json::array() const {
  if (!is_array()) wrong_type("array");
  return std::get<Array>(value_);
}

const Json::Object& Json::object() const {
  if (!is_object()) wrong_type("object");
  return std::get<Object>(value_);
}

Json::Array& Json::array() { return const_cast<Array&>(std::as_const(*this).array()); }
Json::Object& Json::object() { return const_cast<Object&>(std::as_const(*this).object()); }

const Json* Json::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  for (const Member& member : object()) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

Json& Json::operator[](std::string_view key) {
  if (is_null()) value_ = Object();
  if (const Json* found = find(key)) return const_cast<Json&>(*found);
  return object().emplace_back(Member{std::string(key), nullptr}).value;
}

const Json& Json::at(std::string_view key) const {
  const Json* found = find(key);
  if (found == nullptr) fail("JSON: there is no member '", key, "'");
  return *found;
}

void Json::push_back(Json item) {
  if (is_null()) value_ = Array();
  array().push_back(std::move(item));
}

Json Json::take(std::string_view key) {
  Json value = std::move(const_cast<Json&>(at(key)));
  std::erase_if(object(), [&](const Member& member) { return member.key == key; });
  return value;
}

Json parse_json(std::string_view text, const std::string& what) {
  // The parser would take a zero byte for the end of the text.
  require(text.find('\0') == text.npos, what, " is not valid JSON: it holds a zero byte");
  Builder builder(what);
  Library::sax_parse(text.begin(), text.end(), &builder);
  return builder.result();
}

std::string dump_json(const Json& value, int indentation) {
  try {
    return to_library(value).dump(indentation);
  } catch (const Library::exception& error) {
    fail("a name in a file must be UTF-8: ", error.what());
  }
}

}  // namespace rill
