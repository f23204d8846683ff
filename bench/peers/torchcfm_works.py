"""torchcfm's coupling, its exact plan between two batches, and the network of its MNIST example."""

from __future__ import annotations

import importlib.metadata
import itertools
from typing import Callable

import torch
from torchcfm.models.unet import UNetModel
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


def training_step(name: str) -> Callable:
    """Its class-conditional network for MNIST; the optimizer is the fused one, the images are noise."""
    if name != "mnist-unet":
        raise ValueError("torchcfm has no such network")
    model = UNetModel(dim=(1, 28, 28), num_channels=32, num_res_blocks=1, num_classes=10, class_cond=True)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def step() -> None:
        x_1, label = torch.rand(128, 1, 28, 28) * 2 - 1, torch.randint(0, 10, (128,))
        x_0, t = torch.randn_like(x_1), torch.rand(128)
        time = t[:, None, None, None]
        adam.zero_grad()
        velocity = model(t, (1 - time) * x_0 + time * x_1, label)
        torch.nn.functional.mse_loss(velocity, x_1 - x_0).backward()
        adam.step()
    return step


WORKS = {"assignment": assignment, "training_step": training_step}
