// How well a flow learns checkerboards with more squares and dimensions, by network width and training steps.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autodiff/real.hpp"
#include "datasets/checkerboard.hpp"
#include "flow/metrics/estimate.hpp"

namespace rill::bench {

/// A board of the study; every board is half full.
struct Board {
  std::string name;
  datasets::Checkerboard density;
};
/// In the plane, 4 x 4 to 16 x 16 cells on the square of Meta's guide: 8 to 128 of them occupied.
std::vector<Board> boards_of_squares();
/// Two cells along each of 2 to 16 axes, on [-2, 2]: 2 to 32,768 of them occupied.
std::vector<Board> boards_of_dimensions();

/// How full the cells of a board are, according to a sample.
struct Filling {
  double least;    ///< the least-filled occupied cell's share by its weight; NaN where the sample is too small to tell
  double touched;  ///< the share of the occupied cells that have a point
};

/// What was measured of a flow.
struct Measurement {
  Index step;            ///< of training, after which
  flow::Estimate share;  ///< of the samples, in the support
  Filling filling;       ///< by the samples
  flow::Estimate kl;     ///< KL(data | flow) = E ln p - ln q over fresh data, nats
};

struct Training {
  std::vector<Measurement> measurements;  ///< one for each of the steps
  double seconds = 0;                     ///< of training alone
};

/// How many samples are drawn of each flow.
inline constexpr Index kSamples = 10'000;

/// What kSamples points of the board itself show: the best that a flow can do.
Filling perfect_filling(const Board& board);

/// Trains an Mlp of four hidden layers of this width on the board, and measures its averaged weights after each of the
/// steps, which increase. Calls `progress` after each. The same on any number of threads. Throws nn::DivergedError
/// and flow::SolveError.
Training train_and_measure(const Board& board, Index width, const std::vector<Index>& steps,
                           const std::function<void(const Measurement&)>& progress);

}  // namespace rill::bench
