// Couplings: pairs the source and data points of a batch.
#pragma once

#include <string>
#include <vector>

#include "autodiff/description.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace rill::flow {

/// The names of the couplings.
std::vector<std::string> coupling_names();

/// How a batch of source points x_0 is paired with a batch of data points x_1, both drawn independently:
///   independent  in the order in which they were drawn
///   ot           by the exact optimal-transport plan of the two batches for the cost |x_0 - x_1|^2, which is a
///                permutation: every point of both is used once (Pooladian et al., "Multisample Flow Matching", 2023;
///                Tong et al., "Improving and Generalizing Flow-Based Generative Models with Minibatch Optimal
///                Transport", 2024, proposition 3.4)
///   entropic     from the entropic plan (flow/transport/sinkhorn.hpp): every data point is used once, with a source
///                point drawn from its column of the plan
/// With labels, points are paired within each label. The source points of each label are then a sample of the whole
/// source, from which sampling for that label starts. A plan across labels would give each label a different part of
/// the source.
struct CouplingDescription {
  std::string name = "independent";
  /// entropic: the weight of the entropy, in units of the cost. For the Schroedinger bridge of diffusion sigma it is
  /// 2 sigma^2 (Tong et al. 2024, proposition 3.5).
  double regularization = 0;

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("coupling", self.name,
          {.unit = "NAME",
           .help = "pairs of source and data in a batch",
           .names = coupling_names,
           .summary = ", {} coupling"});
    visit("regularization", self.regularization,
          {.unit = "COST",
           .help = "weight of the entropy; 0 for 2 sigma^2 on a schroedinger-bridge",
           .only = {"coupling", self.name, {"entropic"}}});
  }
  friend bool operator==(const CouplingDescription&, const CouplingDescription&) = default;
};

/// Throws std::invalid_argument for an unknown name, listing the known ones, and for a regularization that does not fit
/// the coupling.
void check(const CouplingDescription& coupling);

/// For every data point, the index of the source point that it is paired with.
///   x_0, x_1: [N, ...], labels: [N] or none -> [N]. Only `entropic` draws from `rng`.
/// Throws std::invalid_argument for batches of different sizes and as check() does, std::runtime_error if Sinkhorn's
/// algorithm does not converge.
Indices couple(const CouplingDescription& coupling, const Tensor& x_0, const Tensor& x_1, const Indices& labels,
               Generator& rng);

}  // namespace rill::flow
