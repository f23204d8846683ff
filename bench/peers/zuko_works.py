"""zuko's coupling flows: splines and affine maps, with networks of the same sizes as bench_families has."""

from __future__ import annotations

import importlib.metadata
from typing import Callable

import torch
import zuko

from peers.presets import POINTS
from peers.torch_works import finish, start

__all__ = ["WORKS", "finish", "start", "version"]
version = importlib.metadata.version("zuko")


def flow(transform: str) -> torch.nn.Module:
    # In the plane its couplings are autoregressive transforms of two passes. Their networks have outputs for both
    # coordinates, so that six of the splines have the parameters of eight of ours: 44,052 and 46,296.
    if transform == "spline":
        return zuko.flows.NSF(2, bins=8, transforms=6, hidden_features=(64, 64), passes=2)
    return zuko.flows.MAF(2, transforms=8, hidden_features=(64, 64), passes=2)


def moons(n: int) -> torch.Tensor:
    angle = torch.rand(n) * torch.pi
    lower = torch.rand(n) < 0.5
    x = torch.where(lower, 1 - torch.cos(angle), torch.cos(angle))
    y = torch.where(lower, 0.5 - torch.sin(angle), torch.sin(angle))
    return torch.stack((x, y), 1) + 0.1 * torch.randn(n, 2)


def coupling_step(transform: str) -> Callable:
    model = flow(transform)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def step() -> None:
        adam.zero_grad()
        (-model().log_prob(moons(256)).mean()).backward()
        adam.step()
    return step


def coupling_sampling(transform: str) -> Callable:
    model = flow(transform)

    @torch.no_grad()
    def sample() -> torch.Tensor:
        return model().sample((POINTS,))
    return sample


WORKS = {"coupling_step": coupling_step, "coupling_sampling": coupling_sampling}
