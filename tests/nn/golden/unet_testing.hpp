// The weights of golden/unet.py, which are a formula, filled into our network where PyTorch's weights belong.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "autodiff/tensor.hpp"
#include "nn/module.hpp"

namespace rill::nn::golden {

/// u(i, p) of unet.py.
inline double u(Index i, Index p) {
  auto h = static_cast<std::uint32_t>(i) * 2654435761u + static_cast<std::uint32_t>(p + 1) * 2246822519u;
  h = (h ^ (h >> 15)) * 2246822519u;
  h = (h ^ (h >> 13)) * 3266489917u;
  return static_cast<double>(h ^ (h >> 16)) / 4294967296.0 - 0.5;
}

/// Number (o, i) of PyTorch's tensor p, whose shape is [outputs, inputs] or [outputs] (inputs = 1, vector).
inline Real weight(Index p, Index o, Index i, Index inputs, bool vector) {
  return static_cast<Real>(u(o * inputs + i, p) * 4 / (vector ? 1 : std::sqrt(static_cast<double>(inputs))));
}

/// The numbers of PyTorch's tensor p in a tensor of ours: a convolution's [KH, KW, C, O] from PyTorch's [O, C, KH, KW],
/// and of anything else PyTorch's row row(o) as row o.
template <class Row>
void fill(Tensor ours, Index p, const Row& row) {
  const Shape& shape = ours.shape();
  Real* out = ours.data();
  if (ours.rank() == 4) {
    const Index window = shape[0] * shape[1], channels = shape[2];
    for (Index k = 0; k < window; ++k) {
      for (Index c = 0; c < channels; ++c) {
        for (Index o = 0; o < shape[3]; ++o) *out++ = weight(p, o, c * window + k, channels * window, false);
      }
    }
    return;
  }
  const Index inputs = ours.rank() == 2 ? shape[1] : 1;
  for (Index o = 0; o < shape[0]; ++o) {
    for (Index i = 0; i < inputs; ++i) *out++ = weight(p, row(o), i, inputs, ours.rank() == 1);
  }
}

/// Fills a UNet. Our parameters come in PyTorch's order, but where PyTorch has one projection "qkv", whose rows are
/// head by head q, k and v, ours are three.
inline void fill_unet(const Module& unet, Index heads) {
  Index p = 0;
  const NamedTensors ours = unet.named_parameters();
  for (std::size_t n = 0; n < ours.size();) {
    if (!ours[n].name.ends_with("attention.q.weight")) {
      fill(ours[n].tensor, p++, [](Index o) { return o; });
      ++n;
      continue;
    }
    for (Index part = 0; part < 3; ++part) {  // q, k, v: a weight and a bias each
      for (Index kind = 0; kind < 2; ++kind) {
        const Tensor& tensor = ours[n++].tensor;
        const Index size = tensor.dim(0) / heads;
        fill(tensor, p + kind, [&](Index o) { return (3 * (o / size) + part) * size + o % size; });
      }
    }
    p += 2;
  }
}

}  // namespace rill::nn::golden
