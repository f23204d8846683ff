#!/usr/bin/env bash
# Fuzzes the code that reads files: builds the targets of tests/fuzz with clang, AddressSanitizer and UBSan, and runs
# each from its seeds and from the corpus of earlier runs (build-sanitize/corpus).
#
#   tests/fuzz.sh                            every target, 20,000 inputs or a minute each, the same inputs every time
#   tests/fuzz.sh --seconds 3600             every target for an hour, other inputs every time
#   tests/fuzz.sh --seconds 3600 npy csv     these two
#
# An input that breaks a promise stays in build-sanitize/corpus/TARGET, named crash-, oom- or timeout-; the message says
# how. `build-sanitize/tests/fuzz/fuzz_TARGET FILE` reproduces it. Once fixed, it becomes a seed (seeds.cpp).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tests/sanitizers.sh

length=(-runs=20000 -max_total_time=60 -seed=1)
if [ "${1:-}" = --seconds ]; then
  length=("-max_total_time=${2:?fuzz.sh: --seconds needs a number}")
  shift 2
fi
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
  for source in tests/fuzz/*.cpp; do
    name=$(basename "$source" .cpp)
    [ "$name" = seeds ] || targets+=("$name")
  done
fi

tools/install-packages.sh build tests sanitizers
configure build-sanitize address,undefined -Dfuzz=true
meson compile -C build-sanitize tests/fuzz/seeds "${targets[@]/#/tests/fuzz/fuzz_}"

seeds=build-sanitize/seeds
rm -rf "$seeds"
build-sanitize/tests/fuzz/seeds "$seeds"

# A reader gets a few thousand bytes; what needs more than these for them is a finding too.
limits=(-timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=300 -max_len=4096)
failed=()
for target in "${targets[@]}"; do
  corpus=build-sanitize/corpus/$target
  mkdir -p "$corpus"
  fuzz=(build-sanitize/tests/fuzz/fuzz_$target "${limits[@]}" -artifact_prefix="$corpus/" -print_final_stats=1)
  log=build-sanitize/corpus/$target.log
  # First what once broke it, file by file, for such files may be long.
  if { [ ! -d "$seeds/$target/found" ] || "${fuzz[@]}" "$seeds/$target/found"/*; } >"$log" 2>&1 &&
     "${fuzz[@]}" "${length[@]}" "$corpus" "$seeds/$target" >>"$log" 2>&1; then
    inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
    printf '%-20s %s inputs, no finding\n' "$target" "$inputs"
  else
    failed+=("$target")
    grep -v '^#' "$log" | tail -n 60
    printf '%-20s %s\n' "$target" "a finding, above; the whole log is $log"
  fi
done
[ ${#failed[@]} = 0 ] || { echo "fuzz.sh: findings in ${failed[*]}" >&2; exit 1; }
