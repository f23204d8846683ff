#!/usr/bin/env bash
# Installs a built rill into an empty folder, then checks that it has exactly the public headers, and that each
# compiles alone; compiles, links and runs a program with all of them; and trains and samples with the installed
# programs.
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

# The headers that are installed are those that docs/library.md calls public.
grep -o '](\.\./[a-z_0-9/]*\.hpp)' "$source/docs/library.md" | sed 's|](\.\./\(.*\))|\1|' | sort >"$root/public"
(cd "$prefix/include/rill" && find . -name '*.hpp' | sed 's|^\./||' | sort) >"$root/installed"
if ! diff "$root/public" "$root/installed" >"$root/differences"; then
  sed -n 's|^< \(.*\)|\1: docs/library.md calls it public, but it is not installed: see its layer'"'"'s meson.build|p
          s|^> \(.*\)|\1: is installed, but docs/library.md does not list it|p' "$root/differences" >&2
  exit 1
fi
cd "$root"

# Each stands on its own: it includes what it uses, and nothing that is not installed.
read -ra flags <<<"$(query --cflags)"
xargs -P "$(nproc)" -I{} sh -c 'header=$1; shift; printf "#include \"%s\"\n" "$header" | "$@" -x c++ -' sh {} \
  "$@" -std=c++20 -fsyntax-only -Wall -Wextra -Werror "${flags[@]}" <installed
sed 's|.*|#include "&"|' installed >all.hpp

cat >program.cpp <<'PROGRAM'
#include "all.hpp"
#include <cstdio>

int main() {
  rill::Tensor x = rill::Tensor::full({3}, 2);
  x.set_requires_grad();
  sum(square(x)).backward();
  const double slope = x.grad().data()[0];
  std::printf("scalars of %zu bytes: d(x^2)/dx = %g at 2\n", sizeof(rill::Real), slope);
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
