// The output files of a program.
#pragma once

#include <string>
#include <vector>

namespace rill::tools {

struct Output {
  std::string option;                ///< the option that names it, without dashes
  std::string path;                  ///< empty for no output
  std::vector<std::string> endings;  ///< extensions of the supported formats, in lowercase; empty for any
};

/// Call it before any work is done for the files. Throws UsageError for an unsupported extension, and if an output
/// would replace another output or an input (a file that is read, or one that belongs to it); FileError if a folder is
/// missing or not writable.
void check_outputs(const std::vector<Output>& outputs, const std::vector<std::string>& inputs);

}  // namespace rill::tools
