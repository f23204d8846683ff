#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/description_json.hpp"
#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/text.hpp"
#include "datasets/data.hpp"

namespace rill::datasets {

std::string DataDescription::text() const {
  if (source.empty()) return "unknown";
  if (kind == "images") return concat("images of ", source);
  std::string list;
  for (const auto& [name, value] : parameters) list += concat(list.empty() ? "" : ", ", name, " ", exact(value));
  return list.empty() ? source : concat(source, " (", list, ")");
}

void DataDescription::require_points(Index dimension, Index labels) const {
  if (kind == "density" && !source.empty()) {
    const Index found = make_density(source, parameters)->dimension();
    require(found == dimension, text(), " has ", counted(found, "dimension"), ", but the model's points have ",
            counted(dimension, "number"));
  }
  if (standardization) {
    require(standardization->columns() == dimension, "a table of ", standardization->columns(),
            " columns, but the model's points have ", dimension, " numbers");
  }
  if (holds_images()) {
    require(Shape({height, width}).size() == dimension && classes == labels, "images of ", height, " x ", width, " in ",
            classes, " classes, but the model's have ", dimension, " pixels and ", labels, " classes");
  }
}

std::string to_json(const DataDescription& description) { return description::to_json(description); }

DataDescription parse_data_description(const std::string& text) {
  const std::string what = "data description";
  DataDescription description;
  Json json = parse_json(text, what);
  // The kind determines which fields there are.
  if (json.is_object()) {
    description::take_field(json, what, "", "kind", description.kind);
    json["kind"] = description.kind;
  }
  if (description.is_table()) description.standardization.emplace();
  description::read_object(std::move(json), what, "", description);

  const std::vector<std::string> kinds = {"density", "table", "images"};
  if (std::find(kinds.begin(), kinds.end(), description.kind) == kinds.end()) {
    fail(what, ": ", unknown_name("kind", description.kind, kinds));
  }
  if (!description.standardization) return description;
  const Standardization& units = *description.standardization;
  require(units.mean.size() == units.deviation.size(), what, ": ", units.mean.size(), " means, but ",
          units.deviation.size(), " deviations");
  const auto finite = [](double value) { return std::isfinite(value); };
  require(std::all_of(units.mean.begin(), units.mean.end(), finite), what, ": a mean is infinite");
  for (const double deviation : units.deviation) {
    require(deviation > 0 && finite(deviation), what, ": the deviation of a column is ", deviation,
            ", expected a finite number above 0");
  }
  return description;
}

}  // namespace rill::datasets
