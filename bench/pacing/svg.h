#pragma once

// Small pieces to draw a chart as SVG: text, lines, marks, axes with ticks and a legend. Colours
// are CSS classes, so that one drawing reads in light and dark, alone or inside a page. No chart
// library: the report is one file that needs nothing from anywhere else.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace outpace::lab {

// Escapes & < > " for XML and HTML.
std::string EscapeXml(absl::string_view text);

// The style of all drawings of this file, for a page that holds them.
absl::string_view SvgStyle();

struct Point {
  double x = 0;
  double y = 0;
};

struct Tick {
  double value = 0;
  std::string label;
};
// Round values within [low, high], about `count` of them.
std::vector<Tick> RoundTicks(double low, double high, int count);

// Values to pixels; low > high is allowed in pixels.
struct Scale {
  double from = 0;
  double to = 1;
  double pixel_from = 0;
  double pixel_to = 1;
  double operator()(double value) const {
    return pixel_from + (value - from) / (to - from) * (pixel_to - pixel_from);
  }
};

enum class Anchor { kStart, kMiddle, kEnd };

// A drawing under construction; pixels from the top left corner.
class Svg {
 public:
  Svg(double width, double height, absl::string_view title);

  // `cls`: CSS classes; the series' colours are "c0" .. "c10", "grid", "axis", "text", "soft".
  void Line(Point from, Point to, absl::string_view cls);
  void Polyline(absl::Span<const Point> points, absl::string_view cls);
  void Band(Point corner, Point opposite, absl::string_view cls);
  void Dot(Point at, double radius, absl::string_view cls, absl::string_view tooltip = "");
  void Text(Point at, absl::string_view text, Anchor anchor, absl::string_view cls = "text");
  void TextUp(Point at, absl::string_view text);  // turned by 90 degrees, centred

  // Axes around the plot area with grid lines, tick labels and the axes' names.
  void Frame(const Scale& x, const Scale& y, absl::Span<const Tick> x_ticks,
             absl::Span<const Tick> y_ticks, absl::string_view x_name, absl::string_view y_name);
  // Entries from `at` on, down. Each is a mark of that class and a text.
  struct LegendEntry {
    std::string cls;
    std::string text;
    bool line = true;  // false: a dot
  };
  void Legend(Point at, absl::Span<const LegendEntry> entries);

  // The whole file.
  std::string Finish() const;

 private:
  double width_;
  double height_;
  std::string title_;
  std::string body_;
};

}  // namespace outpace::lab
