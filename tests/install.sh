#!/usr/bin/env bash
# Installs a built rill into an empty folder, then compiles, links and runs a program against what was installed, and
# trains and samples with the installed programs.
#
#   tests/install.sh SOURCE BUILD COMPILER...
set -euo pipefail
source=$1 build=$2
shift 2

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
DESTDIR=$root meson install -C "$build" --no-rebuild --quiet

pc=$(find "$root" -name rill.pc)
prefix=$root$(sed -n 's/^prefix=//p' "$pc")
query() { PKG_CONFIG_PATH=${pc%/*} pkg-config --define-variable=prefix="$prefix" "$@" rill; }

# Every header but those for rill's own .cpp files must be there, or something installed may not compile.
cd "$source"
find autodiff datasets nn flow -name '*.hpp' | while read -r header; do
  case $header in
    *-inl.hpp | autodiff/ops/elementwise.hpp | autodiff/description_json.hpp | autodiff/json.hpp) continue ;;
  esac
  if [ ! -f "$prefix/include/rill/$header" ]; then
    echo "$header is not installed: add it to install_headers in ${header%%/*}/meson.build" >&2
    exit 1
  fi
  echo "#include \"$header\""
done >"$root/all.hpp"
cd "$root"

cat >program.cpp <<'PROGRAM'
#include "all.hpp"
#include <cstdio>

int main() {
  rill::Tensor x = rill::Tensor::full({3}, 2);
  x.set_requires_grad();
  sum(square(x)).backward();
  const double slope = x.grad().data()[0];
  std::printf("scalars of %zu bytes, %s kernels: d(x^2)/dx = %g at 2\n", sizeof(rill::Real), rill::simd::kernels().name, slope);
  return slope == 4 ? 0 : 1;
}
PROGRAM
# shellcheck disable=SC2046
"$@" -std=c++20 program.cpp $(query --cflags --libs) -o program
./program

# A preset that only the installed folder has, so that it cannot come from the source tree.
cp "$prefix/share/rill/presets/annulus.toml" "$prefix/share/rill/presets/elsewhere.toml"
"$prefix/bin/rill-train" --preset elsewhere --steps 2 --out run
[ "$("$prefix/bin/rill-sample" run --count 5 | wc -l)" = 6 ]
