// Configuration files as text. What was read must survive writing and reading.
#include "tools/cli/toml.hpp"

#include <stdexcept>

#include "tests/fuzz/fuzz.hpp"

namespace {

auto parse(std::string_view text) {
  return rill::fuzz::accepted<std::invalid_argument>([&] { return rill::tools::parse_toml(text, "file.toml"); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rill;
  const auto entries = parse(fuzz::text_of(data, size));
  if (!entries) return 0;
  std::string text;
  for (const tools::TomlEntry& entry : *entries) {
    text += entry.key + " = [";
    for (const std::string& value : entry.values) text += tools::toml_string(value) + ", ";
    text += "]\n";
  }
  const auto again = parse(text);
  fuzz::check(again && again->size() == entries->size(), "the entries read back");
  for (std::size_t i = 0; i < entries->size(); ++i) {
    fuzz::check((*again)[i].key == (*entries)[i].key && (*again)[i].values == (*entries)[i].values,
                "an entry reads back as it was");
  }
  return 0;
}
