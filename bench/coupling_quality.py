"""Coupling flows beside those of zuko: the same steps, batches and parameters, and fresh points to measure."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import tempfile
from pathlib import Path

STEPS, BATCH, TEST = 5000, 256, 20_000


def ours(build: Path, density: str, transform: str, seed: int, folder: str) -> dict:
    words = ["--family", "coupling-flow", "--transform", transform, "--layers", "8", "--hidden", "64,64",
             *(["--bins", "8"] if transform == "spline" else []), "--steps", str(STEPS), "--batch", str(BATCH), "--learning-rate", "1e-3", "--schedule", "constant", "--ema",
             "0", "--threads", "1", "--seed", str(seed), "--data", density, "--out", f"{folder}/run", "--overwrite"]
    started = subprocess.run([build / "tools/train", *words], check=True, capture_output=True, text=True).stderr
    out = subprocess.run([build / "tools/evaluate", f"{folder}/run", "--nll-points", str(TEST), "--distance-points", "0",
                          "--count", "100"], check=True, capture_output=True, text=True).stdout
    result = json.loads(out)
    parameters = int(re.search(r"([\d,]+) parameters", started)[1].replace(",", ""))
    taken = re.search(r"trained in (?:(\d+) min )?([\d.]+) (ms|s)", started)
    seconds = 60 * int(taken[1] or 0) + float(taken[2]) * (1e-3 if taken[3] == "ms" else 1)
    return {"nll": result["nll"], "entropy": result["nll"] - result["kl"], "parameters": parameters, "seconds": seconds}


def zukos(build: Path, density: str, transform: str, seed: int, folder: str, python: Path) -> dict:
    for name, count, stream in (("train", STEPS * BATCH, seed), ("test", TEST, 1000 + seed)):
        subprocess.run([build / "bench/bench_points", "draw", density, str(count), str(stream), f"{folder}/{name}.npy"],
                       check=True)
    script = Path(__file__).resolve().parent / "peers/zuko_training.py"
    out = subprocess.run([python, "-B", script, transform, f"{folder}/train.npy", f"{folder}/test.npy", str(seed),
                          str(STEPS)], check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def table(build: Path, seeds: int, python: Path | None) -> str:
    lines = ["| data | couplings | entropy | rill: nats, parameters, seconds | zuko: nats, parameters, seconds |",
             "| --- | --- | --- | --- | --- |"]
    for density in ("checkerboard", "8gaussians"):
        for transform in ("spline", "affine"):
            with tempfile.TemporaryDirectory() as folder:
                mine = [ours(build, density, transform, seed, folder) for seed in range(seeds)]
                theirs = [zukos(build, density, transform, seed, folder, python) for seed in range(seeds)] if python else []

            def cell(runs: list[dict]) -> str:
                if not runs:
                    return "-"
                nats, seconds = (statistics.mean(run[key] for run in runs) for key in ("nll", "seconds"))
                return f"{nats:.3f}, {runs[0]['parameters']:,}, {seconds:.0f}"

            entropy = statistics.mean(run["entropy"] for run in mine)
            lines.append(f"| {density} | {transform} | {entropy:.3f} | {cell(mine)} | {cell(theirs)} |")
    return "\n".join(lines)
