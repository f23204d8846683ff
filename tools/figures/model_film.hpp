// Points on their way from noise to data, on one clock for every family.
#pragma once

#include <cstdint>
#include <vector>

#include "autodiff/tensor.hpp"
#include "flow/model/generative_model.hpp"
#include "flow/path/marginal.hpp"

namespace rill::tools {

/// `count` points at `frames` equal times of the clock, [count, D] each. Models with a flow follow it by Euler's
/// method, in as many steps; a latent one decodes each moment. Models of scores show Langevin dynamics. Others draw in
/// one step, without a way: for them the noise grows from 0, and with it the sample from the middle of the data.
std::vector<Tensor> way_of(const flow::GenerativeModel& model, Index count, int frames, std::uint64_t seed);

/// The same along the exact field of a data set, from points x_0 [N, D], by Heun's method.
std::vector<Tensor> way_of(const flow::EmpiricalMarginal& marginal, const Tensor& x_0, int frames);

/// The points of a way at a moment of the clock, from 0 to 1.
const Tensor& at_clock(const std::vector<Tensor>& way, double clock);

}  // namespace rill::tools
