"""Trains torchcfm's class-conditional network on images for a given time, and writes its weights.

    torchcfm_images.py DATA_DIR STATE_DICT.pt SECONDS THREADS [SEED]

The recipe is that of its notebook for conditional MNIST: UNetModel of 32 channels and one residual block, independent
coupling with sigma 0, batches of 128, Adam with learning rate 1e-3, pixels in [-1, 1]. DATA_DIR holds IDX files, raw or
compressed. Prints one JSON line: steps, seconds and the mean loss of the last tenth.
tools/convert-torchcfm-unet makes a model of rill out of the weights, so that both networks are sampled and measured by
the same programs.
"""

from __future__ import annotations

import gzip
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torchcfm.conditional_flow_matching import ConditionalFlowMatcher
from torchcfm.models.unet import UNetModel

BATCH = 128


def read_idx(folder: Path, name: str, header: int) -> np.ndarray:
    raw, compressed = folder / name, folder / f"{name}.gz"
    data = raw.read_bytes() if raw.exists() else gzip.decompress(compressed.read_bytes())
    return np.frombuffer(data, np.uint8, offset=header)


def main() -> None:
    folder, out, seconds, threads, *seed = sys.argv[1:]
    torch.manual_seed(int(seed[0]) if seed else 0)
    torch.set_num_threads(int(threads))
    labels = torch.from_numpy(read_idx(Path(folder), "train-labels-idx1-ubyte", 8).astype(np.int64))
    pixels = read_idx(Path(folder), "train-images-idx3-ubyte", 16).reshape(len(labels), 1, 28, 28)
    images = torch.from_numpy(pixels.astype(np.float32)) / 127.5 - 1
    model = UNetModel(dim=(1, 28, 28), num_channels=32, num_res_blocks=1, num_classes=10, class_cond=True)
    optimizer = torch.optim.Adam(model.parameters())
    matcher = ConditionalFlowMatcher(sigma=0.0)
    losses, start = [], time.perf_counter()
    while time.perf_counter() - start < float(seconds):
        order = torch.randperm(len(images))
        for begin in range(0, len(order) - BATCH + 1, BATCH):
            some = order[begin:begin + BATCH]
            x_1 = images[some]
            optimizer.zero_grad()
            t, x_t, u_t = matcher.sample_location_and_conditional_flow(torch.randn_like(x_1), x_1)
            loss = ((model(t, x_t, labels[some]) - u_t) ** 2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if time.perf_counter() - start >= float(seconds):
                break
    torch.save(model.state_dict(), out)
    print(json.dumps({"steps": len(losses), "seconds": time.perf_counter() - start,
                      "loss": statistics.mean(losses[-max(1, len(losses) // 10):])}))


main()
