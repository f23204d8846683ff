#!/usr/bin/env bash
# Runs every test, starting from a fresh clone: installs missing packages, builds, and tests the float build on each
# instruction set of this machine and on the scalar reference, then the double build. The last line is the total.
#
#   tests/run.sh                with the compiler in CXX, or else the system's
#   tests/run.sh --clang        and once more with clang++
#   tests/run.sh --neon         and the NEON kernels, cross-compiled and emulated
#   tests/run.sh --subproject   and rill as a Meson subproject of a small project
#   tests/run.sh --sanitize     and once more under the sanitizers; --sanitize=autodiff,nn only those parts of
#                               tests/sanitize.sh
#   tests/run.sh --fuzz         and a short run of the fuzzers (tests/fuzz.sh)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

parts=(build tests)
scripts=()
clang=
for option in "$@"; do
  case $option in
    --clang) clang='clang++' ;;
    --neon) parts+=(neon) scripts+=(neon) ;;
    --subproject) scripts+=(subproject) ;;
    --sanitize) scripts+=(sanitize) ;;
    --sanitize=*) option=${option#*=} scripts+=("sanitize ${option//,/ }") ;;
    --fuzz) scripts+=(fuzz) ;;
    *)
      echo "run.sh: unknown option '$option': expected --clang, --neon, --subproject, --sanitize or --fuzz" >&2
      exit 2
      ;;
  esac
done
tools/install-packages.sh "${parts[@]}"
[ -z "$clang" ] || CXX=$clang tools/install-packages.sh build

results=()
# run BUILD REAL: builds and tests one configuration.
run() {
  printf '\n== %s: %s, %s ==\n' "$1" "$2" "${CXX:-the default compiler}"
  results+=("$1")
  local again=()
  [ ! -f "$1/build.ninja" ] || again=(--reconfigure)
  meson setup "${again[@]}" "$1" -Dreal="$2" -Dbuildtype=release -Dtools=true -Dtests=true
  meson compile -C "$1"
  # A program that crashes writes no results: those of an earlier run must not stand for them.
  rm -f "$1"/*.xml "$1"/meson-logs/testlog.*
  meson test -C "$1" --no-rebuild --print-errorlogs || true
}

compiler=${CXX:+-${CXX##*/}}
run "build${compiler// /-}" float
run "build${compiler// /-}-double" double
[ -z "$clang" ] || CXX=$clang run "build-$clang" float

mkdir -p build/scripts
for script in "${scripts[@]}"; do
  read -r script arguments <<<"$script"
  printf '\n== tests/%s.sh %s ==\n' "$script" "$arguments"
  log=build/scripts/$script.log
  results+=("$log")
  status=0
  # shellcheck disable=SC2086
  "tests/$script.sh" $arguments 2>&1 | tee "$log" || status=$?
  echo "$status" >>"$log"
done

echo
python3 tests/count.py "${results[@]}"
