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
///
/// What happens to stdout and stderr loses nothing else. A reader that has gone (| head, | tee and Ctrl-C) never ends
/// the program: messages to it are dropped, and data that it no longer wants are not an error. Data on stdout that
/// cannot be written for another reason are one: kFailed. A stream that was closed before the program began stays so,
/// instead of becoming the first file that is opened.
/// @param path  argv[0], whose last part is the name in messages
int run_program(const char* path, const std::function<int()>& body);

/// The name that the program was called by, as messages and help should say it: "rill-train".   path: argv[0]
std::string program_name(const char* path);

/// Sets the number of threads; 0 means one for each core that the process may use. Throws UsageError for a negative
/// number.
void use_threads(long count);

/// "avx512, 2 threads, float": what the numbers are computed with.
std::string machine_text();

}  // namespace rill::tools
