#include "nn/safetensors.hpp"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/json.hpp"

namespace rill::nn {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian, as this code assumes");

constexpr const char* kMetadata = "__metadata__";
constexpr const char* kChecksum = "rill_crc32";
constexpr std::size_t kChecksumDigits = 8;
constexpr std::size_t kMaxHeader = 100'000'000;
constexpr std::size_t kHeaderAlignment = 8;
constexpr const char* kRealType = std::is_same_v<Real, double> ? "F64" : "F32";

// A tensor's entry in the header, checked on its own.
struct Entry {
  std::string name;
  std::string dtype;
  Shape shape;
  std::uint64_t begin = 0, end = 0;  // bytes, from the start of the data
};

float from_bf16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

// IEEE 754 binary16: sign 1, exponent 5 (bias 15), fraction 10.
float from_f16(std::uint16_t bits) {
  constexpr std::uint32_t kMaxExponent = 31, kRebias = 127 - 15;
  const std::uint32_t sign = (bits & 0x8000u) << 16, exponent = (bits >> 10) & kMaxExponent, fraction = bits & 0x3ffu;
  if (exponent == 0) {  // zero or subnormal: fraction * 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == kMaxExponent ? 255 : exponent + kRebias;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

// The bytes per number of a supported dtype, 0 for any other.
std::uint64_t bytes_per_number(std::string_view dtype) {
  if (dtype == "F64") return 8;
  if (dtype == "F32") return 4;
  if (dtype == "F16" || dtype == "BF16") return 2;
  return 0;
}

template <class Stored, class Convert>
void convert(const char* bytes, Tensor& y, Convert to_real) {
  for (Index i = 0; i < y.size(); ++i, bytes += sizeof(Stored)) {
    Stored stored;
    std::memcpy(&stored, bytes, sizeof(Stored));
    y.data()[i] = static_cast<Real>(to_real(stored));
  }
}

Tensor read_tensor(const Entry& entry, const char* data) {
  Tensor y = Tensor::empty(entry.shape);
  const char* bytes = data + entry.begin;
  if (entry.dtype == "F64") convert<double>(bytes, y, [](double v) { return v; });
  if (entry.dtype == "F32") convert<float>(bytes, y, [](float v) { return v; });
  if (entry.dtype == "F16") convert<std::uint16_t>(bytes, y, from_f16);
  if (entry.dtype == "BF16") convert<std::uint16_t>(bytes, y, from_bf16);
  return y;
}

// A name from a file, on one line, whatever characters it contains.
std::string quoted(const std::string& name) { return dump_json(name); }

// The header as JSON.
Json parse_header(const std::string& path, std::string_view text) {
  require_file(text.starts_with('{'), path, "not a safetensors file: its header does not start with '{'");
  try {
    return parse_json(text, "the header");
  } catch (const std::invalid_argument& error) {
    throw FileError(path, error.what());
  }
}

// The CRC-32 of a file, continued from part to part.
std::uint32_t crc_of(std::string_view bytes, std::uint32_t crc = 0) {
  return static_cast<std::uint32_t>(crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

template <class T>
std::string_view bytes_of(const T* values, std::size_t count) {
  return {reinterpret_cast<const char*>(values), count * sizeof(T)};
}

std::string hexadecimal(std::uint32_t value) {
  char text[kChecksumDigits + 1];
  std::snprintf(text, sizeof text, "%08" PRIx32, value);
  return text;
}

// The position of the checksum's digits in a header; npos if there is none. A quote within a JSON string is written \",
// so the text searched for can only be a key and the start of its value.
std::size_t find_checksum(std::string_view header) {
  const std::string field = concat('"', kChecksum, "\":\"");
  const std::size_t found = header.find(field);
  return found == header.npos || found + field.size() + kChecksumDigits > header.size() ? header.npos
                                                                                        : found + field.size();
}

// The checksum of a file with this header, in which its own digits are at position `digits`, and this data.
std::uint32_t checksum(std::string header, std::size_t digits, const std::vector<std::string_view>& data) {
  header.replace(digits, kChecksumDigits, kChecksumDigits, '0');
  const std::uint64_t size = header.size();
  std::uint32_t crc = crc_of(header, crc_of(bytes_of(&size, 1)));
  for (const std::string_view part : data) crc = crc_of(part, crc);
  return crc;
}

// Called before anything else in the file is trusted.
void check_checksum(const std::string& path, std::string_view header, std::string_view data) {
  const std::size_t digits = find_checksum(header);
  if (digits == header.npos) return;
  const std::string written = std::string(header.substr(digits, kChecksumDigits));
  const std::string found = hexadecimal(checksum(std::string(header), digits, {data}));
  require_file(found == written, path, "damaged: its bytes have the checksum ", found, ", but it says ",
               quoted(to_utf8(written)),
               "; take another copy of it, or train again (a program that changed it on purpose should have removed '",
               kChecksum, "' from its metadata)");
}

std::map<std::string, std::string> read_metadata(const std::string& path, const Json& json) {
  require_file(json.is_object(), path, kMetadata, " is not an object of strings");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : json.object()) {
    require_file(value.is_string(), path, kMetadata, ": the value of ", quoted(key), " is not a string");
    if (key != kChecksum) metadata[key] = value.string();
  }
  return metadata;
}

Entry read_entry(const std::string& path, const std::string& name, const Json& json) {
  const std::string where = concat("tensor ", quoted(name), ": ");
  require_file(json.is_object(), path, where, "expected an object with dtype, shape and data_offsets");
  for (const char* key : {"dtype", "shape", "data_offsets"}) {
    require_file(json.contains(key), path, where, "has no ", key);
  }
  Entry entry{.name = name, .dtype = {}, .shape = {}};

  const Json& dtype = json.at("dtype");
  require_file(dtype.is_string(), path, where, "dtype is not a string");
  entry.dtype = dtype.string();
  const std::uint64_t number_bytes = bytes_per_number(entry.dtype);
  require_file(number_bytes > 0, path, where, "dtype '", entry.dtype,
               "' cannot be read: expected F64, F32, F16 or BF16");

  const Json& shape = json.at("shape");
  require_file(shape.is_array(), path, where, "shape is not a list");
  require_file(shape.array().size() <= kMaxRank, path, where, "shape has ", shape.array().size(), " axes, at most ",
               kMaxRank, " are supported");
  for (const Json& size : shape.array()) {
    require_file(size.is<std::uint64_t>(), path, where, "shape ", dump_json(shape),
                 " holds something other than non-negative integers below 2^64");
    require_file(size.is<Index>(), path, where, "shape ", dump_json(shape), " overflows");
    entry.shape.push_back(size.get<Index>());
  }
  std::uint64_t bytes = number_bytes;
  try {
    bytes *= static_cast<std::uint64_t>(entry.shape.size());
  } catch (const std::invalid_argument&) {  // more than a tensor may have, even where one of the sizes is 0
    throw FileError(path, where, "shape ", dump_json(shape), " overflows");
  }

  const Json& offsets = json.at("data_offsets");
  require_file(offsets.is<std::vector<std::uint64_t>>() && offsets.array().size() == 2, path, where, "data_offsets is ",
               dump_json(offsets), ", expected two non-negative integers");
  entry.begin = offsets.array()[0].get<std::uint64_t>();
  entry.end = offsets.array()[1].get<std::uint64_t>();
  require_file(entry.begin <= entry.end && entry.end - entry.begin == bytes, path, where, "data_offsets ",
               dump_json(offsets), " hold another number of bytes than the ", bytes, " of shape ", entry.shape, " in ",
               entry.dtype);
  return entry;
}

// Sorted by offset, each tensor must start where the one before it ended, and the last end with the file.
void check_layout(const std::string& path, std::vector<Entry>& entries, std::uint64_t data_bytes) {
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  std::uint64_t position = 0;
  for (const Entry& entry : entries) {
    require_file(
        entry.begin == position, path, "tensor ", quoted(entry.name), ": its data starts at byte ", entry.begin,
        entry.begin < position ? ", inside the tensor that ends at " : ", which leaves a gap after byte ", position);
    position = entry.end;
  }
  require_file(position <= data_bytes, path, "truncated: the tensors take ", position, " bytes, the file has ",
               data_bytes);
  require_file(position == data_bytes, path, data_bytes - position, " bytes follow the last tensor");
}

}  // namespace

void save_safetensors(const std::string& path, const SafeTensors& contents) {
  Json header;
  std::map<std::string, std::string> metadata = contents.metadata;
  const bool is_new = metadata.emplace(kChecksum, std::string(kChecksumDigits, '0')).second;
  require(is_new, "save_safetensors: the metadata key '", kChecksum, "' is reserved");
  header[kMetadata] = metadata;
  std::set<std::string> names = {kMetadata};
  std::uint64_t position = 0;
  for (const auto& [name, tensor] : contents.tensors) {
    require(tensor.defined(), "save_safetensors: the tensor '", name, "' is undefined");
    require(names.insert(name).second, "save_safetensors: the name '", name,
            name == kMetadata ? "' is reserved" : "' is used twice");
    const std::uint64_t end = position + static_cast<std::uint64_t>(tensor.size()) * sizeof(Real);
    const std::vector<Index> shape(tensor.shape().begin(), tensor.shape().end());
    // header[name] would search all names so far.
    header.object().push_back(
        {name, {{"dtype", kRealType}, {"shape", shape}, {"data_offsets", Json::Array{position, end}}}});
    position = end;
  }

  std::string text = dump_json(header);
  text.resize((text.size() + kHeaderAlignment - 1) / kHeaderAlignment * kHeaderAlignment, ' ');
  require(text.size() <= kMaxHeader, "save_safetensors: the header takes ", text.size(), " bytes, at most ", kMaxHeader,
          " are allowed");

  std::vector<std::string_view> data;
  for (const auto& [name, tensor] : contents.tensors) {
    data.push_back(bytes_of(tensor.data(), static_cast<std::size_t>(tensor.size())));
  }
  const std::size_t digits = find_checksum(text);
  text.replace(digits, kChecksumDigits, hexadecimal(checksum(text, digits, data)));

  const std::uint64_t text_size = text.size();
  AtomicFile file(path);
  file.write(&text_size, sizeof(text_size));
  file.write(text);
  for (const std::string_view bytes : data) file.write(bytes);
  file.commit();
}

SafeTensors load_safetensors(const std::string& path) {
  const std::string file = read_file(path);
  std::uint64_t header_bytes = 0;
  require_file(file.size() >= sizeof(header_bytes), path, "too short for a safetensors file: ", file.size(),
               " bytes, at least 8 expected");
  std::memcpy(&header_bytes, file.data(), sizeof(header_bytes));
  require_file(header_bytes <= kMaxHeader, path, "not a safetensors file: its header would take ", header_bytes,
               " bytes, at most ", kMaxHeader, " are allowed");
  const std::size_t rest = file.size() - sizeof(header_bytes);
  require_file(header_bytes <= rest, path, "truncated: the header takes ", header_bytes, " bytes, the file has ", rest,
               " after its first 8");

  const std::string_view text = std::string_view(file).substr(sizeof(header_bytes), header_bytes);
  check_checksum(path, text, std::string_view(file).substr(sizeof(header_bytes) + header_bytes));
  const Json header = parse_header(path, text);
  SafeTensors contents;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.object()) {
    if (name == kMetadata) {
      contents.metadata = read_metadata(path, value);
    } else {
      entries.push_back(read_entry(path, name, value));
    }
  }
  check_layout(path, entries, rest - header_bytes);
  const char* data = file.data() + sizeof(header_bytes) + header_bytes;
  for (const Entry& entry : entries) contents.tensors.push_back({entry.name, read_tensor(entry, data)});
  return contents;
}

}  // namespace rill::nn
