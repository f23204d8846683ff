"""The virtual environment that the peers live in."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def python_of(venv: Path) -> Path:
    return venv / "bin" / "python"


def create(venv: Path) -> None:
    """Makes the environment unless it is there. Exits with a line that says what to do when that fails."""
    if python_of(venv).exists():
        return
    print(f"making the virtual environment {venv}", file=sys.stderr)
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


def install(venv: Path, packages: list[str]) -> dict[str, str]:
    """Installs by pip what is not there, one after the other. Returns why, for those that could not be installed."""
    failures = {}
    present = versions(venv)
    for package in packages:
        if package in present:
            continue
        print(f"installing {package}", file=sys.stderr)
        command = [str(python_of(venv)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]
        installed = subprocess.run(command, capture_output=True, text=True)
        if installed.returncode != 0:
            failures[package] = f"pip cannot install {package}: {last_line(installed.stderr)}"
    return failures


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"
