"""The virtual environment of the peers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path


def python_of(venv: Path) -> Path:
    return venv / "bin" / "python"


def create(venv: Path) -> None:
    """Makes the environment unless it is there. Exits with a line that says what to do when that fails."""
    if python_of(venv).exists():
        return
    print(f"making the virtual environment {venv}: some 6.5 GB with PyTorch for CUDA, 2 GB with its build for the "
          "processor alone, which is taken where the index that pip uses offers it", file=sys.stderr)
    made = subprocess.run([sys.executable, "-m", "venv", str(venv)], capture_output=True, text=True)
    if made.returncode != 0:
        sys.exit(f"bench/compare: cannot make the virtual environment {venv}: {last_line(made.stderr or made.stdout)}\n"
                 "On Debian, `tools/install-packages.sh peers` installs what that takes.")


def versions(venv: Path) -> dict[str, str]:
    """The installed packages, by their names in lower case."""
    program = ("import importlib.metadata as m, json; "
               "print(json.dumps({d.metadata['Name'].lower(): d.version for d in m.distributions()}))")
    out = subprocess.run([str(python_of(venv)), "-c", program], check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def pip(venv: Path, *arguments: str) -> list[str]:
    return [str(python_of(venv)), "-m", "pip", *arguments, "--disable-pip-version-check"]


def for_processor(venv: Path, package: str) -> str:
    """What to ask pip for: the newest build for the processor alone, marked +cpu, or the package where there is none."""
    if package != "torch":
        return package
    listed = subprocess.run(pip(venv, "index", "versions", package), capture_output=True, text=True).stdout
    builds = re.findall(r"[\w.]+\+cpu\b", listed)  # the newest first
    return f"{package}=={builds[0]}" if builds else package


def install(venv: Path, packages: list[str]) -> dict[str, str]:
    """Installs by pip what is not there, one after the other. Returns why, for those that could not be installed."""
    failures = {}
    present = versions(venv)
    for package in packages:
        if package in present:
            continue
        wanted = for_processor(venv, package)
        print(f"installing {wanted}", file=sys.stderr)
        installed = subprocess.run(pip(venv, "install", "--quiet", wanted), capture_output=True, text=True)
        if installed.returncode != 0:
            failures[package] = f"pip cannot install {package}: {last_line(installed.stderr)}"
    return failures


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"
