#include <nlohmann/json.hpp>

#include "autodiff/error.hpp"
#include "tools/data.hpp"
#include "tools/text.hpp"

namespace rill::tools {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

std::string DataDescription::text() const {
  if (kind == "images") return concat("images of ", source);
  std::string list;
  for (const auto& [name, value] : parameters) list += concat(list.empty() ? "" : ", ", name, " ", value);
  return list.empty() ? source : concat(source, " (", list, ")");
}

std::string to_json(const DataDescription& description) {
  Json json = {{"kind", description.kind}, {"source", description.source}};
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
  return json.dump();
}

DataDescription parse_data_description(const std::string& text) {
  DataDescription description;
  try {
    const Json json = Json::parse(text);
    json.at("kind").get_to(description.kind);
    json.at("source").get_to(description.source);
    if (description.kind == "density") {
      json.at("parameters").get_to(description.parameters);
    } else if (description.kind == "table") {
      description.standardization = {json.at("mean").get<std::vector<double>>(),
                                     json.at("deviation").get<std::vector<double>>()};
    } else if (description.kind == "images") {
      json.at("height").get_to(description.height);
      json.at("width").get_to(description.width);
      json.at("classes").get_to(description.classes);
    } else {
      fail("unknown kind ", in_quotes(description.kind));
    }
  } catch (const Json::exception& error) {
    fail(error.what());
  }
  return description;
}

}  // namespace rill::tools
