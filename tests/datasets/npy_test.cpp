#include "datasets/npy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/random.hpp"
#include "tests/temporary_folder.hpp"

namespace rill::datasets {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;
using testing_support::TemporaryFolder;

/// A .npy file with the given dictionary and elements.
std::string npy(const std::string& dictionary, const std::string& elements, int version = 1) {
  std::string file = "\x93NUMPY";
  file += static_cast<char>(version);
  file += '\0';
  const std::size_t length = dictionary.size() + 1;
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) file += static_cast<char>(length >> (8 * i));
  return file + dictionary + "\n" + elements;
}

std::string dictionary(const std::string& descr, const std::string& shape, const std::string& order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

class Npy : public testing::Test {
 protected:
  Tensor read(const std::string& bytes) const { return read_npy(folder.write("file.npy", bytes)); }
  void expect_rejected(const std::string& bytes, const std::string& message) const {
    EXPECT_THAT([&] { read(bytes); }, ThrowsMessage<FileError>(HasSubstr(message)));
  }
  TemporaryFolder folder;
};

TEST_F(Npy, ReadsBackWhatItWrites) {
  Generator rng(1);
  for (const Shape& shape : {Shape{}, Shape{7}, Shape{5, 3}, Shape{2, 3, 4, 5}, Shape{0, 2}}) {
    const Tensor x = Tensor::randn(shape, rng);
    write_npy(folder / "x.npy", x);
    const Tensor y = read_npy(folder / "x.npy");
    EXPECT_EQ(y.shape(), shape);
    EXPECT_EQ(y.to_vector(), x.to_vector());
  }
}

// The header as NumPy itself writes it, to the byte.
TEST_F(Npy, WritesNumPysHeader) {
  const std::string type = sizeof(Real) == 4 ? "<f4" : "<f8";
  const auto header = [&](const Tensor& x) {
    write_npy(folder / "x.npy", x);
    const std::string file = read_file(folder / "x.npy");
    EXPECT_EQ(file.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
    EXPECT_EQ(file.size(), 128 + static_cast<std::size_t>(x.size()) * sizeof(Real)) << "elements start at 64 n";
    EXPECT_EQ(file[8], 118);
    EXPECT_EQ(file[127], '\n');
    return file.substr(10, file.find('}') - 9);
  };
  EXPECT_EQ(header(Tensor::zeros({5, 3})), "{'descr': '" + type + "', 'fortran_order': False, 'shape': (5, 3), }");
  EXPECT_EQ(header(Tensor::zeros({7})), "{'descr': '" + type + "', 'fortran_order': False, 'shape': (7,), }");
  EXPECT_EQ(header(Tensor::zeros({})), "{'descr': '" + type + "', 'fortran_order': False, 'shape': (), }");
}

TEST_F(Npy, ReadsEveryElementTypeInBothByteOrders) {
  using std::string;
  EXPECT_THAT(read(npy(dictionary("<f4", "(2,)"), string("\0\0\xc0\x3f\0\0\0\xc0", 8))).to_vector(),
              ElementsAre(1.5, -2));
  EXPECT_THAT(read(npy(dictionary(">f4", "(2,)"), string("\x3f\xc0\0\0\xc0\0\0\0", 8))).to_vector(),
              ElementsAre(1.5, -2));
  EXPECT_THAT(read(npy(dictionary("<f8", "(1,)"), string("\0\0\0\0\0\0\xf8\x3f", 8))).to_vector(), ElementsAre(1.5));
  EXPECT_THAT(read(npy(dictionary(">f8", "(1,)"), string("\x3f\xf8\0\0\0\0\0\0", 8))).to_vector(), ElementsAre(1.5));
  EXPECT_THAT(read(npy(dictionary("|i1", "(2,)"), string("\x05\xfe", 2))).to_vector(), ElementsAre(5, -2));
  EXPECT_THAT(read(npy(dictionary("|u1", "(2,)"), string("\x05\xfe", 2))).to_vector(), ElementsAre(5, 254));
  EXPECT_THAT(read(npy(dictionary("|b1", "(2,)"), string("\x00\x01", 2))).to_vector(), ElementsAre(0, 1));
  EXPECT_THAT(read(npy(dictionary("<i2", "(2,)"), string("\x01\x02\xff\xff", 4))).to_vector(), ElementsAre(513, -1));
  EXPECT_THAT(read(npy(dictionary(">i2", "(2,)"), string("\x02\x01\xff\xff", 4))).to_vector(), ElementsAre(513, -1));
  EXPECT_THAT(read(npy(dictionary("<u2", "(1,)"), string("\xff\xff", 2))).to_vector(), ElementsAre(65535));
  EXPECT_THAT(read(npy(dictionary("<i4", "(1,)"), string("\xfd\xff\xff\xff", 4))).to_vector(), ElementsAre(-3));
  EXPECT_THAT(read(npy(dictionary(">u4", "(1,)"), string("\0\x01\0\0", 4))).to_vector(), ElementsAre(65536));
  EXPECT_THAT(read(npy(dictionary("<i8", "(1,)"), string("\xfd\xff\xff\xff\xff\xff\xff\xff", 8))).to_vector(),
              ElementsAre(-3));
  EXPECT_THAT(read(npy(dictionary("=u8", "(1,)"), string("\x07\0\0\0\0\0\0\0", 8))).to_vector(), ElementsAre(7));
}

TEST_F(Npy, TurnsFortranOrderAround) {
  // [[0, 2, 4], [1, 3, 5]], column after column.
  const std::string bytes("\x00\x01\x02\x03\x04\x05", 6);
  const Tensor x = read(npy(dictionary("|u1", "(2, 3)", "True"), bytes));
  EXPECT_EQ(x.shape(), (Shape{2, 3}));
  EXPECT_THAT(x.to_vector(), ElementsAre(0, 2, 4, 1, 3, 5));
  // x[i, j, k] is element i + j + 2 k of [1, 2, 3].
  EXPECT_THAT(read(npy(dictionary("|u1", "(1, 2, 3)", "True"), bytes)).to_vector(), ElementsAre(0, 2, 4, 1, 3, 5));
  EXPECT_THAT(read(npy(dictionary("|u1", "(6,)", "True"), bytes)).to_vector(), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST_F(Npy, ReadsOtherVersionsAndWaysToWriteTheHeader) {
  const std::string bytes("\x01\x02", 2);
  for (const int version : {1, 2, 3}) {
    EXPECT_THAT(read(npy(dictionary("|u1", "(2,)"), bytes, version)).to_vector(), ElementsAre(1, 2));
  }
  const std::string reordered = "{\"shape\":(2L,),\"fortran_order\":False,\"descr\":\"|u1\"}";
  EXPECT_THAT(read(npy(reordered, bytes)).to_vector(), ElementsAre(1, 2));
  EXPECT_EQ(read(npy(dictionary("|u1", "()"), "\x03")).item(), 3);
}

TEST_F(Npy, RejectsWhatIsNotNpy) {
  expect_rejected("", "does not start with \\x93NUMPY");
  expect_rejected("x,y\n1,2\n", "does not start with \\x93NUMPY");
  expect_rejected(std::string("\x93NUMPY\x01\x00", 8), "ends within the header");
  expect_rejected(npy(dictionary("<f4", "(1,)"), "abcd", 4), "has format version 4.0, expected 1.0 to 3.0");
  expect_rejected(npy(dictionary("<f4", "(1,)"), "").substr(0, 40), "ends within the header: it should be");
  EXPECT_THAT([&] { read_npy(folder / "none.npy"); }, ThrowsMessage<FileError>(HasSubstr("none.npy: cannot open")));
}

TEST_F(Npy, RejectsABrokenHeader) {
  const std::string data = "abcd";
  expect_rejected(npy("", data), "is not a dictionary");
  expect_rejected(npy("[1, 2]", data), "is not a dictionary");
  expect_rejected(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)", data), "expected '}'");
  expect_rejected(npy("{'descr: <f4", data), "a string without an end");
  expect_rejected(npy("{'descr': '<f4', 'shape': (1,), }", data), "the header lacks a key");
  expect_rejected(npy("{'descr': '<f4', 'descr': '<f4', }", data), "has the key 'descr' twice");
  expect_rejected(npy("{'descr': '<f4', 'colour': 'red', }", data), "the unknown key 'colour'");
  expect_rejected(npy(dictionary("<f4", "(1,)") + " and more", data), "goes on after its closing brace");
  expect_rejected(npy(dictionary("<f4", "(1,)", "Maybe"), data), "neither True nor False");
  expect_rejected(npy(dictionary("<f4", "(-1,)"), data), "a size that is not a number from 0");
  expect_rejected(npy(dictionary("<f4", "(x,)"), data), "a size that is not a number from 0");
  expect_rejected(npy(dictionary("<f4", "(99999999999999999999,)"), data), "a size that is not a number from 0");
  expect_rejected(npy(dictionary("<f4", "(1, 1, 1, 1, 1, 1, 1)"), data), "has more than 6 axes");
}

TEST_F(Npy, RejectsElementsItCannotRead) {
  const std::string data = "abcd";
  for (const char* descr : {"<c8", "|O", "<U4", "<f2", "<M8[s]", "", "f4", "<", "?f4"}) {
    expect_rejected(npy(dictionary(descr, "(1,)"), data),
                    concat("holds elements of type '", descr, "', expected f4, f8"));
  }
  expect_rejected(npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }", data), "named fields");
}

TEST_F(Npy, RejectsShapesThatDisagreeWithTheFile) {
  expect_rejected(npy(dictionary("<f4", "(2,)"), "abcd"),
                  "holds 4 bytes of elements, but the shape [2] of '<f4' needs 8");
  expect_rejected(npy(dictionary("<f4", "(1,)"), "abcde"), "holds 5 bytes");
  expect_rejected(npy(dictionary("<f4", "(4294967296, 4294967296)"), "abcd"), "more elements than can be stored");
  expect_rejected(npy(dictionary("<f8", "(2305843009213693952,)"), "abcd"), "more elements than can be stored");
  expect_rejected(npy(dictionary("<f4", "(0, 9223372036854775807, 9)"), "abcd"), "holds 4 bytes");
}

}  // namespace
}  // namespace rill::datasets
