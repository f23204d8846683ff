// Trains a flow.
#include <chrono>
#include <filesystem>
#include <iostream>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/text.hpp"
#include "flow/trainer.hpp"
#include "nn/checkpoint.hpp"
#include "nn/model.hpp"
#include "tools/metrics_log.hpp"
#include "tools/png.hpp"
#include "tools/presets.hpp"
#include "tools/program.hpp"
#include "tools/progress.hpp"
#include "tools/run.hpp"
#include "tools/sampling.hpp"
#include "tools/signals.hpp"
#include "tools/text.hpp"
#include "tools/train_settings.hpp"

namespace rill::tools {
namespace {

// The initial weights' stream of the seed; steps, held-out batches and shuffles have others (flow/trainer.cpp,
// datasets/batches.hpp).
constexpr std::uint64_t kWeightsStream = std::uint64_t{1} << 60;

constexpr const char* kExample =
    "  train --preset annulus\n"
    "  train --preset moons --steps 20000 --out runs/long\n"
    "  train --data points.csv --hidden 128,128,128\n"
    "  train --resume runs/long\n"
    "Later sources win: defaults, --preset, --config, options. Press Ctrl-C to stop and save.";

/// The run that the command line asks for.
struct Request {
  TrainSettings settings;
  std::string preset, config, resume;
  std::string config_text;  // what config.toml will hold
};

bool read_request(int argc, const char* const* argv, Request& request) {
  Options options("train", "Trains a flow on a density, a table of points or images, and keeps it in a folder.",
                  kExample);
  options.add("preset", request.preset, "NAME", concat("start from these settings: ", preset_names()),
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
    for (const char* other : {"preset", "config", "out", "overwrite"}) {
      if (!options.given(other).empty()) throw UsageError(concat("--", other, ": not together with --resume"));
    }
    const RunFiles files(folder);
    if (!std::filesystem::exists(files.config)) throw UsageError(concat("--resume: ", folder, " holds no run"));
    options.read_file(files.config);
  }
  if (const std::string name = last("preset"); !name.empty()) options.read_file(find_preset(name));
  if (const std::string file = last("config"); !file.empty()) options.read_file(file);
  options.apply_command_line();

  TrainSettings& settings = request.settings;
  settings.complete();
  if (!request.resume.empty()) settings.out = request.resume;
  if (settings.out.empty()) {
    const std::string name =
        request.preset.empty() ? std::filesystem::path(settings.data).stem().string() : request.preset;
    settings.out = "runs/" + name;
  }
  request.config_text = "# The settings of a training run: train --config reads them.\n" + options.to_toml();
  return true;
}

std::string model_text(const nn::ModelDescription& model, Index parameters) {
  std::vector<std::string> sizes;
  for (const Index size : model.hidden) sizes.push_back(std::to_string(size));
  return concat(model.kind, " ", joined(sizes, "-"), ", ", model.activation, ", ", model.time_embedding, " time; ",
                grouped(parameters), " parameters");
}

std::string training_text(const TrainSettings& settings) {
  const flow::TrainerOptions& trainer = settings.trainer;
  return concat(grouped(settings.steps), " steps of ", settings.batch, "; ", trainer.optimizer.kind, ", ",
                trainer.learning_rate.schedule, " learning rate ", trainer.learning_rate.peak, "; ",
                trainer.examples.times.distribution, " times, ", trainer.examples.path.name, " path, ",
                trainer.examples.coupling.name, " coupling; seed ", trainer.seed);
}

/// A run under way: the trainer, and what it leaves in the folder.
class Run {
 public:
  Run(const Request& request, std::string command)
      : request_(request),
        settings_(request.settings),
        command_(std::move(command)),
        files_(settings_.out),
        flow_(settings_.flow_description()),
        data_(open_data(flow_.data)),
        description_(describe_model()),
        model_(make_model()),
        trainer_(*model_, data_->batches(settings_.batch, settings_.trainer.seed), trainer_options()) {
    flow_.data = data_->description();
  }

  int train() {
    prepare_folder();
    announce();
    MetricsLog metrics(files_.metrics, trainer_.steps_done());
    Progress progress(trainer_.steps_done(), settings_.steps, settings_.batch);
    auto last_save = std::chrono::steady_clock::now();
    while (trainer_.steps_done() < settings_.steps && stop_signal() == 0) {
      const nn::StepReport report = step(progress);
      if (report.step % settings_.log_every == 0) metrics.append(report, trainer_.take_mean_loss());
      progress.step(report);
      const auto now = std::chrono::steady_clock::now();
      if (std::chrono::duration<double>(now - last_save).count() >= settings_.save_every) {
        save(metrics);
        last_save = now;
      }
    }
    progress.finish();
    save(metrics);
    if (trainer_.steps_done() < settings_.steps) return stopped();
    finish(progress.seconds());
    return kDone;
  }

 private:
  nn::ModelDescription describe_model() const {
    nn::ModelDescription description = settings_.model;
    description.dimension = data_->dimension();
    description.classes = data_->description().classes;
    return description;
  }

  flow::TrainerOptions trainer_options() const {
    flow::TrainerOptions options = settings_.trainer;
    options.examples.source = flow_.examples(data_->dimension()).source;
    return options;
  }

  std::shared_ptr<nn::VelocityModel> make_model() const {
    Generator rng(settings_.trainer.seed, kWeightsStream);
    return nn::make_model(description_, rng);
  }

  // From here on the folder holds a run that can be resumed.
  void prepare_folder() {
    if (!request_.resume.empty()) {
      if (std::filesystem::exists(files_.state)) trainer_.load(files_.state);
    } else if (files_.any_exist()) {
      if (!settings_.overwrite) {
        throw UsageError(concat("--out: ", files_.folder, " already holds a run; continue it with --resume ",
                                shell_word(files_.folder), ", replace it with --overwrite, or choose another folder"));
      }
      files_.remove();
    }
    files_.create_folder();
    write_file_atomically(files_.config, request_.config_text);
  }

  void announce() const {
    std::cerr << "data      " << flow_.data.text() << ": " << data_->size_text() << '\n';
    if (flow_.source) std::cerr << "source    " << flow_.source->text() << '\n';
    std::cerr << "model     " << model_text(description_, model_->parameter_count()) << '\n'
              << "training  " << training_text(settings_) << '\n'
              << "machine   " << machine_text() << '\n'
              << "run       " << files_.folder;
    if (trainer_.steps_done() > 0) std::cerr << ", resumed at step " << grouped(trainer_.steps_done());
    std::cerr << std::endl;
  }

  nn::StepReport step(Progress& progress) {
    try {
      return trainer_.step();
    } catch (const nn::DivergedError&) {
      progress.finish();
      throw;
    }
  }

  // The state is one file that appears at once, so a run killed between the two files resumes from it alone.
  void save(MetricsLog& metrics) {
    metrics.sync();
    trainer_.save(files_.state);
    nn::save_model(files_.model, description_, *model_, trainer_.ema(), model_metadata(flow_));
  }

  int stopped() const {
    std::cerr << "stopped at step " << grouped(trainer_.steps_done()) << " of " << grouped(settings_.steps)
              << "; continue with\n  " << command_ << " --resume " << shell_word(files_.folder) << std::endl;
    return 128 + stop_signal();
  }

  void finish(double seconds) const {
    std::cerr << "trained in " << duration(seconds) << '\n';
    const TrainedModel trained = load_trained_model(files_.model);
    if (has_picture(trained)) {
      SampleRequest request;
      request.seed = settings_.trainer.seed;
      for (Index label = 0; label < description_.classes; ++label) request.labels.push_back(label);
      if (trained.flow.data.kind == "images") request.count = 10;
      write_png(files_.samples, sample_picture(trained, draw_samples(trained, request), request));
    }
    std::cerr << "wrote " << files_.folder << std::endl;
  }

  const Request& request_;
  const TrainSettings& settings_;
  std::string command_;
  RunFiles files_;
  FlowDescription flow_;
  std::unique_ptr<Data> data_;
  nn::ModelDescription description_;
  std::shared_ptr<nn::VelocityModel> model_;
  flow::Trainer trainer_;
};

int train(int argc, const char* const* argv) {
  Request request;
  if (!read_request(argc, argv, request)) return kDone;
  use_threads(request.settings.threads);
  remember_stop_signals();
  try {
    return Run(request, shell_word(argv[0])).train();
  } catch (const nn::DivergedError& error) {
    std::cerr << "train: " << error.what() << "; try a smaller --learning-rate, --clip-norm 1 or --warmup 500"
              << std::endl;
    return kDiverged;
  }
}

}  // namespace
}  // namespace rill::tools

int main(int argc, char** argv) {
  return rill::tools::run_program("train", [&] { return rill::tools::train(argc, argv); });
}
