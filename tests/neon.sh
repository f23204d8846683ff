#!/bin/sh
# Cross-compiles the kernels and their tests for 64-bit ARM and runs them under qemu, in float and in double.
#   tests/neon.sh [BUILD_DIR]        the default is build-neon, which is built incrementally
# Installs missing packages. The machine need not be ARM.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build-neon}

tools/install-packages.sh neon

# compile SOURCE OBJECT FLAGS...: unless the object is newer than every source and header.
compile() {
  source=$1 object=$2
  shift 2
  [ -f "$object" ] && [ -z "$(find autodiff tests "$source" -name '*.[ch]pp' -newer "$object" | head -n 1)" ] && return
  echo "compiling $source"
  aarch64-linux-gnu-g++ -std=c++20 -Wall -Wextra -Wpedantic -I. "$@" -c "$source" -o "$object"
}

mkdir -p "$build"
compile /usr/src/googletest/googletest/src/gtest-all.cc "$build/gtest.o" -O1 \
  -I/usr/src/googletest/googletest -I/usr/src/googletest/googletest/include

for real in float double; do
  flags='-I/usr/src/googletest/googletest/include'
  [ $real = double ] && flags="$flags -DRILL_REAL_DOUBLE"
  objects="$build/gtest.o"
  for source in autodiff/simd/dispatch.cpp tests/main.cpp tests/autodiff/simd_*_test.cpp; do
    object=$build/$real-$(basename "$source" .cpp).o
    compile "$source" "$object" $flags -O1
    objects="$objects $object"
  done
  for name in scalar table; do
    object=$build/$real-scalar-$name.o
    compile autodiff/simd/$name.cpp "$object" $flags -O1 -DRILL_SET=scalar
    objects="$objects $object"
  done
  kernels=
  for source in autodiff/simd/*.cpp; do
    name=$(basename "$source" .cpp)
    case $name in dispatch | scalar) continue ;; esac
    object=$build/$real-neon64-$name.o
    compile "$source" "$object" $flags -O3 -fno-exceptions -DRILL_SET=neon64
    kernels="$kernels $object"
  done
  sh tests/autodiff/weak_symbols.sh $kernels
  objects="$objects $kernels"
  aarch64-linux-gnu-g++ $objects -o "$build/test_kernels_$real"
  RILL_ISA=neon64 qemu-aarch64 -L /usr/aarch64-linux-gnu "$build/test_kernels_$real"
done
