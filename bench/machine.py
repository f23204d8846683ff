"""The machine and software of the measurements."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
from pathlib import Path


def build_option(build: Path, name: str) -> object:
    options = json.loads((build / "meson-info" / "intro-buildoptions.json").read_text())
    return next((option["value"] for option in options if option["name"] == name), None)


def compiler(build: Path) -> str:
    """The first line of the version text of the build's compiler."""
    words = shlex.split(json.loads((build / "compile_commands.json").read_text())[0]["command"])
    program = words[1] if words[0].endswith("ccache") else words[0]
    return subprocess.run([program, "--version"], capture_output=True, text=True).stdout.splitlines()[0]


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def caches() -> str:
    """Sizes as the kernel gives them, of one core's caches: "L1d 32K, L2 1024K, L3 32768K"."""
    sizes = []
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((folder / name).read_text().strip() for name in ("level", "type", "size"))
        if kind != "Instruction":
            sizes.append(f"L{level}{'d' if kind == 'Data' else ''} {size}")
    return ", ".join(sizes)


def system() -> str:
    """The distribution's name for itself."""
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.split("=", 1)[1].strip('"')
    return platform.system()


def describe(build: Path) -> dict[str, str]:
    return {
        "processor": processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "caches": caches(),
        "system": system(),
        "compiler": compiler(build),
    }
