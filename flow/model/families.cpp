#include "flow/model/families.hpp"

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"

namespace rill::flow {
namespace {

template <class Model>
std::shared_ptr<GenerativeModel> make(const nn::Metadata& metadata, Generator& rng) {
  return std::make_shared<Model>(Model::read_description(metadata), rng);
}

template <class List>
struct Table;
template <class... Model>
struct Table<std::tuple<Model...>> {
  static constexpr Family kAll[] = {{Model::kFamily, make<Model>}...};
};

}  // namespace

std::span<const Family> families() { return Table<AllFamilies>::kAll; }

std::vector<std::string> family_names() {
  std::vector<std::string> names;
  for (const Family& family : families()) names.emplace_back(family.name);
  return names;
}

const Family& find_family(const std::string& name) {
  for (const Family& family : families()) {
    if (name == family.name) return family;
  }
  fail(unknown_name("family", name, family_names()));
}

}  // namespace rill::flow
