// The families of generative models.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "autodiff/random.hpp"
#include "flow/model/generative_model.hpp"
#include "nn/checkpoint.hpp"

namespace rill::flow {

struct Family {
  const char* name;
  /// Makes a model from metadata(), with weights drawn from `rng`. Throws std::invalid_argument.
  std::shared_ptr<GenerativeModel> (*make)(const nn::Metadata& metadata, Generator& rng);
};

/// All of them.
std::span<const Family> families();
/// Throws std::invalid_argument, listing the known names, for an unknown one.
const Family& find_family(const std::string& name);

}  // namespace rill::flow
