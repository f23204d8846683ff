"""How good images are: the presets for Fashion-MNIST, a flow that learned from the first one's pairs and needs few steps,
and torchcfm's recipe in PyTorch for as long, all measured by `evaluate` with the same classifier.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

PRESET = "fashion-mnist"
SOLVER = ("--solver", "heun2", "--steps", "5")  # 10 evaluations
GUIDANCE = 2
FEW, FEW_COUNT = (1, 2, 4, 8), 5_000  # numbers of steps, and samples that are measured of each
REFLOW = ("--preset", PRESET, "--pair-steps", 5, "--pair-guidance", GUIDANCE, "--label-dropout", 0, "--steps", 1500,
          "--learning-rate", 0.0005)


def run(*command: object) -> str:
    print(" ".join(str(word) for word in command), file=sys.stderr)
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True).stdout


class Images:
    """The runs, each trained unless the folder holds it."""

    def __init__(self, build: Path, folder: Path, data: Path):
        self.tools, self.folder, self.data = build / "tools", folder, data
        folder.mkdir(parents=True, exist_ok=True)

    def train(self, name: str, *options: object) -> float:
        """Seconds that it took, now or when it was trained."""
        out, note = self.folder / name, self.folder / f"{name}.seconds"
        if not note.exists():
            start = time.perf_counter()
            run(self.tools / "train", *options, "--out", out, "--overwrite")
            note.write_text(f"{time.perf_counter() - start}\n")
        return float(note.read_text())

    def torchcfm(self, python: Path, seconds: float, threads: int) -> dict:
        out = self.folder / "torchcfm"
        if not out.with_suffix(".json").exists():
            script = Path(__file__).parent / "peers" / "torchcfm_images.py"
            result = run(python, script, self.data, out.with_suffix(".pt"), seconds, threads)
            run(python, Path(__file__).parent.parent / "tools" / "convert-torchcfm-unet", out.with_suffix(".pt"),
                out.with_suffix(".safetensors"), "--like", self.folder / "flow")
            out.with_suffix(".json").write_text(result)
        return json.loads(out.with_suffix(".json").read_text())

    def evaluate(self, name: str, *options: object) -> dict:
        return json.loads(run(self.tools / "evaluate", self.folder / name, "--classifier", self.folder / "classifier",
                              *options))


def number(result: dict, key: str, digits: int) -> str:
    return f"{result[key]:.{digits}f}" if key in result else "-"


def table(build: Path, folder: Path, data: Path, python: Path | None, threads: int, count: int) -> str:
    """Two tables as Markdown. `python` runs torchcfm; None leaves it out. The runs stay in `folder`."""
    images = Images(build, folder, data)
    limits = ("--threads", threads)
    images.train("classifier", "--preset", f"{PRESET}-classifier", "--data-dir", data, *limits)
    seconds = images.train("flow", "--preset", PRESET, "--data-dir", data, *limits)
    more = images.train("few-steps", *REFLOW, "--reflow", folder / "flow", *limits)
    measured = ("--count", count, *limits)
    ours = images.evaluate("flow", *SOLVER, "--guidance", GUIDANCE, *measured)
    rows = [("preset, guidance 2", seconds, ours), ("preset", seconds, images.evaluate("flow", *SOLVER, *measured))]
    if python:
        trained = images.torchcfm(python, seconds, threads)
        rows.append((f"torchcfm, {trained['steps']} steps", trained["seconds"],
                     images.evaluate("torchcfm.safetensors", *SOLVER, *measured)))
    lines = ["| flow | training, s | label accuracy | Fréchet distance | precision | recall | nearest training image, pixels |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    for name, time_taken, result in rows:
        lines.append(f"| {name} | {time_taken:.0f} | {number(result, 'label_accuracy', 3)} | "
                     f"{number(result, 'frechet_distance', 1)} | {number(result, 'precision', 3)} | "
                     f"{number(result, 'recall', 3)} | {number(result, 'nearest_training_pixels', 2)} |")
    lines.append(f"| test images, or training images beside them | | {number(ours, 'real_label_accuracy', 3)} | "
                 f"{number(ours, 'frechet_floor', 1)} | {number(ours, 'precision_of_training', 3)} | "
                 f"{number(ours, 'recall_of_training', 3)} | {number(ours, 'nearest_training_pixels_of_test', 2)} |")
    lines.append(f"| noise | | | {number(ours, 'frechet_ceiling', 1)} | | | |")

    lines += ["", f"The second flow took {more:.0f} s more.", "",
              "| Euler steps | Fréchet distance | label accuracy | Fréchet distance, few-steps | label accuracy, few-steps |",
              "| --- | --- | --- | --- | --- |"]
    for steps in FEW:
        euler = ("--solver", "euler", "--steps", steps, "--count", min(count, FEW_COUNT), *limits)
        results = [images.evaluate("flow", "--guidance", GUIDANCE, *euler), images.evaluate("few-steps", *euler)]
        cells = [text for result in results
                 for text in (number(result, "frechet_distance", 1), number(result, "label_accuracy", 3))]
        lines.append(f"| {steps} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
