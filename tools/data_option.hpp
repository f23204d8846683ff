// Data as an option names it: a density or a file of points.
#pragma once

#include <string>
#include <vector>

#include "datasets/data.hpp"

namespace rill::tools {

/// Whether the text looks like a file's name rather than a density's, whether or not the file can be read as a table.
bool is_file_name(const std::string& data);

/// A density by its name, with parameters "name=number" of the option `option`. Throws UsageError for others.
datasets::DataDescription named_density(const std::string& name, const char* option,
                                        const std::vector<std::string>& parameters);

}  // namespace rill::tools
