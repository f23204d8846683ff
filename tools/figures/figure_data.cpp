#include "tools/figures/figure_data.hpp"

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"
#include "tools/cli/usage_error.hpp"
#include "tools/data_option.hpp"
#include "tools/sampling.hpp"

namespace rill::tools {

void FigureData::declare(Options& options) {
  options.add("data", data, "NAME|FILE",
              concat("a density in the plane (", joined(datasets::known_density_names()),
                     "), or a file of points, one per row (.npy, .csv, .tsv, .txt)"));
  options.add("data-param", parameters, "NAME=NUMBER", "parameters of the density, such as cells=8,low=-2");
}

std::unique_ptr<datasets::Data> FigureData::open() const {
  datasets::DataDescription description =
      is_file_name(data) ? datasets::DataDescription{.kind = "table", .source = data}
                         : by_option("data", [&] { return named_density(data, "data-param", parameters); });
  std::unique_ptr<datasets::Data> opened = datasets::open_data(description);
  if (opened->dimension() != 2) {
    throw UsageError(concat("--data: ", data, " has ", counted(opened->dimension(), "dimension"),
                            ", but this figure shows the plane; give two columns"));
  }
  return opened;
}

Tensor FigureData::points(Index count, std::uint64_t seed) const { return draw_data(*open(), count, seed); }

}  // namespace rill::tools
