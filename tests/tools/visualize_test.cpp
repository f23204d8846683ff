// The figures of visualize: what they show, and the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/model/families.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/tools/process.hpp"
#include "tests/tools/tiny_images.hpp"
#include "tools/figures/drawing.hpp"
#include "tools/figures/figure.hpp"
#include "tools/figures/model_film.hpp"
#include "tools/plot/plot_grid.hpp"
#include "tools/plot/surface.hpp"

namespace rill::tools {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::contents;
using testing_support::Finished;
using testing_support::run;
using testing_support::TemporaryFolder;
using testing_support::tiny_image_flow;
using testing_support::write_contents;
using testing_support::write_tiny_images;

using Words = std::vector<std::string>;

// How dark a pixel is, from 0 for white to 1.
double ink(const Image& image, int x, int y) {
  return 1 - image.rgb[3 * static_cast<std::size_t>(y * image.width + x) + 1] / 255.0;
}
double ink_in(const Image& image, int left, int top, int right, int bottom) {
  double sum = 0;
  for (int y = top; y < bottom; ++y) {
    for (int x = left; x < right; ++x) sum += ink(image, x, y);
  }
  return sum;
}

TEST(Figures, PolygonsHaveTheirArea) {
  for (const bool reversed : {false, true}) {
    Canvas canvas(40, 40);
    std::vector<Point> corners = {{5.3, 4.1}, {33.7, 9.2}, {28.4, 35.6}, {8.8, 27.9}};
    if (reversed) std::reverse(corners.begin(), corners.end());
    canvas.polygon(corners, Color::hex(0x000000));
    double area = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const Point a = corners[i], b = corners[(i + 1) % 4];
      area += (a.x * b.y - b.x * a.y) / 2;
    }
    EXPECT_NEAR(ink_in(canvas.image(), 0, 0, 40, 40), std::abs(area), 4);
  }
}

TEST(Figures, ArrowsPointWhereTheyGo) {
  PlotGrid grid(1, 1, {-1, 1, -1, 1}, {.width = 200, .scale = 1, .titles = false});
  const Rect frame = grid.frame(0);
  grid.axes(0).arrow({-0.8, 0}, {0.8, 0}, 2, kInk);
  const Image image = grid.image();
  const int left = static_cast<int>(frame.left), middle = static_cast<int>((frame.left + frame.right) / 2),
            right = static_cast<int>(frame.right), top = static_cast<int>(frame.top),
            bottom = static_cast<int>(frame.bottom);
  // The head is on the right: more ink than the shaft alone.
  EXPECT_GT(ink_in(image, middle, top, right, bottom), 1.1 * ink_in(image, left, top, middle, bottom));
}

TEST(Figures, ContoursLieWhereTheValueIs) {
  const Limits limits{-2, 2, -2, 2};
  constexpr int kCells = 60;
  const Tensor centers = cell_centers(limits, kCells);
  const std::vector<Real> radius = sqrt(sum(square(centers), {.axes = {1}})).to_vector();
  PlotGrid grid(1, 1, limits, {.width = 300, .scale = 1, .titles = false});
  grid.axes(0).contour(radius, kCells, kCells, 1.5, 2, kInk);
  const Image image = grid.image();
  int seen = 0;
  for (int i = 0; i < 100; ++i) {
    const double angle = 0.0628 * i;
    const auto dark = [&](double r) {
      const Point p = grid.axes(0).at(r * std::cos(angle), r * std::sin(angle));
      return ink(image, static_cast<int>(p.x), static_cast<int>(p.y));
    };
    seen += dark(1.5) > 0.3 ? 1 : 0;
    EXPECT_EQ(dark(1.2), 0);
    EXPECT_EQ(dark(1.8), 0);
  }
  EXPECT_GE(seen, 98);
}

TEST(Figures, SurfacesHideWhatIsBehind) {
  // A high wall in front of a lower one, as the camera sees them: nothing of the latter shows.
  constexpr int kCells = 21;
  const auto picture = [](bool wall_behind) {
    std::vector<Real> values(kCells * kCells);
    for (int column = 0; column < kCells; ++column) {
      values[static_cast<std::size_t>(5 * kCells + column)] = 1;
      if (wall_behind) values[static_cast<std::size_t>(8 * kCells + column)] = static_cast<Real>(0.3);
    }
    Canvas canvas(300, 300);
    draw_surface(canvas, {0, 0, 300, 300}, values, kCells, kCells, {.turn = 0, .rise = 0.2, .high = 1}, 0.5);
    return canvas.image();
  };
  const Image with = picture(true), without = picture(false);
  int different = 0;
  for (std::size_t i = 0; i < with.rgb.size(); i += 3) different += with.rgb[i] != without.rgb[i] ? 1 : 0;
  EXPECT_LT(different, 400) << "only beside the wall in front";
}

TEST(Figures, FilmsMoveAndStillsShowTheirMoments) {
  const Film film = film_of({{"a",
                              [](const Axes& axes, double t) {
                                axes.arrow({-1, -1}, {t, t}, 2, kInk);
                              }},
                             {"b", [](const Axes&, double) {}}},
                            {-1, 1, -1, 1}, {.width = 100, .moments = {0, 0.5, 1}});
  EXPECT_NE(film.frame(0), film.frame(1));
  const Image frame = film.frame(0), still = film.still();
  EXPECT_GT(frame.width, 200);
  EXPECT_GT(still.width, 600) << "three moments across, at twice the scale";
  EXPECT_GT(still.height, 400) << "two panels below each other";
}

TEST(Figures, TheWayOfAModelEndsAtItsSamples) {
  for (const std::string& name : flow::family_names()) {
    Generator rng(1);
    std::shared_ptr<flow::GenerativeModel> model;
    [&]<class... Model>(const std::tuple<Model...>*) {
      const auto make = [&]<class M>(const M*) {
        if (name != M::kFamily) return;
        typename M::Description description;
        description.set_shape({.dimension = 2});
        model = std::make_shared<M>(description, rng);
      };
      (make(static_cast<const Model*>(nullptr)), ...);
    }(static_cast<const flow::AllFamilies*>(nullptr));
    const std::vector<Tensor> way = way_of(*model, 7, 5, 3);
    ASSERT_EQ(way.size(), 5u) << name;
    for (const Tensor& x : way) EXPECT_EQ(x.shape(), (Shape{7, 2})) << name;
    EXPECT_NE(way.front().to_vector(), way.back().to_vector()) << name;
    EXPECT_EQ(way.back().to_vector(), way_of(*model, 7, 5, 3).back().to_vector()) << name;
  }
}

// Small enough to be quick.
const std::map<std::string, Words> kSmall = {
    {"convergence", {"--samples", "20"}},
    {"path", {"--points", "1,3"}},
    {"marginal", {"--points", "20", "--samples", "10"}},
    {"continuity", {"--points", "5"}},
    {"pairs", {"--batch", "16", "--steps", "2"}},
    {"modes", {"--samples", "20", "--points", "30"}},
    {"families", {"--steps", "3", "--samples", "10"}},
    {"solvers", {"--points", "10"}},
    {"boards", {"--points", "20", "--samples", "10"}},
};

// The number of frames of a GIF: its image descriptors, each after a control block.
int frames_of(const std::string& gif) {
  int count = 0;
  for (std::size_t at = gif.find("\x21\xf9\x04"); at != gif.npos; at = gif.find("\x21\xf9\x04", at + 1)) ++count;
  return count;
}

TEST(Visualize, DrawsEveryFigureOfTheDocs) {
  const TemporaryFolder folder;
  for (const FigureKind& kind : figure_kinds()) {
    for (const DocumentFigure& document : kind.documents) {
      Words command = {"visualize", kind.name, "--threads", "1", "--out", folder / document.file};
      command.insert(command.end(), document.options.begin(), document.options.end());
      const Words& small = kSmall.at(kind.name);
      command.insert(command.end(), small.begin(), small.end());
      const Finished finished = run(command);
      ASSERT_EQ(finished.code, 0) << document.file << ": " << finished.err;
      EXPECT_THAT(finished.err, HasSubstr("wrote "));
      const std::string bytes = contents(folder / document.file);
      if (document.file.ends_with(".gif")) {
        EXPECT_GE(frames_of(bytes), 40) << document.file;
      } else {
        EXPECT_TRUE(bytes.starts_with("\x89PNG")) << document.file;
      }
    }
  }
}

TEST(Visualize, TheDocsHoldTheseFiguresAndNoOthers) {
  std::vector<std::string> drawn, held;
  for (const FigureKind& kind : figure_kinds()) {
    for (const DocumentFigure& document : kind.documents) drawn.push_back(document.file);
  }
  for (const auto& entry : std::filesystem::directory_iterator(RILL_DOCS "/figures")) {
    held.push_back(entry.path().filename());
    EXPECT_LE(entry.file_size(), 1 << 20) << entry.path() << ": too large for a page";
  }
  EXPECT_THAT(held, testing::UnorderedElementsAreArray(drawn)) << "run visualize all";
}

TEST(Visualize, ShowsOwnDataAndIsTheSameEachTime) {
  const TemporaryFolder folder;
  std::string csv = "x,y\n";
  for (int i = 0; i < 30; ++i) csv += std::to_string(100 + i % 6) + "," + std::to_string(i / 6) + "\n";
  write_contents(folder / "points.csv", csv);
  for (const char* figure : {"convergence", "path", "marginal", "continuity", "pairs", "families", "solvers"}) {
    Words command = {"visualize", figure, "--data", folder / "points.csv", "--out", folder / "one.png"};
    command.insert(command.end(), kSmall.at(figure).begin(), kSmall.at(figure).end());
    const Finished finished = run(command);
    ASSERT_EQ(finished.code, 0) << figure << ": " << finished.err;
    command[5] = folder / "two.png";
    run(command);
    EXPECT_EQ(contents(folder / "one.png"), contents(folder / "two.png")) << figure;
  }
}

TEST(Visualize, ShowsARun) {
  const TemporaryFolder folder;
  ASSERT_EQ(run({"train", "--data", "annulus", "--hidden", "8", "--steps", "40", "--batch", "32", "--log-every", "5",
                 "--out", folder / "run"})
                .code,
            0);
  for (const char* view : {"film", "samples", "density", "field", "trajectories", "loss", "likelihood"}) {
    const Finished finished =
        run({"visualize", "run", folder / "run", "--view", view, "--samples", "50", "--out", folder / "run.png"});
    EXPECT_EQ(finished.code, 0) << view << ": " << finished.err;
  }
}

TEST(Visualize, ShowsARunOfImages) {
  const TemporaryFolder folder;
  write_tiny_images(folder / "images");
  ASSERT_EQ(run(tiny_image_flow(folder / "images", folder / "run", {"--steps", "5"})).code, 0);
  for (const char* view : {"noise", "walk"}) {
    const Finished finished = run({"visualize", "images", folder / "run", "--view", view, "--count", "2", "--steps",
                                   "3", "--out", folder / "x.gif"});
    ASSERT_EQ(finished.code, 0) << view << ": " << finished.err;
    EXPECT_GE(frames_of(contents(folder / "x.gif")), 4) << view;
  }
}

TEST(Visualize, RefusesWhatItCannotDraw) {
  const TemporaryFolder folder;
  const std::string out = folder / "x.png";
  write_contents(folder / "three.csv", "1,2,3\n4,5,6\n7,8,10\n");
  const std::vector<std::pair<Words, std::string>> cases = {
      {{"visualize", "marginl"}, "unknown figure 'marginl' (did you mean marginal?)"},
      {{"visualize", "path", "--view", "contour", "--out", out},
       "--view: unknown view 'contour' (did you mean contours?)"},
      {{"visualize", "path", "--points", "0", "--out", out}, "--points: "},
      {{"visualize", "path", "--out", folder / "x.jpg"}, "--out: "},
      {{"visualize", "marginal", "--data", "anulus", "--out", out}, "unknown density 'anulus' (did you mean annulus?)"},
      {{"visualize", "marginal", "--data", folder / "three.csv", "--out", out},
       "has 3 dimensions, but this figure shows"},
      {{"visualize", "marginal", "--data", folder / "none.csv", "--out", out}, "none.csv: "},
      {{"visualize", "modes", "--data", "annulus", "--out", out}, "--data: annulus has no modes to count"},
      {{"visualize", "continuity", "--box", "0,0,1", "--out", out}, "--box: expected four numbers"},
      {{"visualize", "run", "--out", out}, "expected a trained run"},
      {{"visualize", "images", folder / "none", "--out", out}, "holds no run"},
  };
  for (const auto& [command, message] : cases) {
    const Finished finished = run(command);
    EXPECT_NE(finished.code, 0) << message;
    EXPECT_THAT(finished.err, HasSubstr(message));
    EXPECT_THAT(finished.out, IsEmpty());
  }
  const Finished help = run({"visualize", "--help"});
  EXPECT_EQ(help.code, 0);
  for (const FigureKind& kind : figure_kinds()) EXPECT_THAT(help.out, HasSubstr(kind.name));
}

}  // namespace
}  // namespace rill::tools
