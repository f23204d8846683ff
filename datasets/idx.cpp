#include "datasets/idx.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"

namespace rill::datasets {
namespace {

std::string hex(unsigned byte) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "0x%02x", byte);
  return text.data();
}

/// A file read through zlib, which also reads files that are not compressed.
class Input {
 public:
  explicit Input(const std::string& path) : path_(path), size_(file_size(path)) {
    file_ = gzopen(path.c_str(), "rb");
    require_file(file_ != nullptr, path, "cannot open: ", std::strerror(errno));
  }
  ~Input() { gzclose(file_); }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  /// An upper bound on the number of bytes: deflate compresses by a factor of at most 1032.
  std::size_t most() const {
    if (!size_) return kMostUnsized;
    return gzdirect(file_) != 0 ? *size_ : 1032 * std::min(*size_, std::numeric_limits<std::size_t>::max() / 1032);
  }

  /// Up to `count` bytes; fewer only at the end of the file. For gzread() a truncated compressed file just ends; only
  /// gzerror() reports it.
  std::size_t read(std::uint8_t* bytes, std::size_t count) {
    std::size_t filled = 0;
    while (filled < count) {
      const unsigned step = static_cast<unsigned>(std::min<std::size_t>(count - filled, 1u << 30));
      const int got = gzread(file_, bytes + filled, step);
      if (got <= 0) break;
      filled += static_cast<std::size_t>(got);
    }
    if (filled < count) check();
    return filled;
  }

 private:
  void check() {
    int error = Z_OK;
    gzerror(file_, &error);
    require_file(error != Z_ERRNO, path_, "cannot read: ", std::strerror(errno));
    require_file(error != Z_BUF_ERROR, path_, "the compressed data is truncated: fetch the file again");
    require_file(error == Z_OK || error == Z_STREAM_END, path_, "the compressed data is damaged: fetch the file again");
  }

  std::string path_;
  std::optional<std::size_t> size_;
  gzFile file_ = nullptr;
};

void check_type(const std::string& path, unsigned type) {
  const auto reject = [&](const char* name) {
    throw FileError(path, "elements of IDX type ", hex(type), " (", name, "), expected 0x08 (unsigned bytes)");
  };
  switch (type) {
    case 0x08:
      return;
    case 0x09:
      reject("signed bytes");
      break;
    case 0x0b:
      reject("16-bit integers");
      break;
    case 0x0c:
      reject("32-bit integers");
      break;
    case 0x0d:
      reject("32-bit floating-point numbers");
      break;
    case 0x0e:
      reject("64-bit floating-point numbers");
      break;
    default:
      reject("unknown");
  }
}

/// The sizes that follow the magic number. Their product must not overflow even where one of them is 0.
Shape read_shape(Input& input, const std::string& path, int rank) {
  Shape shape;
  Index size = 1;
  for (int axis = 0; axis < rank; ++axis) {
    std::array<std::uint8_t, 4> b{};
    require_file(input.read(b.data(), 4) == 4, path, "ends within the header: a rank of ", rank, " needs ",
                 4 + 4 * rank, " bytes");
    shape.push_back((Index{b[0]} << 24) | (Index{b[1]} << 16) | (Index{b[2]} << 8) | Index{b[3]});
    const bool overflow = __builtin_mul_overflow(size, std::max<Index>(shape[axis], 1), &size) || size > kMaxElements;
    require_file(!overflow, path, "the sizes ", shape, "... in the header multiply to more than can be stored");
  }
  return shape;
}

}  // namespace

IdxArray read_idx(const std::string& path) {
  Input input(path);
  std::array<std::uint8_t, 4> magic{};
  require_file(input.read(magic.data(), 4) == 4, path, "is shorter than the 4 bytes that start an IDX file");
  require_file(magic[0] == 0 && magic[1] == 0, path, "starts with ", hex(magic[0]), " ", hex(magic[1]),
               ", expected the 0x00 0x00 of an IDX file, raw or .gz");
  check_type(path, magic[2]);
  require_file(1 <= magic[3] && magic[3] <= 4, path, "has rank ", int{magic[3]}, ", expected 1 to 4");

  IdxArray array;
  array.shape = read_shape(input, path, magic[3]);
  const std::size_t size = static_cast<std::size_t>(array.shape.size());
  require_file(size <= input.most(), path, "its header says ", array.shape, ", which is ", size,
               " elements, more than the file can hold");
  // Piece by piece, so that a header that claims too much costs no memory.
  constexpr std::size_t kPiece = std::size_t{1} << 24;
  while (array.bytes.size() < size) {
    const std::size_t begin = array.bytes.size(), count = std::min(kPiece, size - begin);
    array.bytes.resize(begin + count);
    const std::size_t got = input.read(array.bytes.data() + begin, count);
    require_file(got == count, path, "holds ", begin + got, " elements, but its header says ", array.shape,
                 ", which is ", size);
  }
  std::uint8_t extra = 0;
  require_file(input.read(&extra, 1) == 0, path, "continues after the ", size, " elements ", array.shape,
               " of its header");
  return array;
}

}  // namespace rill::datasets
