// The common frame of the programs: how they start, fail and end.
#pragma once

#include <functional>
#include <string>

namespace rill::tools {

// Exit codes.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;    ///< at run time: a file, the disk, memory
inline constexpr int kUsage = 2;     ///< the command line or the configuration is wrong
inline constexpr int kDiverged = 3;  ///< training reached a NaN or an infinity

/// Runs the body of a program and turns exceptions into one line on stderr and an exit code: kUsage for UsageError and
/// std::invalid_argument (an invalid setting), kFailed for all others.
///
/// Failures of stdout and stderr have no other effects. A reader that exits (| head, | tee and Ctrl-C) never ends the
/// program: messages to it are dropped, and data that it no longer reads is not an error. Data that cannot be written
/// to stdout for another reason is: kFailed. A stream that was closed before the program began stays closed, and no
/// file takes its descriptor.
/// @param path  argv[0], whose last part is the name in messages
int run_program(const char* path, const std::function<int()>& body);

/// The name by which the program was called, for messages and help: "rill-train".   path: argv[0]
std::string program_name(const char* path);

/// Sets the number of threads; 0 means one for each available core. Throws UsageError for a negative
/// number.
void use_threads(long count);

/// "avx512, 2 threads, float".
std::string machine_text();

}  // namespace rill::tools
