// Stochastic differential equations (SDEs): solvers, and the SDEs that share their marginals with a flow.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff/tensor.hpp"
#include "flow/path/scheduler.hpp"
#include "flow/path/velocity.hpp"
#include "flow/solver/brownian.hpp"
#include "flow/solver/ode.hpp"

namespace rill::flow {

/// dX = f(X, t) dt + g(X, t) dW in the sense of Ito, with diagonal noise: g gives one factor for each number of a point
/// [N, ...], which depends only on that number and the time.
struct Sde {
  Velocity drift;         ///< f
  Velocity diffusion;     ///< g
  bool additive = false;  ///< g does not depend on X, so its derivative need not be computed
};

/// The method of a step of length h with the increment dW of the path:
///   kEulerMaruyama   X + f h + g dW                      strong order 1/2, weak order 1
///                    (Maruyama 1955; Kloeden and Platen, "Numerical Solution of Stochastic Differential Equations",
///                    1992, section 10.2)
///   kMilstein        the same + g g' (dW^2 - h) / 2      strong order 1
///                    (Milstein 1975; Kloeden and Platen, section 10.3)
///   kHeun            the trapezoidal rule for both drift and noise, applied to the Stratonovich form with the drift
///                    f - g g' / 2:  the mean of the slopes at X and after an Euler-Maruyama step from X
///                    strong order 1 (Ruemelin 1982); order 2 where the noise vanishes
/// For additive noise Euler-Maruyama is Milstein's method, of strong order 1.
enum class SdeMethod { kEulerMaruyama, kMilstein, kHeun };

/// "euler-maruyama", "milstein" and "heun".
std::vector<std::string> sde_method_names();
/// Throws std::invalid_argument, listing the known names, for an unknown one.
SdeMethod find_sde_method(std::string_view name);

/// Moves the points x [N, ...] from times[0] to times.back(), with one step between neighboring times, driven by the
/// given path. Solution::evaluations counts those of the drift. Records no graph. Throws std::invalid_argument for
/// fewer than two times, times that do not increase, and a path whose shape is not that of x.
Solution solve(const Sde& sde, const Tensor& x, const std::vector<double>& times, SdeMethod method, BrownianPath& path,
               const Observer& observer = {});

/// The noise level of an SDE at time t: g(t) >= 0.
using NoiseLevel = std::function<double(double t)>;

/// The SDE whose X_t has, at every time, the distribution p_t of a flow's x_t. It adds noise, and a drift toward higher
/// density that balances it:
///   dX = (u_t(X) + g(t)^2 / 2  grad ln p_t(X)) dt + g(t) dW
/// (Song et al., "Score-Based Generative Modeling through Stochastic Differential Equations", 2021, appendix D.1;
/// Albergo et al., "Stochastic Interpolants", 2023, section 2; Ma et al., "SiT", 2024, section 2). Any g is
/// valid, whatever the model was trained with.
///   score: grad ln p_t; for bridges between two samples, it is learned along with u
///          (Tong et al., "Simulation-free Schroedinger bridges via score and flow matching", 2024)
Sde sde_of_flow(const Velocity& velocity, const Velocity& score, const NoiseLevel& g);

/// The same for the velocity of an affine path with Gaussian source, which determines the score
/// (flow/path/prediction.hpp). One evaluation of the velocity gives both, at times up to 1 - kConversionMargin: where
/// sigma is 0 it does not determine the score. Data with sharp edges has an unbounded score at t = 1, which a g that
/// decreases with sigma, such as g^2 = c sigma (Ma et al. 2024), keeps in check.
Sde sde_of_flow(const Velocity& velocity, std::shared_ptr<const Scheduler> scheduler, const NoiseLevel& g);

}  // namespace rill::flow
