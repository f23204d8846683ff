// What happens to a run when something breaks while it is under way: readers that go away, signals, folders that
// disappear, too little memory, two trainings at once.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "autodiff/json.hpp"
#include "nn/safetensors.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/tools/process.hpp"
#include "tests/tools/tiny_images.hpp"
#include "tests/tools/tiny_runs.hpp"
#include "tools/memory_limit.hpp"

namespace rill {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using namespace testing_support;
using Words = std::vector<std::string>;

// A pipe that is the new process's descriptor, and whose reader is the test.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0); }
  ~Pipe() {
    close_reader();
    ::close(ends_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  /// For Launch::before.
  std::function<void()> as(int descriptor) const {
    return [end = ends_[1], descriptor] { ::dup2(end, descriptor); };
  }
  void close_reader() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    ends_[0] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

// --- Readers that go away --------------------------------------------------------------------------------------------

// train 2>&1 | tee log, and Ctrl-C, which kills tee too.
TEST(ClosedPipe, OfMessagesLosesNothing) {
  const TemporaryFolder folder;
  Pipe pipe;
  Process process(Launch{.command = endless(folder / "run"), .before = pipe.as(STDERR_FILENO)});
  wait_for_steps(folder / "run", process);
  pipe.close_reader();
  process.send(SIGINT);
  EXPECT_EQ(process.wait().code, 128 + SIGINT);
  expect_goes_on_as_if_never_interrupted(folder / "run");
}

TEST(ClosedPipe, OfMessagesDoesNotEndATraining) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "whole")).code, 0);
  Pipe pipe;
  pipe.close_reader();
  EXPECT_EQ(run(Launch{.command = tiny_training(folder / "run"), .before = pipe.as(STDERR_FILENO)}).code, 0);
  expect_equal_runs(folder / "whole", folder / "run");
  EXPECT_EQ(
      run(Launch{.command = {"/bin/sh", "-c", program_path("sample") + " " + folder / "run" + " 2>/dev/full"}}).code,
      0);
}

// sample | head
TEST(ClosedPipe, OfDataIsNoError) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "run")).code, 0);
  for (const Words& command : {Words{"sample", folder / "run", "--out", "-", "--image", folder / "s.png"},
                               {"evaluate", folder / "run", "--loss-samples", "10", "--distance-points", "0",
                                "--nll-points", "0", "--count", "10"},
                               {"train", "--help"}}) {
    Pipe pipe;
    pipe.close_reader();
    const Finished finished = run(Launch{.command = command, .before = pipe.as(STDOUT_FILENO)});
    EXPECT_EQ(finished.code, 0) << command[0] << ": " << finished.err;
    EXPECT_THAT(finished.err, Not(HasSubstr("stdout"))) << command[0];
  }
  EXPECT_THAT(contents(folder / "s.png"), StartsWith("\x89PNG"));
}

// train 2>&-: the first file that is opened must not become stderr.
TEST(ClosedStream, IsNotTakenByAFile) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "whole")).code, 0);
  const Finished trained =
      run(Launch{.command = tiny_training(folder / "run"), .before = [] { ::close(STDERR_FILENO); }});
  EXPECT_EQ(trained.code, 0);
  expect_equal_runs(folder / "whole", folder / "run");
  const Finished sampled = run(Launch{.command = {"sample", folder / "run"}, .before = [] { ::close(STDOUT_FILENO); }});
  EXPECT_EQ(sampled.code, 1);
  EXPECT_THAT(sampled.err, HasSubstr("stdout: cannot write"));
}

// --- Signals ---------------------------------------------------------------------------------------------------------

// A closing terminal's shell sends SIGHUP twice, and the kernel SIGXCPU every second over the limit.
TEST(RepeatedSignal, StopsAndSaves) {
  const TemporaryFolder folder;
  for (const int signal : {SIGHUP, SIGXCPU}) {
    const std::string name = folder / ("run" + std::to_string(signal));
    Process process(Launch{.command = endless(name)});
    wait_for_steps(name, process);
    process.send(signal);
    process.send(signal);
    const Finished stopped = process.wait();
    EXPECT_EQ(stopped.code, 128 + signal) << stopped.err;
    EXPECT_THAT(stopped.err, HasSubstr("continue with"));
    expect_goes_on_as_if_never_interrupted(name);
  }
}

TEST(Hangup, IsIgnoredUnderNohup) {
  const TemporaryFolder folder;
  Process process(Launch{.command = endless(folder / "run"), .before = [] { std::signal(SIGHUP, SIG_IGN); }});
  wait_for_steps(folder / "run", process);
  process.send(SIGHUP);
  process.send(SIGTERM);  // would end it at once if the first one counted
  const Finished stopped = process.wait();
  EXPECT_EQ(stopped.code, 128 + SIGTERM) << stopped.err;
}

// So many pairs that making them takes minutes.
TEST(StopSignal, IsHeededWhilePairsAreMade) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "teacher")).code, 0);
  Process process(Launch{.command = {"train", "--reflow", folder / "teacher", "--pairs", "1000000", "--pair-steps",
                                     "5000", "--out", folder / "run"},
                         .terminal = has_terminals()});
  process.wait_for_text("making pairs");
  process.send(SIGTERM);
  const Finished stopped = process.wait();
  EXPECT_EQ(stopped.code, 128 + SIGTERM) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("stopped at step 0"));
  const Finished resumed = run({"train", "--resume", folder / "run", "--pairs", "50", "--steps", "5"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
}

TEST(StopSignal, BeforeTheFirstStepLeavesTheRunToBeOverwritten) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "teacher")).code, 0);
  std::filesystem::copy(folder / "teacher", folder / "run");
  Process process(Launch{.command = {"train", "--reflow", folder / "teacher", "--pairs", "1000000", "--pair-steps",
                                     "5000", "--out", folder / "run", "--overwrite"}});
  wait_for_file(folder / "run/lock", process);
  process.send(SIGTERM);
  const Finished stopped = process.wait();
  EXPECT_EQ(stopped.code, 128 + SIGTERM) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("stopped before the first step"));
  expect_equal_runs(folder / "teacher", folder / "run");
}

// Sends SIGTERM in the middle of work that takes minutes, once this text has appeared, which is a second after the work
// began, or without terminals five. Work that did not heed it would end as if no signal had come.
Finished stopped_once(const std::string& text, const Words& command) {
  Process process(Launch{.command = command, .terminal = has_terminals()});
  process.wait_for_text(text);
  process.send(SIGTERM);
  Finished stopped = process.wait();
  EXPECT_EQ(stopped.code, 128 + SIGTERM) << stopped.err;
  return stopped;
}

TEST(StopSignal, IsHeededInOneLongMeasurement) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "run")).code, 0);
  std::vector<std::string> command = {"evaluate", folder / "run", "--loss-samples", "1000",
                                      "--count",  "10",           "--steps",        "1"};
  std::vector<std::string> distances = command, likelihood = command;
  for (const char* word : {"--distance-points", "40000", "--distances", "wasserstein2"}) distances.emplace_back(word);
  for (const char* word :
       {"--distance-points", "0", "--trace", "rademacher", "--probes", "30000", "--nll-points", "64"})
    likelihood.emplace_back(word);
  const Json of_distances = parse_json(stopped_once("measuring distances", distances).out, "what was printed");
  EXPECT_THAT(of_distances.at("notes").at("distances").string(), HasSubstr("stopped by a signal"))
      << dump_json(of_distances);
  EXPECT_TRUE(of_distances.contains("loss"));
  const Json of_likelihood = parse_json(stopped_once("measuring the likelihood", likelihood).out, "what was printed");
  EXPECT_THAT(of_likelihood.at("notes").at("nll").string(), HasSubstr("stopped by a signal"))
      << dump_json(of_likelihood);
  EXPECT_TRUE(of_likelihood.contains("loss"));
}

TEST(StopSignal, IsHeededInOneLongStep) {
  const TemporaryFolder folder;
  for (const char* threads : {"1", "2"}) {
    const std::string run_folder = folder / ("run" + std::string(threads));
    // A plan that takes minutes.
    Process process(
        Launch{.command = tiny_training(run_folder, {"--coupling", "ot", "--batch", "40000", "--threads", threads})});
    process.wait_for_text("run       ");
    std::this_thread::sleep_for(std::chrono::seconds(1));  // into the plan; earlier would do, too
    process.send(SIGTERM);
    const Finished stopped = process.wait();
    EXPECT_EQ(stopped.code, 128 + SIGTERM) << stopped.err;
    EXPECT_THAT(stopped.err, HasSubstr("stopped at step 0"));
    const Finished resumed = run({"train", "--resume", run_folder, "--batch", "50", "--steps", "5"});
    EXPECT_EQ(resumed.code, 0) << resumed.err;
  }
}

TEST(LongWork, SaysHowFarItIs) {
  if (!has_terminals()) GTEST_SKIP() << "this system has no pseudo-terminals (a chroot without /dev/pts)";
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "run")).code, 0);
  Process process(
      Launch{.command = {"sample", folder / "run", "--count", "400000", "--steps", "10000"}, .terminal = true});
  process.wait_for_text(" left");
  process.send(SIGTERM);
  const Finished finished = process.wait();
  EXPECT_EQ(finished.code, -SIGTERM);  // nothing was there to be saved
  EXPECT_THAT(finished.err, AllOf(HasSubstr("sampling "), HasSubstr(" %, "), HasSubstr(" left")));
}

// --- Terminals -------------------------------------------------------------------------------------------------------

TEST(DumbTerminal, GetsPlainLines) {
  if (!has_terminals()) GTEST_SKIP() << "this system has no pseudo-terminals (a chroot without /dev/pts)";
  const TemporaryFolder folder;
  for (const char* kind : {"TERM=dumb", "TERM="}) {
    Launch launch{.command = tiny_training(folder / "run", {"--overwrite"})};
    launch.terminal = true;
    launch.environment = {kind};
    const Finished finished = run(launch);
    ASSERT_EQ(finished.code, 0) << finished.err;
    EXPECT_THAT(finished.err, AllOf(HasSubstr("step 200/200"), Not(HasSubstr("\x1b")))) << kind;
    EXPECT_THAT(finished.err, Not(testing::ContainsRegex("\r[^\n]"))) << kind;  // a terminal ends lines by \r\n
  }
}

// --- Two at once, and files that go away -----------------------------------------------------------------------------

TEST(Lock, LetsOneTrainingIntoAFolder) {
  const TemporaryFolder folder;
  Process first(Launch{.command = endless(folder / "run", "0.05")});
  wait_for_file(folder / "run/state.safetensors", first);
  const std::string holder = "process " + std::to_string(first.id()) + " on ";
  for (const Words& command : {Words{"train", "--resume", folder / "run"},
                               tiny_training(folder / "run", {"--overwrite"}), tiny_training(folder / "run")}) {
    const Finished second = run(command);
    EXPECT_EQ(second.code, 1) << second.err;
    EXPECT_THAT(second.err, AllOf(HasSubstr(folder / "run"), HasSubstr(holder)));
  }
  EXPECT_TRUE(first.is_running());
  first.send(SIGKILL);
  first.wait();
  const Finished after = run({"train", "--resume", folder / "run", "--steps", "2000000000", "--help"});
  EXPECT_EQ(after.code, 0);
  const Finished anew = run(tiny_training(folder / "run", {"--overwrite"}));
  EXPECT_THAT(anew.err, Not(HasSubstr("are lost")));
  EXPECT_EQ(anew.code, 0) << anew.err;
  EXPECT_FALSE(std::filesystem::exists(folder / "run/lock"));
}

TEST(Lock, HoldsWhenItsFileIsRemoved) {
  const TemporaryFolder folder;
  Process first(Launch{.command = endless(folder / "run", "0.05")});
  wait_for_file(folder / "run/state.safetensors", first);
  std::filesystem::remove(folder / "run/lock");
  const Finished second = run({"train", "--resume", folder / "run"});
  EXPECT_EQ(second.code, 1) << second.err;
  EXPECT_THAT(second.err, HasSubstr("is training in this folder"));
  const auto is_written = [&] {
    std::error_code absent;
    return std::filesystem::file_size(folder / "run/lock", absent) > 0 && !absent;
  };
  EXPECT_TRUE(wait_until(is_written, first));  // by the next save
  EXPECT_THAT(contents(folder / "run/lock"), HasSubstr("process " + std::to_string(first.id())));
  EXPECT_TRUE(first.is_running());
}

TEST(RemovedFolder, IsMadeAgain) {
  const TemporaryFolder folder;
  for (const std::string removed : {"", "/config.toml", "/metrics.csv", "/lock"}) {
    const std::string name = folder / ("run" + (removed.empty() ? removed : removed.substr(1)));
    Process process(Launch{.command = endless(name, "0.05")});
    wait_for_file(name + "/state.safetensors", process);
    std::filesystem::rename(name + removed, folder / "removed");  // atomic: the run goes on writing
    wait_for_file(name + (removed.empty() ? "/state.safetensors" : removed), process);
    process.send(SIGTERM);
    const Finished stopped = process.wait();
    ASSERT_EQ(stopped.code, 128 + SIGTERM) << removed << ": " << stopped.err;
    expect_goes_on_as_if_never_interrupted(name);
    std::filesystem::remove_all(folder / "removed");
  }
}

// --- Caches ----------------------------------------------------------------------------------------------------------

TEST(Metrics, ThatAreDamagedSayHowToGoOn) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "run")).code, 0);
  const std::string metrics = folder / "run/metrics.csv";
  const auto resumed = [&](const std::string& text, const char* steps) {
    write_contents(metrics, text);
    return run({"train", "--resume", folder / "run", "--steps", steps});
  };
  const Finished empty = resumed("", "240");
  EXPECT_EQ(empty.code, 0) << empty.err;
  EXPECT_THAT(empty.err, HasSubstr(metrics + ": the rows up to step 200 are lost"));
  EXPECT_THAT(contents(metrics), StartsWith("step,loss,gradient_norm,learning_rate\n220,"));
  for (const char* text : {"steps\n", "step,loss,gradient_norm,learning_rate\nx\n"}) {
    const Finished damaged = resumed(text, "300");
    EXPECT_EQ(damaged.code, 1);
    EXPECT_THAT(damaged.err, AllOf(HasSubstr(metrics), HasSubstr("move it out of the folder")));
  }
  std::filesystem::remove(metrics);
  EXPECT_EQ(run({"train", "--resume", folder / "run", "--steps", "300"}).code, 0);
}

TEST(ReflowPairs, AreMadeAgainForOtherSettingsOrAnotherModel) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "teacher")).code, 0);
  const auto reflow = [&](const std::string& name, const Words& more) {
    Words command = {
        "train",   "--reflow", folder / "teacher", "--pairs",  "60",    "--batch", "20",        "--ema", "0",
        "--steps", "5",        "--schedule",       "constant", "--out", name,      "--threads", "1"};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  };
  const std::string name = folder / "run", made = "made 60 pairs", anew = "making new ones";
  const Finished first = run(reflow(name, {}));
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.err, AllOf(HasSubstr(made), Not(HasSubstr(anew))));
  const std::string kept = contents(name + "/pairs.safetensors");
  EXPECT_THAT(run({"train", "--resume", name}).err, Not(HasSubstr(made)));
  for (const Words& change : {Words{"--pair-steps", "7"}, {"--pair-solver", "euler"}}) {
    Words command = {"train", "--resume", name};
    command.insert(command.end(), change.begin(), change.end());
    const Finished resumed = run(command);
    EXPECT_EQ(resumed.code, 0) << resumed.err;
    EXPECT_THAT(resumed.err, AllOf(HasSubstr(anew), HasSubstr(made))) << change[0];
    EXPECT_FALSE(contents(name + "/pairs.safetensors") == kept) << change[0];
  }
  ASSERT_EQ(run(tiny_training(folder / "teacher", {"--overwrite", "--seed", "1"})).code, 0);
  EXPECT_THAT(run({"train", "--resume", name}).err, HasSubstr(anew));
  EXPECT_THAT(run({"train", "--resume", name}).err, Not(HasSubstr(made)));
}

// Pairs that were changed together with their checksum.
TEST(ReflowPairs, ThatNoReflowMadeAreRefused) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "teacher")).code, 0);
  const std::string name = folder / "run", file = name + "/pairs.safetensors";
  const Finished first = run({"train", "--reflow", folder / "teacher", "--pairs", "60", "--batch", "20", "--ema", "0",
                              "--steps", "5", "--schedule", "constant", "--out", name, "--threads", "1"});
  ASSERT_EQ(first.code, 0) << first.err;
  const nn::SafeTensors made = nn::load_safetensors(file);
  const auto expect_refused = [&](const std::string& reason) {
    const Finished resumed = run({"train", "--resume", name, "--steps", "10"});
    EXPECT_EQ(resumed.code, 1) << reason;
    EXPECT_THAT(resumed.err, AllOf(HasSubstr(file), HasSubstr(reason), HasSubstr("remove the file to make new pairs")));
  };
  const auto refused = [&](const std::string& tensor, const Tensor& forged, const std::string& reason) {
    nn::SafeTensors contents = made;
    for (nn::NamedTensor& named : contents.tensors) {
      if (named.name == tensor) named.tensor = forged;
    }
    nn::save_safetensors(file, contents);
    expect_refused(reason);
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  refused("x_0", Tensor::full({60, 2}, nan), "tensor 'x_0' holds nan at position 0");
  refused("x_1", Tensor::zeros({60, 3}), "tensor 'x_1' has shape [60, 3], expected [60, 2]");
  refused("x_0", Tensor::zeros({7, 2}), "tensor 'x_0' has shape [7, 2], expected [60, 2]");
  refused("labels", Tensor::zeros({60}), "tensor 'labels' has shape [60], expected [0]");
  std::filesystem::resize_file(file, 100);
  expect_refused("truncated");
}

// --- Damage ----------------------------------------------------------------------------------------------------------

TEST(FewerSteps, RewriteNothing) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "run")).code, 0);
  const std::string config = contents(folder / "run/config.toml");
  EXPECT_EQ(run({"train", "--resume", folder / "run", "--steps", "199"}).code, 2);
  EXPECT_EQ(contents(folder / "run/config.toml"), config);
}

TEST(BrokenWeights, MakeNoSamples) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "run")).code, 0);
  // Of steps so large that nothing finite is left.
  const Finished sampled = run({"sample", folder / "run", "--sde", "euler-maruyama", "--noise", "1e300", "--count", "7",
                                "--image", folder / "s.png"});
  EXPECT_EQ(sampled.code, 1) << sampled.err;
  EXPECT_THAT(sampled.err, HasSubstr("of 7 samples have a number that is NaN or infinite"));
  EXPECT_THAT(sampled.out, IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(folder / "s.png"));
}

TEST(TooLittleMemory, IsSaid) {
#ifdef RILL_ADDRESS_SANITIZER
  GTEST_SKIP() << "AddressSanitizer takes more addresses than a limit could leave";
#endif
  const TemporaryFolder folder;
  for (const char* batch : {"4000000", "20000000"}) {
    const Finished finished =
        run(Launch{.command = tiny_training(folder / "run", {"--batch", batch, "--overwrite"}), .before = [] {
                     const rlimit limit{rlim_t{200} << 20, rlim_t{200} << 20};
                     ::setrlimit(RLIMIT_AS, &limit);
                   }});
    EXPECT_EQ(finished.code, 1) << batch << ": " << finished.err;
    EXPECT_THAT(finished.err, HasSubstr("train: out of memory\n")) << batch;
  }
}

// It would be granted, and the process killed when it uses it.
TEST(TooLittleMemory, OfTheMachineIsSaidBeforeAnythingBegins) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "run")).code, 0);
  const std::string many = "50000000000";
  const auto evaluate = [&](const Words& more) {
    Words command = {"evaluate", folder / "run", "--loss-samples", "10"};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  };
  for (const auto& [option, command] : {std::pair<std::string, Words>{"batch", tiny_training(folder / "new")},
                                        {"count", {"sample", folder / "run"}},
                                        {"count", evaluate({})},
                                        {"distance-points", evaluate({})},
                                        {"nll-points", evaluate({})},
                                        {"probes", evaluate({"--trace", "gaussian"})}}) {
    Words words = command;
    words.insert(words.end(), {"--" + option, many});
    const Finished finished = run(words);
    EXPECT_EQ(finished.code, 2) << finished.err;
    EXPECT_THAT(finished.err,
                AllOf(HasSubstr("--" + option + ": " + many + " takes "), HasSubstr(" GB; make it smaller")))
        << option;
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "new"));
  // The costs of all pairs of a batch.
  const Finished pairs =
      run(tiny_training(folder / "new", {"--coupling", "entropic", "--regularization", "0.1", "--batch", "10000000"}));
  EXPECT_EQ(pairs.code, 2) << pairs.err;
  EXPECT_THAT(pairs.err, HasSubstr("--batch: 10000000 takes "));
}

TEST(TooLittleMemory, OfControlGroupsCounts) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "a/b");
  EXPECT_TRUE(std::isinf(tools::allowed_memory("0::/a/b\n", folder.path())));
  write_contents(folder / "a/b/memory.max", "max\n");
  EXPECT_TRUE(std::isinf(tools::allowed_memory("0::/a/b\n", folder.path())));
  write_contents(folder / "a/memory.max", "1000000\n");
  EXPECT_EQ(tools::allowed_memory("0::/a/b\n", folder.path()), 1e6);
  std::filesystem::create_directories(folder / "memory/c");
  write_contents(folder / "memory/c/memory.limit_in_bytes", "500\n");
  EXPECT_EQ(tools::allowed_memory("3:memory:/c\n0::/a/b\n", folder.path()), 500);
}

TEST(FullDisk, OfSamplesIsNamed) {
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "run")).code, 0);
  for (const Words& output : {Words{"--out", "p.npy"},
                              {"--out", "p.csv"},
                              {"--image", "p.png"},
                              {"--gif", "p.gif"},
                              {"--trajectories", "w.npy"}}) {
    const Finished failed =
        run(Launch{.command = {"sample", folder / "run", "--count", "1000", output[0], folder / output[1]},
                   .largest_file = rlim_t{1000}});
    EXPECT_EQ(failed.code, 1) << output[1];
    EXPECT_THAT(failed.err, HasSubstr(folder / output[1] + ": cannot write")) << output[1];
    EXPECT_FALSE(std::filesystem::exists(folder / output[1])) << output[1];
  }
}

TEST(LossThatGrew, IsSaid) {
  const TemporaryFolder folder;
  const Finished finished = run(tiny_training(folder / "run", {"--learning-rate", "1000", "--activation", "relu"}));
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.err, AllOf(HasSubstr("warning: the loss began at"), HasSubstr("--learning-rate")));
  EXPECT_THAT(run(tiny_training(folder / "fine")).err, Not(HasSubstr("warning")));
}

// --- What the system gives -------------------------------------------------------------------------------------------

TEST(Cores, ThatMayNotBeUsedGetNoThreads) {
  const TemporaryFolder folder;
  const Finished finished = run(Launch{.command = tiny_training(folder / "run", {"--threads", "0"}), .before = [] {
                                         cpu_set_t allowed;
                                         ::sched_getaffinity(0, sizeof allowed, &allowed);
                                         int first = 0;
                                         while (!CPU_ISSET(first, &allowed)) ++first;
                                         CPU_ZERO(&allowed);
                                         CPU_SET(first, &allowed);
                                         ::sched_setaffinity(0, sizeof allowed, &allowed);
                                       }});
  EXPECT_THAT(finished.err, HasSubstr(", 1 thread, "));
}

TEST(Terminal, ShowsSomeSamples) {
  if (!has_terminals()) GTEST_SKIP() << "this system has no pseudo-terminals (a chroot without /dev/pts)";
  const TemporaryFolder folder;
  ASSERT_EQ(run(tiny_training(folder / "run")).code, 0);
  const auto lines = [&](const Words& more) {
    Launch launch{.command = {"sample", folder / "run", "--count", "500"}};
    launch.command.insert(launch.command.end(), more.begin(), more.end());
    launch.terminal = true;
    launch.before = [] { ::dup2(STDERR_FILENO, STDOUT_FILENO); };
    const Finished finished = run(launch);
    EXPECT_EQ(finished.code, 0) << finished.err;
    return std::pair(std::count(finished.err.begin(), finished.err.end(), '\n'), finished.err);
  };
  const auto [count, text] = lines({});
  EXPECT_LT(count, 30);
  EXPECT_THAT(text, HasSubstr("--out points.csv"));
  EXPECT_GT(lines({"--out", "-"}).first, 500);
}

TEST(Terminal, GetsNoImagesAsNumbers) {
  if (!has_terminals()) GTEST_SKIP() << "this system has no pseudo-terminals (a chroot without /dev/pts)";
  const TemporaryFolder folder;
  write_tiny_images(folder / "images", 6);
  const Finished trained =
      run({"train", "--data", "images", "--data-dir", folder / "images", "--classes", "3", "--model", "residual-mlp",
           "--hidden", "4", "--steps", "1", "--batch", "4", "--out", folder / "run"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  Launch launch{.command = {"sample", folder / "run", "--count", "1"}};
  EXPECT_EQ(run(launch).code, 0);
  launch.terminal = true;
  launch.before = [] { ::dup2(STDERR_FILENO, STDOUT_FILENO); };
  const Finished refused = run(launch);
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("--image"), HasSubstr("--out")));
}

TEST(ProgramName, IsTheOneItWasCalledBy) {
  const TemporaryFolder folder;
  const std::string link = folder / "rill-train";
  std::filesystem::create_symlink(std::filesystem::absolute(program_path("train")), link);
  const Finished wrong = run({link, "--stepz", "5"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, AllOf(StartsWith("rill-train: "), HasSubstr("try rill-train --help")));
  const Finished help = run({link, "--help"});
  EXPECT_THAT(help.out, AllOf(HasSubstr("  rill-train --preset annulus"), Not(HasSubstr("  train --"))));
}

// A path's name may hold any byte.
TEST(NameThatIsNotUtf8, IsAsGoodAsAnother) {
  const TemporaryFolder folder;
  const std::string table = folder.write("caf\xe9.csv", "1,2\n3,4\n5,7\n"), name = folder / "run\xe9";
  const Finished trained = run(tiny_training(name, {"--data", table}));
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_EQ(run({"train", "--resume", name, "--steps", "220"}).code, 0);
  EXPECT_EQ(run({"sample", name, "--count", "3", "--image", folder / "s.png"}).code, 0);
  const Finished evaluated =
      run({"evaluate", name, "--loss-samples", "3", "--distance-points", "0", "--nll-points", "0", "--count", "3"});
  EXPECT_EQ(evaluated.code, 0) << evaluated.err;
}

TEST(MovedData, AreFoundWhereTheyAreSaidToBe) {
  const TemporaryFolder folder;
  std::string rows;
  for (int i = 0; i < 40; ++i) rows += std::to_string(i % 7) + "," + std::to_string(i % 5) + "\n";
  const std::string table = folder.write("t.csv", rows);
  ASSERT_EQ(run(tiny_training(folder / "run", {"--data", table})).code, 0);
  std::filesystem::rename(table, folder / "moved.csv");
  const Words evaluate = {
      "evaluate", folder / "run", "--loss-samples", "3", "--nll-points", "0", "--distance-points", "0", "--count", "3"};
  const Finished lost = run(evaluate);
  EXPECT_EQ(lost.code, 1);
  EXPECT_THAT(lost.err, AllOf(HasSubstr("t.csv"), HasSubstr("--data")));
  Words found = evaluate;
  found.insert(found.end(), {"--data", folder / "moved.csv"});
  const Finished measured = run(found);
  EXPECT_EQ(measured.code, 0) << measured.err;
}

// Other rows in its place would pass for those that the model was trained on.
TEST(MovedData, MustBeTheRowsOfBefore) {
  const TemporaryFolder folder;
  const auto rows = [](int offset) {
    std::string text;
    for (int i = 0; i < 40; ++i) text += std::to_string(i % 7) + "," + std::to_string(i % 5 + offset) + "\n";
    return text;
  };
  const std::string table = folder.write("t.csv", rows(0));
  ASSERT_EQ(run(tiny_training(folder / "run", {"--data", table})).code, 0);
  folder.write("t.csv", rows(1));
  const Finished evaluated = run({"evaluate", folder / "run"});
  EXPECT_EQ(evaluated.code, 1);
  EXPECT_THAT(evaluated.err, AllOf(HasSubstr("t.csv: is not the table"), HasSubstr("column 2"), HasSubstr("--data")));
  const Finished sampled = run({"sample", folder / "run", "--count", "3", "--image", folder / "s.png"});
  EXPECT_EQ(sampled.code, 0);
  EXPECT_THAT(sampled.err, HasSubstr("without the data"));
}

TEST(MovedData, OfAPipeAreNotWaitedFor) {
  const TemporaryFolder folder;
  const std::string table = folder.write("t.csv", "1,2\n2,1\n3,3\n");
  ASSERT_EQ(run(tiny_training(folder / "run", {"--data", table})).code, 0);
  std::filesystem::remove(table);
  ASSERT_EQ(::mkfifo(table.c_str(), 0600), 0);
  const Finished evaluated = run({"evaluate", folder / "run"});
  EXPECT_EQ(evaluated.code, 1);
  EXPECT_THAT(evaluated.err, HasSubstr("--data"));
}

}  // namespace
}  // namespace rill
