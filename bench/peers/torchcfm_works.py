"""The coupling that torchcfm trains with: its exact plan between two batches."""

from __future__ import annotations

import importlib.metadata
import itertools
from typing import Callable

import torch
from torchcfm.optimal_transport import OTPlanSampler

from peers.presets import ASSIGNMENT_SETS
from peers.torch_works import finish, start

__all__ = ["WORKS", "finish", "start", "version"]
version = importlib.metadata.version("torchcfm")


def assignment(dimension: str, count: str) -> Callable:
    shape = int(count), int(dimension.rstrip("d"))
    sets = itertools.cycle([(torch.randn(shape), 2 * torch.rand(shape) - 1) for _ in range(ASSIGNMENT_SETS)])
    sampler = OTPlanSampler("exact")
    return lambda: sampler.get_map(*next(sets))


WORKS = {"assignment": assignment}
