#include "autodiff/cores.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <string>

#include "tests/temporary_folder.hpp"

namespace rill {
namespace {

using testing_support::TemporaryFolder;

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

// A folder of control groups.
class Groups {
 public:
  void write(const std::string& group, const std::string& file, const std::string& text) {
    std::filesystem::create_directories(folder_ / group);
    folder_.write(group + "/" + file, text);
  }
  double allowed(const std::string& groups) const { return allowed_core_time(groups, folder_.path()); }

 private:
  TemporaryFolder folder_;
};

TEST(AllowedCoreTime, OfAGroupAndThoseAroundIt) {
  Groups groups;
  EXPECT_EQ(groups.allowed("0::/a/b\n"), kUnlimited);
  groups.write("a/b", "cpu.max", "max 100000\n");
  EXPECT_EQ(groups.allowed("0::/a/b\n"), kUnlimited);
  groups.write("a", "cpu.max", "150000 100000\n");
  EXPECT_EQ(groups.allowed("0::/a/b\n"), 1.5);
  groups.write("a/b", "cpu.max", "50000 100000\n");
  EXPECT_EQ(groups.allowed("0::/a/b\n"), 0.5);
  EXPECT_EQ(groups.allowed("0::/c\n"), kUnlimited);
  groups.write("", "cpu.max", "100000 100000\n");  // a container's own group, whose path only the host knows
  EXPECT_EQ(groups.allowed("0::/docker/1a2b\n"), 1);
}

TEST(AllowedCoreTime, OfTheFirstVersion) {
  Groups groups;
  groups.write("cpu,cpuacct/docker", "cpu.cfs_quota_us", "-1\n");
  groups.write("cpu,cpuacct/docker", "cpu.cfs_period_us", "100000\n");
  const std::string mine = "5:memory:/docker\n4:cpu,cpuacct:/docker\n0::/\n";
  EXPECT_EQ(groups.allowed(mine), kUnlimited);
  groups.write("cpu,cpuacct/docker", "cpu.cfs_quota_us", "300000\n");
  EXPECT_EQ(groups.allowed(mine), 3);
  groups.write("cpuset/docker", "cpu.max", "100000 100000\n");
  EXPECT_EQ(groups.allowed("3:cpuset:/docker\n"), kUnlimited);  // another controller
}

TEST(AllowedCoreTime, OfNonsenseIsUnlimited) {
  Groups groups;
  groups.write("a", "cpu.max", "many\n");
  for (const char* text : {"", "\n", "0", "0:", "0::", "0::/a", "0::/a/../../../..", "::::\n"}) {
    EXPECT_EQ(groups.allowed(text), kUnlimited) << text;
  }
}

TEST(UsableCores, ThereIsOne) { EXPECT_GE(usable_cores(), 1); }

}  // namespace
}  // namespace rill
