#!/usr/bin/env bash
# Builds and runs a small Meson project that uses rill as a subproject.
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT
mkdir "$project/subprojects"
ln -s "$source" "$project/subprojects/rill"

cat >"$project/meson.build" <<'EOF_MESON'
project('stream', 'cpp', default_options: ['cpp_std=c++20'])
test('stream', executable('stream', 'stream.cpp', dependencies: dependency('rill', fallback: 'rill')))
EOF_MESON

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
