// Ticks of an axis and their labels.
#pragma once

#include <string>
#include <vector>

namespace rill::tools {

struct Tick {
  double value = 0;
  std::string label;
};

/// "-1.50" with a true minus sign, in any locale.
std::string format_fixed(double value, int decimals);

/// Round numbers in [low, high]: all multiples of the smallest step 1, 2 or 5 times a power of ten that gives at most
/// `most` + 1 of them. Labels share their number of decimals and use a true minus sign; if that takes more than
/// six digits, they are in scientific notation. Throws std::invalid_argument unless low < high, both finite, and most
/// >= 1, and where the step overflows or underflows.
std::vector<Tick> nice_ticks(double low, double high, int most);

/// Ticks of a linear axis whose labels are differences from `offset`, which is written once beside the axis:
/// "+1.7e+09"; empty if labels are the numbers themselves.
struct OffsetTicks {
  std::vector<Tick> ticks;
  std::string offset;
};
/// nice_ticks(), but if their labels would take more than six significant digits, ticks labeled by the difference from
/// a round number nearby. Throws as nice_ticks() does.
OffsetTicks offset_ticks(double low, double high, int most);

/// For a logarithmic axis: powers of ten in [low, high], every one or every few of them so that there are at most
/// `most` + 1; nice_ticks() if there are fewer than two.
/// Throws std::invalid_argument unless 0 < low < high, both finite, and most >= 1.
std::vector<Tick> log_ticks(double low, double high, int most);

/// The same with powers of two, written out: 0.5, 1, 2, ..., 1024.
std::vector<Tick> powers_of_two(double low, double high, int most);

}  // namespace rill::tools
