"""Exact assignment by SciPy."""

from __future__ import annotations

import itertools
from typing import Callable

import scipy
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from peers.numpy_works import assignment_points, finish, start
from peers.presets import ASSIGNMENT_SETS

__all__ = ["WORKS", "finish", "start", "version"]
version = scipy.__version__


def assignment(dimension: str, count: str) -> Callable:
    sets = itertools.cycle(assignment_points(dimension, count, ASSIGNMENT_SETS))
    return lambda: linear_sum_assignment(cdist(*next(sets), "sqeuclidean"))


WORKS = {"assignment": assignment}
