"""Checks the documents: every relative link leads to a file, and README.md quotes docs/first_flow.cpp as it is.

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
if (root / "docs/first_flow.cpp").read_text() not in readme.read_text():
    problems.append("README.md: does not quote docs/first_flow.cpp as it is")
print("\n".join(problems) or "documents: all links lead somewhere, and the quoted program is the one that is tested")
sys.exit(1 if problems else 0)
