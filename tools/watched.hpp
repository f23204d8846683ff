// Flows whose evaluations advance a phase.
#pragma once

#include "flow/model/dynamics.hpp"
#include "flow/model/generate.hpp"
#include "tools/cli/phase.hpp"

namespace rill::tools {

/// The dynamics with a velocity whose every evaluation advances the phase, which must outlive them, by its number of
/// rows.
flow::Dynamics watched(flow::Dynamics dynamics, Phase& phase);

/// The same for scores.
flow::ScoreLadder watched(flow::ScoreLadder ladder, Phase& phase);

/// The number of velocity evaluations per point; 0 for adaptive steps.
double evaluations_of(const flow::GenerateOptions& options);

}  // namespace rill::tools
