#include "nn/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "tests/temporary_folder.hpp"

namespace rill::nn {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::TemporaryFolder;

// A file by hand: the header's length, the header, and `data_bytes` zeros.
std::string raw_file(const std::string& header, std::size_t data_bytes = 0) {
  const std::uint64_t length = header.size();
  std::string file(sizeof(length), '\0');
  std::memcpy(file.data(), &length, sizeof(length));
  return file + header + std::string(data_bytes, '\0');
}

// What load_safetensors says about a file of these bytes; empty when it reads it.
std::string error_for(const std::string& bytes) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "model.safetensors", bytes);
  try {
    load_safetensors(folder / "model.safetensors");
    return "";
  } catch (const FileError& error) {
    const std::string message = error.what();
    EXPECT_THAT(message, testing::StartsWith(folder / "model.safetensors: "));
    EXPECT_THAT(message, testing::Not(HasSubstr("\n")));
    return message;
  }
}

SafeTensors example() {
  return {.tensors = {{"layers.0.weight", Tensor::from({1, 2, 3, 4, 5, 6}, {2, 3})},
                      {"b", Tensor::from({-0.5}, {1})},
                      {"scalar", Tensor::scalar(7)},
                      {"nothing", Tensor::zeros({0, 3})}},
          .metadata = {{"format", "rill"}, {"quoted \"text\"", "line\nbreak, \u00e9"}}};
}

TEST(SafeTensors, RoundTripKeepsNamesOrderShapesNumbersAndMetadata) {
  const TemporaryFolder folder;
  const SafeTensors saved = example();
  save_safetensors(folder / "a.safetensors", saved);
  const SafeTensors loaded = load_safetensors(folder / "a.safetensors");
  EXPECT_EQ(loaded.metadata, saved.metadata);
  ASSERT_EQ(loaded.tensors.size(), saved.tensors.size());
  for (const NamedTensor& expected : saved.tensors) {
    const auto found = std::find_if(loaded.tensors.begin(), loaded.tensors.end(),
                                    [&](const NamedTensor& t) { return t.name == expected.name; });
    ASSERT_NE(found, loaded.tensors.end()) << expected.name;
    EXPECT_EQ(found->tensor.shape(), expected.tensor.shape());
    EXPECT_EQ(found->tensor.to_vector(), expected.tensor.to_vector());
  }
}

TEST(SafeTensors, EqualContentsGiveEqualBytes) {
  const TemporaryFolder folder;
  save_safetensors(folder / "a", example());
  save_safetensors(folder / "b", load_safetensors(folder / "a"));
  EXPECT_EQ(read_file(folder / "a"), read_file(folder / "b"));
}

TEST(SafeTensors, TheBytesAreThoseOfTheFormat) {
  const TemporaryFolder folder;
  save_safetensors(folder / "a", {.tensors = {{"x", Tensor::from({1, -2}, {2})}}, .metadata = {{"k", "v"}}});
  const std::string dtype = sizeof(Real) == 4 ? "F32" : "F64", end = sizeof(Real) == 4 ? "8" : "16";
  const std::string checksum = sizeof(Real) == 4 ? "e47c05c1" : "371cccbe";  // by Python's zlib.crc32
  std::string header = "{\"__metadata__\":{\"k\":\"v\",\"rill_crc32\":\"" + checksum + "\"},\"x\":{\"dtype\":\"" +
                       dtype + "\",\"shape\":[2],\"data_offsets\":[0," + end + "]}}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const Real numbers[] = {1, -2};
  std::string expected = raw_file(header);
  expected.append(reinterpret_cast<const char*>(numbers), sizeof(numbers));
  EXPECT_EQ(read_file(folder / "a"), expected);
}

TEST(SafeTensors, EveryFloatingTypeBecomesReal) {
  const TemporaryFolder folder;
  std::string file = raw_file(
      R"({"h":{"dtype":"F16","shape":[7],"data_offsets":[0,14]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[14,18]},)"
      R"("f":{"dtype":"F32","shape":[1],"data_offsets":[18,22]},"d":{"dtype":"F64","shape":[1],"data_offsets":[22,30]}} )");
  // 1, -2, 65504 (the largest), the least subnormal, -0, infinity, NaN; pi as bfloat16 rounds to 3.140625
  for (const std::uint16_t bits : {0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00, 0x7e00, 0x4049, 0xbf80}) {
    file.append(reinterpret_cast<const char*>(&bits), sizeof(bits));
  }
  const float single = 0.1f;
  const double twice = 0.1;
  file.append(reinterpret_cast<const char*>(&single), sizeof(single));
  file.append(reinterpret_cast<const char*>(&twice), sizeof(twice));
  write_file_atomically(folder / "a", file);

  const SafeTensors loaded = load_safetensors(folder / "a");
  ASSERT_EQ(loaded.tensors.size(), 4u);
  const std::vector<Real> half = loaded.tensors[0].tensor.to_vector();
  EXPECT_EQ(half[0], 1);
  EXPECT_EQ(half[1], -2);
  EXPECT_EQ(half[2], 65504);
  EXPECT_EQ(half[3], static_cast<Real>(0x1p-24));
  EXPECT_TRUE(half[4] == 0 && std::signbit(half[4]));
  EXPECT_EQ(half[5], std::numeric_limits<Real>::infinity());
  EXPECT_TRUE(std::isnan(half[6]));
  EXPECT_THAT(loaded.tensors[1].tensor.to_vector(), ElementsAre(Real(3.140625), Real(-1)));
  EXPECT_EQ(loaded.tensors[2].tensor.item(), static_cast<Real>(0.1f));
  EXPECT_EQ(loaded.tensors[3].tensor.item(), static_cast<Real>(0.1));
}

TEST(SafeTensors, AnEmptyFileOfTensorsIsFine) {
  EXPECT_EQ(error_for(raw_file("{}")), "");
  EXPECT_EQ(error_for(raw_file("{}      ")), "");
}

TEST(SafeTensors, TheWriterRefusesNamesThatAFileCannotHold) {
  const TemporaryFolder folder;
  const Tensor x = Tensor::zeros({1});
  EXPECT_THROW(save_safetensors(folder / "a", {.tensors = {{"x", x}, {"x", x}}, .metadata = {}}),
               std::invalid_argument);
  EXPECT_THROW(save_safetensors(folder / "a", {.tensors = {{"__metadata__", x}}, .metadata = {}}),
               std::invalid_argument);
  EXPECT_THROW(save_safetensors(folder / "a", {.tensors = {{"\xff", x}}, .metadata = {}}), std::invalid_argument);
  EXPECT_THROW(save_safetensors(folder / "a", {.tensors = {}, .metadata = {{"\xc3", "v"}}}), std::invalid_argument);
  EXPECT_THROW(save_safetensors(folder / "a", {.tensors = {}, .metadata = {{"rill_crc32", "v"}}}),
               std::invalid_argument);
  EXPECT_THROW(save_safetensors(folder / "a", {.tensors = {{"x", Tensor()}}, .metadata = {}}), std::invalid_argument);
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
}

TEST(SafeTensors, MetadataHoldAnyBytes) {
  const TemporaryFolder folder;
  const SafeTensors saved{.tensors = {}, .metadata = {{"path", "points\xff.csv"}, {"zero", std::string("\0\x80", 2)}}};
  save_safetensors(folder / "a", saved);
  EXPECT_EQ(load_safetensors(folder / "a").metadata, saved.metadata);
}

// A flipped bit anywhere is found, or has changed nothing that is read.
TEST(SafeTensors, AFlippedBitIsFoundOrHarmless) {
  const TemporaryFolder folder;
  const SafeTensors saved = example();
  save_safetensors(folder / "a", saved);
  const std::string bytes = read_file(folder / "a");
  const SafeTensors whole = load_safetensors(folder / "a");
  std::size_t harmless = 0, by_checksum = 0;
  for (std::size_t i = 0; i < 8 * bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << i % 8));
    try {
      const SafeTensors loaded = load_safetensors(folder.write("b", flipped));
      ++harmless;
      ASSERT_EQ(loaded.tensors.size(), whole.tensors.size()) << i;
      for (std::size_t t = 0; t < whole.tensors.size(); ++t) {
        ASSERT_EQ(loaded.tensors[t].name, whole.tensors[t].name) << i;
        ASSERT_EQ(loaded.tensors[t].tensor.shape(), whole.tensors[t].tensor.shape()) << i;
        ASSERT_EQ(loaded.tensors[t].tensor.to_vector(), whole.tensors[t].tensor.to_vector()) << i;
      }
      for (const auto& [key, value] : saved.metadata) ASSERT_EQ(loaded.metadata.at(key), value) << i;
    } catch (const FileError& error) {
      const std::string_view message = error.what();
      by_checksum += message.find("damaged: its bytes have the checksum") != message.npos ? 1 : 0;
    }
  }
  const std::size_t unchecked = 8 * (sizeof(std::uint64_t) + std::string_view("\"rill_crc32\":\"").size());
  EXPECT_LE(harmless, unchecked);
  EXPECT_GE(by_checksum, 8 * bytes.size() - unchecked);
}

TEST(SafeTensors, ADamagedFileSaysWhatToDo) {
  const TemporaryFolder folder;
  save_safetensors(folder / "a", example());
  std::string bytes = read_file(folder / "a");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  EXPECT_THAT(error_for(bytes), AllOf(HasSubstr("damaged"), HasSubstr("take another copy"), HasSubstr("'rill_crc32'")));
}

TEST(SafeTensors, AMissingFileOrFolderIsNamed) {
  const TemporaryFolder folder;
  EXPECT_THROW(load_safetensors(folder / "missing"), FileError);
  EXPECT_THROW(load_safetensors(folder.path()), FileError);
  EXPECT_THROW(save_safetensors(folder / "no/such/folder", example()), FileError);
}

struct Broken {
  const char* name;
  std::string bytes;
  const char* message;
};
void PrintTo(const Broken& broken, std::ostream* out) { *out << broken.name; }

// A header with one F32 tensor "x" of the given shape and offsets.
std::string header_of(const std::string& shape, const std::string& offsets, const std::string& dtype = "\"F32\"") {
  return "{\"x\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}";
}
std::string two_tensors(const std::string& offsets_a, const std::string& offsets_b) {
  return R"({"a":{"dtype":"F32","shape":[1],"data_offsets":)" + offsets_a +
         R"(},"b":{"dtype":"F32","shape":[1],"data_offsets":)" + offsets_b + "}}";
}

class BrokenSafeTensors : public testing::TestWithParam<Broken> {};

TEST_P(BrokenSafeTensors, IsRejectedWithItsReason) {
  EXPECT_THAT(error_for(GetParam().bytes), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Files, BrokenSafeTensors,
    testing::Values(
        Broken{"Empty", "", "too short for a safetensors file: 0 bytes"},
        Broken{"SevenBytes", std::string(7, '\0'), "too short for a safetensors file: 7 bytes"},
        Broken{"NoHeader", raw_file(""), "does not start with '{'"},
        Broken{"Text", "hello, world: this is a text file", "at most 100000000 are allowed"},
        Broken{"HeaderOver100MB", std::string("\x01\xe1\xf5\x05\0\0\0\0{}", 10), "would take 100000001 bytes"},
        Broken{"HeaderPastTheEnd", raw_file("{}").substr(0, 9), "truncated: the header takes 2 bytes, the file has 1"},
        Broken{"ByteOrderMark", raw_file("\xef\xbb\xbf{}"), "does not start with '{'"},
        Broken{"HeaderIsAList", raw_file("[]"), "does not start with '{'"},
        Broken{"InvalidJson", raw_file("{\"x\":"), "the header is not valid JSON"},
        Broken{"TextAfterJson", raw_file("{} x"), "the header is not valid JSON"},
        Broken{"InvalidUtf8", raw_file("{\"\xff\":1}"), "the header is not valid JSON"},
        Broken{"DuplicateTensor", raw_file(R"({"a":1,"a":1})"), "has the key \"a\" twice"},
        Broken{"DuplicateField", raw_file(R"({"x":{"dtype":"F32","dtype":"F32","shape":[0],"data_offsets":[0,0]}})"),
               "has the key \"dtype\" twice"},
        Broken{"DuplicateMetadata", raw_file(R"({"__metadata__":{"k":"1","k":"2"}})"), "has the key \"k\" twice"},
        Broken{"MetadataIsAText", raw_file(R"({"__metadata__":"k"})"), "__metadata__ is not an object"},
        Broken{"MetadataHoldsANumber", raw_file(R"({"__metadata__":{"k":1}})"), "the value of \"k\" is not a string"},
        Broken{"TensorIsANumber", raw_file(R"({"x":1})"), "tensor \"x\": expected an object"},
        Broken{"NameWithALineBreak", raw_file(R"({"x\ny":1})"), "tensor \"x\\ny\": expected an object"},
        Broken{"NoDtype", raw_file(R"({"x":{"shape":[0],"data_offsets":[0,0]}})"), "tensor \"x\": has no dtype"},
        Broken{"NoShape", raw_file(R"({"x":{"dtype":"F32","data_offsets":[0,0]}})"), "tensor \"x\": has no shape"},
        Broken{"NoOffsets", raw_file(R"({"x":{"dtype":"F32","shape":[0]}})"), "tensor \"x\": has no data_offsets"},
        Broken{"DtypeIsANumber", raw_file(header_of("[1]", "[0,4]", "32"), 4), "dtype is not a string"},
        Broken{"UnknownDtype", raw_file(header_of("[1]", "[0,4]", "\"F31\""), 4), "dtype 'F31' cannot be read"},
        Broken{"IntegerDtype", raw_file(header_of("[1]", "[0,4]", "\"I32\""), 4), "dtype 'I32' cannot be read"},
        Broken{"ShapeIsANumber", raw_file(header_of("1", "[0,4]"), 4), "shape is not a list"},
        Broken{"NegativeSize", raw_file(header_of("[-1]", "[0,4]"), 4), "something other than non-negative integers"},
        Broken{"FractionalSize", raw_file(header_of("[1.5]", "[0,4]"), 4),
               "something other than non-negative integers"},
        Broken{"OverflowingSize", raw_file(header_of("[18446744073709551615]", "[0,4]"), 4), "overflows"},
        Broken{"OverflowingProduct", raw_file(header_of("[4611686018427387904,4]", "[0,0]")), "overflows"},
        Broken{"OverflowingBehindAZero", raw_file(header_of("[0,4611686018427387904,4]", "[0,0]")), "overflows"},
        Broken{"TooManyAxes", raw_file(header_of("[1,1,1,1,1,1,1]", "[0,4]"), 4), "shape has 7 axes"},
        Broken{"OneOffset", raw_file(header_of("[1]", "[4]"), 4), "data_offsets is [4], expected two"},
        Broken{"NegativeOffset", raw_file(header_of("[1]", "[-4,0]"), 4), "expected two non-negative integers"},
        Broken{"OffsetsReversed", raw_file(header_of("[1]", "[4,0]"), 4), "another number of bytes than the 4"},
        Broken{"OffsetsDisagreeWithShape", raw_file(header_of("[3]", "[0,8]"), 8),
               "another number of bytes than the 12"},
        Broken{"HoleAtTheStart", raw_file(header_of("[1]", "[4,8]"), 8), "leaves a gap after byte 0"},
        Broken{"HoleBetween", raw_file(two_tensors("[0,4]", "[8,12]"), 12), "tensor \"b\": its data starts at byte 8"},
        Broken{"Overlap", raw_file(two_tensors("[2,6]", "[0,4]"), 6), "inside the tensor that ends at 4"},
        Broken{"SharedBytes", raw_file(two_tensors("[0,4]", "[0,4]"), 4), "inside the tensor that ends at 4"},
        Broken{"TruncatedData", raw_file(header_of("[2]", "[0,8]"), 7), "truncated: the tensors take 8 bytes"},
        Broken{"TrailingBytes", raw_file(header_of("[2]", "[0,8]"), 9), "1 bytes follow the last tensor"}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST(SafeTensors, ADeeplyNestedHeaderIsRejectedWithoutRecursion) {
  EXPECT_THAT(error_for(raw_file("{\"x\":" + std::string(1'000'000, '['))), HasSubstr("the header is nested"));
}

}  // namespace
}  // namespace rill::nn
