// Clipping by the global norm: Pascanu et al. 2013.
#pragma once

#include "nn/named_tensor.hpp"

namespace rill::nn {

/// The L2 norm of the gradients of all parameters, taken as one long vector, at any scale (autodiff/norm.hpp). A
/// parameter without a gradient counts as zero, and one that is listed twice counts once. NaN or infinite if a gradient
/// is. Throws std::invalid_argument as repetitions() does (nn/named_tensor.hpp).
double gradient_norm(const NamedTensors& parameters);

/// The factor for gradients of this norm that keeps it from exceeding max_norm: min(1, max_norm / norm).
/// Throws std::invalid_argument unless max_norm > 0 (infinity clips nothing), and for a norm that is NaN or infinite:
/// no factor makes such gradients usable.
double clip_scale(double norm, double max_norm);

}  // namespace rill::nn
