// Images of a trained run: from noise to image, class by class, and a walk from each class to the next.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "tools/cli/usage_error.hpp"
#include "tools/figures/figure.hpp"
#include "tools/plot/image_grid.hpp"
#include "tools/run.hpp"
#include "tools/sample_options.hpp"
#include "tools/sampling.hpp"

namespace rill::tools {
namespace {

class Images final : public Figure {
 public:
  void declare(Options& options) override {
    options.group("Figure");
    options.add_positional("RUN", run_, "a trained run of images, such as runs/fashion-mnist");
    options.add("view", view_, "NAME", "noise: from noise to image, a row for each class; walk: between classes");
    options.add("count", count_, "COUNT", "noise: images of each class; walk: images at once");
    options.add("guidance", guidance_, "WEIGHT", "classifier-free guidance");
    options.add("steps", steps_, "COUNT", "of Euler's method");
  }

  Film draw(std::uint64_t seed) override {
    if (run_.empty()) throw UsageError("expected a trained run of images; train one with --preset fashion-mnist");
    if (view_ != "noise" && view_ != "walk") throw UsageError(concat("--view: expected noise or walk, got ", view_));
    require_at_least("count", static_cast<double>(count_), 1);
    require_at_least("steps", static_cast<double>(steps_), 1);
    const TrainedModel trained = load_trained_model(run_);
    if (!trained.data.holds_images()) throw UsageError(concat(run_, ": is not a run of images"));
    SampleOptions options;
    options.guidance = guidance_;
    options.steps = steps_;
    options.seed = seed;
    SampleRequest request;
    options.apply(*trained.model, request);
    for (Index label = 0; label < trained.model->classes(); ++label) request.labels.push_back(label);
    return view_ == "noise" ? from_noise(trained, request) : walk(trained, request);
  }

 private:
  Film from_noise(const TrainedModel& trained, SampleRequest& request) const {
    request.count = count_;
    request.options.keep_trajectory = true;
    const Samples samples = draw_samples(trained, request);
    return of_frames(sample_film(trained, samples), sample_picture(trained, samples, nullptr, 0));
  }

  // The columns of an interpolation between labels become frames; a row, an image that walks from its class to the
  // next.
  Film walk(const TrainedModel& trained, SampleRequest& request) const {
    if (trained.model->classes() < 2) throw UsageError("--view walk: this model knows no classes to walk between");
    constexpr Index kFrames = 24;
    request.interpolate = Interpolate::kLabels;
    request.count = kFrames;
    const Samples samples = draw_samples(trained, request);
    const Index rows = samples.x.dim(0) / kFrames, size = samples.x.dim(1);
    std::vector<Image> frames;
    for (Index frame = 0; frame < kFrames; ++frame) {
      std::vector<Real> pixels;
      for (Index row = 0; row < rows; ++row) {
        const Real* image = samples.x.data() + (row * kFrames + frame) * size;
        pixels.insert(pixels.end(), image, image + size);
      }
      frames.push_back(image_grid(pixels, static_cast<int>(trained.data.height), static_cast<int>(trained.data.width),
                                  {.columns = static_cast<int>(rows), .row_labels = {}}));
    }
    return of_frames(std::move(frames), sample_picture(trained, samples, nullptr, 0));
  }

  static Film of_frames(std::vector<Image> frames, Image still) {
    Film film;
    film.frames = static_cast<int>(frames.size());
    film.frame = [frames = std::move(frames)](double clock) {
      return frames[static_cast<std::size_t>(clock * static_cast<double>(frames.size() - 1) + 0.5)];
    };
    film.still = [still = std::move(still)] { return still; };
    return film;
  }

  std::string run_, view_ = "noise";
  Index count_ = 10, steps_ = 50;
  double guidance_ = 1;
};

}  // namespace

std::unique_ptr<Figure> make_images() { return std::make_unique<Images>(); }

}  // namespace rill::tools
