"""The works in PyTorch, compiled by torch.compile: the loss with its data, the update, and the sampler's step."""

from __future__ import annotations

from typing import Callable

import torch

from peers import torch_works
from peers.presets import PRESETS
from peers.torch_works import finish, start, version

__all__ = ["WORKS", "finish", "start", "version"]


def compiled(flow: torch_works.Flow) -> torch_works.Flow:
    flow.loss = torch.compile(flow.loss)
    flow.update = torch.compile(flow.update)
    flow.velocity = torch.compile(flow.velocity)
    return flow


def training_step(name: str) -> Callable:
    return compiled(torch_works.Flow(PRESETS[name], PRESETS[name].batch)).step


def training_step_of_one(name: str) -> Callable:
    return compiled(torch_works.Flow(PRESETS[name], 1)).step


def sampling(name: str) -> Callable:
    return compiled(torch_works.Flow(PRESETS[name], 1)).sample


WORKS = {"training_step": training_step, "training_step_of_one": training_step_of_one, "sampling": sampling}
