#include "tools/plot/font.hpp"

#include <charconv>
#include <cstddef>
#include <cstring>
#include <map>

namespace rill::tools {
namespace {

// A glyph is drawn on a grid of 20 units to the em, y upward from the baseline: capitals are 14 high, small letters
// 10, and tails reach down to -4.2. Its path is a list of commands:
//   M x y                   lift the pen and put it down at (x, y)
//   L x y                   a straight line
//   H x y                   a quarter of an ellipse that leaves horizontally and arrives vertically
//   V x y                   a quarter of an ellipse that leaves vertically and arrives horizontally
//   C x1 y1 x2 y2 x y       a cubic Bezier curve
//   D x y                   a dot, a little wider than the pen
constexpr double kUnitsPerEm = 20;
constexpr double kTracking = 0.4;  // added to every advance

struct GlyphSource {
  char32_t code;
  double advance;
  const char* path;
};

constexpr GlyphSource kSources[] = {
    {' ', 5.2, ""},
    {'!', 5.0, "M 2.5 14 L 2.5 4.4 D 2.5 .2"},
    {'"', 6.6, "M 2 14 L 2 10.4 M 4.6 14 L 4.6 10.4"},
    {'#', 12.2, "M 5 14 L 3.2 0 M 9.2 14 L 7.4 0 M 1.5 9.6 L 11 9.6 M 1.1 4.4 L 10.6 4.4"},
    {'$', 11.2,
     "M 9 10.6 C 8.5 11.8 7.3 12.6 5.6 12.6 C 3.6 12.6 2.1 11.5 2.1 9.9 C 2.1 5.9 9.3 8.2 9.3 4.2"
     " C 9.3 2.5 7.8 1.4 5.7 1.4 C 3.8 1.4 2.3 2.2 1.7 3.7 M 5.6 15.2 L 5.6 -1.2"},
    {'%', 16.4,
     "M 4 14 H 1.6 10.7 V 4 7.4 H 6.4 10.7 V 4 14 M 12.4 6.6 H 10 3.3 V 12.4 0 H 14.8 3.3 V 12.4 6.6 M 12.4 14 L 4 0"},
    {'&', 12.8,
     "M 11.6 0 L 3.5 9.6 C 1.9 11.6 3.2 14 5.4 14 C 7.6 14 8.7 11.9 7.3 10.2 C 6 8.6 1.8 7.6 1.8 3.8"
     " C 1.8 1.5 3.4 0 5.7 0 C 8.8 0 11 2.6 11.3 6.4"},
    {'\'', 4.0, "M 2 14 L 2 10.4"},
    {'(', 5.6, "M 4.4 15.4 C 1.2 10.8 1.2 1.6 4.4 -3"},
    {')', 5.6, "M 1.2 15.4 C 4.4 10.8 4.4 1.6 1.2 -3"},
    {'*', 8.4, "M 4.2 14 L 4.2 8.4 M 1.8 12.6 L 6.6 9.8 M 6.6 12.6 L 1.8 9.8"},
    {'+', 11.2, "M 1.7 6 L 9.5 6 M 5.6 9.9 L 5.6 2.1"},
    {',', 4.8, "M 2.6 .4 L 1.7 -2.6"},
    {'-', 7.0, "M 1.5 5.6 L 5.5 5.6"},
    {'.', 4.8, "D 2.4 .2"},
    {'/', 7.2, "M .9 -2 L 6.3 15"},
    {'0', 11.2, "M 5.6 14 H 1.8 7 V 5.6 0 H 9.4 7 V 5.6 14"},
    {'1', 11.2, "M 2.9 11.4 L 6.4 14 L 6.4 0"},
    {'2', 11.2, "M 2 10.4 C 2.1 12.6 3.5 14 5.6 14 C 7.7 14 9.1 12.6 9.1 10.6 C 9.1 8.4 7.6 6.6 1.9 0 L 9.5 0"},
    {'3', 11.2,
     "M 2.1 11.2 C 2.5 13 3.8 14 5.5 14 H 8.9 10.8 V 5.5 7.5 L 4.3 7.5 M 5.5 7.5 H 9.3 3.8 V 5.4 0"
     " C 3.5 0 2.1 1.1 1.7 3"},
    {'4', 11.2, "M 7.5 0 L 7.5 14 L 1.5 3.9 L 9.9 3.9"},
    {'5', 11.2, "M 8.8 14 L 2.9 14 L 2.4 7.5 C 3.1 8.4 4.2 8.9 5.4 8.9 H 9.4 4.5 V 5.3 0 C 3.5 0 2.1 1 1.6 2.7"},
    {'6', 11.2, "M 8.8 11.6 C 8.3 13.1 7.3 14 5.9 14 H 1.8 6 V 5.6 0 H 9.4 4.3 V 5.7 8.6 H 1.8 4.8"},
    {'7', 11.2, "M 1.8 14 L 9.4 14 L 4.3 0"},
    {'8', 11.2, "M 5.6 14 H 2.4 10.8 V 5.6 7.6 H 8.8 10.8 V 5.6 14 M 5.6 7.6 H 1.8 3.8 V 5.6 0 H 9.4 3.8 V 5.6 7.6"},
    {'9', 11.2, "M 2.4 2.4 C 2.9 .9 3.9 0 5.3 0 H 9.4 8 V 5.6 14 H 1.8 9.7 V 5.5 5.4 H 9.4 9.2"},
    {':', 4.8, "D 2.4 .2 D 2.4 8.4"},
    {';', 4.8, "M 2.6 .4 L 1.7 -2.6 D 2.4 8.4"},
    {'<', 11.2, "M 9.4 10 L 1.8 6 L 9.4 2"},
    {'=', 11.2, "M 1.7 8.1 L 9.5 8.1 M 1.7 3.9 L 9.5 3.9"},
    {'>', 11.2, "M 1.8 10 L 9.4 6 L 1.8 2"},
    {'?', 9.6, "M 1.5 10.8 C 1.7 12.8 3 14 4.8 14 C 6.8 14 8.1 12.8 8.1 11 C 8.1 8.2 4.9 8 4.9 4.4 D 4.9 .2"},
    {'@', 17.0,
     "M 11.4 9.4 L 11.4 4.8 C 11.4 2 15.4 2.2 15.4 6.6 C 15.4 11.2 12.4 14 8.5 14 C 4.4 14 1.5 10.7 1.5 5.8"
     " C 1.5 .7 4.6 -2.6 8.9 -2.6 C 10.5 -2.6 11.7 -2.3 12.8 -1.6 M 8.3 9.5 H 5.1 6 V 8.3 2.5 H 11.4 6 V 8.3 9.5"},
    {'A', 12.6, "M 1 0 L 6.3 14 L 11.6 0 M 2.8 4.7 L 9.8 4.7"},
    {'B', 12.2, "M 2.2 7.4 L 6.5 7.4 H 9.9 10.7 V 6.5 14 L 2.2 14 L 2.2 0 L 6.9 0 H 10.6 3.7 V 6.9 7.4 L 6.5 7.4"},
    {'C', 13.0, "M 11.7 10.6 C 11 12.8 9.3 14 7 14 H 1.7 7 V 7 0 C 9.3 0 11 1.2 11.7 3.4"},
    {'D', 13.5, "M 2.2 14 L 6.3 14 H 11.8 7 V 6.3 0 L 2.2 0 L 2.2 14"},
    {'E', 11.3, "M 10 14 L 2.2 14 L 2.2 0 L 10.2 0 M 2.2 7.2 L 9.2 7.2"},
    {'F', 10.6, "M 9.8 14 L 2.2 14 L 2.2 0 M 2.2 7 L 9 7"},
    {'G', 13.9, "M 11.8 10.7 C 11.1 12.8 9.3 14 7 14 H 1.7 7 V 7 0 H 12 5 L 12 6.6 L 7.6 6.6"},
    {'H', 13.6, "M 2.2 0 L 2.2 14 M 11.4 0 L 11.4 14 M 2.2 7.2 L 11.4 7.2"},
    {'I', 4.6, "M 2.3 0 L 2.3 14"},
    {'J', 9.8, "M 7.6 14 L 7.6 4.2 V 4.4 0 H 1.4 3.6"},
    {'K', 12.3, "M 2.2 0 L 2.2 14 M 10.8 14 L 2.2 5.2 M 5.2 8.3 L 11.4 0"},
    {'L', 10.2, "M 2.2 14 L 2.2 0 L 9.5 0"},
    {'M', 15.8, "M 2.2 0 L 2.2 14 L 7.9 2.6 L 13.6 14 L 13.6 0"},
    {'N', 13.6, "M 2.2 0 L 2.2 14 L 11.4 0 L 11.4 14"},
    {'O', 14.4, "M 7.2 14 H 1.7 7 V 7.2 0 H 12.7 7 V 7.2 14"},
    {'P', 11.7, "M 2.2 0 L 2.2 14 L 6.8 14 H 10.6 10.2 V 6.8 6.4 L 2.2 6.4"},
    {'Q', 14.4, "M 7.2 14 H 1.7 7 V 7.2 0 H 12.7 7 V 7.2 14 M 8.6 3.8 L 12.5 -.7"},
    {'R', 12.3, "M 2.2 0 L 2.2 14 L 6.8 14 H 10.6 10.3 V 6.8 6.6 L 2.2 6.6 M 6.7 6.6 L 11 0"},
    {'S', 12.0,
     "M 10.1 11.2 C 9.5 13 8.1 14 6 14 C 3.6 14 2 12.6 2 10.6 C 2 5.7 10.5 8.5 10.5 3.7 C 10.5 1.5 8.7 0 6.2 0"
     " C 3.9 0 2.1 1.1 1.4 3.2"},
    {'T', 11.8, "M 5.9 14 L 5.9 0 M .9 14 L 10.9 14"},
    {'U', 13.4, "M 2.1 14 L 2.1 4.8 V 6.7 0 H 11.3 4.8 L 11.3 14"},
    {'V', 12.2, "M 1 14 L 6.1 0 L 11.2 14"},
    {'W', 17.8, "M 1 14 L 4.8 0 L 8.9 13.6 L 13 0 L 16.8 14"},
    {'X', 12.0, "M 1.3 14 L 10.7 0 M 10.7 14 L 1.3 0"},
    {'Y', 12.0, "M 1 14 L 6 6.4 L 11 14 M 6 6.4 L 6 0"},
    {'Z', 12.0, "M 1.6 14 L 10.4 14 L 1.5 0 L 10.6 0"},
    {'[', 5.8, "M 4.8 15.2 L 2.2 15.2 L 2.2 -3 L 4.8 -3"},
    {'\\', 7.2, "M .9 15 L 6.3 -2"},
    {']', 5.8, "M 1 15.2 L 3.6 15.2 L 3.6 -3 L 1 -3"},
    {'^', 10.0, "M 2 9.6 L 5 14 L 8 9.6"},
    {'_', 10.0, "M .8 -2.4 L 9.6 -2.4"},
    {'`', 5.4, "M 1.6 14.2 L 3.6 11.6"},
    {'a', 10.6, "M 2.1 7.7 C 2.5 9.2 3.6 10 5.2 10 H 8.5 6.7 L 8.5 0 M 8.5 5.8 L 4.9 5.8 H 1.6 2.9 V 4.4 0 H 8.5 3.6"},
    {'b', 10.9, "M 2.1 14 L 2.1 0 M 2.1 5 V 5.6 10 H 9.3 5 V 5.6 0 H 2.1 5"},
    {'c', 9.8, "M 8.7 7.5 C 8.2 9.1 7 10 5.4 10 H 1.6 5 V 5.4 0 C 7 0 8.2 .9 8.7 2.5"},
    {'d', 10.9, "M 8.8 14 L 8.8 0 M 8.8 5 V 5.3 10 H 1.6 5 V 5.3 0 H 8.8 5"},
    {'e', 10.6, "M 1.6 5.2 L 9.1 5.2 C 9.1 8.3 7.6 10 5.4 10 H 1.6 5 V 5.5 0 C 7.1 0 8.3 .8 8.9 2.2"},
    {'f', 6.5, "M 6.1 13.9 L 5.6 14 C 3.9 14 3 13 3 11.2 L 3 0 M .9 9.8 L 5.8 9.8"},
    {'g', 10.9, "M 8.8 10 L 8.8 -.6 V 5.4 -4.2 C 3.8 -4.2 2.7 -3.6 2.1 -2.4 M 8.8 5 V 5.3 10 H 1.6 5 V 5.3 0 H 8.8 5"},
    {'h', 10.7, "M 2.1 14 L 2.1 0 M 2.1 5.9 V 5.5 10 H 8.6 6.4 L 8.6 0"},
    {'i', 4.2, "M 2.1 10 L 2.1 0 D 2.1 13.6"},
    {'j', 4.8, "M 2.9 10 L 2.9 -1.8 V .8 -4.1 D 2.9 13.6"},
    {'k', 9.6, "M 2.1 14 L 2.1 0 M 8.3 10 L 2.1 3.9 M 4.4 6.2 L 8.8 0"},
    {'l', 5.0, "M 2.1 14 L 2.1 2.2 V 4 0 L 4.2 0"},
    {'m', 16.1, "M 2.1 10 L 2.1 0 M 2.1 6.1 V 5.1 10 H 8.05 6.8 L 8.05 0 M 8.05 6.1 V 11.1 10 H 14 6.8 L 14 0"},
    {'n', 10.7, "M 2.1 10 L 2.1 0 M 2.1 5.9 V 5.5 10 H 8.6 6.4 L 8.6 0"},
    {'o', 10.9, "M 5.45 10 H 1.6 5 V 5.45 0 H 9.3 5 V 5.45 10"},
    {'p', 10.9, "M 2.1 10 L 2.1 -4.1 M 2.1 5 V 5.6 10 H 9.3 5 V 5.6 0 H 2.1 5"},
    {'q', 10.9, "M 8.8 10 L 8.8 -4.1 M 8.8 5 V 5.3 10 H 1.6 5 V 5.3 0 H 8.8 5"},
    {'r', 6.7, "M 2.1 10 L 2.1 0 M 2.1 5.6 C 2.1 8.4 3.5 9.9 6 9.9"},
    {'s', 9.4,
     "M 7.9 8 C 7.4 9.3 6.3 10 4.7 10 C 2.9 10 1.7 9 1.7 7.6 C 1.7 4 8 6.2 8 2.6 C 8 1 6.7 0 4.8 0"
     " C 3.1 0 1.8 .8 1.3 2.2"},
    {'t', 6.6, "M 3 13.2 L 3 2.8 V 5.4 0 L 5.9 .1 M .9 9.8 L 5.8 9.8"},
    {'u', 10.7, "M 8.6 10 L 8.6 0 M 8.6 4.1 V 5.2 0 H 2.1 3.6 L 2.1 10"},
    {'v', 9.6, "M 1 10 L 4.8 0 L 8.6 10"},
    {'w', 14.4, "M 1 10 L 4.1 0 L 7.2 9.6 L 10.3 0 L 13.4 10"},
    {'x', 9.4, "M 1.2 10 L 8.2 0 M 8.2 10 L 1.2 0"},
    {'y', 9.6, "M 1 10 L 4.9 0 M 8.7 10 L 4.5 -1.3 C 3.7 -3.4 3 -4.1 1.5 -4.1"},
    {'z', 9.4, "M 1.5 10 L 7.9 10 L 1.4 0 L 8.1 0"},
    {'{', 6.4, "M 5.2 15.2 C 1.8 15.2 4.8 6.1 1.4 6.1 C 4.8 6.1 1.8 -3 5.2 -3"},
    {'|', 4.6, "M 2.3 15.2 L 2.3 -3"},
    {'}', 6.4, "M 1.2 15.2 C 4.6 15.2 1.6 6.1 5 6.1 C 1.6 6.1 4.6 -3 1.2 -3"},
    {'~', 11.2, "M 1.7 4.8 C 3.7 9 7.5 3 9.5 7.2"},
    {U'\u00d7', 11.2, "M 2.8 8.8 L 8.4 3.2 M 8.4 8.8 L 2.8 3.2"},
    {U'\u2212', 11.2, "M 1.7 6 L 9.5 6"},
};
constexpr GlyphSource kMissing = {0, 9.0, "M 1.5 0 L 7.5 0 L 7.5 14 L 1.5 14 L 1.5 0"};

struct Glyph {
  double advance = 0;
  std::vector<std::vector<Point>> strokes;  // units of the grid
};

void append_curve(std::vector<Point>& stroke, Point b, Point c, Point d) {
  constexpr int kPieces = 12;
  const Point a = stroke.back();
  for (int i = 1; i <= kPieces; ++i) {
    const double t = static_cast<double>(i) / kPieces, s = 1 - t;
    stroke.push_back({s * s * s * a.x + 3 * s * s * t * b.x + 3 * s * t * t * c.x + t * t * t * d.x,
                      s * s * s * a.y + 3 * s * s * t * b.y + 3 * s * t * t * c.y + t * t * t * d.y});
  }
}

Glyph parse(const GlyphSource& source) {
  // A cubic whose handles are 0.552 of its sides is nearly a quarter of an ellipse; slightly more gives the squarer
  // shoulders of drawn letters.
  constexpr double kHandle = 0.585;
  Glyph glyph{source.advance + kTracking, {}};
  const char* text = source.path;
  const char* const end = text + std::strlen(text);
  const auto number = [&text, end] {
    double value = 0;
    while (*text == ' ') ++text;
    text = std::from_chars(text, end, value).ptr;
    return value;
  };
  const auto point = [&number] {
    const double x = number();
    return Point{x, number()};
  };
  while (text != end) {
    const char command = *text++;
    if (command == ' ') continue;
    if (command == 'M') {
      glyph.strokes.push_back({point()});
    } else if (command == 'D') {
      constexpr double kHalf = 0.3;
      const Point p = point();
      glyph.strokes.push_back({{p.x - kHalf, p.y - kHalf},
                               {p.x + kHalf, p.y - kHalf},
                               {p.x + kHalf, p.y + kHalf},
                               {p.x - kHalf, p.y + kHalf},
                               {p.x - kHalf, p.y - kHalf}});
    } else {
      std::vector<Point>& stroke = glyph.strokes.back();
      const Point from = stroke.back();
      const Point first = point();
      const double dx = first.x - from.x, dy = first.y - from.y;
      switch (command) {
        case 'H':
          append_curve(stroke, {from.x + kHandle * dx, from.y}, {first.x, first.y - kHandle * dy}, first);
          break;
        case 'V':
          append_curve(stroke, {from.x, from.y + kHandle * dy}, {first.x - kHandle * dx, first.y}, first);
          break;
        case 'C': {
          const Point second = point();
          append_curve(stroke, first, second, point());
          break;
        }
        default:
          stroke.push_back(first);
      }
    }
  }
  return glyph;
}

const Glyph& glyph(char32_t code) {
  static const std::map<char32_t, Glyph> glyphs = [] {
    std::map<char32_t, Glyph> all;
    for (const GlyphSource& source : kSources) all.emplace(source.code, parse(source));
    return all;
  }();
  static const Glyph missing = parse(kMissing);
  const auto found = glyphs.find(code);
  return found == glyphs.end() ? missing : found->second;
}

// Calls visit(glyph, pen), in units, for each character, and returns the final position of the pen.
template <class Visit>
double walk(std::string_view text, const Visit& visit) {
  double pen = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    char32_t code = lead < 0x80 ? lead : lead >= 0xf0 ? lead & 0x07u : lead >= 0xe0 ? lead & 0x0fu : lead & 0x1fu;
    for (; i < text.size() && (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80; ++i) {
      code = (code << 6) | (static_cast<unsigned char>(text[i]) & 0x3fu);
    }
    const Glyph& shape = glyph(code);
    visit(shape, pen);
    pen += shape.advance;
  }
  return pen;
}

}  // namespace

double text_width(std::string_view text, double size) {
  return walk(text, [](const Glyph&, double) {}) * size / kUnitsPerEm;
}

std::vector<std::vector<Point>> text_outline(std::string_view text, Point start, double size) {
  const double scale = size / kUnitsPerEm;
  std::vector<std::vector<Point>> outline;
  walk(text, [&](const Glyph& shape, double pen) {
    for (const std::vector<Point>& stroke : shape.strokes) {
      std::vector<Point>& points = outline.emplace_back();
      for (const Point& p : stroke) points.push_back({start.x + scale * (pen + p.x), start.y - scale * p.y});
    }
  });
  return outline;
}

}  // namespace rill::tools
