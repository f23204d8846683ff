#include "datasets/npy.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <set>
#include <string_view>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/ops.hpp"

namespace rill::datasets {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

struct Header {
  std::string descr;
  bool fortran_order = false;
  Shape shape;
};

/// Reads the one kind of Python expression that stands in a header:
///   {'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }
class HeaderParser {
 public:
  HeaderParser(const std::string& path, std::string_view text) : path_(path), text_(text) {}

  Header parse() {
    Header header;
    std::set<std::string> seen;
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      require_file(seen.insert(key).second, path_, "the header has the key '", key, "' twice");
      expect(':');
      if (key == "descr") {
        require_file(peek() != '[', path_, "holds records with named fields, expected one number per element");
        header.descr = string();
      } else if (key == "fortran_order") {
        header.fortran_order = boolean();
      } else if (key == "shape") {
        header.shape = shape();
      } else {
        throw FileError(path_, "the header has the unknown key '", key, "', expected descr, fortran_order and shape");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    require_file(peek() == '\0', path_, "the header goes on after its closing brace");
    require_file(seen.size() == 3, path_, "the header lacks a key, expected descr, fortran_order and shape");
    return header;
  }

 private:
  /// The next character that is not white space, or 0 at the end.
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    require_file(accept(c), path_, "the header is not a dictionary of descr, fortran_order and shape: expected '", c,
                 "' at its byte ", at_);
  }
  bool accept_word(std::string_view word) {
    peek();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  std::string string() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect(quote);
    const std::size_t end = text_.find(quote, at_);
    require_file(end != text_.npos, path_, "the header has a string without an end");
    std::string value(text_.substr(at_, end - at_));
    at_ = end + 1;
    return value;
  }

  bool boolean() {
    if (accept_word("True")) return true;
    require_file(accept_word("False"), path_, "the header's fortran_order is neither True nor False");
    return false;
  }

  Shape shape() {
    Shape result;
    expect('(');
    while (!accept(')')) {
      peek();
      Index size = 0;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), size);
      require_file(error == std::errc() && size >= 0, path_,
                   "the header's shape has a size that is not a number from 0 to 2^63 - 1");
      at_ = static_cast<std::size_t>(end - text_.data());
      accept('L');  // how Python 2 wrote long integers
      require_file(result.rank() < kMaxRank, path_, "has more than ", kMaxRank, " axes");
      result.push_back(size);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return result;
  }

  const std::string& path_;
  std::string_view text_;
  std::size_t at_ = 0;
};

/// Converts `count` elements of type T, reversing the bytes of each when `swap` is set.
template <class T>
void convert(const char* bytes, bool swap, Index count, Real* y) {
  for (Index i = 0; i < count; ++i) {
    std::array<char, sizeof(T)> element;
    std::memcpy(element.data(), bytes + i * static_cast<Index>(sizeof(T)), sizeof(T));
    if (swap) std::reverse(element.begin(), element.end());
    y[i] = static_cast<Real>(std::bit_cast<T>(element));
  }
}

struct ElementType {
  std::string_view code;
  std::size_t bytes;
  void (*convert)(const char* bytes, bool swap, Index count, Real* y);
};
constexpr ElementType kElementTypes[] = {
    {"f4", 4, convert<float>},         {"f8", 8, convert<double>},        {"i1", 1, convert<std::int8_t>},
    {"i2", 2, convert<std::int16_t>},  {"i4", 4, convert<std::int32_t>},  {"i8", 8, convert<std::int64_t>},
    {"u1", 1, convert<std::uint8_t>},  {"u2", 2, convert<std::uint16_t>}, {"u4", 4, convert<std::uint32_t>},
    {"u8", 8, convert<std::uint64_t>}, {"b1", 1, convert<std::uint8_t>},
};

/// An array in Fortran order is the transpose, all axes reversed, of one in C order.
Tensor from_fortran_order(const Tensor& x) {
  Shape reversed;
  Axes axes;
  for (int axis = x.rank() - 1; axis >= 0; --axis) {
    reversed.push_back(x.shape()[axis]);
    axes.push_back(axis);
  }
  return permute(reshape(x, reversed), axes);
}

}  // namespace

Tensor read_npy(const std::string& path) {
  const std::string file = read_file(path);
  require_file(std::string_view(file).substr(0, kMagic.size()) == kMagic, path,
               "does not start with \\x93NUMPY, expected a .npy file");
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(file[i])); };
  require_file(file.size() >= 12, path, "ends within the header");
  const std::size_t version = byte(6);
  require_file(1 <= version && version <= 3 && byte(7) == 0, path, "has format version ", version, ".", byte(7),
               ", expected 1.0 to 3.0");
  const std::size_t start = version == 1 ? 10 : 12;
  std::size_t length = byte(8) | byte(9) << 8;
  if (version > 1) length |= byte(10) << 16 | byte(11) << 24;
  require_file(length <= file.size() - start, path, "ends within the header: it should be ", length, " bytes long");
  const Header header = HeaderParser(path, std::string_view(file).substr(start, length)).parse();

  const std::string_view code = std::string_view(header.descr).substr(header.descr.empty() ? 0 : 1);
  const auto type = std::find_if(std::begin(kElementTypes), std::end(kElementTypes),
                                 [&](const ElementType& known) { return known.code == code; });
  const char order = header.descr.empty() ? '\0' : header.descr[0];
  const bool known_order = order == '<' || order == '>' || order == '=' || order == '|';
  require_file(type != std::end(kElementTypes) && known_order, path, "holds elements of type '", header.descr,
               "', expected f4, f8, b1 or an integer type");

  Index count = 1, bytes = 0;
  bool overflow = false;
  for (const Index size : header.shape) overflow |= __builtin_mul_overflow(count, size, &count);
  overflow |= __builtin_mul_overflow(count, static_cast<Index>(type->bytes), &bytes);
  require_file(!overflow, path, "the shape ", header.shape, " has more elements than can be stored");
  const std::size_t held = file.size() - start - length;
  require_file(held == static_cast<std::size_t>(bytes), path, "holds ", held, " bytes of elements, but the shape ",
               header.shape, " of '", header.descr, "' needs ", bytes);

  const bool little = std::endian::native == std::endian::little;
  Tensor result = Tensor::empty(header.shape);
  type->convert(file.data() + start + length, (order == '>' && little) || (order == '<' && !little), count,
                result.data());
  return header.fortran_order && header.shape.rank() > 1 ? from_fortran_order(result) : result;
}

void write_npy(const std::string& path, const Tensor& tensor) {
  static_assert(std::endian::native == std::endian::little, "the elements are written as they are in memory");
  std::string shape = "(";
  for (const Index size : tensor.shape()) shape += concat(size, ", ");
  shape += ")";
  // NumPy writes (3,) and (3, 2): one comma for a single size, none at the end of more.
  if (tensor.rank() == 1) shape.erase(shape.size() - 2, 1);
  if (tensor.rank() > 1) shape.erase(shape.size() - 3, 2);
  std::string header = concat("{'descr': '<f", sizeof(Real), "', 'fortran_order': False, 'shape': ", shape, ", }");
  // The elements start at a multiple of 64 bytes, after a line feed.
  const std::size_t start = kMagic.size() + 4;
  header.append(63 - (start + header.size()) % 64, ' ');
  header += '\n';

  AtomicFile file(path);
  file.write(kMagic);
  const std::array<char, 4> version_and_length = {1, 0, static_cast<char>(header.size() % 256),
                                                  static_cast<char>(header.size() / 256)};
  file.write(version_and_length.data(), version_and_length.size());
  file.write(header);
  file.write(tensor.data(), static_cast<std::size_t>(tensor.size()) * sizeof(Real));
  file.commit();
}

}  // namespace rill::datasets
