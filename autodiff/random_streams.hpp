// Which code draws from which stream of a seed. Each stream has one owner, so that no draw depends on another.
#pragma once

#include <cstdint>

namespace rill::streams {

/// Training step k draws its batch and its example from stream k.
inline constexpr std::uint64_t kSteps = 0;

inline constexpr std::uint64_t kPrograms = std::uint64_t{1} << 59;  // the first of the streams below, up to kWeights

inline constexpr std::uint64_t kSampleNoise = kPrograms;          ///< source points that become samples
inline constexpr std::uint64_t kComparisonData = kPrograms + 1;   ///< data to compare samples with; set n from this + n
inline constexpr std::uint64_t kSlices = kPrograms + 16;          ///< directions of the sliced distance
inline constexpr std::uint64_t kLikelihoodData = kPrograms + 17;  ///< points whose likelihood is measured
inline constexpr std::uint64_t kImageChoice = kPrograms + 32;     ///< images to compare samples with
inline constexpr std::uint64_t kImageNoise = kPrograms + 33;      ///< source points, as the worst possible samples
inline constexpr std::uint64_t kPairNoise = kPrograms + 64;       ///< source points of a reflow's pairs
inline constexpr std::uint64_t kDecoderNoise = kPrograms + 65;    ///< of points that are decoded from latents

inline constexpr std::uint64_t kWeights = std::uint64_t{1} << 60;  ///< initial weights
inline constexpr std::uint64_t kPermutations = kWeights + 1;       ///< of coupling flows: part of the architecture
inline constexpr std::uint64_t kHeldOut = std::uint64_t{1} << 61;  ///< held-out batch n from this + n
inline constexpr std::uint64_t kBrownian = std::uint64_t{3}
                                           << 60;  ///< node n of the tree of a Brownian path from this + n
inline constexpr std::uint64_t kShuffles = std::uint64_t{1} << 62;   ///< the order of epoch e from this + e
inline constexpr std::uint64_t kDropout = std::uint64_t{5} << 60;    ///< dropout of step k from this + k
inline constexpr std::uint64_t kStepNoise = std::uint64_t{6} << 60;  ///< the noise of a sampler's step k from this + k

}  // namespace rill::streams
