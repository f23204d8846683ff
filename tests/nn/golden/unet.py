"""Writes unet.hpp: outputs of TorchCFM's UNet in float64, for weights and inputs that are formulas.

    python3 tests/nn/golden/unet.py | clang-format > tests/nn/golden/unet.hpp

Needs torch and torchcfm (1.0.7 was used). Number i of tensor number p, both from 0, is u(i, p) in [-0.5, 0.5), times 4
for a vector and 4 / sqrt(numbers per output) for what has more axes; tensors are counted in PyTorch's order, the input
image is number 1000. The C++ test fills the same numbers in by unet_testing.hpp.
"""
import math

import numpy as np
import torch
from torchcfm.models.unet import unet as network


def u(count, p):
    """An integer hash of (i, p), i = 0 .. count - 1, as a fraction minus a half; exact in float64."""
    bits = np.uint64(0xFFFFFFFF)
    h = (np.arange(count, dtype=np.uint64) * np.uint64(2654435761) + np.uint64((p + 1) * 2246822519)) & bits
    h = (h ^ (h >> np.uint64(15))) * np.uint64(2246822519) & bits
    h = (h ^ (h >> np.uint64(13))) * np.uint64(3266489917) & bits
    return (h ^ (h >> np.uint64(16))).astype(np.float64) / 2.0**32 - 0.5


def filled(shape, p):
    count = math.prod(shape)
    scale = 4 if len(shape) == 1 else 4 / math.sqrt(count // shape[0])
    return torch.from_numpy(u(count, p) * scale).reshape(shape)


# The original goes through float32 here and there; these keep float64.
def embedding(t, dim, max_period=10000):
    omega = max_period ** (-torch.arange(dim // 2, dtype=torch.float64) / (dim // 2))
    return torch.cat([torch.cos(t[:, None] * omega), torch.sin(t[:, None] * omega)], dim=-1)


network.timestep_embedding = embedding
torch.Tensor.float = torch.Tensor.double


def output(labels, t, **options):
    model = network.UNetModelWrapper(class_cond=True, **options).double().eval()
    model.dtype = torch.float64
    with torch.no_grad():
        for p, parameter in enumerate(model.parameters()):
            parameter.copy_(filled(parameter.shape, p))
        channels, height, width = options["dim"]
        x = torch.from_numpy(u(len(t) * height * width * channels, 1000) * 4)
        x = x.reshape(len(t), height, width, channels).permute(0, 3, 1, 2)
        y = model(torch.tensor(t, dtype=torch.float64), x, torch.tensor(labels))
    return sum(p.numel() for p in model.parameters()), y.permute(0, 2, 3, 1).reshape(-1).tolist()


def write(name, comment, **options):
    count, numbers = output(**options)
    print(f"// {comment}")
    print(f"inline constexpr Index k{name}Parameters = {count};")
    print(f"inline constexpr double k{name}[] = {{")
    for i in range(0, len(numbers), 7):
        print("    " + " ".join(f"{v:.12g}," for v in numbers[i:i + 7]))
    print("};")


print("// Written by unet.py. Outputs [N, H, W, C] of TorchCFM's UNet, number after number.")
print("#pragma once\n\n#include \"autodiff/real.hpp\"\n\nnamespace rill::nn::golden {\n")
write("Small",
      "dim = (2, 12, 8), 32 channels (1, 2), 2 blocks, attention at half size, 2 heads, scale and shift, 3 classes",
      dim=(2, 12, 8), num_channels=32, channel_mult=(1, 2), num_res_blocks=2, attention_resolutions="4", num_heads=2,
      use_scale_shift_norm=True, num_classes=3, labels=[1, 2], t=[0.25, 0.875])
print()
write("Mnist", "dim = (1, 28, 28), 32 channels, 1 block, 10 classes: TorchCFM's conditional MNIST example",
      dim=(1, 28, 28), num_channels=32, num_res_blocks=1, num_classes=10, labels=[3, 7], t=[0.25, 0.875])
print("\n}  // namespace rill::nn::golden")
