// Tables as text. A table that was read must survive writing and reading.
#include "datasets/csv.hpp"

#include "autodiff/error.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

auto parse(std::string_view text) {
  return rill::fuzz::accepted<rill::FileError>([&] { return rill::datasets::parse_csv(text, "a.csv"); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rill;
  auto table = parse(fuzz::text_of(data, size));
  if (!table) return 0;
  table->names.clear();  // names with separators in them are not quoted
  const auto again = parse(datasets::to_csv(*table));
  fuzz::check(again && again->columns == table->columns && again->values == table->values,
              "the table reads back as it was");
  return 0;
}
