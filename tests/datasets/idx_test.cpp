// IDX files and folders of images: valid ones, and every way in which they can be broken.
#include "datasets/idx.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "datasets/images.hpp"
#include "tests/temporary_folder.hpp"

namespace rill::datasets {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;
using testing_support::TemporaryFolder;

auto says(const std::string& text) { return ThrowsMessage<FileError>(HasSubstr(text)); }

/// The bytes of an IDX file with the elements 0, 1, 2, ... (modulo `modulus`).
std::string idx(const std::vector<std::uint32_t>& sizes, std::size_t elements, unsigned type = 8, int modulus = 256) {
  std::string file = {0, 0, static_cast<char>(type), static_cast<char>(sizes.size())};
  for (const std::uint32_t size : sizes) {
    for (const int shift : {24, 16, 8, 0}) file += static_cast<char>(size >> shift);
  }
  for (std::size_t i = 0; i < elements; ++i) file += static_cast<char>(i % static_cast<std::size_t>(modulus));
  return file;
}

std::string gzip(const std::string& contents, const TemporaryFolder& folder) {
  const std::string path = folder / "compressed.gz";
  const gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, contents.data(), static_cast<unsigned>(contents.size()));
  gzclose(file);
  return read_file(path);
}

class Idx : public testing::Test {
 protected:
  /// Writes the bytes as a file and reads them as IDX.
  IdxArray read(const std::string& bytes) const { return read_idx(folder.write("file", bytes)); }
  TemporaryFolder folder;
};

TEST_F(Idx, ReadsRawAndCompressedFiles) {
  const std::string raw = idx({3, 2, 5}, 30);
  for (const std::string& bytes : {raw, gzip(raw, folder)}) {
    const IdxArray array = read(bytes);
    EXPECT_EQ(array.shape, (Shape{3, 2, 5}));
    ASSERT_EQ(array.bytes.size(), 30u);
    for (std::size_t i = 0; i < 30; ++i) EXPECT_EQ(array.bytes[i], i);
  }
  EXPECT_EQ(read(idx({4}, 4)).shape, Shape{4});
  EXPECT_EQ(read(idx({1, 2, 3, 4}, 24)).shape, (Shape{1, 2, 3, 4}));
  EXPECT_EQ(read(idx({0, 28, 28}, 0)).bytes.size(), 0u);
  EXPECT_EQ(read(idx({300, 70'000}, 21'000'000)).bytes[20'999'999], 20'999'999 % 256) << "more than one piece";
}

TEST_F(Idx, NamesTheFile) {
  EXPECT_THAT([&] { read("not an IDX file"); }, says(folder / "file"));
}

TEST_F(Idx, RejectsWhatIsNotThereOrNotAFile) {
  EXPECT_THAT([&] { read_idx(folder / "none"); }, says("none: cannot open: No such file or directory"));
  EXPECT_THAT([&] { read_idx(folder.path()); }, says("is a folder"));
}

TEST_F(Idx, RejectsAWrongHeader) {
  EXPECT_THAT([&] { read(""); }, says("is shorter than the 4 bytes"));
  EXPECT_THAT([&] { read(std::string("\0\0\x08", 3)); }, says("is shorter than the 4 bytes"));
  EXPECT_THAT([&] { read("PK\x03\x04 a zip file"); }, says("starts with 0x50 0x4b, expected the 0x00 0x00"));
  EXPECT_THAT([&] { read(idx({4}, 4, 7)); }, says("IDX type 0x07 (unknown), expected 0x08"));
  EXPECT_THAT([&] { read(idx({4}, 16, 0x0d)); }, says("IDX type 0x0d (32-bit floating-point numbers), expected 0x08"));
  EXPECT_THAT([&] { read(idx({}, 1)); }, says("has rank 0, expected 1 to 4"));
  EXPECT_THAT([&] { read(idx({1, 1, 1, 1, 1}, 1)); }, says("has rank 5, expected 1 to 4"));
  EXPECT_THAT([&] { read(idx({3, 2, 5}, 0).substr(0, 15)); }, says("a rank of 3 needs 16 bytes"));
}

TEST_F(Idx, RejectsSizesThatDisagreeWithTheFile) {
  EXPECT_THAT([&] { read(idx({3, 2, 5}, 29)); }, says("holds 29 elements, but its header says [3, 2, 5], which is 30"));
  EXPECT_THAT(
      [&] {
        read(idx({3, 2, 500}, 30));
      },
      says("its header says [3, 2, 500], which is 3000 elements, more than"));
  EXPECT_THAT([&] { read(idx({3, 2, 5}, 31)); }, says("continues after the 30 elements"));
  const std::uint32_t most = 0xffffffff;
  EXPECT_THAT([&] { read(idx({most, most, most}, 10)); }, says("multiply to more than can be stored"));
  EXPECT_THAT([&] { read(idx({0x80000000, 0x80000000}, 10)); }, says("multiply to more than can be stored"));
  EXPECT_THAT([&] { read(idx({0x80000000, 0, 0x80000000}, 0)); }, says("multiply to more than can be stored"));
  // 2^41 bytes promised, 10 there: refused without asking for the memory.
  EXPECT_THAT([&] { read(idx({0x80000000, 1024}, 10)); }, says("more than the file can hold"));
  EXPECT_THAT([&] { read(gzip(idx({0x80000000, 1024}, 10), folder)); }, says("more than the file can hold"));
  EXPECT_THAT([&] { read(gzip(idx({3, 2, 5}, 29), folder)); }, says("holds 29 elements"));
  EXPECT_THAT([&] { read(gzip(idx({3, 2, 5}, 31), folder)); }, says("continues after the 30 elements"));
}

TEST_F(Idx, RejectsDamagedCompression) {
  std::string bytes;
  for (std::size_t i = 0; i < 10'000; ++i) bytes += static_cast<char>(i * i / 7);  // does not compress to nothing
  const std::string whole = gzip(idx({10'000}, 0) + bytes, folder);
  ASSERT_EQ(read(whole).bytes.size(), 10'000u);
  // In the middle of the data; within the checksum that follows it, when all the data has been seen; in the header.
  for (const std::size_t size : {whole.size() / 2, whole.size() - 3, std::size_t{12}}) {
    EXPECT_THAT([&] { read(whole.substr(0, size)); }, says("the compressed data is truncated")) << size;
  }
  std::string damaged = whole;
  damaged[whole.size() - 6] ^= 1;  // the checksum
  EXPECT_THAT([&] { read(damaged); }, says("the compressed data is damaged"));
  damaged = whole;
  damaged[10] = '\xff';  // the first block's type
  EXPECT_THAT([&] { read(damaged); }, says("the compressed data is damaged"));
}

/// A folder of 6 training images of 2 x 2 pixels with the labels 0 to 5, and 2 test images.
class ImageFolder : public testing::Test {
 protected:
  ImageFolder() {
    write("train-images-idx3-ubyte", idx({6, 2, 2}, 24));
    write("train-labels-idx1-ubyte", idx({6}, 6));
    write("t10k-images-idx3-ubyte.gz", gzip(idx({2, 2, 2}, 8), folder));
    write("t10k-labels-idx1-ubyte.gz", gzip(idx({2}, 2), folder));
  }
  void write(const std::string& name, const std::string& bytes) const { folder.write(name, bytes); }
  TemporaryFolder folder;
};

TEST_F(ImageFolder, GivesBatchesOfPixelsAndLabels) {
  const Images images = load_images(folder.path(), Split::kTrain);
  EXPECT_EQ(images.size(), 6);
  EXPECT_EQ(images.height(), 2);
  EXPECT_EQ(images.width(), 2);
  EXPECT_EQ(images.classes(), 10);
  const Tensor pixels = images.pixels(Indices({5, 0, 5}));
  EXPECT_EQ(pixels.shape(), (Shape{3, 4}));
  for (Index j = 0; j < 4; ++j) {
    EXPECT_FLOAT_EQ(static_cast<float>(pixels.data()[j]), static_cast<float>(20 + j) / 127.5f - 1);
    EXPECT_FLOAT_EQ(static_cast<float>(pixels.data()[4 + j]), static_cast<float>(j) / 127.5f - 1);
    EXPECT_EQ(pixels.data()[j], pixels.data()[8 + j]);
  }
  const Indices labels = images.labels(Indices({5, 0, 5}));
  EXPECT_THAT(std::vector<Index>(labels.begin(), labels.end()), ElementsAre(5, 0, 5));
  EXPECT_THROW(images.pixels(Indices({6})), std::invalid_argument);
  EXPECT_THROW(images.labels(Indices({-1})), std::invalid_argument);
  EXPECT_EQ(load_images(folder.path(), Split::kTest).size(), 2);
}

TEST_F(ImageFolder, TakesNamesWithADot) {
  for (const char* name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte.gz",
                           "t10k-labels-idx1-ubyte.gz"}) {
    std::string dotted = name;
    dotted[dotted.find("-idx")] = '.';
    std::filesystem::rename(folder / name, folder / dotted);
  }
  EXPECT_EQ(load_images(folder.path(), Split::kTrain).size(), 6);
  EXPECT_EQ(load_images(folder.path(), Split::kTest).size(), 2);
}

TEST_F(ImageFolder, BlackIsMinusOneAndWhiteIsOne) {
  const Images images({1, 1, 2}, {0, 255}, {0});
  EXPECT_THAT(images.pixels(Indices({0})).to_vector(), ElementsAre(-1, 1));
}

TEST_F(ImageFolder, AdvisesWhenSomethingIsMissing) {
  EXPECT_THAT([&] { load_images(folder / "none", Split::kTrain); },
              ThrowsMessage<FileError>(AllOf(HasSubstr("there is no such folder"), HasSubstr("--data-dir"),
                                             HasSubstr("dataset-fashion-mnist"))));
  std::filesystem::remove(folder / "train-labels-idx1-ubyte");
  EXPECT_THAT([&] { load_images(folder.path(), Split::kTrain); },
              ThrowsMessage<FileError>(AllOf(HasSubstr("train-labels-idx1-ubyte: there is neither this file nor"),
                                             HasSubstr("--data-dir"), HasSubstr("dataset-fashion-mnist"),
                                             HasSubstr("tools/fetch-mnist.sh"), HasSubstr("3552534a0a558bbe"))));
}

TEST_F(ImageFolder, RejectsFilesThatDoNotBelongTogether) {
  const auto load = [&] { load_images(folder.path(), Split::kTrain); };
  write("train-labels-idx1-ubyte", idx({5}, 5));
  EXPECT_THAT(load, says("train-labels-idx1-ubyte: holds 5 labels for the 6 images"));
  write("train-labels-idx1-ubyte", idx({6, 1}, 6));
  EXPECT_THAT(load, says("shape [6, 1], expected [count]"));
  write("train-labels-idx1-ubyte", idx({6}, 0) + std::string{0, 1, 2, 10, 4, 5});
  EXPECT_THAT(load, says("label 3 is 10, expected 0 to 9"));
  EXPECT_EQ(load_images(folder.path(), Split::kTrain, 11).classes(), 11);
  write("train-images-idx3-ubyte", idx({6, 4}, 24));
  EXPECT_THAT(load, says("train-images-idx3-ubyte: holds an array of shape [6, 4], expected [count, height, width]"));
  write("train-images-idx3-ubyte", idx({6, 0, 2}, 0));
  EXPECT_THAT(load, says("shape [6, 0, 2]"));
}

}  // namespace
}  // namespace rill::datasets
