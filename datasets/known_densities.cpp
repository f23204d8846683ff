#include "datasets/known_densities.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/text.hpp"
#include "datasets/annulus.hpp"
#include "datasets/checkerboard.hpp"
#include "datasets/gaussians.hpp"
#include "datasets/moons.hpp"
#include "datasets/pinwheel.hpp"
#include "datasets/rings.hpp"
#include "datasets/s_curve.hpp"
#include "datasets/swiss_roll.hpp"

namespace rill::datasets {
namespace {

Index whole(const Parameters& p, const std::string& name) {
  constexpr double kMost = 1e6;  // of anything that takes memory
  const double value = p.at(name);
  require(value == std::floor(value) && std::abs(value) <= kMost, name, " = ", value,
          ", expected a whole number of at most a million");
  return static_cast<Index>(value);
}

}  // namespace

const std::vector<KnownDensity>& known_densities() {
  static const std::vector<KnownDensity> densities = {
      {"annulus",
       "a ring with sharp edges, uniform in angle and in radius",
       {{"inner", 2, "inner radius"}, {"outer", 3, "outer radius"}},
       [](const Parameters& p) -> std::unique_ptr<Density> {
         return std::make_unique<Annulus>(p.at("inner"), p.at("outer"));
       }},
      {"checkerboard",
       "every other cell of a board, in any dimension",
       {{"cells", 4, "cells along an axis"},
        {"low", -Checkerboard::kGuideExtent, "lower end of every axis"},
        {"high", Checkerboard::kGuideExtent, "upper end of every axis"},
        {"dimension", 2, "number of axes"}},
       [](const Parameters& p) -> std::unique_ptr<Density> {
         return std::make_unique<Checkerboard>(whole(p, "cells"), p.at("low"), p.at("high"), whole(p, "dimension"));
       }},
      {"moons",
       "two interleaved half circles with Gaussian noise",
       {{"noise", 0.05, "standard deviation of the noise, before scaling"},
        {"scale", 2, "factor"},
        {"shift", -1, "added after scaling"}},
       [](const Parameters& p) -> std::unique_ptr<Density> {
         return std::make_unique<Moons>(p.at("noise"), p.at("scale"), p.at("shift"));
       }},
      {"8gaussians",
       "equal Gaussians on a circle",
       {{"count", 8, "number of Gaussians"},
        {"radius", 5, "radius of the circle"},
        {"deviation", 0.5623413251903491, "standard deviation of each"}},
       [](const Parameters& p) { return gaussians_on_circle(whole(p, "count"), p.at("radius"), p.at("deviation")); }},
      {"two-modes",
       "two far-apart Gaussians of unequal weight",
       {{"weight", 0.1, "share of the left one"},
        {"distance", 10, "distance between their centers"},
        {"deviation", 0.5, "standard deviation of each"}},
       [](const Parameters& p) { return two_modes(p.at("weight"), p.at("distance"), p.at("deviation")); }},
      {"normal",
       "a normal distribution with equal deviations, in any dimension",
       {{"dimension", 2, "number of axes"},
        {"mean", 0, "mean along every axis"},
        {"deviation", 1, "standard deviation along every axis"}},
       [](const Parameters& p) -> std::unique_ptr<Density> {
         return std::make_unique<Normal>(whole(p, "dimension"), p.at("mean"), p.at("deviation"));
       }},
      {"s-curve",
       "an S-shaped curve with Gaussian noise",
       {{"noise", 0.05, "standard deviation of the noise, before scaling"}, {"scale", 1.5, "factor"}},
       [](const Parameters& p) -> std::unique_ptr<Density> {
         return std::make_unique<SCurve>(p.at("noise"), p.at("scale"));
       }},
      {"swiss-roll",
       "a spiral with Gaussian noise",
       {{"noise", 1, "standard deviation of the noise, before scaling"}, {"scale", 0.2, "factor"}},
       [](const Parameters& p) -> std::unique_ptr<Density> {
         return std::make_unique<SwissRoll>(p.at("noise"), p.at("scale"));
       }},
      {"rings",
       "concentric circles with Gaussian noise",
       {{"count", 4, "number of circles"},
        {"radius", 3, "radius of the largest"},
        {"noise", 0.08, "standard deviation of the noise"}},
       [](const Parameters& p) -> std::unique_ptr<Density> {
         return std::make_unique<Rings>(whole(p, "count"), p.at("radius"), p.at("noise"));
       }},
      {"pinwheel",
       "Gaussian arms that swirl around the origin",
       {{"arms", 5, "number of arms"}, {"twist", 0.25, "how much they swirl"}, {"scale", 2, "factor"}},
       [](const Parameters& p) -> std::unique_ptr<Density> {
         return std::make_unique<Pinwheel>(whole(p, "arms"), p.at("twist"), p.at("scale"));
       }},
  };
  return densities;
}

std::vector<std::string> known_density_names() {
  std::vector<std::string> names;
  for (const KnownDensity& density : known_densities()) names.push_back(density.name);
  return names;
}

std::unique_ptr<Density> make_density(const std::string& name, const Parameters& parameters) {
  const auto& densities = known_densities();
  const auto density =
      std::find_if(densities.begin(), densities.end(), [&](const KnownDensity& known) { return known.name == name; });
  if (density == densities.end()) fail(unknown_name("density", name, known_density_names()));

  Parameters complete;
  std::vector<std::string> names, defaults;
  for (const Parameter& parameter : density->parameters) {
    complete[parameter.name] = parameter.value;
    names.push_back(parameter.name);
    defaults.push_back(concat(parameter.name, " (", exact(parameter.value), ")"));
  }
  for (const auto& [key, value] : parameters) {
    if (complete.count(key) == 0) {
      fail(name, ": unknown parameter '", key, "'", did_you_mean(key, names),
           "; known, with their defaults: ", joined(defaults));
    }
    complete[key] = value;
  }
  return density->make(complete);
}

}  // namespace rill::datasets
