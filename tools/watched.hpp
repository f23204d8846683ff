// Flows whose evaluations show how far a phase is.
#pragma once

#include "flow/model/dynamics.hpp"
#include "flow/model/generate.hpp"
#include "tools/cli/phase.hpp"

namespace rill::tools {

/// The dynamics with a velocity whose every evaluation advances the phase, which must outlive them, by the rows that it
/// is asked for.
flow::Dynamics watched(flow::Dynamics dynamics, Phase& phase);

/// How often the velocity is evaluated for a point on its way; 0 where the solver decides as it goes.
double evaluations_of(const flow::GenerateOptions& options);

}  // namespace rill::tools
