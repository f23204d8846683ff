// How far samples are from data, and how they got there: all the metrics.
#pragma once

#include "flow/discrepancy.hpp"
#include "flow/estimate.hpp"
#include "flow/frechet.hpp"
#include "flow/mode_masses.hpp"
#include "flow/neighbours.hpp"
#include "flow/path_energy.hpp"
#include "flow/wasserstein.hpp"
