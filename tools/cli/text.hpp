// Numbers and names as readable text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rill::tools {

/// The message on one line: line breaks become spaces, other control characters question marks.
std::string one_line(std::string_view text);

/// `digits` significant digits, without trailing zeros: 0.00123, 1.5e-07.
std::string significant(double value, int digits);

/// A length of time: "85.2 us", "210 ms", "4.2 s", "1 min 05 s", "2 h 03 min".
std::string duration(double seconds);

/// The 64-bit FNV-1a hash (Fowler, Noll and Vo, 1991).
std::uint64_t hash(std::string_view bytes);

/// The text as one word of a shell command, quoted if necessary.
std::string shell_word(const std::string& text);

}  // namespace rill::tools
