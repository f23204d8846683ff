#include "autodiff/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "autodiff/error.hpp"
#include "tests/temporary_folder.hpp"

namespace rill {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;
using testing_support::TemporaryFolder;
namespace fs = std::filesystem;

TEST(File, ReadsBackEveryByte) {
  const TemporaryFolder folder;
  std::string bytes(100'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
  write_file_atomically(folder / "bytes", bytes);
  EXPECT_EQ(read_file(folder / "bytes"), bytes);
  write_file_atomically(folder / "bytes", "");
  EXPECT_EQ(read_file(folder / "bytes"), "");
}

TEST(File, ReadsWhatHasNoSizeUpToALimit) {
  EXPECT_EQ(read_file("/dev/null"), "");
  EXPECT_THAT([] { read_file("/dev/zero"); },
              ThrowsMessage<FileError>(HasSubstr("/dev/zero: is a pipe or a device that does not end after")));
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  const std::string bytes(300'000, 'x');
  std::thread writer([&] { std::ofstream(folder / "pipe") << bytes; });
  EXPECT_EQ(read_file(folder / "pipe"), bytes);
  writer.join();
  EXPECT_EQ(file_size(folder / "pipe"), std::nullopt);
  EXPECT_EQ(file_size(folder.write("file", "three")), 5u);
}

TEST(File, ShowsItsStartBeforeItIsRead) {
  const TemporaryFolder folder;
  const std::string small(1000, 'x'), large(200'000, 'y');
  for (const std::string& bytes : {std::string(), small, large}) {
    folder.write("file", bytes);
    int calls = 0;
    const auto check = [&](std::string_view start, std::optional<std::size_t> size) {
      ++calls;
      EXPECT_EQ(start, std::string_view(bytes).substr(0, 65536));
      EXPECT_EQ(size, bytes.size());
    };
    EXPECT_EQ(read_file(folder / "file", check), bytes);
    EXPECT_EQ(calls, 1);
  }
  // A check that throws: nothing of these 4 TB is read.
  fs::resize_file(folder / "file", std::uintmax_t{1} << 42);
  EXPECT_THROW(read_file(folder / "file", [](auto, auto) { throw FileError("file", "no"); }), FileError);
}

TEST(File, KnowsEndingsInCapitals) {
  EXPECT_EQ(file_ending("a/b.c/POINTS.Npy"), ".npy");
  EXPECT_EQ(file_ending("points"), "");
}

TEST(File, KeepsTheOldFileUntilTheNewOneIsComplete) {
  const TemporaryFolder folder;
  const std::string path = folder / "file";
  write_file_atomically(path, "old");
  {
    AtomicFile file(path);
    file.write("half of the n");
    EXPECT_EQ(read_file(path), "old");
  }
  EXPECT_EQ(read_file(path), "old");
  AtomicFile file(path);
  file.write("new");
  file.commit();
  EXPECT_EQ(read_file(path), "new");
  EXPECT_FALSE(fs::exists(path + ".partial"));
}

TEST(File, TakesOverWhatAKilledWriterLeft) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "file.partial", "left by a crash, and longer than what follows");
  write_file_atomically(folder / "file", "new");
  EXPECT_EQ(read_file(folder / "file"), "new");
  EXPECT_FALSE(fs::exists(folder / "file.partial"));
}

TEST(File, FollowsALinkAndWritesDevicesDirectly) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "target", "old");
  fs::create_symlink("target", folder / "link");
  write_file_atomically(folder / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_file(folder / "target"), "new");

  fs::create_symlink("/dev/null", folder / "null");
  write_file_atomically(folder / "null", "gone");
  EXPECT_TRUE(fs::is_symlink(folder / "null"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(File, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { read_file(folder / "none"); },
              ThrowsMessage<FileError>(HasSubstr("none: cannot open: No such file or directory")));
  EXPECT_THAT([&] { read_file(folder.path()); }, ThrowsMessage<FileError>(HasSubstr("is a folder")));
  EXPECT_THAT([&] { write_file_atomically(folder.path(), ""); }, ThrowsMessage<FileError>(HasSubstr("is a folder")));
  EXPECT_THAT([&] { write_file_atomically(folder / "a/b", ""); },
              ThrowsMessage<FileError>(testing::AllOf(HasSubstr("a/b: the folder"), HasSubstr("does not exist"))));
}

TEST(File, ReportsAFullDisk) {
  if (!fs::is_character_file("/dev/full")) GTEST_SKIP() << "no /dev/full on this system";
  EXPECT_THAT([] { write_file_atomically("/dev/full", "text"); },
              ThrowsMessage<FileError>(HasSubstr("/dev/full: cannot write: No space left on device")));
}

}  // namespace
}  // namespace rill
