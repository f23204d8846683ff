#include "datasets/npy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/random.hpp"
#include "tests/temporary_folder.hpp"

namespace rill::datasets {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
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
  static NpyArray read(const std::string& bytes) { return parse_npy(bytes, "file.npy"); }
  static void expect_rejected(const std::string& bytes, const std::string& message) {
    EXPECT_THAT([&] { read(bytes); }, ThrowsMessage<FileError>(AllOf(StartsWith("file.npy: "), HasSubstr(message))));
  }
  TemporaryFolder folder;
};

TEST_F(Npy, ReadsBackWhatItWrites) {
  Generator rng(1);
  for (const Shape& shape : {Shape{}, Shape{7}, Shape{5, 3}, Shape{2, 3, 4, 5}, Shape{0, 2}}) {
    const Tensor x = Tensor::randn(shape, rng);
    write_npy(folder / "x.npy", x);
    const Tensor y = read_npy(folder / "x.npy").to_tensor();
    EXPECT_EQ(y.shape(), shape);
    EXPECT_EQ(y.to_vector(), x.to_vector());
  }
  const std::vector<double> times = {1.7e9 + 1.0 / 3, 1e300, -5e-324};
  write_npy(folder / "x.npy", {3}, times);
  EXPECT_EQ(read_npy(folder / "x.npy").values, times) << "doubles, whatever a Real is";
  EXPECT_THROW(write_npy(folder / "x.npy", {2}, times), std::invalid_argument);
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
  EXPECT_THAT(read(npy(dictionary("<f4", "(2,)"), string("\0\0\xc0\x3f\0\0\0\xc0", 8))).values, ElementsAre(1.5, -2));
  EXPECT_THAT(read(npy(dictionary(">f4", "(2,)"), string("\x3f\xc0\0\0\xc0\0\0\0", 8))).values, ElementsAre(1.5, -2));
  EXPECT_THAT(read(npy(dictionary("<f8", "(1,)"), string("\0\0\0\0\0\0\xf8\x3f", 8))).values, ElementsAre(1.5));
  EXPECT_THAT(read(npy(dictionary(">f8", "(1,)"), string("\x3f\xf8\0\0\0\0\0\0", 8))).values, ElementsAre(1.5));
  EXPECT_THAT(read(npy(dictionary("|i1", "(2,)"), string("\x05\xfe", 2))).values, ElementsAre(5, -2));
  EXPECT_THAT(read(npy(dictionary("|u1", "(2,)"), string("\x05\xfe", 2))).values, ElementsAre(5, 254));
  EXPECT_THAT(read(npy(dictionary("|b1", "(2,)"), string("\x00\x01", 2))).values, ElementsAre(0, 1));
  EXPECT_THAT(read(npy(dictionary("<i2", "(2,)"), string("\x01\x02\xff\xff", 4))).values, ElementsAre(513, -1));
  EXPECT_THAT(read(npy(dictionary(">i2", "(2,)"), string("\x02\x01\xff\xff", 4))).values, ElementsAre(513, -1));
  EXPECT_THAT(read(npy(dictionary("<u2", "(1,)"), string("\xff\xff", 2))).values, ElementsAre(65535));
  EXPECT_THAT(read(npy(dictionary("<i4", "(1,)"), string("\xfd\xff\xff\xff", 4))).values, ElementsAre(-3));
  EXPECT_THAT(read(npy(dictionary(">u4", "(1,)"), string("\0\x01\0\0", 4))).values, ElementsAre(65536));
  EXPECT_THAT(read(npy(dictionary("<i8", "(1,)"), string("\xfd\xff\xff\xff\xff\xff\xff\xff", 8))).values,
              ElementsAre(-3));
  EXPECT_THAT(read(npy(dictionary("=u8", "(1,)"), string("\x07\0\0\0\0\0\0\0", 8))).values, ElementsAre(7));
}

TEST_F(Npy, ReadsHalves) {
  // NumPy: np.array([1.5, -2, 65504, 6.104e-05, 5.96e-08, 0.333], '<f2')
  const std::string halves("\x00\x3e\x00\xc0\xff\x7b\x00\x04\x01\x00\x54\x35", 12);
  EXPECT_THAT(read(npy(dictionary("<f2", "(6,)"), halves)).values,
              ElementsAre(1.5, -2, 65504, std::ldexp(1, -14), std::ldexp(1, -24), 0x554 / std::ldexp(1, 12)));
  EXPECT_THAT(read(npy(dictionary(">f2", "(2,)"), std::string("\x3e\x00\x80\x00", 4))).values, ElementsAre(1.5, -0.0));
  const std::vector<double> extreme =
      read(npy(dictionary("<f2", "(3,)"), std::string("\x00\x7c\x00\xfc\x01\x7c", 6))).values;
  EXPECT_EQ(extreme[0], HUGE_VAL);
  EXPECT_EQ(extreme[1], -HUGE_VAL);
  EXPECT_TRUE(std::isnan(extreme[2]));
}

TEST_F(Npy, TurnsFortranOrderAround) {
  // [[0, 2, 4], [1, 3, 5]], column after column.
  const std::string bytes("\x00\x01\x02\x03\x04\x05", 6);
  const NpyArray x = read(npy(dictionary("|u1", "(2, 3)", "True"), bytes));
  EXPECT_EQ(x.shape, (Shape{2, 3}));
  EXPECT_THAT(x.values, ElementsAre(0, 2, 4, 1, 3, 5));
  // x[i, j, k] is element i + j + 2 k of [1, 2, 3].
  EXPECT_THAT(read(npy(dictionary("|u1", "(1, 2, 3)", "True"), bytes)).values, ElementsAre(0, 2, 4, 1, 3, 5));
  EXPECT_THAT(read(npy(dictionary("|u1", "(6,)", "True"), bytes)).values, ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST_F(Npy, ReadsOtherVersionsAndWaysToWriteTheHeader) {
  const std::string bytes("\x01\x02", 2);
  for (const int version : {1, 2, 3}) {
    EXPECT_THAT(read(npy(dictionary("|u1", "(2,)"), bytes, version)).values, ElementsAre(1, 2));
  }
  const std::string reordered = "{\"shape\":(2L,),\"fortran_order\":False,\"descr\":\"|u1\"}";
  EXPECT_THAT(read(npy(reordered, bytes)).values, ElementsAre(1, 2));
  EXPECT_THAT(read(npy(dictionary("|u1", "()"), "\x03")).values, ElementsAre(3));
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
  expect_rejected(npy("{'descr: <f4", data), "a string that does not end");
  expect_rejected(npy("{'descr': '<f4', 'shape': (1,), }", data), "the header lacks a key");
  expect_rejected(npy("{'descr': '<f4', 'descr': '<f4', }", data), "has the key 'descr' twice");
  expect_rejected(npy("{'descr': '<f4', 'color': 'red', }", data), "the unknown key 'color'");
  expect_rejected(npy(dictionary("<f4", "(1,)") + " and more", data), "continues after its closing brace");
  expect_rejected(npy(dictionary("<f4", "(1,)", "Maybe"), data), "neither True nor False");
  expect_rejected(npy(dictionary("<f4", "(-1,)"), data), "a size that is not a number from 0");
  expect_rejected(npy(dictionary("<f4", "(x,)"), data), "a size that is not a number from 0");
  expect_rejected(npy(dictionary("<f4", "(99999999999999999999,)"), data), "a size that is not a number from 0");
  expect_rejected(npy(dictionary("<f4", "(1, 1, 1, 1, 1, 1, 1)"), data), "has more than 6 axes");
}

TEST_F(Npy, RejectsElementsItCannotRead) {
  const std::string data = "abcd";
  for (const char* descr : {"<c8", "|O", "<U4", "<f16", "<M8[s]", "", "f4", "<", "?f4"}) {
    expect_rejected(npy(dictionary(descr, "(1,)"), data),
                    concat("holds elements of type '", descr, "', expected f2, f4, f8"));
  }
  expect_rejected(npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }", data), "named fields");
}

TEST_F(Npy, RejectsShapesThatDisagreeWithTheFile) {
  expect_rejected(npy(dictionary("<f4", "(2,)"), "abcd"),
                  "holds 4 bytes of elements, but the shape [2] of '<f4' needs 8");
  expect_rejected(npy(dictionary("<f4", "(1,)"), "abcde"), "holds 5 bytes");
  expect_rejected(npy(dictionary("<f4", "(4294967296, 4294967296)"), "abcd"), "more elements than can be stored");
  expect_rejected(npy(dictionary("<f8", "(2305843009213693952,)"), "abcd"), "more elements than can be stored");
  expect_rejected(npy(dictionary("|u1", "(281474976710657,)"), "abcd"), "more elements than can be stored");
  // Also where one of the sizes is 0, wherever it stands: the others are multiplied all the same, strides for example.
  for (const char* order : {"False", "True"}) {
    for (const char* shape : {"(0, 4611686018427387904, 2)", "(4611686018427387904, 0, 2)",
                              "(2, 4611686018427387904, 0)", "(0, 9223372036854775807, 9)"}) {
      expect_rejected(npy(dictionary("<f4", shape, order), ""), "more elements than can be stored");
    }
    EXPECT_EQ(read(npy(dictionary("<f4", "(0, 1000000, 2)", order), "")).shape, (Shape{0, 1000000, 2}));
  }
}

}  // namespace
}  // namespace rill::datasets
