// Measurements as a table for people.
#pragma once

#include <string>

#include "autodiff/json.hpp"

namespace rill::tools {

/// A line for each entry of an object: its name, with spaces for underscores, and its value with four digits. A
/// standard error, the entry name_se, goes with its value: "kl   0.0031 +- 0.0006". Notes come last, under a heading.
std::string as_table(const Json& result);

}  // namespace rill::tools
