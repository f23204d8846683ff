// Checks that every key that evaluate prints is documented.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "autodiff/json.hpp"
#include "tests/tools/process.hpp"

namespace rill::testing_support {

/// Fails the test unless docs/evaluation.md has every key, in code quotes; for a standard error, the key of its value.
inline void expect_documented(const Json& result) {
  static const std::string page = contents(RILL_DOCS "/evaluation.md");
  for (const auto& [key, value] : result.object()) {
    const std::string name = key.ends_with("_se") ? key.substr(0, key.size() - 3) : key;
    EXPECT_NE(page.find("`" + name + "`"), page.npos) << key << " is not explained in docs/evaluation.md";
    if (key == "langevin") expect_documented(value);
  }
}

}  // namespace rill::testing_support
