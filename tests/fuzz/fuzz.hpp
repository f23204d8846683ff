// Shared by the fuzzers. Each .cpp file of this folder except seeds.cpp is one target: it passes libFuzzer's bytes to
// one reader, which either accepts them or rejects them with its documented exception. Anything else is a finding:
// another exception, a message of several lines, a result that does not read back as itself, a report of the
// sanitizers, or more time or memory than tests/fuzz.sh allows for an input of a few thousand bytes.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

/// libFuzzer calls this with one input after the other.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace rill::fuzz {

/// Ends the program, which libFuzzer reports with the input, unless the condition holds.
inline void check(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// A file that is in memory only, for readers that take a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes)
      : descriptor_(::memfd_create("input", 0)), path_("/proc/self/fd/" + std::to_string(descriptor_)) {
    const auto size = static_cast<ssize_t>(bytes.size());
    check(descriptor_ >= 0 && ::write(descriptor_, bytes.data(), bytes.size()) == size, "no file in memory");
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  int descriptor_;
  std::string path_;
};

/// What read() returns, or nothing when it throws a Refusal. The message must be one that can be read.
template <class Refusal, class Read>
auto accepted(const Read& read) -> std::optional<decltype(read())> {
  constexpr std::size_t kLongestMessage = 2000;
  try {
    return read();
  } catch (const Refusal& refusal) {
    const std::string_view message = refusal.what();
    check(!message.empty() && message.size() <= kLongestMessage, "a message of no or too many bytes");
  }
  return std::nullopt;
}

}  // namespace rill::fuzz
