#!/usr/bin/env bash
# Installs missing packages that rill needs; takes a few milliseconds if there are none.
#
#   tools/install-packages.sh build          compiler, Meson, libraries (CXX chooses the compiler, as for Meson)
#   tools/install-packages.sh build tests    the same, and what the tests need
#   tools/install-packages.sh build bench    the same, and Google Benchmark
#   tools/install-packages.sh peers          the tools of bench/compare and bench/profile
#   tools/install-packages.sh neon           the cross compiler and the emulator of tests/neon.sh
#   tools/install-packages.sh sanitizers     clang and the runtime libraries for tests/sanitize.sh and tests/fuzz.sh
#   tools/install-packages.sh data           the images of Fashion-MNIST
#
# On Debian and derivatives, packages are installed with apt, as root or through sudo; elsewhere their names are
# printed.
set -euo pipefail

die() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  exit "${2:-1}"
}

missing=()
# program NAME PACKAGE...: the packages are missing unless the program NAME exists; likewise for the two below.
program() { command -v "$1" >/dev/null || missing+=("${@:2}"); }
library() { pkg-config --exists "$1" 2>/dev/null || missing+=("$2"); }
path() { [ -e "$1" ] || missing+=("$2"); }

compiler() {
  local cxx=${CXX:-}
  cxx=${cxx##*ccache }
  cxx=${cxx%% *}
  case ${cxx##*/} in
    '') program c++ g++ ;;
    clang++*) program "$cxx" "clang${cxx##*clang++}" ;;
    *) program "$cxx" "${cxx##*/}" ;;
  esac
}

[ $# -gt 0 ] || die "expected one or more of: build tests bench peers neon sanitizers data" 2
for part in "$@"; do
  case $part in
    build)
      compiler
      program meson meson
      program ninja ninja-build
      program pkg-config pkg-config
      library xsimd libxsimd-dev
      library zlib zlib1g-dev
      library nlohmann_json nlohmann-json3-dev
      library CLI11 libcli11-dev
      library libpng libpng-dev
      library libgif libgif-dev
      ;;
    tests)
      library gtest libgtest-dev
      library gmock libgmock-dev
      program python3 python3
      program curl curl
      ;;
    bench) library benchmark libbenchmark-dev ;;
    peers)
      python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
      program perf linux-perf
      path /usr/include/dnnl.h libdnnl-dev
      library openblas libopenblas-dev
      ;;
    neon)
      program aarch64-linux-gnu-g++ g++-aarch64-linux-gnu
      program qemu-aarch64 qemu-user
      path /usr/src/googletest/googletest/src/gtest-all.cc googletest
      path /usr/include/xsimd/xsimd.hpp libxsimd-dev
      ;;
    sanitizers)
      program clang++ clang
      program llvm-symbolizer llvm
      path "$(clang++ -print-resource-dir 2>/dev/null)/lib/linux" libclang-rt-dev
      ;;
    data) path /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz dataset-fashion-mnist ;;
    *) die "unknown part '$part': expected build, tests, bench, peers, neon, sanitizers or data" 2 ;;
  esac
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if ! command -v apt-get >/dev/null; then
  die "missing, by their Debian names: ${missing[*]}. Install the corresponding packages of this system, then try again."
elif [ "$(id -u)" != 0 ]; then
  # sudo can ask for a password only at a terminal.
  if command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    as_root=(sudo)
  else
    die "missing packages, and no right to install them. As root: apt-get install ${missing[*]}"
  fi
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" </dev/null >>"$log" 2>&1; }
install() { apt install -y --no-install-recommends "${missing[@]}"; }

echo "Installing ${missing[*]}" >&2
# The package lists are updated only if they turn out to be missing or too old.
install || { apt update && install; } || { cat "$log" >&2; die "apt-get could not install: ${missing[*]}"; }
