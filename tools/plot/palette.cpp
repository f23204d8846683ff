#include "tools/plot/palette.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "autodiff/error.hpp"

namespace rill::tools {
namespace {

using Vector = std::array<double, 3>;

struct Weighted {
  std::uint32_t color;
  double count;
};

Vector vector_of(std::uint32_t color) {
  return {static_cast<double>(color >> 16), static_cast<double>((color >> 8) & 255), static_cast<double>(color & 255)};
}

std::uint32_t color_at(const Image& image, std::size_t pixel) {
  const std::uint8_t* rgb = &image.rgb[3 * pixel];
  return static_cast<std::uint32_t>(rgb[0] << 16 | rgb[1] << 8 | rgb[2]);
}

double squared_distance(const Vector& a, const Vector& b) {
  return (a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]);
}

// Sorted, so that nothing depends on the order of the hash table.
std::vector<Weighted> histogram(std::span<const Image> images) {
  std::unordered_map<std::uint32_t, double> counts;
  for (const Image& image : images) {
    const std::size_t pixels = image.rgb.size() / 3;
    for (std::size_t i = 0; i < pixels;) {
      const std::uint32_t color = color_at(image, i);
      std::size_t end = i + 1;
      while (end < pixels && color_at(image, end) == color) ++end;
      counts[color] += static_cast<double>(end - i);
      i = end;
    }
  }
  std::vector<Weighted> colors;
  for (const auto& [color, count] : counts) colors.push_back({color, count});
  std::sort(colors.begin(), colors.end(), [](const Weighted& a, const Weighted& b) { return a.color < b.color; });
  return colors;
}

struct Box {
  std::span<Weighted> colors;
  Vector mean{};
  int widest = 0;  // the channel with the largest squared error
  double error = 0;

  explicit Box(std::span<Weighted> of) : colors(of) {
    double count = 0;
    Vector squares{};
    for (const Weighted& w : colors) {
      const Vector v = vector_of(w.color);
      count += w.count;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        mean[axis] += w.count * v[axis];
        squares[axis] += w.count * v[axis] * v[axis];
      }
    }
    double largest = -1;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      mean[axis] /= count;
      const double spread = squares[axis] - count * mean[axis] * mean[axis];
      error += spread;
      if (spread > largest) {
        largest = spread;
        widest = static_cast<int>(axis);
      }
    }
    if (colors.size() == 1) error = 0;  // rounding may leave a small error
  }
};

std::vector<Vector> cut(std::span<Weighted> colors, std::size_t most) {
  std::vector<Box> boxes;
  if (!colors.empty()) boxes.emplace_back(colors);
  while (!boxes.empty() && boxes.size() < most) {
    const auto worst =
        std::max_element(boxes.begin(), boxes.end(), [](const Box& a, const Box& b) { return a.error < b.error; });
    if (worst->error <= 0) break;
    const auto axis = static_cast<std::size_t>(worst->widest);
    const double mean = worst->mean[axis];
    const std::span<Weighted> all = worst->colors;
    const auto middle = std::stable_partition(all.begin(), all.end(),
                                              [&](const Weighted& w) { return vector_of(w.color)[axis] <= mean; });
    const auto below = static_cast<std::size_t>(middle - all.begin());
    if (below == 0 || below == all.size()) {  // rounding put the mean outside: these colors are as good as one
      worst->error = 0;
      continue;
    }
    *worst = Box(all.first(below));
    boxes.emplace_back(all.subspan(below));
  }
  std::vector<Vector> centers;
  for (const Box& box : boxes) centers.push_back(box.mean);
  return centers;
}

std::size_t nearest(const std::vector<Vector>& centers, const Vector& v) {
  std::size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < centers.size(); ++i) {
    const double distance = squared_distance(centers[i], v);
    if (distance < least) {
      least = distance;
      best = i;
    }
  }
  return best;
}

// Moves all centers but the first `fixed` to the means of the colors nearest to them.
void improve(std::vector<Vector>& centers, std::size_t fixed, std::span<const Weighted> colors) {
  std::vector<Vector> sums(centers.size());
  std::vector<double> counts(centers.size());
  for (const Weighted& w : colors) {
    const Vector v = vector_of(w.color);
    const std::size_t i = nearest(centers, v);
    counts[i] += w.count;
    for (std::size_t axis = 0; axis < 3; ++axis) sums[i][axis] += w.count * v[axis];
  }
  for (std::size_t i = fixed; i < centers.size(); ++i) {
    if (counts[i] == 0) continue;
    for (std::size_t axis = 0; axis < 3; ++axis) centers[i][axis] = sums[i][axis] / counts[i];
  }
}

}  // namespace

Palette::Palette(std::span<const Image> images, int most) {
  require(most >= 2 && most <= 256, "palette: ", most, " colors, expected 2 to 256");
  std::vector<Weighted> colors = histogram(images);
  double pixels = 0;
  for (const Weighted& w : colors) pixels += w.count;

  const bool all_fit = colors.size() <= static_cast<std::size_t>(most);
  const auto rest = std::stable_partition(colors.begin(), colors.end(), [&](const Weighted& w) {
    constexpr double kFlat = 0.01;
    return all_fit || w.count >= kFlat * pixels;
  });
  // A hundredth of the pixels each: at most 100 colors, so kept to half of the palette.
  const std::size_t fixed =
      all_fit ? colors.size()
              : std::min(static_cast<std::size_t>(rest - colors.begin()), static_cast<std::size_t>(most) / 2);
  std::vector<Vector> centers;
  for (std::size_t i = 0; i < fixed; ++i) centers.push_back(vector_of(colors[i].color));
  const std::vector<Vector> means = cut(std::span(colors).subspan(fixed), static_cast<std::size_t>(most) - fixed);
  centers.insert(centers.end(), means.begin(), means.end());
  constexpr int kRounds = 3;
  for (int round = 0; round < kRounds && !all_fit; ++round) improve(centers, fixed, colors);

  for (Vector& center : centers) {
    std::uint32_t color = 0;
    for (double& part : center) {
      part = std::round(part);
      color = color << 8 | static_cast<std::uint32_t>(part);
    }
    colors_.push_back(color);
  }
  for (const Weighted& w : colors) {
    nearest_[w.color] = static_cast<std::uint8_t>(nearest(centers, vector_of(w.color)));
  }
}

std::vector<std::uint8_t> Palette::index(const Image& image) const {
  const std::size_t pixels = image.rgb.size() / 3;
  std::vector<std::uint8_t> indices(pixels);
  for (std::size_t i = 0; i < pixels; ++i) {
    const std::uint32_t color = color_at(image, i);
    indices[i] = i > 0 && color == color_at(image, i - 1) ? indices[i - 1] : nearest_.at(color);
  }
  return indices;
}

}  // namespace rill::tools
