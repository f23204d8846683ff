#include "autodiff/json.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "autodiff/error.hpp"

namespace rill {
namespace {

unsigned byte_at(std::string_view text, std::size_t i) {
  return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
}

// How many bytes the UTF-8 character at the start of the text takes; 0 when there is none (RFC 3629: no overlong forms,
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

// True for U+EF80 to U+EFFF, which stand for the bytes 0x80 to 0xff: EE BE 80 to EE BF BF.
bool stands_for_byte(std::string_view character) {
  return character.size() == 3 && byte_at(character, 0) == 0xee && (byte_at(character, 1) | 1) == 0xbf;
}

void make_utf8(nlohmann::ordered_json& value) {
  if (value.is_string()) value = to_utf8(value.get_ref<const std::string&>());
  if (value.is_structured()) std::for_each(value.begin(), value.end(), make_utf8);
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

nlohmann::json parse_json(std::string_view text, const std::string& what) {
  using Json = nlohmann::json;
  using Event = Json::parse_event_t;
  std::vector<std::set<std::string>> open_objects;
  const auto check = [&](int depth, Event event, Json& parsed) {
    const bool opens = event == Event::object_start || event == Event::array_start;
    require(!opens || depth < kMaxDepth, what, " is nested more than ", kMaxDepth, " deep");
    if (event == Event::object_start) open_objects.emplace_back();
    if (event == Event::object_end) open_objects.pop_back();
    if (event == Event::key) {
      const bool is_new = open_objects.back().insert(parsed.get<std::string>()).second;
      require(is_new, what, " has the key ", parsed.dump(), " twice");
    }
    if (event == Event::value && parsed.is_string()) parsed = from_utf8(parsed.get_ref<const std::string&>());
    return true;
  };
  // The parser would take it for the end, whatever follows.
  require(text.find('\0') == text.npos, what, " is not valid JSON: it holds a zero byte");
  try {
    return Json::parse(text.begin(), text.end(), check);
  } catch (const Json::exception& error) {
    constexpr std::size_t kMaxReason = 200;  // the reason quotes what was read, which may be long
    fail(what, " is not valid JSON: ", std::string(error.what()).substr(0, kMaxReason));
  }
}

std::string dump_json(nlohmann::ordered_json value, int indentation) {
  make_utf8(value);
  try {
    return value.dump(indentation);
  } catch (const nlohmann::json::exception& error) {
    fail("a name in a file must be UTF-8: ", error.what());
  }
}

}  // namespace rill
