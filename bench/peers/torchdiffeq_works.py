"""A continuous flow by maximum likelihood with torchdiffeq: the exact divergence, dopri5, tolerance 1e-3."""

from __future__ import annotations

import importlib.metadata
import math
from typing import Callable

import torch
import torchdiffeq

from peers.torch_works import finish, start
from peers.zuko_works import moons

__all__ = ["WORKS", "finish", "start", "version"]
version = importlib.metadata.version("torchdiffeq")


class Velocity(torch.nn.Module):
    """A perceptron of (t, x), and with it the divergence: the state is (x, the integral of the divergence)."""

    def __init__(self):
        super().__init__()
        widths = (3, 64, 64, 64)
        layers = [layer for pair in zip(widths, widths[1:]) for layer in (torch.nn.Linear(*pair), torch.nn.Tanh())]
        self.net = torch.nn.Sequential(*layers, torch.nn.Linear(64, 2))

    def forward(self, t: torch.Tensor, state: tuple) -> tuple:
        with torch.enable_grad():
            x = state[0].requires_grad_(True)
            u = self.net(torch.cat((t.expand(len(x), 1), x), 1))
            divergence = sum(torch.autograd.grad(u[:, i].sum(), x, create_graph=True)[0][:, i] for i in range(2))
        return u, divergence


def likelihood_step(gradients: str) -> Callable:
    velocity = Velocity()
    adam = torch.optim.Adam(velocity.parameters(), lr=1e-3, fused=True)
    solve = {"steps": torchdiffeq.odeint, "adjoint": torchdiffeq.odeint_adjoint}[gradients]

    def step() -> None:
        x_1 = moons(256)
        adam.zero_grad()
        x, integral = solve(velocity, (x_1, torch.zeros(256)), torch.tensor([1.0, 0.0]), rtol=1e-3, atol=1e-3,
                            method="dopri5")
        log_p = -x[-1].square().sum(1) / 2 - math.log(2 * math.pi) + integral[-1]
        (-log_p.mean()).backward()
        adam.step()
    return step


WORKS = {"likelihood_step": likelihood_step}
