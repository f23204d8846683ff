// What every density must satisfy: its samples follow its density, and both follow from the seed.
#include "datasets/known_densities.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "datasets/annulus.hpp"
#include "datasets/checkerboard.hpp"
#include "datasets/gaussians.hpp"
#include "datasets/moons.hpp"
#include "datasets/pinwheel.hpp"
#include "datasets/rings.hpp"
#include "datasets/s_curve.hpp"
#include "datasets/swiss_roll.hpp"

namespace rill::datasets {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// The square [-a, a]^2 that holds all but some 10^-6 of a density, and how many points along a bin's side resolve it.
struct Window {
  std::string name;
  double a;
  Index fine = 5;
};

std::vector<Window> windows() {
  std::vector<Window> all;
  for (const KnownDensity& known : known_densities()) {
    if (known.name == "annulus") {
      all.push_back({known.name, 3.5, 20});  // has sharp edges
    } else if (known.name == "checkerboard") {
      all.push_back({known.name, 1.25 * Checkerboard::kGuideExtent});  // so that its edges are edges of the bins below
    } else {
      Generator rng(2);
      const Tensor x = make_density(known.name)->sample(20'000, rng);
      all.push_back({known.name, 1.25 * static_cast<double>(max(abs(x)).item())});
    }
  }
  return all;
}

class EveryDensity : public testing::TestWithParam<Window> {
 protected:
  std::unique_ptr<Density> density = make_density(GetParam().name);
};

std::string test_name(const testing::TestParamInfo<Window>& info) {
  std::string name = info.param.name;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
}
INSTANTIATE_TEST_SUITE_P(Known, EveryDensity, testing::ValuesIn(windows()), test_name);

TEST_P(EveryDensity, SamplesFollowFromTheSeed) {
  EXPECT_EQ(density->name(), GetParam().name);
  Generator rng(1), same(1), other(2);
  const Tensor x = density->sample(100, rng);
  EXPECT_EQ(x.shape(), (Shape{100, density->dimension()}));
  EXPECT_EQ(x.to_vector(), density->sample(100, same).to_vector());
  EXPECT_NE(x.to_vector(), density->sample(100, other).to_vector());
  EXPECT_NE(x.to_vector(), density->sample(100, rng).to_vector()) << "the second draw repeats the first";
  EXPECT_EQ(density->sample(0, rng).shape(), (Shape{0, density->dimension()}));
}

// The density, summed over a fine grid, must give 1, and summed over each of 20 x 20 bins the number of samples there:
// Pearson's chi^2 has as many degrees of freedom as bins, less one, and that mean; its variance is twice the mean.
TEST_P(EveryDensity, SamplesFollowTheDensity) {
  constexpr Index kBins = 20, kSamples = 20'000;
  const Index fine = GetParam().fine, side = kBins * fine;
  const double a = GetParam().a, step = 2 * a / static_cast<double>(side);
  std::vector<Real> grid;
  for (Index i = 0; i < side; ++i) {
    for (Index j = 0; j < side; ++j) {
      grid.push_back(static_cast<Real>(-a + (static_cast<double>(i) + 0.5) * step));
      grid.push_back(static_cast<Real>(-a + (static_cast<double>(j) + 0.5) * step));
    }
  }
  const std::optional<Tensor> log_density = density->log_density(Tensor::from(grid, {side * side, 2}));
  if (!log_density) return;

  std::vector<double> expected(kBins * kBins), observed(kBins * kBins);
  double integral = 0;
  for (Index i = 0; i < side; ++i) {
    for (Index j = 0; j < side; ++j) {
      const double mass = std::exp(log_density->data()[i * side + j]) * step * step;
      expected[static_cast<std::size_t>(i / fine * kBins + j / fine)] += kSamples * mass;
      integral += mass;
    }
  }
  // The grid is exact to rounding for smooth densities and for the board, whose edges lie between its points; points
  // near the round edges of the annulus fall on either side at random.
  EXPECT_NEAR(integral, 1, density->name() == "annulus" ? 5e-3 : 2e-5);

  Generator rng(3);
  const Tensor x = density->sample(kSamples, rng);
  const auto bin = [&](Real value) { return static_cast<Index>(std::floor((value + a) / (2 * a) * kBins)); };
  for (Index n = 0; n < kSamples; ++n) {
    const Index i = bin(x.data()[2 * n]), j = bin(x.data()[2 * n + 1]);
    ASSERT_TRUE(0 <= i && i < kBins && 0 <= j && j < kBins) << x.data()[2 * n] << ", " << x.data()[2 * n + 1];
    observed[static_cast<std::size_t>(i * kBins + j)] += 1;
  }

  double chi_squared = 0, bins = 0, rare_expected = 0, rare_observed = 0;
  for (std::size_t k = 0; k < expected.size(); ++k) {
    if (expected[k] < 10) {
      rare_expected += expected[k];
      rare_observed += observed[k];
      continue;
    }
    chi_squared += std::pow(observed[k] - expected[k], 2) / expected[k];
    bins += 1;
  }
  EXPECT_NEAR(rare_observed, rare_expected, 4 * std::sqrt(rare_expected) + 1);
  EXPECT_LT(chi_squared, bins + 4 * std::sqrt(2 * bins)) << bins << " bins";
  EXPECT_GT(chi_squared, bins - 4 * std::sqrt(2 * bins)) << "too even to be random";
}

TEST_P(EveryDensity, EntropyIsTheMeanOfMinusTheLogDensity) {
  if (!density->entropy()) return;
  constexpr Index kSamples = 20'000;
  Generator rng(4);
  const Tensor values = *density->log_density(density->sample(kSamples, rng));
  double total = 0, squares = 0;
  for (const Real value : values.values()) {
    total -= value;
    squares += double{value} * value;
  }
  const double mean = total / kSamples, variance = squares / kSamples - mean * mean;
  // Four standard errors; a uniform density has none, and is known to the rounding of a Real.
  EXPECT_NEAR(mean, *density->entropy(), 4 * std::sqrt(std::max(variance, 0.0) / kSamples) + 1e-5);
}

TEST_P(EveryDensity, GradientsOfTheLogDensityReachThePoints) {
  Generator rng(5);
  Tensor x = density->sample(3, rng).set_requires_grad();
  const std::optional<Tensor> log_density = density->log_density(x);
  if (!log_density || density->name() == "checkerboard") return;  // none, or constant
  const Tensor gradient = grad(sum(*log_density), x);
  // Against central differences; in float these are good to some 1 %.
  const double step = sizeof(Real) == 4 ? 1e-3 : 1e-6;
  for (Index i = 0; i < x.size(); ++i) {
    Tensor up = x.clone(), down = x.clone();
    up.data()[i] += static_cast<Real>(step);
    down.data()[i] -= static_cast<Real>(step);
    const double slope = (sum(*density->log_density(up)).item() - sum(*density->log_density(down)).item()) / (2 * step);
    EXPECT_NEAR(gradient.data()[i], slope, 0.02 * std::abs(slope) + 0.02);
  }
}

TEST_P(EveryDensity, RefusesPointsOfAnotherShape) {
  if (!density->log_density(Tensor::zeros({1, 2}))) return;
  EXPECT_THAT(
      [&] {
        density->log_density(Tensor::zeros({4, 3}));
      },
      ThrowsMessage<std::invalid_argument>(
          HasSubstr(std::string(GetParam().name) + ": expected points of shape [n, 2], got [4, 3]")));
}

TEST(KnownDensities, HaveTheDefaultsOfTheirClasses) {
  std::map<std::string, std::unique_ptr<Density>> defaults;
  defaults["annulus"] = std::make_unique<Annulus>();
  defaults["checkerboard"] = std::make_unique<Checkerboard>();
  defaults["moons"] = std::make_unique<Moons>();
  defaults["8gaussians"] = gaussians_on_circle();
  defaults["two-modes"] = two_modes();
  defaults["normal"] = std::make_unique<Normal>();
  defaults["s-curve"] = std::make_unique<SCurve>();
  defaults["swiss-roll"] = std::make_unique<SwissRoll>();
  defaults["rings"] = std::make_unique<Rings>();
  defaults["pinwheel"] = std::make_unique<Pinwheel>();
  for (const auto& [name, of_class] : defaults) {
    Generator a(1), b(1);
    EXPECT_EQ(make_density(name)->sample(50, a).to_vector(), of_class->sample(50, b).to_vector()) << name;
  }
}

TEST(KnownDensities, HaveAFormulaWhereThereIsOne) {
  for (const char* name : {"annulus", "checkerboard", "normal"}) EXPECT_TRUE(make_density(name)->entropy()) << name;
  const Tensor origin = Tensor::zeros({1, 2});
  std::vector<std::string> without;
  for (const std::string& name : known_density_names()) {
    if (!make_density(name)->log_density(origin)) without.push_back(name);
  }
  EXPECT_EQ(without, std::vector<std::string>{"pinwheel"});
}

TEST(KnownDensities, TakeParametersByName) {
  const auto wide = make_density("annulus", {{"outer", 4}});
  EXPECT_NEAR(*wide->entropy(), *Annulus(2, 4).entropy(), 1e-12);
  EXPECT_EQ(make_density("normal", {{"dimension", 784}})->dimension(), 784);
}

TEST(KnownDensities, SayWhatIsWrong) {
  const auto message = [](const char* text) { return ThrowsMessage<std::invalid_argument>(HasSubstr(text)); };
  EXPECT_THAT(
      [] { make_density("anulus"); },
      message("unknown density 'anulus' (did you mean annulus?); known: annulus, checkerboard, moons, 8gaussians"));
  EXPECT_THAT(
      [] {
        make_density("annulus", {{"innr", 1}});
      },
      message(
          "annulus: unknown parameter 'innr' (did you mean inner?); known, with their defaults: inner (2), outer (3)"));
  EXPECT_THAT([] { make_density("annulus", {{"inner", 3}}); }, message("expected 0 < inner < outer"));
  EXPECT_THAT([] { make_density("checkerboard", {{"cells", 2.5}}); }, message("cells = 2.5, expected a whole number"));
  EXPECT_THAT([] { make_density("checkerboard", {{"cells", 0}}); }, message("expected at least 1"));
  EXPECT_THAT([] { make_density("checkerboard", {{"low", 9}}); }, message("expected low < high"));
  EXPECT_THAT([] { make_density("checkerboard", {{"dimension", 0}}); }, message("dimension 0"));
  EXPECT_THAT([] { make_density("moons", {{"noise", -1}}); }, message("expected a standard deviation of at least 0"));
  EXPECT_THAT([] { make_density("two-modes", {{"weight", 1}}); }, message("expected a share between 0 and 1"));
  EXPECT_THAT([] { make_density("8gaussians", {{"deviation", 0}}); }, message("must be positive"));
  EXPECT_THAT([] { make_density("normal", {{"deviation", -1}}); }, message("expected a positive number"));
  EXPECT_THAT([] { make_density("rings", {{"radius", 0}}); }, message("expected a positive number"));
  EXPECT_THAT([] { make_density("pinwheel", {{"arms", 0}}); }, message("expected at least 1"));
}

}  // namespace
}  // namespace rill::datasets
