"""The works in NumPy, in single precision, with results written into preallocated memory where possible."""

from __future__ import annotations

from typing import Callable

import numpy as np

version = np.__version__
rng = np.random.default_rng(0)


def start(threads: int) -> None:
    """The products' number of threads comes from the environment."""


def finish(result: object) -> None:
    """Nothing is left to wait for when a call returns."""


def normal(*shape: int) -> np.ndarray:
    return rng.standard_normal(shape, dtype=np.float32)


def matmul(sizes: str) -> Callable:
    m, n, k = map(int, sizes.split("x"))
    a, b, c = normal(m, k), normal(k, n), normal(m, n)
    return lambda: np.matmul(a, b, out=c)


def exp(sizes: str) -> Callable:
    x = normal(*map(int, sizes.split("x")))
    y = np.empty_like(x)
    return lambda: np.exp(x, out=y)


def rand(count: str) -> Callable:
    y = np.empty(int(count), np.float32)
    return lambda: rng.random(dtype=np.float32, out=y)


def randn(count: str) -> Callable:
    y = np.empty(int(count), np.float32)
    return lambda: rng.standard_normal(dtype=np.float32, out=y)


def pixels(batch: str) -> Callable:
    images = rng.integers(0, 256, (10_000, 28 * 28), dtype=np.uint8)
    scale = np.float32(2 / 255)
    return lambda: images[rng.integers(0, len(images), int(batch))] * scale - np.float32(1)


def assignment_points(dimension: str, count: str, sets: int) -> list:
    """Sets of noise and of points uniform in a cube."""
    shape = int(count), int(dimension.rstrip("d"))
    return [(normal(*shape), 2 * rng.random(shape, dtype=np.float32) - 1) for _ in range(sets)]


WORKS = {"matmul": matmul, "exp": exp, "rand": rand, "randn": randn, "pixels": pixels}
