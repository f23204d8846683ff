"""Trains a flow with torchcfm on given points, samples it, and prints one JSON line: seconds and path energy.

    torchcfm_training.py METHOD SOURCE.npy TRAIN.npy TEST_SOURCE.npy SAMPLES.npy SEED STEPS

METHOD is i-cfm, ot-cfm or sf2m. The recipe is that of Tong et al. (arXiv 2307.03672, table 2): 3 x 64 SELU, AdamW, 512
points a step, drawn from TRAIN and SOURCE without replacement, epoch after epoch. The points of TEST_SOURCE are moved in
100 Euler steps and written to SAMPLES.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import torch
from torchcfm.conditional_flow_matching import (ConditionalFlowMatcher, ExactOptimalTransportConditionalFlowMatcher,
                                                SchrodingerBridgeConditionalFlowMatcher)
from torchcfm.models import MLP

BATCH, SIGMA, EULER_STEPS = 512, 0.1, 100
MATCHERS = {
    "i-cfm": lambda: ConditionalFlowMatcher(sigma=SIGMA),
    "ot-cfm": lambda: ExactOptimalTransportConditionalFlowMatcher(sigma=SIGMA),
    "sf2m": lambda: SchrodingerBridgeConditionalFlowMatcher(sigma=SIGMA, ot_method="exact"),
}


def batches(points: torch.Tensor):
    while True:
        order = torch.randperm(len(points))
        for begin in range(0, len(points) - BATCH + 1, BATCH):
            yield points[order[begin:begin + BATCH]]


def train(method: str, source: torch.Tensor, data: torch.Tensor, steps: int) -> torch.nn.Module:
    velocity, score = (MLP(dim=data.shape[1], w=64, time_varying=True) for _ in range(2))
    has_score = method == "sf2m"
    parameters = [*velocity.parameters(), *(score.parameters() if has_score else [])]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=1e-5)
    matcher = MATCHERS[method]()
    for _, x_0, x_1 in zip(range(steps), batches(source), batches(data)):
        t, x_t, u_t, *noise = matcher.sample_location_and_conditional_flow(x_0, x_1, return_noise=has_score)
        inputs = torch.cat([x_t, t[:, None]], dim=-1)
        loss = ((velocity(inputs) - u_t) ** 2).mean()
        if has_score:
            loss = loss + ((matcher.compute_lambda(t)[:, None] * score(inputs) + noise[0]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return velocity


@torch.no_grad()
def sample(velocity: torch.nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, float]:
    """The end points, and the integral of E|v|^2 along the way."""
    energy = 0.0
    for step in range(EULER_STEPS):
        t = torch.full((len(x), 1), step / EULER_STEPS)
        v = velocity(torch.cat([x, t], dim=-1))
        energy += (v ** 2).sum(dim=1).mean().item() / EULER_STEPS
        x = x + v / EULER_STEPS
    return x, energy


def main() -> None:
    method, *files, seed, steps = sys.argv[1:]
    source, data, test_source = (torch.from_numpy(np.load(name)).float() for name in files[:3])
    torch.manual_seed(int(seed))
    torch.set_num_threads(1)
    start = time.perf_counter()
    velocity = train(method, source, data, int(steps))
    seconds = time.perf_counter() - start
    x, energy = sample(velocity, test_source)
    np.save(files[3], x.numpy())
    print(json.dumps({"seconds": seconds, "path_energy": energy}))


main()
