#include "autodiff/control_groups.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>

#include "autodiff/error.hpp"

namespace rill {
namespace {

namespace fs = std::filesystem;

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

// The smallest limit of a group and its ancestors.   path: "/a/b"
double limit_up_from(const fs::path& mount, const std::string& path,
                     const std::function<double(const fs::path&)>& limit_in) {
  double limit = kUnlimited;
  // In a container the path may exist only on the host, with the container's own group as the root.
  for (fs::path group = fs::path(path).relative_path();; group = group.parent_path()) {
    limit = std::min(limit, limit_in(mount / group));
    if (group.empty()) return limit;
  }
}

}  // namespace

double smallest_limit(std::string_view groups, const std::string& root, std::string_view controller,
                      const std::function<double(const fs::path& folder)>& limit_in) {
  double limit = kUnlimited;
  // Lines such as "0::/user.slice" (v2) and "4:cpu,cpuacct:/docker/1a2b" (v1).
  std::istringstream lines{std::string(groups)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    const bool counts =
        controllers.empty() || concat(",", controllers, ",").find(concat(",", controller, ",")) != std::string::npos;
    if (counts) limit = std::min(limit, limit_up_from(fs::path(root) / controllers, path, limit_in));
  }
  return limit;
}

double number_in(const fs::path& file) {
  std::ifstream stream(file);
  double number = 0;
  return stream >> number ? number : std::numeric_limits<double>::quiet_NaN();
}

std::string own_control_groups() {
  std::ostringstream groups;
  groups << std::ifstream("/proc/self/cgroup").rdbuf();
  return groups.str();
}

}  // namespace rill
