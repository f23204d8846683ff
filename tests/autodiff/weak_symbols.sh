#!/bin/sh
# Fails if a kernel library, given as arguments, defines a weak function: a copy that the linker may choose for the
# whole program, though only CPUs with that library's instruction set can run it.
for library in "$@"; do
  weak=$(nm -C "$library" | grep -E ' [WVu] ')
  if [ -n "$weak" ]; then
    echo "$library defines inline functions that the rest of the program may share:"
    echo "$weak"
    exit 1
  fi
done
