// The figures that visualize draws.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

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

}  // namespace rill::tools
