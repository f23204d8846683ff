#include "autodiff/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

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
