#include "flow/model/model_file.hpp"

#include <stdexcept>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/random.hpp"
#include "flow/model/families.hpp"
#include "flow/model/flow_matching.hpp"

namespace rill::flow {
namespace {

constexpr const char* kFamilyKey = "family";

// Files written before there were families hold flows, and no description of another family.
const Family& family_of(const nn::Metadata& metadata) {
  const auto found = metadata.find(kFamilyKey);
  const std::string name = found == metadata.end() ? FlowMatching::kFamily : found->second;
  for (const Family& other : families()) {
    require(name != FlowMatching::kFamily || !metadata.contains(other.name), "the metadata's '", kFamilyKey, "' is ",
            found == metadata.end() ? "missing" : name, ", but they describe a model of the family ", other.name,
            "; put it back");
  }
  return find_family(name);
}

}  // namespace

void save_model(const std::string& path, const GenerativeModel& model, const datasets::DataDescription& data,
                const nn::Ema* ema, const nn::Metadata& metadata) {
  nn::Metadata all = model.metadata();
  all[kFamilyKey] = model.family();
  all[kDataKey] = datasets::to_json(data);
  for (const auto& [key, value] : metadata) {
    require(all.emplace(key, value).second, "save_model: the metadata key '", key, "' is reserved");
  }
  nn::save_weights(path, model.module(), ema, all);
}

LoadedModel load_model(const std::string& path, nn::Weights weights) {
  LoadedModel loaded;
  loaded.metadata = nn::load_weights(path, weights, [&](const nn::Metadata& metadata) {
    require(!metadata.contains(nn::kClassifierKey), "is a classifier, not a generative model; evaluate measures it");
    Generator unused(0);
    loaded.model = family_of(metadata).make(metadata, unused);
    return std::shared_ptr<nn::Module>(loaded.model, &loaded.model->module());
  });
  // Images of unknown origin, in a file that train did not write.
  if (const auto image = loaded.model->image_shape(); image && image->channels == 1) {
    loaded.data = {
        .kind = "images", .height = image->height, .width = image->width, .classes = loaded.model->classes()};
  }
  loaded.data =
      data_in(loaded.metadata, path, std::move(loaded.data), loaded.model->dimension(), loaded.model->classes());
  return loaded;
}

datasets::DataDescription data_in(const nn::Metadata& metadata, const std::string& path,
                                  datasets::DataDescription otherwise, Index dimension, Index classes) {
  const auto found = metadata.find(kDataKey);
  if (found == metadata.end()) return otherwise;
  try {
    datasets::DataDescription data = datasets::parse_data_description(found->second);
    data.require_points(dimension, classes);
    return data;
  } catch (const std::invalid_argument& error) {
    throw FileError(path, concat("the metadata's '", kDataKey, "': ", error.what(),
                                 "; the programs keep the description of the data there: save your own notes under "
                                 "another key"));
  }
}

}  // namespace rill::flow
