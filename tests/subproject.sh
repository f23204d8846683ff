#!/usr/bin/env bash
# Builds and runs a small Meson project that uses rill as a subproject, as README.md says.
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT
mkdir "$project/subprojects"
ln -s "$source" "$project/subprojects/rill"

# block LANGUAGE: what README.md quotes in it.
block() { sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/{/^\`\`\`/!p}" "$source/README.md"; }
block ini >"$project/subprojects/rill.wrap"
block meson >"$project/meson.build"
echo "test('stream', stream)" >>"$project/meson.build"

cat >"$project/stream.cpp" <<'EOF_CPP'
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "nn/linear.hpp"

int main() {
  rill::Generator rng(0);
  const rill::nn::Linear layer(3, 2, rng);
  return layer.forward(rill::Tensor::randn({5, 3}, rng)).shape() == rill::Shape{5, 2} ? 0 : 1;
}
EOF_CPP

meson setup "$project/build" "$project"
meson test -C "$project/build" --print-errorlogs
