#include "bench/pacing/svg.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace outpace::lab {
namespace {

std::string P(double pixels) { return absl::StrFormat("%.1f", pixels); }

const char* AnchorName(Anchor anchor) {
  switch (anchor) {
    case Anchor::kStart:
      return "start";
    case Anchor::kMiddle:
      return "middle";
    case Anchor::kEnd:
      return "end";
  }
  return "start";
}

}  // namespace

std::string EscapeXml(absl::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

absl::string_view SvgStyle() {
  // Colours after Okabe and Ito, told apart by colour-blind readers; the dark set is lighter.
  return R"(svg.lab{background:var(--paper);font:12px system-ui,sans-serif;
--paper:#fff;--ink:#1f2328;--faint:#6b7280;--grid:#e5e7eb;--c0:#0072b2;--c1:#111827;--c2:#d55e00;
--c3:#009e73;--c4:#cc79a7;--c5:#8c564b;--c6:#5f7300;--c7:#7b61c9;--c8:#8b939e;--c9:#56b4e9;--c10:#e69f00}
@media (prefers-color-scheme:dark){svg.lab{--paper:#14181d;--ink:#e6e9ee;--faint:#9aa4b2;--grid:#2b323b;
--c0:#4cb2f0;--c1:#f3f4f6;--c2:#ff8a3d;--c3:#35c99b;--c4:#e79bc4;--c5:#c79a8b;--c6:#b5c95a;--c7:#ab97f0;
--c8:#9aa4b2;--c9:#8fd0f7;--c10:#f5c04a}}
svg.lab text{fill:var(--ink)}svg.lab text.soft{fill:var(--faint)}svg.lab text.head{font-weight:600;font-size:13px}
svg.lab line,svg.lab polyline{fill:none;stroke-width:1.6;stroke-linejoin:round}
svg.lab .grid{stroke:var(--grid);stroke-width:1}svg.lab .axis{stroke:var(--faint);stroke-width:1}
svg.lab .cap{stroke:var(--c2);stroke-width:1;stroke-dasharray:5 4}
svg.lab .mark{stroke:var(--faint);stroke-width:1;stroke-dasharray:2 3}
svg.lab .band{fill:var(--c1);opacity:.09}
svg.lab .thick{stroke-width:2.8}svg.lab .dash{stroke-dasharray:6 4}svg.lab .dots{stroke-dasharray:1.5 3}
svg.lab line.c0,svg.lab polyline.c0{stroke:var(--c0)}svg.lab circle.c0{fill:var(--c0)}
svg.lab line.c1,svg.lab polyline.c1{stroke:var(--c1)}svg.lab circle.c1{fill:var(--c1)}
svg.lab line.c2,svg.lab polyline.c2{stroke:var(--c2)}svg.lab circle.c2{fill:var(--c2)}
svg.lab line.c3,svg.lab polyline.c3{stroke:var(--c3)}svg.lab circle.c3{fill:var(--c3)}
svg.lab line.c4,svg.lab polyline.c4{stroke:var(--c4)}svg.lab circle.c4{fill:var(--c4)}
svg.lab line.c5,svg.lab polyline.c5{stroke:var(--c5)}svg.lab circle.c5{fill:var(--c5)}
svg.lab line.c6,svg.lab polyline.c6{stroke:var(--c6)}svg.lab circle.c6{fill:var(--c6)}
svg.lab line.c7,svg.lab polyline.c7{stroke:var(--c7)}svg.lab circle.c7{fill:var(--c7)}
svg.lab line.c8,svg.lab polyline.c8{stroke:var(--c8)}svg.lab circle.c8{fill:var(--c8)}
svg.lab line.c9,svg.lab polyline.c9{stroke:var(--c9)}svg.lab circle.c9{fill:var(--c9)}
svg.lab line.c10,svg.lab polyline.c10{stroke:var(--c10)}svg.lab circle.c10{fill:var(--c10)}
svg.lab circle.faded{opacity:.55})";
}

std::vector<Tick> RoundTicks(double low, double high, int count) {
  const double raw = (high - low) / std::max(1, count);
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double round : {1.0, 2.0, 5.0}) {
    if (round * power >= raw * 0.999) {
      step = round * power;
      break;
    }
  }
  const int digits = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  std::vector<Tick> ticks;
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k) {
    const double value = k == 0 ? 0 : k * step;
    ticks.push_back({value, absl::StrFormat("%.*f", digits, value)});
  }
  return ticks;
}

Svg::Svg(double width, double height, absl::string_view title)
    : width_(width), height_(height), title_(title) {}

void Svg::Line(Point from, Point to, absl::string_view cls) {
  absl::StrAppend(&body_, "<line class=\"", cls, "\" x1=\"", P(from.x), "\" y1=\"", P(from.y),
                  "\" x2=\"", P(to.x), "\" y2=\"", P(to.y), "\"/>\n");
}

void Svg::Polyline(absl::Span<const Point> points, absl::string_view cls) {
  absl::StrAppend(&body_, "<polyline class=\"", cls, "\" points=\"");
  for (const Point& point : points) absl::StrAppend(&body_, P(point.x), ",", P(point.y), " ");
  absl::StrAppend(&body_, "\"/>\n");
}

void Svg::Band(Point corner, Point opposite, absl::string_view cls) {
  absl::StrAppend(&body_, "<rect class=\"", cls, "\" x=\"", P(std::min(corner.x, opposite.x)),
                  "\" y=\"", P(std::min(corner.y, opposite.y)), "\" width=\"",
                  P(std::abs(opposite.x - corner.x)), "\" height=\"",
                  P(std::abs(opposite.y - corner.y)), "\"/>\n");
}

void Svg::Dot(Point at, double radius, absl::string_view cls, absl::string_view tooltip) {
  absl::StrAppend(&body_, "<circle class=\"", cls, "\" cx=\"", P(at.x), "\" cy=\"", P(at.y),
                  "\" r=\"", P(radius), "\"");
  if (tooltip.empty()) {
    body_ += "/>\n";
  } else {
    absl::StrAppend(&body_, "><title>", EscapeXml(tooltip), "</title></circle>\n");
  }
}

void Svg::Text(Point at, absl::string_view text, Anchor anchor, absl::string_view cls) {
  absl::StrAppend(&body_, "<text class=\"", cls, "\" x=\"", P(at.x), "\" y=\"", P(at.y),
                  "\" text-anchor=\"", AnchorName(anchor), "\">", EscapeXml(text), "</text>\n");
}

void Svg::TextUp(Point at, absl::string_view text) {
  absl::StrAppend(&body_, "<text class=\"soft\" text-anchor=\"middle\" transform=\"translate(",
                  P(at.x), " ", P(at.y), ") rotate(-90)\">", EscapeXml(text), "</text>\n");
}

void Svg::Frame(const Scale& x, const Scale& y, absl::Span<const Tick> x_ticks,
                absl::Span<const Tick> y_ticks, absl::string_view x_name,
                absl::string_view y_name) {
  const double left = x.pixel_from;
  const double right = x.pixel_to;
  const double bottom = y.pixel_from;
  const double top = y.pixel_to;
  for (const Tick& tick : x_ticks) {
    Line({x(tick.value), top}, {x(tick.value), bottom}, "grid");
    Text({x(tick.value), bottom + 16}, tick.label, Anchor::kMiddle, "soft");
  }
  for (const Tick& tick : y_ticks) {
    Line({left, y(tick.value)}, {right, y(tick.value)}, "grid");
    Text({left - 8, y(tick.value) + 4}, tick.label, Anchor::kEnd, "soft");
  }
  Line({left, bottom}, {right, bottom}, "axis");
  Line({left, top}, {left, bottom}, "axis");
  if (!x_name.empty()) {
    Text({(left + right) / 2, bottom + 34}, x_name, Anchor::kMiddle, "soft");
  }
  if (!y_name.empty()) TextUp({left - 42, (top + bottom) / 2}, y_name);
}

void Svg::Legend(Point at, absl::Span<const LegendEntry> entries) {
  for (const LegendEntry& entry : entries) {
    if (entry.line) {
      Line({at.x, at.y}, {at.x + 22, at.y}, entry.cls);
    } else {
      Dot({at.x + 11, at.y}, 4, entry.cls);
    }
    Text({at.x + 29, at.y + 4}, entry.text, Anchor::kStart);
    at.y += 19;
  }
}

std::string Svg::Finish() const {
  return absl::StrCat("<svg class=\"lab\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ",
                      P(width_), " ", P(height_), "\" width=\"", P(width_), "\" height=\"",
                      P(height_), "\" role=\"img\"><title>", EscapeXml(title_), "</title>\n<style>",
                      SvgStyle(), "</style>\n", body_, "</svg>\n");
}

}  // namespace outpace::lab
