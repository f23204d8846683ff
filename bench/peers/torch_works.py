"""The works in PyTorch, written for speed: fused Adam, multi-tensor averages."""

from __future__ import annotations

import math
from typing import Callable

import torch

from peers.presets import ADAM_SIDE, ADAM_TENSORS, EULER_STEPS, POINTS, PRESETS, Preset

version = torch.__version__


def start(threads: int) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(threads)


def finish(result: object) -> None:
    """Nothing is left to wait for when a call returns."""


def annulus(n: int) -> torch.Tensor:
    angle = torch.rand(n) * (2 * math.pi)
    radius = 2 + torch.rand(n)
    return torch.stack((radius * torch.cos(angle), radius * torch.sin(angle)), 1)


def checkerboard(n: int) -> torch.Tensor:
    x = torch.rand(n) * 4 - 2
    y = torch.rand(n) - torch.randint(0, 2, (n,)) * 2 + torch.floor(x) % 2
    return torch.stack((x, y), 1) / 0.45


class Flow:
    """A network, the loss it is trained by, its optimizer and the average of its weights."""

    def __init__(self, preset: Preset, batch: int):
        self.preset, self.batch = preset, batch
        self.data = {"annulus": annulus, "checkerboard": checkerboard}[preset.data]
        activation = {"elu": torch.nn.ELU, "silu": torch.nn.SiLU}[preset.activation]
        self.frequencies = math.pi * torch.tensor([preset.frequencies], dtype=torch.float32)
        widths = (1 + 2 * len(preset.frequencies) + 2, *preset.hidden)
        layers = [layer for inputs, outputs in zip(widths, widths[1:])
                  for layer in (torch.nn.Linear(inputs, outputs), activation())]
        self.net = torch.nn.Sequential(*layers, torch.nn.Linear(widths[-1], 2))
        self.parameters = list(self.net.parameters())
        self.averages = [parameter.detach().clone() for parameter in self.parameters]
        self.adam = torch.optim.Adam(self.parameters, lr=preset.learning_rate, fused=True)

    def velocity(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        features = [t]
        if self.preset.frequencies:
            angle = t * self.frequencies
            features += [torch.sin(angle), torch.cos(angle)]
        return self.net(torch.cat((*features, x), 1))

    def loss(self) -> torch.Tensor:
        x_1 = self.data(self.batch)
        x_0 = torch.randn_like(x_1)
        t = torch.rand(self.batch, 1)
        if self.preset.late_times:
            t = 1 - t**2
        x_t = (1 - t) * x_0 + t * x_1
        return torch.nn.functional.mse_loss(self.velocity(x_t, t), x_1 - x_0)

    @torch.no_grad()
    def update(self) -> None:
        if self.preset.clip:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.preset.clip, foreach=True)
        self.adam.step()
        if self.preset.ema:
            torch._foreach_lerp_(self.averages, self.parameters, 1 - self.preset.ema)

    def step(self) -> None:
        self.adam.zero_grad()
        self.loss().backward()
        self.update()

    @torch.no_grad()
    def sample(self) -> torch.Tensor:
        x = torch.randn(POINTS, 2)
        for i in range(EULER_STEPS):
            x = x + self.velocity(x, torch.full((POINTS, 1), i / EULER_STEPS)) / EULER_STEPS
        return x


def training_step(name: str) -> Callable:
    return Flow(PRESETS[name], PRESETS[name].batch).step


def training_step_of_one(name: str) -> Callable:
    return Flow(PRESETS[name], 1).step


def sampling(name: str) -> Callable:
    return Flow(PRESETS[name], 1).sample


def matmul(sizes: str) -> Callable:
    m, n, k = map(int, sizes.split("x"))
    a, b = torch.randn(m, k), torch.randn(k, n)
    return lambda: torch.mm(a, b)


def attention_inputs(sizes: str, step: bool) -> tuple[list[torch.Tensor], Callable]:
    images, places, channels, heads = map(int, sizes.split("x"))
    inputs = [torch.randn(images, places, channels, requires_grad=step) for _ in range(3)]

    def forward() -> torch.Tensor:
        q, k, v = (x.view(images, places, heads, channels // heads).transpose(1, 2) for x in inputs)
        y = torch.nn.functional.scaled_dot_product_attention(q, k, v)
        return y.transpose(1, 2).reshape(images, places, channels)
    return inputs, forward


def attention(sizes: str) -> Callable:
    _, forward = attention_inputs(sizes, step=False)
    return forward


def attention_step(sizes: str) -> Callable:
    inputs, forward = attention_inputs(sizes, step=True)
    gy = torch.randn_like(inputs[0])
    return lambda: torch.autograd.grad(forward(), inputs, gy)


def elementwise(op: Callable) -> Callable:
    def make(sizes: str) -> Callable:
        x = torch.randn(*map(int, sizes.split("x")))
        return lambda: op(x)
    return make


def numbers(draw: Callable) -> Callable:
    def make(count: str) -> Callable:
        n = int(count)
        return lambda: draw(n)
    return make


def adam_ema(_: str) -> Callable:
    parameters = [torch.randn(ADAM_SIDE, ADAM_SIDE, requires_grad=True) for _ in range(ADAM_TENSORS)]
    averages = [parameter.detach().clone() for parameter in parameters]
    for parameter in parameters:
        parameter.grad = torch.randn(ADAM_SIDE, ADAM_SIDE)
    adam = torch.optim.Adam(parameters, fused=True)

    @torch.no_grad()
    def step() -> None:
        adam.step()
        torch._foreach_lerp_(averages, parameters, 0.01)
    return step


WORKS = {
    "training_step": training_step,
    "training_step_of_one": training_step_of_one,
    "sampling": sampling,
    "matmul": matmul,
    "attention": attention,
    "attention_step": attention_step,
    "silu": elementwise(torch.nn.functional.silu),
    "exp": elementwise(torch.exp),
    "softmax": elementwise(lambda x: torch.softmax(x, 1)),
    "rand": numbers(torch.rand),
    "randn": numbers(torch.randn),
    "adam_ema": adam_ema,
}
