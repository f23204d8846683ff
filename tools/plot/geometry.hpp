// Points and rectangles of the drawing plane.
#pragma once

namespace rill::tools {

struct Point {
  double x = 0;
  double y = 0;
};

struct Rect {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;

  double width() const { return right - left; }
  double height() const { return bottom - top; }
};

}  // namespace rill::tools
