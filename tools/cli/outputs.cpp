#include "tools/cli/outputs.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/text.hpp"
#include "tools/cli/options.hpp"

namespace rill::tools {
namespace {

namespace fs = std::filesystem;

bool same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  if (fs::equivalent(a, b, error) && !error) return true;  // links to one file
  const fs::path first = fs::weakly_canonical(fs::absolute(a, error), error);
  return first == fs::weakly_canonical(fs::absolute(b, error), error);
}

void check_ending(const Output& output) {
  const std::vector<std::string>& known = output.endings;
  if (known.empty() || std::find(known.begin(), known.end(), file_ending(output.path)) != known.end()) return;
  throw UsageError(concat("--", output.option, ": expected a name that ends in ", joined(known, " or "), ", found ",
                          in_quotes(output.path)));
}

void check_folder(const Output& output) {
  std::error_code error;
  const fs::path parent = fs::path(output.path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  require_file(!fs::is_directory(output.path, error), output.path, "is a folder, expected the name of a file");
  require_file(fs::is_directory(folder, error), output.path, "the folder ", folder, " does not exist");
  const bool replaces = !fs::exists(output.path, error) || fs::is_regular_file(output.path, error);
  require_file(!replaces || ::access(folder.c_str(), W_OK) == 0, output.path, "cannot write into ", folder, ": ",
               std::strerror(errno));
}

}  // namespace

void check_outputs(const std::vector<Output>& outputs, const std::vector<std::string>& inputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Output& output = outputs[i];
    if (output.path.empty()) continue;
    check_ending(output);
    for (std::size_t j = 0; j < i; ++j) {
      if (outputs[j].path.empty() || !same_file(output.path, outputs[j].path)) continue;
      throw UsageError(concat("--", output.option, ": ", output.path, " is written by --", outputs[j].option,
                              " too; choose another name"));
    }
    for (const std::string& input : inputs) {
      if (input.empty() || !same_file(output.path, input)) continue;
      throw UsageError(
          concat("--", output.option, ": ", output.path, " is a file of the run, or of its data; choose another name"));
    }
    check_folder(output);
  }
}

}  // namespace rill::tools
