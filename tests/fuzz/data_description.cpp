// Descriptions of data as JSON.
#include <stdexcept>

#include "datasets/data.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

auto parse(const std::string& json) {
  return rill::fuzz::accepted<std::invalid_argument>([&] { return rill::datasets::parse_data_description(json); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rill;
  const auto description = parse(std::string(fuzz::text_of(data, size)));
  if (!description) return 0;
  const std::string text = datasets::to_json(*description);
  const auto again = parse(text);
  fuzz::check(again && datasets::to_json(*again) == text, "the description reads back as it was");
  return 0;
}
