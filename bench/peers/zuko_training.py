"""Trains a coupling flow of zuko on given points, and prints one JSON line: parameters, seconds, nats of other points.

    zuko_training.py TRANSFORM TRAIN.npy TEST.npy SEED STEPS

TRANSFORM is spline or affine. Adam at 1e-3, 256 new points a step.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from peers.zuko_works import flow

BATCH = 256


def main() -> None:
    transform, train, test, seed, steps = sys.argv[1:]
    points, other = (torch.from_numpy(np.load(name)).float() for name in (train, test))
    torch.manual_seed(int(seed))
    torch.set_num_threads(1)
    model = flow(transform)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    start = time.perf_counter()
    for step in range(int(steps)):
        adam.zero_grad()
        (-model().log_prob(points[step * BATCH:(step + 1) * BATCH]).mean()).backward()
        adam.step()
    seconds = time.perf_counter() - start
    with torch.no_grad():
        nats = -model().log_prob(other).mean().item()
    print(json.dumps({"parameters": sum(p.numel() for p in model.parameters()), "seconds": seconds, "nll": nats}))


main()
