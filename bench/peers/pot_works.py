"""Exact optimal transport by POT, between points of equal weight."""

from __future__ import annotations

import itertools
from typing import Callable

import ot

from peers import numpy_works
from peers.numpy_works import assignment_points, finish
from peers.presets import ASSIGNMENT_SETS

__all__ = ["WORKS", "finish", "start", "version"]
version = ot.__version__
threads_in_use = 1


def start(threads: int) -> None:
    global threads_in_use
    numpy_works.start(threads)
    threads_in_use = threads


def assignment(dimension: str, count: str) -> Callable:
    sets = itertools.cycle(assignment_points(dimension, count, ASSIGNMENT_SETS))
    return lambda: ot.emd([], [], ot.dist(*next(sets)), numThreads=threads_in_use)


WORKS = {"assignment": assignment}
