// Trains a flow, or a classifier of images.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/interruption.hpp"
#include "autodiff/text.hpp"
#include "nn/training_loop.hpp"
#include "tools/cli/metrics_log.hpp"
#include "tools/cli/presets.hpp"
#include "tools/cli/program.hpp"
#include "tools/cli/progress.hpp"
#include "tools/cli/run_lock.hpp"
#include "tools/cli/signals.hpp"
#include "tools/cli/text.hpp"
#include "tools/run.hpp"
#include "tools/train_settings.hpp"
#include "tools/training_task.hpp"

namespace rill::tools {
namespace {

constexpr const char* kExample =
    "  train --preset annulus\n"
    "  train --preset moons --steps 20000 --out runs/long\n"
    "  train --data points.csv --hidden 128,128,128\n"
    "  train --preset fashion-mnist --sample-every 500\n"
    "  train --preset mnist --data-dir data/mnist\n"
    "  train --reflow runs/fashion-mnist --pair-guidance 2 --steps 1000\n"
    "  train --resume runs/long\n"
    "Later sources win: defaults, --preset, --config, options. Press Ctrl-C to stop and save.";

// Advice against a loss that grows.
std::string steadier_training(const TrainSettings& settings) {
  const Index warmup = std::min<Index>(500, settings.steps / 10);
  const bool warms_up = warmup > settings.trainer.learning_rate.warmup_steps;
  return concat("try a smaller --learning-rate", warms_up ? ", " : " or ", "--clip-norm 1",
                warms_up ? concat(" or --warmup ", warmup) : "");
}

/// The requested run.
struct Request {
  TrainSettings settings;
  std::string preset, config, resume;
  std::string config_text;  // the contents of config.toml
};

bool read_request(int argc, const char* const* argv, Request& request) {
  Options options(
      "train",
      "Trains a generative model on a density, a table of points or images, or an image classifier, and saves "
      "it in a folder.",
      kExample);
  options.add("preset", request.preset, "NAME", concat("start from these settings: ", joined(preset_names())),
              Place::kCommandLine);
  options.add("config", request.config, "FILE", "start from the settings in a TOML file", Place::kCommandLine);
  options.add("resume", request.resume, "FOLDER", "continue the run in this folder; options change its settings",
              Place::kCommandLine);
  request.settings.declare(options);
  if (!options.read_command_line(argc, argv)) return false;

  const auto last = [&](const char* name) {
    const auto values = options.given(name);
    return values.empty() ? std::string() : values.back();
  };
  if (const std::string folder = last("resume"); !folder.empty()) {
    for (const char* other : {"preset", "config", "out", "overwrite", "autoencoder"}) {
      if (!options.given(other).empty()) throw UsageError(concat("--", other, ": not together with --resume"));
    }
    const RunFiles files(folder);
    if (!std::filesystem::exists(files.config)) throw UsageError(concat("--resume: ", folder, " holds no run"));
    options.read_file(files.config);
  }
  TrainSettings& settings = request.settings;
  const auto read = [&](const std::string& file) {
    options.read_file(file);
    settings.refuse_unused(options);
  };
  if (const std::string name = last("preset"); !name.empty()) read(find_preset(name));
  if (const std::string file = last("config"); !file.empty()) read(file);
  options.apply_command_line();
  settings.refuse_unused(options);
  settings.complete();
  if (!request.resume.empty()) settings.out = request.resume;
  if (settings.out.empty()) {
    const std::string name =
        request.preset.empty() ? std::filesystem::path(settings.data).stem().string() : request.preset;
    settings.out = settings.reflow.run.empty() ? "runs/" + name : settings.reflow.run + "-reflow";
  }
  std::error_code absent;
  if (!settings.reflow.run.empty() && std::filesystem::equivalent(settings.out, settings.reflow.run, absent)) {
    throw UsageError(
        concat("--out: ", settings.out, " holds the run that --reflow starts from; choose another folder"));
  }
  const RunFiles files(settings.out);
  for (const std::string& place : {settings.out, files.model}) {
    if (!settings.autoencoder.empty() && std::filesystem::equivalent(place, settings.autoencoder, absent)) {
      throw UsageError(concat("--out: ", settings.out, " holds the run of the --autoencoder; choose another folder"));
    }
  }
  for (const std::string& file : files.all()) {
    if (request.resume.empty() && std::filesystem::equivalent(settings.data, file, absent)) {
      throw UsageError(concat("--out: the data, ", settings.data, ", would be replaced; choose another folder"));
    }
  }
  request.config_text = concat(kConfigHeader, "\n", options.to_toml());
  // A latent flow contains its autoencoder, whose own run may have changed since, or gone.
  if (!request.resume.empty() && !settings.autoencoder.empty() && std::filesystem::exists(files.model)) {
    settings.autoencoder = files.model;
  }
  return true;
}

/// A run in progress: what is trained, and the files in its folder.
class Run {
 public:
  Run(const Request& request, std::string command)
      : request_(request),
        settings_(request.settings),
        command_(std::move(command)),
        files_(settings_.out),
        task_(make_training_task(settings_)),
        loop_(task_->loop()) {}

  Index next_step() const { return loop_.steps_done() + 1; }

  // Advice after a step that diverged.
  std::string advice() const {
    if (loop_.steps_done() > 0) return steadier_training(settings_);
    return concat(
        "no step was taken, so the learning rate does not matter: the data or the source have numbers too large for "
        "the "
        "network (choose parameters that bring densities near 0, with a deviation near 1), or a setting of --family ",
        settings_.family.name, " is too large");
  }

  int train() {
    // Before this there was nothing to save, and a signal ended the program at once.
    remember_stop_signals();
    prepare_folder();
    announce();
    try {
      task_->prepare(files_);
      take_steps();
      save();
      progress_->finish();
      std::cerr << "trained in " << duration(progress_->seconds()) << std::endl;
      task_->finish(files_);
    } catch (const Stopped&) {
      if (!metrics_) {
        std::cerr << "stopped before the first step; " << files_.folder << " still holds its previous run" << std::endl;
        return 128 + stop_signal();
      }
      save();
      if (progress_) progress_->finish();
      std::cerr << "stopped at step " << grouped(loop_.steps_done()) << " of " << grouped(settings_.steps)
                << "; continue with\n  " << command_ << " --resume " << shell_word(files_.folder) << std::endl;
      return 128 + stop_signal();
    }
    warn_of_failure();
    std::cerr << "wrote " << files_.folder << std::endl;
    return kDone;
  }

 private:
  // Afterward, the folder always holds a run that can be resumed: this one or, until its first step, the one to
  // replace.
  void prepare_folder() {
    files_.create_folder();
    lock_.emplace(files_.folder);
    if (!request_.resume.empty()) {
      if (std::filesystem::exists(files_.state)) {
        loop_.load(files_.state,
                   [&](const nn::Metadata& state) { require_same_run(state, task_->identity(), files_.state); });
      } else {
        // A run stopped before its first save has neither file. A trained model must not be replaced by a new one.
        require_file(!std::filesystem::exists(files_.model), files_.state,
                     "there is no such file, and training cannot continue without it; put it back, or start a new run "
                     "with --config ",
                     shell_word(files_.config), " --out FOLDER");
      }
      if (settings_.steps < loop_.steps_done()) {
        throw UsageError(concat("--steps: ", files_.folder, " has ", loop_.steps_done(), " steps done, more than ",
                                settings_.steps, "; give at least as many, or start a new run with --out"));
      }
    } else if (files_.any_exist()) {
      if (!settings_.overwrite) {
        throw UsageError(concat("--out: ", files_.folder, " already holds a run; continue it with --resume ",
                                shell_word(files_.folder), ", replace it with --overwrite, or choose another folder"));
      }
      return;
    }
    begin_files(loop_.steps_done());
  }

  // Rows of metrics.csv up to step `kept` belong to this run.
  void begin_files(Index kept) {
    write_file_atomically(files_.config, request_.config_text);
    metrics_.emplace(files_.metrics, kept);
  }

  // Only once a step has succeeded: a run that fails at once must not cost another one. The pairs are already this
  // run's.
  void replace_old_run() {
    files_.remove(!settings_.reflow.run.empty());
    begin_files(0);
  }

  void announce() const {
    std::cerr << task_->text() << "machine   " << machine_text() << '\n' << "run       " << files_.folder;
    if (loop_.steps_done() > 0) std::cerr << ", resumed at step " << grouped(loop_.steps_done());
    std::cerr << std::endl;
  }

  // Throws Stopped between steps, while a step's examples are paired, and while a picture is drawn.
  void take_steps() {
    const Interruptible interruptible(heed_stop_signal);
    progress_.emplace(loop_.steps_done(), settings_.steps, settings_.batch);
    auto last_save = std::chrono::steady_clock::now();
    while (loop_.steps_done() < settings_.steps) {
      heed_stop_signal();
      const nn::StepReport report = loop_.step();
      if (!metrics_) replace_old_run();
      if (report.step == 1) first_loss_ = report.loss;
      last_loss_ = report.loss;
      if (report.step % settings_.log_every == 0) metrics_->append(report, loop_.take_mean_loss());
      progress_->step(report);
      if (settings_.sample_every > 0 && report.step % settings_.sample_every == 0 && report.step < settings_.steps) {
        task_->draw_samples(files_.samples);
      }
      const std::chrono::duration<double> since_save = std::chrono::steady_clock::now() - last_save;
      if (since_save.count() >= settings_.save_every) {
        save();
        // Counted from the end of a save: where saves take longer than that, the run still trains in between.
        last_save = std::chrono::steady_clock::now();
      }
    }
  }

  void save() {
    try {
      write_files();
    } catch (const FileError&) {
      if (std::filesystem::exists(files_.config)) throw;
      write_files();  // the folder was removed while it was being written to
    }
  }

  // The state is one file that appears atomically, so a run that is killed between the two files can be resumed from
  // it. The other files that resuming needs already exist, unless they were removed during training.
  void write_files() {
    files_.create_folder();
    lock_->renew();
    if (!std::filesystem::exists(files_.config)) write_file_atomically(files_.config, request_.config_text);
    metrics_->sync();
    loop_.save(files_.state, task_->identity());
    task_->save_model(files_.model);
  }

  // A loss may grow without ever becoming infinite. That of a likelihood may be negative.
  void warn_of_failure() const {
    constexpr double kMuchMore = 10;
    const double first = std::isnan(first_loss_) ? metrics_->first_loss() : first_loss_,
                 last = std::isnan(metrics_->last_loss()) ? last_loss_ : metrics_->last_loss();
    if (!(last > first + (kMuchMore - 1) * std::abs(first))) return;
    std::cerr << "warning: the loss began at " << significant(first, 3) << " and ended at " << significant(last, 3)
              << ": the model has learned nothing; " << steadier_training(settings_) << std::endl;
  }

  const Request& request_;
  const TrainSettings& settings_;
  std::string command_;
  RunFiles files_;
  std::unique_ptr<TrainingTask> task_;
  nn::TrainingLoop& loop_;
  std::optional<RunLock> lock_;
  std::optional<MetricsLog> metrics_;
  std::optional<Progress> progress_;
  // The losses of the run's first step, unless an earlier process took it, and of the last one.
  double first_loss_ = std::numeric_limits<double>::quiet_NaN(), last_loss_ = first_loss_;
};

int train(int argc, const char* const* argv) {
  Request request;
  if (!read_request(argc, argv, request)) return kDone;
  use_threads(request.settings.threads);
  std::optional<Run> run(std::in_place, request, shell_word(argv[0]));
  const auto diverged = [&](const std::string& what) {
    const std::string advice = run->advice();
    run.reset();  // ends its progress line
    std::cerr << program_name(argv[0]) << ": " << what << "; " << advice << std::endl;
    return kDiverged;
  };
  try {
    return run->train();
  } catch (const nn::DivergedError& error) {
    return diverged(error.what());
  } catch (const flow::SolveError& error) {
    return diverged(concat("training diverged at step ", run->next_step(), ": ", error.what()));
  }
}

}  // namespace
}  // namespace rill::tools

int main(int argc, char** argv) {
  return rill::tools::run_program(argv[0], [&] { return rill::tools::train(argc, argv); });
}
