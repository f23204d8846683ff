"""The training runs to measure, the same as in bench/works.cpp, for every peer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    data: str  # annulus or checkerboard
    hidden: tuple[int, ...]
    activation: str  # elu or silu
    batch: int
    learning_rate: float
    frequencies: tuple[int, ...] = ()  # of the time features sin(pi f t), cos(pi f t)
    late_times: bool = False  # t = 1 - u^2 instead of t = u
    clip: float | None = None  # largest norm of the gradient
    ema: float | None = None  # decay of the average of the weights


PRESETS = {
    "annulus-plain": Preset("annulus", (64, 64, 64), "elu", 256, 1e-2),
    "annulus": Preset("annulus", (64, 64, 64), "silu", 256, 1e-2, frequencies=(1, 2), late_times=True, clip=1.0,
                      ema=0.99),
    "checkerboard": Preset("checkerboard", (512, 512, 512, 512), "silu", 4096, 1e-3),
}

POINTS, EULER_STEPS = 10_000, 50  # of the works called sampling
ADAM_TENSORS, ADAM_SIDE = 16, 256  # the parameters of the work called adam_ema
ASSIGNMENT_SETS = 8  # sets of points that take turns in the works called assignment
