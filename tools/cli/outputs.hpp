// The files that a program is asked to write.
#pragma once

#include <string>
#include <vector>

namespace rill::tools {

struct Output {
  std::string option;                ///< that names it, without dashes
  std::string path;                  ///< nothing is written when it is empty
  std::vector<std::string> endings;  ///< of the formats that can be written, in lower case; none for any
};

/// To be called before any work is done for the files. Throws UsageError for a name with another ending than the
/// formats', and where an output would replace another one or an input, be it a file that is read or one that belongs
/// to it; FileError where a folder is missing or closed to writing.
void check_outputs(const std::vector<Output>& outputs, const std::vector<std::string>& inputs);

}  // namespace rill::tools
