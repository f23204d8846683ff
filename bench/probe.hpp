// The peak performance of this machine, measured in the same run as the results that are compared with it.
#pragma once

#include "autodiff/real.hpp"

namespace rill::bench {

/// Multiply-adds in registers, in FLOP/s (two per multiply-add), with the instructions of the named set of kernels.
/// Measured once a set. `scalar` gets the peak of plain C++ code for one number at a time.
double peak_flops(const char* set);

/// Bytes/s read plus written by copying an array of `bytes` bytes over and over. Measured once a size.
double copy_bandwidth(Index bytes);

}  // namespace rill::bench
