// Runs that take a fraction of a second.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "autodiff/random.hpp"
#include "nn/safetensors.hpp"
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

/// A tiny run in three dimensions, where no time goes into a picture, that no machine finishes: to be interrupted
/// wherever it is. It saves when a signal stops it, and every `save_every` seconds. No step depends on --steps.
inline std::vector<std::string> endless(const std::string& folder, const std::string& save_every = "1000") {
  return tiny_training(folder, {"--data", "normal", "--data-param", "dimension=3", "--steps", "1000000000",
                                "--log-every", "500", "--save-every", save_every});
}

/// Waits until the file is there; fails the test if the process ends before that.
inline void wait_for_file(const std::string& path, Process& process) {
  EXPECT_TRUE(wait_until([&] { return std::filesystem::exists(path); }, process)) << path;
}

/// Waits until the run in `folder` has taken steps: the first row of its metrics.csv is there.
inline void wait_for_steps(const std::string& folder, Process& process) {
  const auto has_row = [&] {
    std::ifstream metrics(folder + "/metrics.csv");
    std::string line;
    return std::getline(metrics, line) && std::getline(metrics, line);
  };
  EXPECT_TRUE(wait_until(has_row, process)) << folder;
}

/// Fails the test unless the files of the runs have the same bytes. (Not by EXPECT_EQ, which would print them.)
inline void expect_equal_runs(const std::string& a, const std::string& b) {
  for (const char* file : {"config.toml", "metrics.csv", "state.safetensors", "model.safetensors"}) {
    EXPECT_TRUE(contents(a + "/" + file) == contents(b + "/" + file)) << file << " of " << a << " and " << b;
  }
}

/// Continues an endless run, which was interrupted, by 1000 steps, and compares it with one of as many steps that was
/// never interrupted. `resume` is the command in a shell's words.
inline void expect_goes_on_as_if_never_interrupted(const std::string& folder, const std::string& resume) {
  const nn::SafeTensors state = nn::load_safetensors(folder + "/state.safetensors");
  const std::string steps = std::to_string(std::stoll(state.metadata.at("step")) + 1000), whole = folder + " whole";
  const Finished resumed = run({"/bin/sh", "-c", resume + " --save-every 1000 --steps " + steps});
  ASSERT_EQ(resumed.code, 0) << resume << "\n" << resumed.err;
  std::vector<std::string> uninterrupted = endless(whole);
  uninterrupted.insert(uninterrupted.end(), {"--steps", steps});
  ASSERT_EQ(run(uninterrupted).code, 0);
  expect_equal_runs(whole, folder);
}
inline void expect_goes_on_as_if_never_interrupted(const std::string& folder) {
  expect_goes_on_as_if_never_interrupted(folder, program_path("train") + " --resume '" + folder + "'");
}

/// Trains with training(name) for runs in the folder, kills each some times on its way, resumes it, and compares it
/// with one that was never killed. A run that was killed before it had a configuration has not begun.
template <class Training>
void expect_survives_kills(const std::string& folder, int wanted, const Training& training) {
  const auto start = std::chrono::steady_clock::now();
  const Finished uninterrupted = run(training(folder + "whole"));
  ASSERT_EQ(uninterrupted.code, 0) << uninterrupted.err;
  std::chrono::duration<double> whole = std::chrono::steady_clock::now() - start;
  Generator rng(20260101);
  int kills = 0;
  for (int number = 0; kills < wanted; ++number) {
    const std::string name = folder + "killed" + std::to_string(number);
    const auto begun = [&] { return std::filesystem::exists(name + "/config.toml"); };
    for (bool done = false; !done;) {
      Process process(
          Launch{.command = begun() ? std::vector<std::string>{"train", "--resume", name} : training(name)});
      Real moment = 0;
      rng.uniform(1, &moment);
      if (kills < wanted) {
        std::this_thread::sleep_for(whole * (static_cast<double>(moment) / 2));
        process.send(SIGKILL);
      }
      const Finished finished = process.wait();
      done = finished.code != -SIGKILL;
      if (done) whole /= 2;  // it was faster than the kill: the machine may have become less busy
      kills += !done;
      ASSERT_TRUE(!done || finished.code == 0) << "after " << kills << " kills: " << finished.err;
    }
    expect_equal_runs(folder + "whole", name);
  }
}

}  // namespace rill::testing_support
