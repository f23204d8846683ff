#include "datasets/npy.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <set>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"

namespace rill::datasets {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kLongestHeader = 60'000;  // NumPy itself reads no more than 10,000

struct Header {
  std::string descr;
  bool fortran_order = false;
  Shape shape;
};

/// Reads the one kind of Python expression that a header contains:
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
    require_file(peek() == '\0', path_, "the header continues after its closing brace");
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
    require_file(end != text_.npos, path_, "the header has a string that does not end");
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
      accept('L');  // the suffix of Python 2's long integers
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

/// IEEE 754 binary16: a sign bit, five bits of exponent and ten of fraction.
struct Half {
  std::uint16_t bits;
  explicit operator double() const {
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double size = exponent == 0    ? std::ldexp(fraction, -24)
                        : exponent == 31 ? (fraction == 0 ? HUGE_VAL : std::nan(""))
                                         : std::ldexp(1024 + fraction, exponent - 25);
    return bits >> 15 == 0 ? size : -size;
  }
};

/// Converts the elements, of type T, reversing the bytes of each when `swap` is set.
template <class T>
void convert(const char* bytes, bool swap, std::vector<double>& values) {
  for (double& value : values) {
    std::array<char, sizeof(T)> element;
    std::memcpy(element.data(), bytes, sizeof(T));
    bytes += sizeof(T);
    if (swap) std::reverse(element.begin(), element.end());
    value = static_cast<double>(std::bit_cast<T>(element));
  }
}

struct ElementType {
  std::string_view code;
  std::size_t bytes;
  void (*convert)(const char* bytes, bool swap, std::vector<double>& values);
};
constexpr ElementType kElementTypes[] = {
    {"f2", 2, convert<Half>},          {"f4", 4, convert<float>},         {"f8", 8, convert<double>},
    {"i1", 1, convert<std::int8_t>},   {"i2", 2, convert<std::int16_t>},  {"i4", 4, convert<std::int32_t>},
    {"i8", 8, convert<std::int64_t>},  {"u1", 1, convert<std::uint8_t>},  {"u2", 2, convert<std::uint16_t>},
    {"u4", 4, convert<std::uint32_t>}, {"u8", 8, convert<std::uint64_t>}, {"b1", 1, convert<std::uint8_t>},
};

/// Converts elements from Fortran order, with the first index fastest, to C order, with the last one fastest.
std::vector<double> from_fortran_order(const std::vector<double>& values, const Shape& shape) {
  std::vector<double> result(values.size());
  const std::size_t rank = static_cast<std::size_t>(shape.rank());
  std::vector<std::size_t> at(rank, 0), stride(rank, 1);
  for (std::size_t axis = 1; axis < rank; ++axis) {
    stride[axis] = stride[axis - 1] * static_cast<std::size_t>(shape[static_cast<int>(axis) - 1]);
  }
  std::size_t from = 0;
  for (double& value : result) {
    value = values[from];
    for (std::size_t axis = rank; axis-- > 0;) {
      from += stride[axis];
      if (++at[axis] < static_cast<std::size_t>(shape[static_cast<int>(axis)])) break;
      from -= at[axis] * stride[axis];
      at[axis] = 0;
    }
  }
  return result;
}

/// The number of elements. The product must not overflow in any order of multiplication, even if a size is 0.
std::size_t count_of(const Shape& shape, std::size_t element_bytes, const std::string& path) {
  Index largest = static_cast<Index>(element_bytes);
  bool overflow = false, none = false;
  for (const Index size : shape) {
    none |= size == 0;
    overflow |= __builtin_mul_overflow(largest, std::max<Index>(size, 1), &largest);
  }
  overflow |= largest / static_cast<Index>(element_bytes) > kMaxElements;
  require_file(!overflow, path, "the shape ", shape, " has more elements than can be stored");
  return none ? 0 : static_cast<std::size_t>(largest) / element_bytes;
}

/// The position and type of a file's elements.
struct Layout {
  Shape shape;
  bool fortran_order = false, swap = false;
  const ElementType* type = nullptr;
  std::size_t count = 0, start = 0;  // elements, and bytes before the first
};

/// The layout of a file that starts with these bytes and has `size` bytes, if that is known.
Layout layout_of(std::string_view file, std::optional<std::size_t> size, const std::string& path) {
  require_file(file.substr(0, kMagic.size()) == kMagic, path, "does not start with \\x93NUMPY, expected a .npy file");
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(file[i])); };
  require_file(file.size() >= 12, path, "ends within the header");
  const std::size_t version = byte(6);
  require_file(1 <= version && version <= 3 && byte(7) == 0, path, "has format version ", version, ".", byte(7),
               ", expected 1.0 to 3.0");
  Layout layout;
  const std::size_t before = version == 1 ? 10 : 12;
  std::size_t length = byte(8) | byte(9) << 8;
  if (version > 1) length |= byte(10) << 16 | byte(11) << 24;
  require_file(length <= kLongestHeader, path, "has a header of ", length, " bytes, expected at most ", kLongestHeader);
  require_file(length <= file.size() - before, path, "ends within the header: it should be ", length, " bytes long");
  const Header header = HeaderParser(path, file.substr(before, length)).parse();

  const std::string_view code = std::string_view(header.descr).substr(header.descr.empty() ? 0 : 1);
  layout.type = std::find_if(std::begin(kElementTypes), std::end(kElementTypes),
                             [&](const ElementType& known) { return known.code == code; });
  const char order = header.descr.empty() ? '\0' : header.descr[0];
  const bool known_order = order == '<' || order == '>' || order == '=' || order == '|';
  require_file(layout.type != std::end(kElementTypes) && known_order, path, "holds elements of type '", header.descr,
               "', expected f2, f4, f8, b1 or an integer type");
  const bool little = std::endian::native == std::endian::little;
  layout.swap = (order == '>' && little) || (order == '<' && !little);
  layout.shape = header.shape;
  layout.fortran_order = header.fortran_order;
  layout.start = before + length;
  layout.count = count_of(header.shape, layout.type->bytes, path);
  if (!size) return layout;
  const std::size_t held = std::max(*size, file.size()) - layout.start, needed = layout.count * layout.type->bytes;
  require_file(held == needed, path, "holds ", held, " bytes of elements, but the shape ", header.shape, " of '",
               header.descr, "' needs ", needed);
  return layout;
}

void write(const std::string& path, const Shape& shape, std::size_t element_bytes, const void* elements,
           std::size_t count) {
  static_assert(std::endian::native == std::endian::little, "elements are written as they are in memory");
  std::string sizes = "(";
  for (const Index size : shape) sizes += concat(size, ", ");
  sizes += ")";
  // NumPy writes (3,) and (3, 2): a trailing comma for a single size only.
  if (shape.rank() == 1) sizes.erase(sizes.size() - 2, 1);
  if (shape.rank() > 1) sizes.erase(sizes.size() - 3, 2);
  std::string header = concat("{'descr': '<f", element_bytes, "', 'fortran_order': False, 'shape': ", sizes, ", }");
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
  file.write(elements, count * element_bytes);
  file.commit();
}

}  // namespace

Tensor NpyArray::to_tensor() const {
  const std::vector<Real> reals(values.begin(), values.end());
  return Tensor::from(reals, shape);
}

NpyArray parse_npy(std::string_view file, const std::string& path) {
  const Layout layout = layout_of(file, file.size(), path);
  NpyArray array{layout.shape, std::vector<double>(layout.count)};
  layout.type->convert(file.data() + layout.start, layout.swap, array.values);
  if (layout.fortran_order) array.values = from_fortran_order(array.values, array.shape);
  return array;
}

NpyArray read_npy(const std::string& path) {
  const auto check = [&](std::string_view start, std::optional<std::size_t> size) { layout_of(start, size, path); };
  return parse_npy(read_file(path, check), path);
}

void write_npy(const std::string& path, const Tensor& tensor) {
  write(path, tensor.shape(), sizeof(Real), tensor.data(), static_cast<std::size_t>(tensor.size()));
}

void write_npy(const std::string& path, const Shape& shape, std::span<const double> values) {
  require(shape.size() == static_cast<Index>(values.size()), "write_npy: ", values.size(), " values for a shape of ",
          shape);
  write(path, shape, sizeof(double), values.data(), values.size());
}

}  // namespace rill::datasets
