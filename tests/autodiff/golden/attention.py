"""Writes attention.hpp: PyTorch's scaled_dot_product_attention and its gradients in float64, for inputs that are formulas.

    python3 tests/autodiff/golden/attention.py > tests/autodiff/golden/attention.hpp

q: [2, 3, 4], k: [2, 5, 4], v: [2, 5, 6], 2 heads. Number i of q, k, v and the gradient of the output is
2 sin(a i + 1) for a = 1, 2, 3, 4.
"""
import torch


def numbers(a, *shape):
    count = torch.Size(shape).numel()
    return 2 * torch.sin(a * torch.arange(count, dtype=torch.float64) + 1).reshape(shape)


def heads(x):
    return x.unflatten(2, (2, -1)).transpose(1, 2)


inputs = [numbers(1, 2, 3, 4), numbers(2, 2, 5, 4), numbers(3, 2, 5, 6)]
for x in inputs:
    x.requires_grad_()
y = torch.nn.functional.scaled_dot_product_attention(*map(heads, inputs)).transpose(1, 2).flatten(2)
gradients = torch.autograd.grad(y, inputs, numbers(4, 2, 3, 6))

print(f"""// Made by attention.py with PyTorch {torch.__version__.partition("+")[0]}.
#pragma once

namespace rill::golden {{
""")
for name, x in zip(("Y", "Gq", "Gk", "Gv"), (y, *gradients)):
    print(f"inline constexpr double k{name}[] = {{")
    values = x.flatten().tolist()
    for i in range(0, len(values), 6):
        print("    " + " ".join(f"{value:.15g}," for value in values[i:i + 6]))
    print("};")
print("""
}  // namespace rill::golden""")
