// NumPy's arrays.
#include "datasets/npy.hpp"

#include "autodiff/error.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rill;
  const auto array = fuzz::accepted<FileError>([&] { return datasets::parse_npy(fuzz::text_of(data, size), "a.npy"); });
  if (array) {
    fuzz::check(array->values.size() <= size, "no more elements than bytes");
    fuzz::check(static_cast<std::size_t>(array->shape.size()) == array->values.size(), "as many elements as in shape");
  }
  return 0;
}
