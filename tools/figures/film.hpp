// Moving figures: what they show at each moment, as a film or as one picture.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/plot/axes.hpp"
#include "tools/plot/canvas.hpp"
#include "tools/plot/limits.hpp"

namespace rill::tools {

/// A figure that can be written as a GIF or as a PNG. The clock runs from 0 to 1.
struct Film {
  std::function<Image(double clock)> frame;  ///< of the film
  std::function<Image()> still;              ///< one picture of the whole: several moments, or what does not move
  int frames = 60;                           ///< 20 a second
  int colors = 32;                           ///< of the film
};

/// One plot of a film.
struct FilmPanel {
  std::string title;
  std::function<void(const Axes& axes, double clock)> draw;
};

struct FilmOptions {
  double width = 210;  ///< of a panel, in pixels of the film
  int frames = 60;
  int colors = 32;
  /// The moments of the still picture, one column each, with a row for each panel.
  std::vector<double> moments = {0, 0.25, 0.5, 0.75, 1};
  /// What the clock is called in the picture: "t = 0.25"; none if empty.
  std::string time = "t";
};

/// A film of panels side by side, all with the same limits.
Film film_of(std::vector<FilmPanel> panels, const Limits& limits, const FilmOptions& options = {});

/// A picture that does not move: written as a GIF, it has one frame.
Film still_film(Image picture);

/// Writes the film, or for a name that ends in .png its still picture. Throws FileError.
void write_film(const std::string& path, const Film& film);

}  // namespace rill::tools
