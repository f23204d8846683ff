// Descriptions of networks as JSON, alone and in a file without weights: whatever such a file claims, rejecting it must
// be cheap.
#include <stdexcept>

#include "autodiff/error.hpp"
#include "nn/checkpoint.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/safetensors_text.hpp"

namespace {

auto parse(const std::string& json) {
  return rill::fuzz::accepted<std::invalid_argument>([&] { return rill::nn::parse_time_network_description(json); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rill;
  const std::string json(fuzz::text_of(data, size));
  const auto description = parse(json);
  if (!description) return 0;
  fuzz::check(parse(nn::to_json(*description)) == description, "the description reads back as it was");
  const fuzz::MemoryFile file(fuzz::safetensors_text({{"model", json}}, {}));
  fuzz::check(!fuzz::accepted<FileError>([&] { return nn::load_network(file.path()); }), "a network without weights");
  return 0;
}
