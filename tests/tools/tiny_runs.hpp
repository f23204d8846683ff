// Runs that take a fraction of a second.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tests/tools/process.hpp"

namespace rill::testing_support {

/// The command that trains a tiny network, with `folder` for its run and these words added.
inline std::vector<std::string> tiny_training(const std::string& folder, const std::vector<std::string>& more = {}) {
  std::vector<std::string> command = {
      "train", "--data", "moons", "--hidden",  "8,8", "--batch",     "16", "--steps",    "200",     "--ema",
      "0.9",   "--out",  folder,  "--threads", "1",   "--log-every", "20", "--schedule", "constant"};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

/// A run long enough to be interrupted, with many checkpoints. In three dimensions no time goes into a picture.
inline std::vector<std::string> interruptible(const std::string& folder, const std::string& steps) {
  return tiny_training(folder, {"--data", "normal", "--data-param", "dimension=3", "--steps", steps, "--schedule",
                                "cosine", "--log-every", "500", "--save-every", "0.05"});
}

/// Waits until the file is there, or the process has ended.
inline void wait_for_file(const std::string& path, Process& process) {
  while (!std::filesystem::exists(path) && process.is_running()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

/// Fails the test unless the files of the runs have the same bytes. (Not by EXPECT_EQ, which would print them.)
inline void expect_equal_runs(const std::string& a, const std::string& b) {
  for (const char* file : {"config.toml", "metrics.csv", "state.safetensors", "model.safetensors"}) {
    EXPECT_TRUE(contents(a + "/" + file) == contents(b + "/" + file)) << file << " of " << a << " and " << b;
  }
}

}  // namespace rill::testing_support
