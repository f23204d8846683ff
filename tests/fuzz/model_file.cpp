// Files of models, and of networks alone.
#include "flow/model/model_file.hpp"

#include "autodiff/error.hpp"
#include "nn/checkpoint.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rill;
  const fuzz::MemoryFile file(fuzz::text_of(data, size));
  fuzz::accepted<FileError>([&] { return flow::load_model(file.path()); });
  fuzz::accepted<FileError>([&] { return nn::load_network(file.path()); });
  return 0;
}
