// Configuration files as options of every type. The settings must survive writing to a file and reading it back.
#include "tools/cli/options.hpp"

#include "autodiff/error.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace rill;

/// What a file makes of one option of each type, as a file; nothing when it is refused.
std::optional<std::string> in_force(std::string_view text) {
  std::string name;
  bool flag = false;
  Index whole = 1;
  std::uint64_t seed = 0;
  double number = 0.5;
  std::vector<std::string> words;
  std::vector<Index> sizes = {64, 64};
  tools::Options options("fuzz", "summary", "example");
  options.add("name", name, "TEXT", "text");
  options.add("flag", flag, "", "on or off");
  options.add("whole", whole, "N", "a whole number");
  options.add("seed", seed, "N", "one without a sign");
  options.add("number", number, "X", "a number");
  options.add("words", words, "LIST", "texts");
  options.add("sizes", sizes, "LIST", "whole numbers");
  const fuzz::MemoryFile file(text);
  return fuzz::accepted<tools::UsageError>([&] {
    options.read_file(file.path());
    return options.to_toml();
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (const auto once = in_force(fuzz::text_of(data, size))) {
    fuzz::check(in_force(*once) == once, "what is in force reads back as it was");
  }
  return 0;
}
