# For the other scripts here: builds with clang and sanitizers, whose findings end the program.
export CXX=clang++
export ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=16:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# The allocator links its free blocks through poisoned memory.
export LSAN_OPTIONS=use_poisoned=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

# configure BUILD SANITIZERS OPTION...
configure() {
  local again=()
  [ ! -f "$1/build.ninja" ] || again=(--reconfigure)
  # With sanitizers, more than -O1 and line numbers takes clang long and gains little. Without precompiled headers, which
  # hide what a file forgets to include.
  meson setup "${again[@]}" "$1" -Db_sanitize="$2" -Db_lundef=false -Db_pch=false -Dbuildtype=plain -Doptimization=1 \
    -Dcpp_args="-D_GLIBCXX_ASSERTIONS -gline-tables-only ${CXXFLAGS:-}" "${@:3}"
}
