#include "tools/presets.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"
#include "tools/options.hpp"
#include "tools/text.hpp"

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

std::string preset_names() {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(presets_folder(), error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".toml") names.push_back(entry->path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return joined(names);
}

std::string find_preset(const std::string& name) {
  const fs::path path = presets_folder() / (name + ".toml");
  std::error_code error;
  const bool found = name.find('/') == name.npos && fs::is_regular_file(path, error);
  if (!found) throw UsageError(concat("--preset: unknown preset ", in_quotes(name), "; there are: ", preset_names()));
  return path.lexically_normal().string();
}

}  // namespace rill::tools
