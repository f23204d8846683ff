#include "flow/model/families.hpp"

#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "flow/model/flow_matching.hpp"

namespace rill::flow {

std::span<const Family> families() {
  static constexpr Family kFamilies[] = {
      {FlowMatching::kFamily, make_flow_matching},
  };
  return kFamilies;
}

const Family& find_family(const std::string& name) {
  std::vector<std::string> names;
  for (const Family& family : families()) {
    if (name == family.name) return family;
    names.emplace_back(family.name);
  }
  fail(unknown_name("family", name, names));
}

}  // namespace rill::flow
