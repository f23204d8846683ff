#include "tools/cli/version.hpp"

#include "autodiff/real.hpp"

namespace rill::tools {

std::string version_text() {
  return std::string("rill ") + RILL_VERSION + (sizeof(Real) == sizeof(double) ? " (double)" : " (float)");
}

}  // namespace rill::tools
