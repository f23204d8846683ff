#include "tools/data_option.hpp"

#include <charconv>
#include <filesystem>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"
#include "tools/cli/usage_error.hpp"

namespace rill::tools {
namespace {

std::pair<std::string, double> parse_parameter(const char* option, const std::string& text) {
  const std::size_t equals = text.find('=');
  double value = 0;
  const char* end = text.data() + text.size();
  const char* begin = equals == text.npos ? end : text.data() + equals + 1;
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc{} || stop != end) {
    throw UsageError(concat("--", option, ": expected name=number such as cells=8, found ", in_quotes(text)));
  }
  return {text.substr(0, equals), value};
}

}  // namespace

bool is_file_name(const std::string& data) {
  return data.find('/') != data.npos || std::filesystem::path(data).has_extension();
}

datasets::DataDescription named_density(const std::string& name, const char* option,
                                        const std::vector<std::string>& parameters) {
  datasets::DataDescription description;
  description.source = name;
  for (const std::string& text : parameters) {
    auto [key, value] = parse_parameter(option, text);
    description.parameters[key] = value;
  }
  return description;
}

}  // namespace rill::tools
