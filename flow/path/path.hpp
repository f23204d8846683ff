// The conditional probability path: how a source point moves to a data point.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "autodiff/description.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"
#include "flow/path/scheduler.hpp"

namespace rill::flow {

/// Points on the path and the path's velocities there.   x_t, dx_t, z: [N, ...];   t: [N]
struct PathSample {
  Tensor x_t, dx_t, t;
  Tensor z;  ///< the noise that the path added; undefined for a path without noise
};

/// The noise gamma_t z, z ~ N(0, I), that a path may add to the line between x_0 and x_1
/// (Albergo, Boffi and Vanden-Eijnden, "Stochastic Interpolants", 2023, definition 2.1).
struct PathNoise {
  enum Kind {
    kNone,      ///< gamma = 0
    kConstant,  ///< gamma = sigma
    kBridge,    ///< gamma = sigma sqrt(t (1 - t)): the standard deviation of a Brownian bridge
  };
  Kind kind = kNone;
  double sigma = 0;

  /// gamma and its derivative with respect to t, which is infinite at the ends of a bridge.
  struct Value {
    double gamma, d_gamma;
  };
  Value at(double t) const;
};

/// x_t = alpha_t x_1 + sigma_t x_0 + gamma_t z,   dx_t = alpha'_t x_1 + sigma'_t x_0 + gamma'_t z
/// (Lipman et al., "Flow Matching Guide and Code", 2024, equations 4.50 and 4.52; with noise: Tong et al., "Improving
/// and Generalizing Flow-Based Generative Models with Minibatch Optimal Transport", 2024, table 1).
///
/// Where a derivative is infinite at an end of the path (the score-based schedulers at t = 1, a bridge at both), times
/// are clamped to kEndMargin away from the ends.
class AffinePath {
 public:
  static constexpr double kEndMargin = 1e-5;

  /// Throws std::invalid_argument unless sigma is 0 for noise of kind kNone, and positive for other kinds.
  explicit AffinePath(std::unique_ptr<Scheduler> scheduler, PathNoise noise = {});

  const Scheduler& scheduler() const& { return *scheduler_; }
  const Scheduler& scheduler() const&& = delete;
  PathNoise noise() const { return noise_; }

  /// x_0, x_1: [N, ...], t: [N]; z is drawn from `rng` for a path with noise. Gradients flow to x_0 and x_1.
  /// Throws std::invalid_argument for other shapes.
  PathSample sample(const Tensor& x_0, const Tensor& x_1, const Tensor& t, Generator& rng) const;
  /// The same for a path without noise; throws std::invalid_argument for other paths.
  PathSample sample(const Tensor& x_0, const Tensor& x_1, const Tensor& t) const;

 private:
  PathSample line(const Tensor& x_0, const Tensor& x_1, const Tensor& t) const;
  Tensor within_ends(const Tensor& t) const;

  std::unique_ptr<Scheduler> scheduler_;
  PathNoise noise_;
  bool infinite_start_, infinite_end_;  // derivatives at t = 0 and t = 1
};

/// The names that make_path() knows.
std::vector<std::string> path_names();

/// A path by name, with the parameters that some paths have.
///
///   cond-ot, polynomial, cosine, linear-vp, vp   the scheduler of that name, between x_0 and x_1 without noise
///   target                x_t = t x_1 + (1 - (1 - sigma) t) x_0, the original flow matching (Lipman et al. 2023)
///   i-cfm                 x_t = t x_1 + (1 - t) x_0 + sigma z
///   vp-cfm                x_t = sin(pi t / 2) x_1 + cos(pi t / 2) x_0 + sigma z
///   schroedinger-bridge   x_t = t x_1 + (1 - t) x_0 + sigma sqrt(t (1 - t)) z
///
/// The last four are the rows of table 1 of Tong et al. 2024; its OT-CFM is i-cfm with the coupling ot.
struct PathDescription {
  std::string name = "cond-ot";
  double sigma = 0;  ///< of target, i-cfm, vp-cfm and schroedinger-bridge
  double power = 2;  ///< n of polynomial

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("path", self.name, {.unit = "NAME", .names = path_names, .summary = "{} path"});
    visit("sigma", self.sigma,
          {.unit = "SIGMA",
           .help = "noise of the path",
           .only = {"path", self.name, {"target", "i-cfm", "vp-cfm", "schroedinger-bridge"}}});
    visit("power", self.power, {.unit = "N", .help = "alpha = t^N", .only = {"path", self.name, {"polynomial"}}});
  }
  friend bool operator==(const PathDescription&, const PathDescription&) = default;
};

/// Throws std::invalid_argument for an unknown name, listing the known ones, for a sigma of a path that has none, and
/// for a bridge without one.
AffinePath make_path(const PathDescription& description);

/// Reshapes one number per sample, [N], to [N, 1, ...], which broadcasts over a batch of the given rank.
Tensor per_sample(const Tensor& values, int rank);

}  // namespace rill::flow
