#include "tools/figures/film.hpp"

#include <cstddef>
#include <utility>

#include "autodiff/error.hpp"
#include "tools/cli/phase.hpp"
#include "tools/plot/gif.hpp"
#include "tools/plot/plot_grid.hpp"
#include "tools/plot/png.hpp"
#include "tools/plot/ticks.hpp"

namespace rill::tools {
namespace {

std::string time_text(const FilmOptions& options, double clock) {
  return options.time.empty() ? "" : concat(options.time, " = ", format_fixed(clock, 2));
}

}  // namespace

Film film_of(std::vector<FilmPanel> panels, const Limits& limits, const FilmOptions& options) {
  const int count = static_cast<int>(panels.size());
  Film film;
  film.frames = options.frames;
  film.colors = options.colors;
  film.frame = [=](double clock) {
    PlotGrid grid(1, count, limits, {.width = options.width, .scale = 1, .titles = true});
    for (int i = 0; i < count; ++i) {
      const FilmPanel& panel = panels[static_cast<std::size_t>(i)];
      panel.draw(grid.axes(i), clock);
      if (i == 0) grid.axes(i).note(time_text(options, clock), 0, kInk);
      grid.finish(i, panel.title);
    }
    return grid.image();
  };
  film.still = [=] {
    const int moments = static_cast<int>(options.moments.size());
    // The longer of the two goes across.
    const bool panels_across = count > moments;
    const int columns = panels_across ? count : moments, rows = panels_across ? moments : count;
    PlotGrid grid(rows, columns, limits, {.width = options.width, .scale = 2, .titles = true});
    for (int i = 0; i < rows * columns; ++i) {
      const int row = i / columns, column = i % columns;
      const FilmPanel& panel = panels[static_cast<std::size_t>(panels_across ? column : row)];
      const double clock = options.moments[static_cast<std::size_t>(panels_across ? row : column)];
      panel.draw(grid.axes(i), clock);
      // A title names what is new in its row or column.
      const bool names_panel = count > 1 && (panels_across ? row == 0 : column == 0);
      const bool names_time = panels_across ? column == 0 && rows > 1 : !names_panel && row == 0;
      if (names_panel && names_time) grid.axes(i).note(time_text(options, clock), 0, kInk);
      grid.finish(i, names_panel ? panel.title : names_time ? time_text(options, clock) : "");
    }
    return grid.image();
  };
  return film;
}

Film still_film(Image picture) {
  Film film;
  film.still = [picture = std::move(picture)] { return picture; };
  film.frame = [still = film.still](double) { return still(); };
  film.frames = 1;
  return film;
}

void write_film(const std::string& path, const Film& film) {
  if (path.ends_with(".png")) return write_png(path, film.still());
  std::vector<Image> frames(static_cast<std::size_t>(film.frames));
  Phase phase("drawing", film.frames);
  for (int i = 0; i < film.frames; ++i) {
    phase.advance(1);
    frames[static_cast<std::size_t>(i)] = film.frame(film.frames == 1 ? 0 : i / (film.frames - 1.0));
  }
  write_gif(path, frames, {.frame_seconds = 0.05, .last_seconds = 2, .colors = film.colors});
}

}  // namespace rill::tools
