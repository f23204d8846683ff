// The marginal density between noise and data, in closed form: of a Gaussian, and of data sets of more and more points.
#include <cmath>
#include <functional>
#include <memory>
#include <numbers>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/text.hpp"
#include "flow/path/marginal.hpp"
#include "tools/cli/usage_error.hpp"
#include "tools/figures/drawing.hpp"
#include "tools/figures/figure.hpp"
#include "tools/figures/figure_data.hpp"
#include "tools/plot/colormap.hpp"
#include "tools/plot/font.hpp"
#include "tools/plot/layout.hpp"
#include "tools/plot/surface.hpp"
#include "tools/plot/ticks.hpp"

namespace rill::tools {
namespace {

/// ln p_t at points [N, 2].
using DensityAt = std::function<Tensor(const Tensor& x, double t)>;

struct Titled {
  std::string title;
  DensityAt log_density;
};

// From N(0, I) to N(m, s^2 I), with mean and deviation linear in t.
DensityAt gaussian_path(double m_x, double m_y, double s) {
  return [=](const Tensor& x, double t) {
    const double deviation = 1 - (1 - s) * t;
    const Tensor mean = Tensor::from({static_cast<Real>(t * m_x), static_cast<Real>(t * m_y)}, {1, 2});
    const Tensor z = (x - mean) / deviation;
    return -0.5 * sum(square(z), {.axes = {1}}) - std::log(2 * std::numbers::pi * deviation * deviation);
  };
}

class PathFigure final : public Figure {
 public:
  void declare(Options& options) override {
    options.group("Figure");
    options.add("view", view_, "NAME", "surface, heat or contours");
    data_.declare(options);
    options.add("points", counts_, "COUNTS", "sizes of the data sets");
    options.add("sigma-min", sigma_min_, "SIGMA", "deviation around each data point at t = 1");
  }

  Film draw(std::uint64_t seed) override {
    by_option("view", [&] { require_known("view", view_, {"surface", "heat", "contours"}); });
    if (!(0 < sigma_min_ && sigma_min_ < 1)) {
      throw UsageError(concat("--sigma-min: expected a number between 0 and 1, got ", sigma_min_));
    }
    std::vector<Titled> panels = {{"to N((2, 1), I/2)", gaussian_path(2, 1, std::sqrt(0.5))}};
    const auto scheduler = std::make_shared<flow::CondOtScheduler>(sigma_min_);
    Tensor all = Tensor::from({2, 1}, {1, 2});
    for (const Index count : counts_) {
      require_at_least("points", static_cast<double>(count), 1);
      const Tensor points = data_.points(count, seed);
      all = concatenate({all, points}, 0);
      const flow::EmpiricalMarginal marginal(points, scheduler);
      panels.push_back({concat("to ", counted(points.dim(0), "point")), [marginal](const Tensor& x, double t) {
                          return marginal.log_density(x, Tensor::full({x.dim(0)}, t));
                        }});
    }
    const Limits limits = limits_around(all, 1.4);
    return view_ == "surface" ? surfaces(panels, limits) : maps(panels, limits);
  }

 private:
  static constexpr int kCells = 40;

  // What is shown is the root of the density: a few points end as peaks many times as high as the noise.
  static Tensor root_of_density(const Titled& panel, const Tensor& x, double t) {
    return exp(0.5 * panel.log_density(x, t));
  }

  static double highest(const Titled& panel, const Tensor& centers) {
    double high = 0;
    for (const double t : {0.0, 0.5, 1.0}) {
      high = std::max(high, static_cast<double>(max(root_of_density(panel, centers, t)).item()));
    }
    return high;
  }

  Film maps(const std::vector<Titled>& panels, const Limits& limits) const {
    const Tensor centers = cell_centers(limits, kCells);
    std::vector<FilmPanel> drawn;
    for (const Titled& panel : panels) {
      const double high = highest(panel, centers);
      drawn.push_back({panel.title, [=, filled = view_ == "heat"](const Axes& axes, double t) {
                         const std::vector<Real> values = root_of_density(panel, centers, t).to_vector();
                         if (filled) return axes.heat_map(values, kCells, kCells, 0, high, viridis);
                         for (int level = 0; level < 7; ++level) {
                           const double share = std::pow(2.0, -0.5 * level);
                           axes.contour(values, kCells, kCells, 0.9 * share * high, 1.3, viridis(0.95 * share));
                         }
                       }});
    }
    return film_of(std::move(drawn), limits, {.moments = {0, 0.3, 0.6, 1}});
  }

  static Film surfaces(const std::vector<Titled>& panels, const Limits& limits) {
    const Tensor centers = cell_centers(limits, kCells);
    std::vector<double> highs;
    for (const Titled& panel : panels) highs.push_back(highest(panel, centers));
    // One panel at (column, row) of a grid, at `scale` pixels per unit.
    const auto draw = [=](Canvas& canvas, std::size_t i, int column, int row, double t, double scale,
                          const std::string& title) {
      const double width = kWidth * scale, height = kHeight * scale;
      const Rect frame = {column * width, row * height + 26 * scale, (column + 1) * width, (row + 1) * height};
      draw_surface(canvas, frame, root_of_density(panels[i], centers, t).to_vector(), kCells, kCells,
                   {.turn = 0.5 + 0.9 * t, .high = highs[i]}, 0.5 * scale);
      canvas.text({(frame.left + frame.right) / 2, frame.top}, title,
                  {layout::kTitleText * scale, kInk, Align::kCenter});
    };
    const int count = static_cast<int>(panels.size());
    const auto time = [](double t) { return "t = " + format_fixed(t, 2) + ", height: root of p"; };
    Film film;
    film.frame = [=](double t) {
      Canvas canvas(static_cast<int>(kWidth * count), static_cast<int>(kHeight + 22));
      for (int i = 0; i < count; ++i) {
        draw(canvas, static_cast<std::size_t>(i), i, 0, t, 1, panels[static_cast<std::size_t>(i)].title);
      }
      canvas.text({kWidth * count / 2, kHeight + 8}, time(t), {layout::kTitleText, kInk, Align::kCenter});
      return canvas.image();
    };
    film.still = [=] {
      const std::vector<double> moments = {0, 0.4, 0.8, 1};
      Canvas canvas(static_cast<int>(2 * kWidth * static_cast<double>(moments.size())),
                    static_cast<int>(2 * kHeight * count));
      for (int i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < moments.size(); ++j) {
          draw(canvas, static_cast<std::size_t>(i), static_cast<int>(j), i, moments[j], 2,
               j == 0 ? panels[static_cast<std::size_t>(i)].title : time(moments[j]));
        }
      }
      return canvas.image();
    };
    return film;
  }

  static constexpr double kWidth = 205, kHeight = 190;

  std::string view_ = "surface";
  FigureData data_{};
  std::vector<Index> counts_ = {1, 10, 1000};
  double sigma_min_ = 0.2;
};

}  // namespace

std::unique_ptr<Figure> make_path_figure() { return std::make_unique<PathFigure>(); }

}  // namespace rill::tools
