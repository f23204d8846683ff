"""Checks the documents: every relative link leads to a file, README.md quotes docs/first_flow.cpp and
docs/library.md the programs in docs/library as they are, and the tests and functions that the documents name exist.

python3 tests/documents.py ROOT
"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
problems = []
readme = root / "README.md"
for document in [readme, *sorted((root / "docs").glob("*.md"))]:
    text = document.read_text()
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", re.sub(r"```.*?```", "", text, flags=re.S)):
        if "://" not in link and not (document.parent / link).exists():
            problems.append(f"{document.relative_to(root)}: the link to {link} leads nowhere")
quoted = {"README.md": [root / "docs/first_flow.cpp"], "docs/library.md": sorted((root / "docs/library").glob("*.cpp"))}
for document, programs in quoted.items():
    for program in programs:
        if program.read_text() not in (root / document).read_text():
            problems.append(f"{document}: does not quote {program.relative_to(root)} as it is")
tests = {f"{suite}.{name}" for source in (root / "tests").glob("*/*_test.cpp")
         for suite, name in re.findall(r"^TEST\w*\((\w+),\s*(\w+)\)", source.read_text(), flags=re.M)}
for document in ["docs/reliability.md", "docs/extending.md", "docs/flow-matching.md", "docs/roads.md", "docs/autodiff.md"]:
    for name in re.findall(r"`([A-Z]\w*\.[A-Z]\w*)`", (root / document).read_text()):
        if name not in tests:
            problems.append(f"{document}: there is no test {name}")
# `name()` is a function, a member or a macro of the sources, or an op of a peer that a benchmark names.
sources = "\n".join(path.read_text() for folder in ["autodiff", "bench", "datasets", "docs", "flow", "nn", "tests", "tools"]
                    for path in (root / folder).rglob("*") if path.suffix in [".cpp", ".hpp", ".py"])
for document in [readme, *sorted((root / "docs").glob("*.md"))]:
    for name in sorted(set(re.findall(r"`(?:\w+::)*(\w+)\(\)`", document.read_text()))):
        if not re.search(rf"\b{name}\b", sources):
            problems.append(f"{document.relative_to(root)}: there is no function {name}()")
print("\n".join(problems) or "documents: all links lead somewhere, the quoted programs are those that are tested, and the named tests and functions exist")
sys.exit(1 if problems else 0)
