"""What is compared: tables, their works, and the program of ours that does each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    name: str
    note: str  # what the table says that its header does not
    program: str  # ours, in the build's folder bench/; its benchmarks have the works' names
    works: tuple[str, ...]
    per_number: bool = False  # times are those of one number; the work's name ends with how many there are


def combined(kinds: tuple[str, ...], cases: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{kind}/{case}" for kind in kinds for case in cases)


FLOPS = "Floor: the floating-point operations of the matrix products at the multiply-add peak of the threads."
BYTES = ("Floor: what must be read and written, at the speed of a copy within as much memory on one thread, times the "
         "threads.")

SECTIONS = [
    Section("training", f"{FLOPS} A step of one is the same step with a single point.", "bench_training",
            combined(("training_step", "training_step_of_one"), ("annulus-plain", "annulus", "checkerboard"))),
    Section("images", f"torchcfm's class-conditional network for MNIST, batch 128, with Adam; it runs in PyTorch. "
            f"{FLOPS}", "bench_training", ("training_step/mnist-unet",)),
    Section("sampling", f"10,000 points, 50 Euler steps. {FLOPS}", "bench_training",
            combined(("sampling",), ("annulus-plain", "annulus"))),
    Section("families", "Batches of 256 points in the plane. Coupling: eight layers of 64-64 units, splines of 8 bins or "
            "affine maps; sampling: 10,000 points. Likelihood: a continuous flow of 3 x 64 units, dopri5 at 1e-3, the exact "
            f"divergence, gradients through the steps or by the adjoint. {FLOPS}", "bench_families",
            combined(("coupling_step", "coupling_sampling"), ("spline", "affine")) +
            combined(("likelihood_step",), ("steps", "adjoint"))),
    Section("products", f"m x n x k, as an op that allocates its result. {FLOPS}", "bench_ops",
            combined(("matmul",), ("256x64x3", "256x64x64", "64x64x256", "256x2x64", "256x256x256", "512x512x512",
                                   "1024x1024x1024", "128x1024x784", "8192x64x64"))),
    Section("attention", "images x places x channels x heads, as an op that allocates its result; a step is there and "
            f"back. {FLOPS}", "bench_attention",
            combined(("attention", "attention_step"), ("128x784x32x1", "128x49x64x1", "128x196x64x4", "128x49x128x4",
                                                       "128x16x128x2"))),
    Section("elementwise", BYTES, "bench_ops", combined(("silu", "exp", "softmax"), ("256x64", "4096x512"))),
    Section("random", "Times are per number.", "bench_random", combined(("rand", "randn"), ("512", "1000000")),
            per_number=True),
    Section("optimizer", f"Adam and the average of the weights on a million parameters. {BYTES}", "bench_optimizer",
            ("adam_ema/1048576",)),
    Section("assignment", "Noise to points uniform in a cube, the matrix of squared distances included.",
            "bench_assignment", combined(("assignment",), combined(("2d", "784d"), ("128", "256", "512", "1024")))),
    Section("loading", "An IDX file of 10,000 images of 28 x 28 bytes, raw and compressed; a batch of 256 of them as "
            f"numbers. {BYTES}", "bench_loading", ("read_idx/raw", "read_idx/gzip", "pixels/256")),
]
