"""Ops on images and attention by PyTorch, in double, printed as tests/autodiff/golden/images.hpp.

    python tests/autodiff/golden/images.py > tests/autodiff/golden/images.hpp

Number i of input k is sin((0.37 + 0.013 k) (i + 1)^2), in the layout of rill. Of each result, four inner products are
kept, with the inputs 100 to 103 of the same shape: enough to notice one wrong number or two exchanged ones.
"""
import torch
from torch.nn import functional

torch.set_default_dtype(torch.float64)


def numbers(k, *shape):
    i = torch.arange(1, torch.Size(shape).numel() + 1, dtype=torch.float64)
    return torch.sin((0.37 + 0.013 * k) * (i * i)).reshape(shape)


def leaf(k, *shape):
    return numbers(k, *shape).requires_grad_()


def products(t):
    return "{" + ", ".join(f"{(t * numbers(100 + k, *t.shape)).sum().item():.15g}" for k in range(4)) + "}"


def row(settings, y, inputs):
    """One line: the settings, then the products of y and of the gradients of the inputs, where that of y is input 50."""
    gradients = torch.autograd.grad(y, inputs, numbers(50, *y.shape))
    shown = ", ".join(str(int(s)) for s in settings)
    print(f"    {{{shown},\n     {{" + ",\n      ".join(products(t) for t in (y, *gradients)) + "}},")


def to_nchw(x):
    return x.permute(0, 3, 1, 2)


def to_nhwc(x):
    return x.permute(0, 2, 3, 1)


def conv2d(h, w, c, o, kernel, stride, padding, groups):
    x, weight, bias = leaf(0, 2, h, w, c), leaf(1, kernel, kernel, c // groups, o), leaf(2, o)
    y = functional.conv2d(to_nchw(x), weight.permute(3, 2, 0, 1), bias, stride, padding, 1, groups)
    row((h, w, c, o, kernel, stride, padding, groups), to_nhwc(y), (x, weight, bias))


def norm(h, w, c, groups, own, silu):
    """groups = 0: layer norm. own: every sample has its own scale and shift."""
    x = leaf(0, 2, h, w, c)
    scale, shift = (leaf(k, 2, c) if own else leaf(k, c) for k in (1, 2))
    y = to_nhwc(functional.group_norm(to_nchw(x), groups)) if groups else functional.layer_norm(x, (c,))
    y = y * scale[:, None, None] + shift[:, None, None] if own else y * scale + shift
    row((h, w, c, groups, own, silu), functional.silu(y) if silu else y, (x, scale, shift))


def pool(c, window, stride, padding, maximum):
    x = leaf(0, 2, 7, 6, c)
    f = functional.max_pool2d if maximum else functional.avg_pool2d
    row((c, window, stride, padding, maximum), to_nhwc(f(to_nchw(x), window, stride, padding)), (x,))


def upsample(c, factor):
    x = leaf(0, 2, 3, 4, c)
    row((c, factor), to_nhwc(functional.interpolate(to_nchw(x), scale_factor=factor)), (x,))


def attention(t, s, c, cv, heads):
    q, k, v = leaf(0, 2, t, c), leaf(1, 2, s, c), leaf(2, 2, s, cv)
    split = [x.unflatten(2, (heads, -1)).transpose(1, 2) for x in (q, k, v)]
    y = functional.scaled_dot_product_attention(*split).transpose(1, 2).flatten(2)
    row((t, s, c, cv, heads), y, (q, k, v))


def table(name, struct, fields, arrays, make, cases):
    print(f"/// {arrays[1]}")
    print(f"struct {struct} {{\n  int {', '.join(fields.split())};\n  double products[{arrays[0]}][4];\n}};")
    print(f"inline constexpr {struct} {name}[] = {{")
    for case in cases:
        make(*case)
    print("};\n")


print(f"// Made by images.py with PyTorch {torch.__version__.split('+')[0]}, which says what the numbers are. Batches of 2.")
print("#pragma once\n\nnamespace rill::golden {\n\n// clang-format off\n")
table("kConv2d", "Conv2d", "height width channels outputs kernel stride padding groups",
      (4, "y and the gradients of x, w and bias."), conv2d, [
          (5, 6, 3, 8, 1, 1, 0, 1), (5, 6, 4, 6, 3, 1, 1, 1), (7, 6, 4, 6, 3, 2, 1, 1), (6, 7, 3, 5, 3, 1, 0, 1),
          (8, 8, 2, 4, 5, 1, 2, 1), (9, 8, 3, 4, 5, 2, 2, 1), (6, 6, 4, 8, 1, 2, 0, 1), (6, 5, 4, 6, 3, 1, 2, 2),
          (6, 6, 8, 8, 3, 2, 1, 8), (7, 7, 6, 12, 5, 1, 2, 6), (5, 5, 32, 32, 3, 1, 1, 1), (4, 4, 17, 33, 3, 1, 1, 1)])
table("kNorm", "Norm", "height width channels groups own silu",
      (4, "y and the gradients of x, scale and shift. 0 groups: layer norm; own: a scale and shift of each sample."), norm, [
          (4, 5, 6, 2, 0, 0), (4, 5, 6, 2, 0, 1), (4, 5, 6, 3, 1, 1), (9, 8, 32, 32, 0, 1), (3, 3, 64, 32, 0, 1),
          (5, 5, 21, 7, 1, 0), (4, 4, 5, 1, 0, 0), (6, 6, 9, 9, 0, 0),
          (3, 4, 6, 0, 0, 0), (3, 4, 37, 0, 0, 0), (3, 4, 32, 0, 1, 0)])
table("kPool", "Pool", "channels window stride padding maximum",
      (2, "y and the gradient of x, of 7 x 6 places. maximum: max_pool, or else average_pool."), pool, [
          (3, *pool_case, maximum) for maximum in (1, 0)
          for pool_case in ((2, 2, 0), (3, 2, 1), (3, 1, 1), (2, 3, 0), (5, 2, 2), (2, 1, 1))] +
      [(19, 3, 2, 1, 1), (19, 3, 2, 1, 0)])
table("kUpsample", "Upsample", "channels factor", (2, "y and the gradient of x, of 3 x 4 places."), upsample,
      [(3, 2), (17, 3)])
table("kAttention", "Attention", "queries keys channels value_channels heads",
      (4, "y and the gradients of q, k and v."), attention,
      [(5, 5, 4, 4, 1), (5, 7, 8, 8, 2), (9, 4, 16, 8, 4), (20, 33, 12, 20, 2), (1, 1, 4, 4, 1)])
print("// clang-format on\n\n}  // namespace rill::golden")
