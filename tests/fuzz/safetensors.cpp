// Named tensors.
#include "nn/safetensors.hpp"

#include "autodiff/error.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rill;
  const fuzz::MemoryFile file(fuzz::text_of(data, size));
  const auto contents = fuzz::accepted<FileError>([&] { return nn::load_safetensors(file.path()); });
  if (!contents) return 0;
  Index numbers = 0;
  for (const nn::NamedTensor& named : contents->tensors) numbers += named.tensor.size();
  fuzz::check(static_cast<std::size_t>(numbers) * 2 <= size, "no more numbers than bytes");
  return 0;
}
