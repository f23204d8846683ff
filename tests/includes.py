"""Checks that includes point down: from a layer to itself or to one below it, within flow and tools from a subject to
itself or to one below it; and that no two files (a header and its source count as one) need each other, directly or
around a circle.

python3 tests/includes.py ROOT
"""
import pathlib
import re
import sys

# From the bottom up. A folder stands for all in it that no longer name covers.
ORDER = [
    "autodiff/simd", "autodiff", "autodiff/ops",
    "datasets",
    "nn",
    "flow/transport", "flow/path", "flow/solver", "flow/bijection", "flow/metrics", "flow/loss", "flow/model",
    "tools/plot", "tools/cli", "tools",
]
# The tensors below the ops are what the ops are made of, and a few ops are members of Tensor.
SAME_HEIGHT = [{"autodiff", "autodiff/ops", "autodiff/simd"}]

# Tensors have operators, which are ops, which record a graph of tensors: one thing in three files.
CORE = {"autodiff/tensor", "autodiff/graph", "autodiff/ops"}

root = pathlib.Path(sys.argv[1])
problems = []


def place(file: str) -> str:
    return max((folder for folder in ORDER if file.startswith(folder + "/")), key=len)


def height(folder: str) -> int:
    for group in SAME_HEIGHT:
        if folder in group:
            folder = max(group, key=ORDER.index)
    return ORDER.index(folder)


files = [path for layer in ("autodiff", "datasets", "nn", "flow", "tools") for path in sorted((root / layer).rglob("*.[ch]pp"))]
needs: dict[str, set[str]] = {}
for path in files:
    name = path.relative_to(root).as_posix()
    module = name.rsplit(".", 1)[0]
    for included in re.findall(r'^#include "([^"]+)"', path.read_text(), flags=re.M):
        if not (root / included).exists():
            problems.append(f"{name}: includes {included}, which is not there")
        elif included.split("/")[0] in ("tests", "bench"):
            problems.append(f"{name}: includes {included}, which is no part of the product")
        else:
            if height(place(included)) > height(place(name)):
                problems.append(f"{name}: includes {included}, which is above it: {place(name)} stands below {place(included)}")
            other = included.rsplit(".", 1)[0]
            # A kernel's declaration, reference and registers (-inl) are one subject.
            kernels = other.startswith("autodiff/simd/") and module.startswith("autodiff/simd/")
            if other != module and not {other, module} <= CORE and not kernels:
                needs.setdefault(module, set()).add(other)

# Depth first; what is met again on its own way closes a circle.
done: set[str] = set()


def walk(module: str, way: list[str]) -> None:
    if module in way:
        circle = way[way.index(module):] + [module]
        problems.append("a circle of includes: " + " -> ".join(circle))
        return
    if module in done:
        return
    for other in sorted(needs.get(module, ())):
        walk(other, way + [module])
    done.add(module)


for module in sorted(needs):
    walk(module, [])

print("\n".join(problems) or f"includes: those of {len(files)} files point down, without circles")
sys.exit(1 if problems else 0)
