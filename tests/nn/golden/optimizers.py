"""Five steps of PyTorch's optimizers, in double, printed as tests/nn/golden/optimizers.hpp.

    python tests/nn/golden/optimizers.py > tests/nn/golden/optimizers.hpp
"""
import torch

CASES = {
    "kSgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0),
    "kSgdMomentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "kSgdNesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "kAdam": lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.8, 0.99), eps=1e-6),
    "kAdamW": lambda p: torch.optim.AdamW(p, lr=0.1, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1),
}

print(f"// Made by optimizers.py with PyTorch {torch.__version__.split('+')[0]}. Row k: the parameters after k + 1 steps.")
print("#pragma once\n")
print("namespace rill::nn::golden {\n")
for name, make in CASES.items():
    p = torch.tensor([0.5, -1.0, 2.0, 0.0], dtype=torch.float64, requires_grad=True)
    stiffness = torch.tensor([1.0, 2.0, 0.5, 3.0], dtype=torch.float64)
    optimizer = make([p])
    print(f"inline constexpr double {name}[5][4] = {{")
    for k in range(5):
        p.grad = stiffness * p.detach() + torch.cos(k + torch.arange(4, dtype=torch.float64))
        optimizer.step()
        print("    {" + ", ".join(f"{v:.15g}" for v in p.tolist()) + "},")
    print("};")
print("\n}  // namespace rill::nn::golden")
