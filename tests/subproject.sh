#!/usr/bin/env bash
# Builds and runs a small Meson project that uses rill as a subproject, as described in docs/library.md.
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT
mkdir "$project/subprojects"
ln -s "$source" "$project/subprojects/rill"

# block LANGUAGE: what the page quotes in it.
page=$source/docs/library.md
block() {
  local text
  text=$(sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/{/^\`\`\`/!p}" "$page")
  [ -n "$text" ] || { echo "subproject.sh: $page quotes no $1" >&2; exit 1; }
  printf '%s\n' "$text"
}
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

# The library is tested elsewhere; here it only has to be built and found.
meson setup "$project/build" "$project" --buildtype=plain
meson test -C "$project/build" --print-errorlogs
