#include "tools/plot/ticks.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "autodiff/error.hpp"

namespace rill::tools {
namespace {

std::string format(double value, std::chars_format form, int decimals) {
  std::array<char, 400> text;  // room for the 309 digits of the largest double
  char* const end = std::to_chars(text.data(), text.data() + text.size(), std::abs(value), form, decimals).ptr;
  return (value < 0 ? "\u2212" : "") + std::string(text.data(), end);
}

// The multiples of 1, 2 or 5 times a power of ten that nice_ticks() marks: first, first + 1, ..., last.
struct Steps {
  Steps(double low, double high, int most) {
    require(std::isfinite(low) && std::isfinite(high) && low < high && most >= 1, "ticks: no ", most, " ticks in [",
            low, ", ", high, "]");
    const double rough = high / most - low / most;  // high - low may overflow
    require(std::isfinite(rough) && rough >= std::numeric_limits<double>::min(), "ticks: no ", most, " ticks in [", low,
            ", ", high, "]: steps are beyond the range of doubles");
    exponent = static_cast<int>(std::floor(std::log10(rough)));
    const double mantissa = rough / std::pow(10, exponent);
    digit = mantissa <= 1 ? 1 : mantissa <= 2 ? 2 : mantissa <= 5 ? 5 : 10;
    if (digit == 10) {
      digit = 1;
      ++exponent;
    }
    const double slack = 1e-9;  // in steps: keeps a tick at an end despite rounding
    first = std::ceil(low / multiple(1) - slack);
    last = std::floor(high / multiple(1) + slack);
  }

  // Dividing by a power of ten, which is exact, gives 0.3 where multiplying by 0.1 gives 0.30000000000000004.
  double multiple(double k) const {
    return exponent < 0 ? k * digit / std::pow(10, -exponent) : k * digit * std::pow(10, exponent);
  }
  double largest() const { return std::max(std::abs(multiple(first)), std::abs(multiple(last))); }
  // The significant digits that distinguish the largest multiple from its neighbor.
  int digits() const {
    return std::max(0, static_cast<int>(std::floor(std::log10(std::max(largest(), multiple(1))))) - exponent) + 1;
  }

  int digit, exponent;
  double first, last;
};

// Powers of the base in [low, high], every one or every few of them.
std::vector<Tick> power_ticks(double low, double high, int most, int base, std::string (*label)(int exponent)) {
  require(0 < low && low < high && std::isfinite(high) && most >= 1, "ticks: no ", most, " powers of ", base, " in [",
          low, ", ", high, "]");
  const double slack = 1e-9, unit = std::log(base);
  const int first = static_cast<int>(std::ceil(std::log(low) / unit - slack));
  const int last = static_cast<int>(std::floor(std::log(high) / unit + slack));
  if (last - first < 1) return nice_ticks(low, high, most);
  const int stride = std::max(1, (last - first + most - 1) / most);
  std::vector<Tick> ticks;
  for (int exponent = first; exponent <= last; exponent += stride) {
    ticks.push_back({std::pow(base, exponent), label(exponent)});
  }
  return ticks;
}

}  // namespace

std::string format_fixed(double value, int decimals) { return format(value, std::chars_format::fixed, decimals); }

std::vector<Tick> nice_ticks(double low, double high, int most) {
  const Steps steps(low, high, most);
  constexpr double kLargestPlain = 1e6;
  constexpr int kMostDecimals = 5;
  const int decimals = std::max(0, -steps.exponent);
  const bool plain = steps.largest() < kLargestPlain && decimals <= kMostDecimals;
  std::vector<Tick> ticks;
  // Bounded, in case doubles are too coarse.
  const int count = static_cast<int>(std::min(steps.last - steps.first, most + 1.0)) + 1;
  for (int i = 0; i < count; ++i) {
    const double k = steps.first + i;
    const double value = k == 0 ? 0 : steps.multiple(k);  // no negative zero
    ticks.push_back({value, plain        ? format_fixed(value, decimals)
                            : value == 0 ? "0"
                                         : format(value, std::chars_format::scientific, steps.digits() - 1)});
  }
  return ticks;
}

OffsetTicks offset_ticks(double low, double high, int most) {
  constexpr int kMostDigits = 6;
  if (Steps(low, high, most).digits() <= kMostDigits) return {nice_ticks(low, high, most), ""};
  // The middle, rounded in decimal to a power of ten that is not below the width.
  const double middle = low + (high - low) / 2;
  const int kept = static_cast<int>(std::floor(std::log10(std::abs(middle))) - std::ceil(std::log10(high - low)));
  std::array<char, 400> text;
  char* end =
      std::to_chars(text.data(), text.data() + text.size(), middle, std::chars_format::scientific, std::max(0, kept))
          .ptr;
  double offset = 0;
  std::from_chars(text.data(), end, offset);
  end = std::to_chars(text.data(), text.data() + text.size(), std::abs(offset)).ptr;
  OffsetTicks result{nice_ticks(low - offset, high - offset, most),
                     (offset < 0 ? "\u2212" : "+") + std::string(text.data(), end)};
  for (Tick& tick : result.ticks) tick.value += offset;
  return result;
}

std::vector<Tick> log_ticks(double low, double high, int most) {
  return power_ticks(low, high, most, 10, [](int exponent) { return "1e" + format_fixed(exponent, 0); });
}

std::vector<Tick> powers_of_two(double low, double high, int most) {
  return power_ticks(low, high, most, 2,
                     [](int exponent) { return format_fixed(std::exp2(exponent), std::max(0, -exponent)); });
}

}  // namespace rill::tools
