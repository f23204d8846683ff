// The figures that visualize draws.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "autodiff/tensor.hpp"
#include "datasets/data.hpp"
#include "tools/cli/options.hpp"
#include "tools/figures/film.hpp"

namespace rill::tools {

/// A figure and its settings.
class Figure {
 public:
  virtual ~Figure() = default;
  /// Declares its options.
  virtual void declare(Options& options) = 0;
  /// Everything random is fixed by the seed. Throws UsageError for settings out of range, FileError for data that
  /// cannot be read.
  virtual Film draw(std::uint64_t seed) = 0;
};

/// A figure of the docs: a file, and the options that make it.
struct DocumentFigure {
  std::string file;
  std::vector<std::string> options = {};
};

struct FigureKind {
  const char* name;
  const char* summary;
  std::unique_ptr<Figure> (*make)();
  /// The first is also the default file, NAME.gif without one: figures of a trained run are not in the docs.
  std::vector<DocumentFigure> documents;
};

/// All of them: to add one, write its file, and add a line.
const std::vector<FigureKind>& figure_kinds();

std::unique_ptr<Figure> make_convergence();
std::unique_ptr<Figure> make_path_figure();
std::unique_ptr<Figure> make_marginal();
std::unique_ptr<Figure> make_continuity();
std::unique_ptr<Figure> make_pairs();
std::unique_ptr<Figure> make_modes();
std::unique_ptr<Figure> make_families();
std::unique_ptr<Figure> make_solvers();
std::unique_ptr<Figure> make_boards();
std::unique_ptr<Figure> make_run_figure();
std::unique_ptr<Figure> make_images();

/// Data in the plane, from the option --data. Tables are shown in standardized units: those of the model, in which
/// noise has the deviation 1.
struct FigureData {
  std::string data = "annulus";
  std::vector<std::string> parameters = {};

  void declare(Options& options);
  /// Throws UsageError for data that are not points in the plane.
  std::unique_ptr<datasets::Data> open() const;
  /// `count` of its points, [count, 2].
  Tensor points(Index count, std::uint64_t seed) const;
};

/// Draws points [N, 2] as disks of this radius in units of layout.
void draw_points(const Axes& axes, const Tensor& points, const Color& color, const Dots& dots);

/// Limits that show all of these points, with a margin, and standard normal noise; nearly square.
Limits limits_around(const Tensor& points, double margin = 0.4);

/// The centers of `cells` x `cells` cells over the limits, row by row from the bottom, [cells^2, 2].
Tensor cell_centers(const Limits& limits, int cells);

/// The greatest length of the rows of a field [N, 2].
double greatest_speed(const Tensor& field);

/// Arrows of a field [cells^2, 2] at the centers of cells over the limits, as of cell_centers(). An arrow of speed
/// `full` spans a cell, and faster ones are no longer.
void draw_field(const Axes& axes, const Tensor& field, const Limits& limits, int cells, double full,
                const Color& color);

}  // namespace rill::tools
