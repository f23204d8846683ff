// What the programs have in common: how they start, fail and end.
#pragma once

#include <functional>
#include <string>

namespace rill::tools {

// Exit codes.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;    ///< at run time: a file, the disk, the memory
inline constexpr int kUsage = 2;     ///< the command line or the configuration is wrong
inline constexpr int kDiverged = 3;  ///< training met a NaN or an infinity

/// Runs the body of a program and turns what it throws into one line on stderr and an exit code: UsageError and
/// std::invalid_argument (a setting makes no sense) into kUsage, everything else into kFailed.
int run_program(const std::string& name, const std::function<int()>& body);

/// Sets the number of threads; 0 means one per core. Throws UsageError for a negative number.
void use_threads(long count);

/// "avx512, 2 threads, float": what the numbers are computed with.
std::string machine_text();

}  // namespace rill::tools
