"""rill's side: Google Benchmark programs, and whole processes, ours or a peer's."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from peers.client import BENCH, PeerError, surroundings
from peers.environment import last_line

SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}


@dataclass
class Measured:
    seconds: float  # per call
    floor: float | None  # seconds a call would take at the peak that it is held against


def benchmark(program: Path, work: str, threads: int, at_least: float) -> tuple[Measured, dict]:
    """One benchmark and the context that the program reports."""
    out = subprocess.run([str(program), f"--benchmark_filter=^{work}/threads:{threads}/real_time$",
                          f"--benchmark_min_time={at_least}", "--benchmark_format=json"],
                         check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                         **surroundings(threads)).stdout
    result = json.loads(out)
    run = result["benchmarks"][0]
    seconds = run["real_time"] * SECONDS[run["time_unit"]]
    share = run.get("of_peak", run.get("of_copy"))
    return Measured(seconds, seconds * share / threads if share else None), result["context"]


def process(command: list, threads: int) -> tuple[float, int]:
    """Runs a program to its end: seconds, and the most memory in bytes that it held at a time. Throws PeerError.

    The memory is read from the kernel every millisecond: what wait() reports would count that of this Python, from
    which the process was split off.
    """
    with tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        running = subprocess.Popen([str(word) for word in command], cwd=BENCH, stdout=subprocess.DEVNULL, stderr=errors,
                                   **surroundings(threads))
        status, most = Path(f"/proc/{running.pid}/status"), 0
        while running.poll() is None:
            for line in status.read_text().splitlines():
                if line.startswith("VmHWM:"):
                    most = int(line.split()[1]) * 1024
            time.sleep(0.001)
        seconds = time.perf_counter() - start
        if running.returncode != 0:
            errors.seek(0)
            raise PeerError(last_line(errors.read()))
    return seconds, most
