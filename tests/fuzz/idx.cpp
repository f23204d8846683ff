// IDX files, raw or compressed.
#include "datasets/idx.hpp"

#include "autodiff/error.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rill;
  const fuzz::MemoryFile file(fuzz::text_of(data, size));
  const auto array = fuzz::accepted<FileError>([&] { return datasets::read_idx(file.path()); });
  if (array) {
    fuzz::check(static_cast<std::size_t>(array->shape.size()) == array->bytes.size(), "as many bytes as elements");
  }
  return 0;
}
