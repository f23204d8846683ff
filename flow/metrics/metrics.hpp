// All metrics of samples and trajectories.
#pragma once

#include "flow/metrics/discrepancy.hpp"
#include "flow/metrics/estimate.hpp"
#include "flow/metrics/frechet.hpp"
#include "flow/metrics/mode_masses.hpp"
#include "flow/metrics/neighbors.hpp"
#include "flow/metrics/path_energy.hpp"
#include "flow/metrics/wasserstein.hpp"
