#include "tools/cli/presets.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "tools/cli/options.hpp"

namespace rill::tools {
namespace {

namespace fs = std::filesystem;

fs::path presets_folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = program.parent_path() / "../../share/rill/presets";
  return !error && fs::is_directory(installed, error) ? installed : fs::path(RILL_PRESETS_FOLDER);
}

}  // namespace

std::vector<std::string> preset_names() {
  const fs::path folder = presets_folder();
  std::vector<std::string> names;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() != ".toml") continue;
    names.push_back(entry->path().lexically_relative(folder).replace_extension().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string find_preset(const std::string& name) {
  const std::vector<std::string> names = preset_names();
  const bool found = std::find(names.begin(), names.end(), name) != names.end();
  if (!found) throw UsageError("--preset: " + unknown_name("preset", name, names));
  const fs::path path = presets_folder() / (name + ".toml");
  return path.lexically_normal().string();
}

}  // namespace rill::tools
