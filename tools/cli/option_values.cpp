// The values of options: parsed from text, and printed as TOML.
#include <charconv>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/toml.hpp"

namespace rill::tools {
namespace {

template <class T>
T parse_number(const std::string& text, const char* expected) {
  T value{};
  const char* begin = text.data() + (text.size() > 1 && text[0] == '+' && text[1] != '-' ? 1 : 0);
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  require(error != std::errc::result_out_of_range, in_quotes(text), " is too large");
  require(error == std::errc{} && stop == end, "expected ", expected, ", found ", in_quotes(text));
  return value;
}

Index parse_index(const std::string& text) { return parse_number<Index>(text, "a whole number"); }

// Each of the texts may itself be a comma-separated list; an empty one is an empty list. Throws std::invalid_argument
// where an item is empty: written to a file, it would read back as no item at all.
std::vector<std::string> split(const std::vector<std::string>& texts) {
  std::vector<std::string> items;
  for (const std::string& text : texts) {
    for (std::size_t begin = 0, end = 0; end != text.npos && !text.empty(); begin = end + 1) {
      end = text.find(',', begin);
      items.push_back(text.substr(begin, end == text.npos ? end : end - begin));
      require(!items.back().empty(), "expected a value on both sides of every comma, found ", in_quotes(text));
    }
  }
  return items;
}

// The value of an option that takes only one: the last one.
const std::string& single(const std::vector<std::string>& texts) {
  require(!texts.empty(), "expected a value, found an empty list");
  return texts.back();
}

}  // namespace

Options::Setter Options::setter(std::string& value) {
  return [&value](const std::vector<std::string>& texts) { value = single(texts); };
}

Options::Setter Options::setter(bool& value) {
  return [&value](const std::vector<std::string>& texts) {
    const std::string& text = single(texts);
    require(text == "true" || text == "false", "expected true or false, found ", in_quotes(text));
    value = text == "true";
  };
}

Options::Setter Options::setter(Index& value) {
  return [&value](const std::vector<std::string>& texts) { value = parse_index(single(texts)); };
}

Options::Setter Options::setter(std::uint64_t& value) {
  return [&value](const std::vector<std::string>& texts) {
    value = parse_number<std::uint64_t>(single(texts), "a whole number that is not negative");
  };
}

Options::Setter Options::setter(double& value) {
  return [&value](const std::vector<std::string>& texts) {
    const double number = parse_number<double>(single(texts), "a number");
    require(std::isfinite(number), "expected a finite number, found ", in_quotes(single(texts)));
    value = number;
  };
}

Options::Setter Options::setter(std::vector<std::string>& value) {
  return [&value](const std::vector<std::string>& texts) { value = split(texts); };
}

Options::Setter Options::setter(std::vector<Index>& value) {
  return [&value](const std::vector<std::string>& texts) {
    std::vector<Index> numbers;
    for (const std::string& text : split(texts)) numbers.push_back(parse_index(text));
    value = numbers;
  };
}

Options::Writer Options::writer(const std::string& value) {
  return [&value] { return toml_string(value); };
}

Options::Writer Options::writer(const bool& value) {
  return [&value] { return std::string(value ? "true" : "false"); };
}

Options::Writer Options::writer(const Index& value) {
  return [&value] { return std::to_string(value); };
}

Options::Writer Options::writer(const std::uint64_t& value) {
  return [&value] { return std::to_string(value); };
}

Options::Writer Options::writer(const double& value) {
  return [&value] { return exact(value); };
}

Options::Writer Options::writer(const std::vector<std::string>& value) {
  return [&value] {
    std::vector<std::string> items;
    for (const std::string& item : value) items.push_back(toml_string(item));
    return concat("[", joined(items), "]");
  };
}

Options::Writer Options::writer(const std::vector<Index>& value) {
  return [&value] {
    std::vector<std::string> items;
    for (const Index item : value) items.push_back(std::to_string(item));
    return concat("[", joined(items), "]");
  };
}

}  // namespace rill::tools
