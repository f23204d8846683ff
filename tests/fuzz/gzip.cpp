// Compressed IDX files: the input is compressed, after a first byte that says how much of the end is cut off. A whole
// file must give the same as the raw file, and a truncated one must be rejected.
#include <zlib.h>

#include "autodiff/error.hpp"
#include "datasets/idx.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

std::string compressed(std::string_view bytes) {
  z_stream stream{};
  constexpr int kWindowBits = 15, kGzip = 16, kMemory = 8;
  deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kWindowBits + kGzip, kMemory, Z_DEFAULT_STRATEGY);
  std::string result(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

std::optional<rill::datasets::IdxArray> read(std::string_view bytes) {
  using namespace rill;
  const fuzz::MemoryFile file(bytes);
  return fuzz::accepted<FileError>([&] { return datasets::read_idx(file.path()); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view raw = rill::fuzz::text_of(data + 1, size - 1);
  const std::string file = compressed(raw);
  const std::size_t cut = data[0];
  const auto whole = read(raw),
             unpacked = read(std::string_view(file).substr(0, file.size() - std::min(cut, file.size())));
  if (cut == 0) {
    // Of a raw file that is itself compressed, only the outer layer is taken off.
    const bool twice = raw.substr(0, 2) == "\x1f\x8b";
    rill::fuzz::check(twice || whole.has_value() == unpacked.has_value(), "raw and compressed are taken alike");
    rill::fuzz::check(!whole || !unpacked || whole->bytes == unpacked->bytes, "raw and compressed hold the same");
  } else {
    rill::fuzz::check(!unpacked, "a compressed file that is cut off is refused");
  }
  return 0;
}
