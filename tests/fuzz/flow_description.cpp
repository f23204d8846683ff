// Descriptions of flows as JSON, in a file with a model's weights.
#include "autodiff/error.hpp"
#include "flow/model/model_file.hpp"
#include "nn/time_networks.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/safetensors_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rill;
  static const nn::TimeNetworkDescription description = {.hidden = {1}};
  static Generator rng(0);
  static const auto model = nn::make_time_network(description, rng);
  nn::Metadata metadata = {{"model", nn::to_json(description)},
                           {"data", datasets::to_json(datasets::DataDescription{})}};
  metadata["flow"] = fuzz::text_of(data, size);
  const fuzz::MemoryFile file(fuzz::safetensors_text(metadata, nn::add_prefix("model.", model->named_parameters())));
  fuzz::accepted<FileError>([&] { return flow::load_model(file.path()); });
  return 0;
}
