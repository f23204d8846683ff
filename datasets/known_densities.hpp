// Densities by name, for command lines and configuration files.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "datasets/density.hpp"

namespace rill::datasets {

/// Numbers by name, such as {{"inner", 2}, {"outer", 3}}.
using Parameters = std::map<std::string, double>;

/// A parameter of a density.
struct Parameter {
  std::string name;
  double value;  ///< the default
  std::string meaning;
};

/// A density that make_density() knows.
struct KnownDensity {
  std::string name;
  std::string summary;
  std::vector<Parameter> parameters;
  std::unique_ptr<Density> (*make)(const Parameters& complete);
};

/// All of them, in the order in which help should show them.
const std::vector<KnownDensity>& known_densities();

/// Their names.
std::vector<std::string> known_density_names();

/// The density of that name. Parameters that are not given have their defaults. Throws std::invalid_argument for an
/// unknown density or parameter, listing the known ones, and for invalid values.
std::unique_ptr<Density> make_density(const std::string& name, const Parameters& parameters = {});

}  // namespace rill::datasets
