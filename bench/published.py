"""The table of Tong et al., "[SF]2M" (arXiv 2307.03672, table 2), by rill, as published, and by torchcfm.

Every cell trains from a source to data, moves 10,000 fresh source points in 100 Euler steps, and measures W2 to 10,000
fresh data points and the normalized path energy. torchcfm is trained on points drawn by rill's densities.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PAIRS = [("normal", "8gaussians"), ("moons", "8gaussians"), ("normal", "moons"), ("normal", "s-curve")]
METHODS = {"i-cfm": "I-CFM", "ot-cfm": "OT-CFM", "sf2m": "[SF]2M"}
POINTS, STEPS, POOL = 10_000, 20_000, 1_000_000
PUBLISHED = {  # W2 and NPE as printed there: mean +- deviation over five seeds
    ("i-cfm", "W2"): ["0.373 ± 0.103", "1.557 ± 0.407", "0.178 ± 0.014", "0.242 ± 0.141"],
    ("ot-cfm", "W2"): ["0.303 ± 0.043", "0.601 ± 0.027", "0.130 ± 0.016", "0.144 ± 0.028"],
    ("sf2m", "W2"): ["0.275 ± 0.058", "0.726 ± 0.137", "0.124 ± 0.023", "0.128 ± 0.005"],
    ("i-cfm", "NPE"): ["0.202", "2.680", "0.891", "0.856"],
    ("ot-cfm", "NPE"): ["0.031", "0.015", "0.083", "0.027"],
}


def run(*command: object) -> str:
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def ours(build: Path, folder: Path, method: str, source: str, data: str, seed: int) -> dict:
    out = folder / f"{method}-{source}-{data}-{seed}"
    from_source = [] if source == "normal" else ["--source", source]
    start = time.perf_counter()
    run(build / "tools/train", "--preset", f"tong/{method}", "--data", data, *from_source, "--seed", seed, "--threads", 1,
        "--out", out)
    seconds = time.perf_counter() - start
    result = json.loads(run(build / "tools/evaluate", out, "--steps", 100, "--loss-samples", 1000, "--nll-points", 0,
                            "--distance-points", POINTS, "--distances", "wasserstein2", "--seed", seed, "--threads", 1))
    return {"W2": result["wasserstein2"], "floor": result["wasserstein2_floor"],
            "NPE": result["normalized_path_energy"], "seconds": seconds}


def torchcfm(build: Path, python: Path, folder: Path, method: str, source: str, data: str, seed: int) -> dict:
    points = build / "bench/bench_points"
    files = {name: folder / f"{method}-{source}-{data}-{seed}-{name}.npy"
             for name in ("source", "train", "start", "test", "samples")}
    for number, (name, density, count) in enumerate([("source", source, POOL), ("train", data, POOL),
                                                     ("start", source, POINTS), ("test", data, POINTS)]):
        run(points, "draw", density, count, 1000 * seed + number, files[name])
    script = Path(__file__).parent / "peers/torchcfm_training.py"
    result = json.loads(run(python, script, method, files["source"], files["train"], files["start"], files["samples"], seed,
                            STEPS))
    least = float(run(points, "w2", files["start"], files["test"])) ** 2
    return {"W2": float(run(points, "w2", files["samples"], files["test"])),
            "NPE": abs(result["path_energy"] - least) / least, "seconds": result["seconds"]}


def text(values: list[float]) -> str:
    if len(values) < 2:
        return ", ".join(f"{value:.3f}" for value in values)
    return f"{statistics.mean(values):.3f} ± {statistics.stdev(values):.3f}"


def table(build: Path, seeds: int, jobs: int, python: Path | None, peer_seeds: int) -> str:
    """The table as Markdown. `python` runs torchcfm; None leaves it out."""
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(jobs) as pool:
        folder = Path(name)

        def start(function, count):
            return {(method, pair): [pool.submit(function, folder, method, *pair, seed) for seed in range(count)]
                    for method in METHODS for pair in PAIRS}

        by_name = {"rill": start(lambda *cell: ours(build, *cell), seeds)}
        if python:
            by_name["torchcfm"] = start(lambda *cell: torchcfm(build, python, *cell), peer_seeds)
        results = {who: {cell: [run.result() for run in runs] for cell, runs in cells.items()}
                   for who, cells in by_name.items()}

    heads = ["N" if source == "normal" else source for source, _ in PAIRS]
    lines = ["| | | " + " | ".join(f"{head} → {data}" for head, (_, data) in zip(heads, PAIRS)) + " | seconds |",
             "| --- " * (len(PAIRS) + 3) + "|"]
    for what in ("W2", "NPE"):
        for method, title in METHODS.items():
            for who, cells in results.items():
                seconds = statistics.median(one["seconds"] for pair in PAIRS for one in cells[method, pair])
                values = [text([one[what] for one in cells[method, pair]]) for pair in PAIRS]
                lines.append(f"| {what}, {title} | {who} | " + " | ".join(values) + f" | {seconds:.0f} |")
            if (method, what) in PUBLISHED:
                lines.append(f"| {what}, {title} | published | " + " | ".join(PUBLISHED[method, what]) + " | |")
    floors = [text([one["floor"] for one in results["rill"]["i-cfm", pair]]) for pair in PAIRS]
    lines.append("| W2, two fresh sets | | " + " | ".join(floors) + " | |")
    return "\n".join(lines)
