// Denoising: the regression from which a network learns the score of noisy data.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "autodiff/description.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "flow/path/prediction.hpp"
#include "flow/path/scheduler.hpp"

namespace rill::flow {

/// The names of DenoisingDescription's fields.
std::vector<std::string> denoising_target_names();
std::vector<std::string> denoising_weighting_names();

/// What a network learns from x_t = alpha x_1 + sigma x_0, x_0 standard normal, and how errors at different times
/// count.
///
/// The targets determine each other (flow/path/prediction.hpp). They differ in what a network finds easy:
///   noise   x_0: at small noise, where the data are almost visible, a hard problem with a small part in the result
///   data    x_1: at large noise, the mean of the data; at small noise, the point itself
///   score   sigma times the score, which is minus the noise: the same regression up to a sign
///           (Song et al. 2021; unscaled, the target would grow as 1 / sigma)
///   v       (alpha x_0 - sigma x_1) / sqrt(alpha^2 + sigma^2)   (Salimans and Ho 2022)
///
/// The weightings:
///   uniform      all times alike, in the target's own units: for noise, the loss of DDPM (Ho et al. 2020, equation 14)
///   min-snr      min(snr, 5) on the error of the data, snr = alpha^2 / sigma^2: less of the times that are almost
///                noiseless (Hang et al., "Efficient Diffusion Training via Min-SNR Weighting Strategy", 2023)
///   likelihood   the loss bounds -ln p up to a constant: weight g^2 / (2 sigma^2) on the error of the noise (Song et
///                al., "Maximum Likelihood Training of Score-Based Diffusion Models", 2021). As that is -1/2 of the
///                slope of ln(snr), times are drawn uniformly in ln(snr) instead, with a constant weight (Kingma et
///                al., "Variational Diffusion Models", 2021, section 5.1).
struct DenoisingDescription {
  std::string target = "noise";
  std::string weighting = "uniform";

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("prediction", self.target,
          {.unit = "NAME",
           .help = "what the network predicts",
           .names = denoising_target_names,
           .summary = ", {} prediction"});
    visit("weighting", self.weighting,
          {.unit = "NAME",
           .help = "how errors at different times count",
           .names = denoising_weighting_names,
           .summary = ", {} weighting"});
  }
  friend bool operator==(const DenoisingDescription&, const DenoisingDescription&) = default;
};

/// Throws std::invalid_argument, listing the known names, for an unknown one.
void check(const DenoisingDescription& description);

/// Noisy points, the targets there and, unless it is 1, the weight of each point.   x_t, target: [N, D], t, weight: [N]
struct DenoisingExample {
  Tensor x_t, t, target, weight;
  Indices labels;
};

/// The example of data x_1 [N, D] and noise x_0 [N, D] at times that follow from u [N], in [0, 1].
DenoisingExample denoising_example(const Tensor& x_1, const Tensor& x_0, const Tensor& u, const Scheduler& scheduler,
                                   const DenoisingDescription& description);

/// mean_n weight_n mean_d (output - target)^2 of the network's output; a scalar.
Tensor denoising_loss(const Tensor& output, const DenoisingExample& example);

/// The factor on points before the network sees them, [N]: 1 / sqrt(alpha^2 + sigma^2), 1 on a variance-preserving
/// path, so that the network's inputs have one size on all of them (Karras et al., "Elucidating the Design Space of
/// Diffusion-Based Generative Models", 2022, section 5, with data of variance 1).
Tensor input_scale(const Tensor& t, const Scheduler& scheduler);

/// The network's output as another prediction: noise, data, score, v or velocity.   output, x_t: [N, D], t: [N]
Tensor from_output(const Tensor& output, const DenoisingDescription& description, Prediction to, const Tensor& x_t,
                   const Tensor& t, const Scheduler& scheduler);

}  // namespace rill::flow
