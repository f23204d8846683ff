#!/usr/bin/env bash
# The tests under AddressSanitizer and UBSan, and those of threads under ThreadSanitizer, built by clang.
#
#   tests/sanitize.sh                 everything
#   tests/sanitize.sh nn threads      these parts: autodiff, datasets, nn, flow, tools (the programs), threads
#
# On AVX2 where this machine has it, else on the scalar reference, which RILL_ISA=scalar chooses.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tests/sanitizers.sh

parts=("$@")
[ $# -gt 0 ] || parts=(autodiff datasets nn flow tools threads)
tools/install-packages.sh build tests sanitizers

failed=()
# run PROGRAM ARGUMENT...: continues after a failure, to report all of them.
run() {
  printf '\n== %s ==\n' "$*"
  "$@" || failed+=("$*")
}

for part in "${parts[@]}"; do
  case $part in
    autodiff | datasets | nn | flow)
      configure build-sanitize address,undefined -Dfuzz=true
      meson compile -C build-sanitize "tests/test_$part"
      run "build-sanitize/tests/test_$part"
      ;;
    tools)
      configure build-sanitize address,undefined -Dfuzz=true
      meson compile -C build-sanitize train sample evaluate visualize tests/tools/test_tools
      RILL_PROGRAMS=$PWD/build-sanitize/tools run build-sanitize/tests/tools/test_tools
      ;;
    threads)
      configure build-sanitize-threads thread
      meson compile -C build-sanitize-threads tests/test_autodiff tests/test_flow
      for layer in autodiff flow; do
        run "build-sanitize-threads/tests/test_$layer" --gtest_filter='*Thread*:Parallel*:Memory*:Graph*:Trainer*'
      done
      ;;
    *) echo "sanitize.sh: unknown part '$part': expected autodiff, datasets, nn, flow, tools or threads" >&2; exit 2 ;;
  esac
done

[ ${#failed[@]} = 0 ] || { printf 'sanitize.sh: failed: %s\n' "${failed[@]}" >&2; exit 1; }
