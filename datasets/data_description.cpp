#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "autodiff/description_json.hpp"
#include "autodiff/error.hpp"
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
    require(found == dimension, text(), " has ", found, found == 1 ? " dimension" : " dimensions",
            ", but the model's points have ", dimension, dimension == 1 ? " number" : " numbers");
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

std::string to_json(const DataDescription& description) {
  nlohmann::ordered_json json = {{"kind", description.kind}, {"source", description.source}};
  if (description.kind == "density") json["parameters"] = description.parameters;
  if (description.standardization) {
    json["mean"] = description.standardization->mean;
    json["deviation"] = description.standardization->deviation;
  }
  if (description.kind == "images") {
    json["height"] = description.height;
    json["width"] = description.width;
    json["classes"] = description.classes;
  }
  return dump_json(std::move(json));
}

DataDescription parse_data_description(const std::string& text) {
  const std::string what = "data description";
  DataDescription description;
  nlohmann::json json = parse_json(text, what);
  require(json.is_object(), what, ": expected a JSON object, found ", json.type_name());
  const auto take = [&](const char* key, auto& field) { description::take_field(json, what, "", key, field); };
  take("kind", description.kind);
  if (description.kind == "density") {
    take("source", description.source);
    nlohmann::json parameters;
    parameters.swap(json["parameters"]);
    json.erase("parameters");
    require(parameters.is_object(), what, ": 'parameters' must be an object of numbers");
    for (const auto& [name, value] : parameters.items()) {
      require(value.is_number(), what, ": the parameter ", in_quotes(name), " is not a number");
      value.get_to(description.parameters[name]);
    }
  } else if (description.kind == "table") {
    take("source", description.source);
    Standardization& units = description.standardization.emplace();
    take("mean", units.mean);
    take("deviation", units.deviation);
    require(units.mean.size() == units.deviation.size(), what, ": ", units.mean.size(), " means, but ",
            units.deviation.size(), " deviations");
    const auto finite = [](double value) { return std::isfinite(value); };
    require(std::all_of(units.mean.begin(), units.mean.end(), finite), what, ": a mean is infinite");
    for (const double deviation : units.deviation) {
      require(deviation > 0 && finite(deviation), what, ": the deviation of a column is ", deviation,
              ", expected a finite number above 0");
    }
  } else if (description.kind == "images") {
    take("source", description.source);
    take("height", description.height);
    take("width", description.width);
    take("classes", description.classes);
  } else {
    fail(what, ": unknown kind ", in_quotes(description.kind), ", expected density, table or images");
  }
  description::require_all_taken(json, what, "");
  return description;
}

}  // namespace rill::datasets
