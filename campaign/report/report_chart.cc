#include "campaign/report/report_chart.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "campaign/report/report_cells.h"

namespace outpace::report {
namespace {

// Okabe and Ito's colours, told apart by the colour blind too.
constexpr absl::string_view kColours[] = {"#0072B2", "#009E73", "#D55E00", "#CC79A7", "#E69F00"};
constexpr double kWidth = 1160, kLeft = 64, kRight = 16, kTop = 30, kBottom = 26;
constexpr size_t kBarsMax = 24;

absl::string_view ColourOf(size_t series) { return kColours[series % std::size(kColours)]; }

// 1, 2 or 5 times a power of ten, so that four or five lines reach the top.
double StepOf(double top) {
  if (top <= 0) return 1;
  const double raw = top / 5;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double step : {1.0, 2.0, 5.0}) {
    if (step * power >= raw) return step * power;
  }
  return 10 * power;
}

double TopOf(const Chart& chart, size_t labels) {
  double top = 0;
  for (const Series& series : chart.series) {
    for (size_t i = 0; i < std::min(labels, series.values.size()); ++i) {
      top = std::max(top, series.values[i]);
    }
  }
  return top;
}

std::string NumberText(double number, Unit unit) {
  const bool whole = std::abs(number - std::round(number)) < 1e-9;
  if (unit == Unit::kCount && !whole) unit = Unit::kNumber;
  return CellText({.number = number}, unit);
}

// Of the numbers beside the lines.
Unit AxisUnit(const Chart& chart) {
  return chart.series.empty() ? Unit::kCount : chart.series[0].unit;
}

void Text(double x, double y, absl::string_view anchor, absl::string_view text, std::string& out) {
  absl::StrAppendFormat(&out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y,
                        anchor, Escaped(text));
}

void Legend(const Chart& chart, Language language, std::string& out) {
  double x = kLeft;
  for (size_t i = 0; i < chart.series.size(); ++i) {
    const std::string& name = chart.series[i].name.In(language);
    absl::StrAppendFormat(&out,
                          "<rect x=\"%.1f\" y=\"8\" width=\"11\" height=\"11\" fill=\"%s\"/>\n", x,
                          ColourOf(i));
    Text(x + 16, 18, "start", name, out);
    x += 40 + 7.5 * static_cast<double>(TextWidth(name));
  }
}

std::string Begin(double height) {
  return absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n", kWidth,
      height);
}

std::string Lines(const Chart& chart, Language language) {
  constexpr double kHeight = 270;
  std::string out = Begin(kHeight);
  Legend(chart, language, out);
  const size_t count = chart.labels.size();
  const double step = StepOf(TopOf(chart, count));
  const double top = std::max(step, std::ceil(TopOf(chart, count) / step - 1e-9) * step);
  const double width = kWidth - kLeft - kRight, height = kHeight - kTop - kBottom;
  const auto x_of = [&](size_t i) {
    return kLeft + (count < 2 ? width / 2
                              : width * static_cast<double>(i) / static_cast<double>(count - 1));
  };
  const auto y_of = [&](double value) { return kTop + height * (1 - value / top); };
  for (double value = 0; value <= top + step / 2; value += step) {
    absl::StrAppendFormat(
        &out, "<line x1=\"%.0f\" x2=\"%.0f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#e3e8ee\"/>\n", kLeft,
        kWidth - kRight, y_of(value), y_of(value));
    Text(kLeft - 8, y_of(value) + 4, "end", NumberText(value, AxisUnit(chart)), out);
  }
  size_t widest = 1;
  for (const std::string& label : chart.labels) widest = std::max(widest, TextWidth(label));
  const auto fit = static_cast<size_t>(width / (7.0 * static_cast<double>(widest) + 16));
  const size_t every =
      std::max<size_t>(1, (count + std::max<size_t>(1, fit) - 1) / std::max<size_t>(1, fit));
  for (size_t i = 0; i < count; i += every) {
    Text(x_of(i), kHeight - 8, "middle", chart.labels[i], out);
  }
  for (size_t s = 0; s < chart.series.size(); ++s) {
    const Series& series = chart.series[s];
    absl::StrAppendFormat(
        &out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"", ColourOf(s));
    for (size_t i = 0; i < std::min(count, series.values.size()); ++i) {
      absl::StrAppendFormat(&out, "%.1f,%.1f ", x_of(i), y_of(series.values[i]));
    }
    absl::StrAppend(&out, "\"/>\n");
    if (count > 100) continue;
    for (size_t i = 0; i < std::min(count, series.values.size()); ++i) {
      absl::StrAppendFormat(
          &out,
          "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\" fill=\"%s\"><title>%s: %s</title></circle>\n",
          x_of(i), y_of(series.values[i]), ColourOf(s), Escaped(chart.labels[i]),
          Escaped(NumberText(series.values[i], series.unit)));
    }
  }
  return absl::StrCat(out, "</svg>\n");
}

std::string Bars(const Chart& chart, Language language) {
  const size_t count = std::min(kBarsMax, chart.labels.size());
  constexpr double kBar = 13, kSpace = 8;
  double left = kLeft;
  for (size_t i = 0; i < count; ++i) {
    left = std::max(left, 20 + 7.0 * static_cast<double>(TextWidth(chart.labels[i])));
  }
  left = std::min(left, kWidth / 3);
  const double row = kBar * static_cast<double>(chart.series.size()) + kSpace;
  const double width = kWidth - left - 90;
  const double top = TopOf(chart, count);
  std::string out = Begin(kTop + row * static_cast<double>(count) + 4);
  Legend(chart, language, out);
  for (size_t i = 0; i < count; ++i) {
    const double y = kTop + row * static_cast<double>(i);
    Text(left - 8, y + (row - kSpace) / 2 + 4, "end", chart.labels[i], out);
    for (size_t s = 0; s < chart.series.size(); ++s) {
      const double value = i < chart.series[s].values.size() ? chart.series[s].values[i] : 0;
      const double length = top > 0 ? std::max(0.0, width * value / top) : 0;
      const double at = y + kBar * static_cast<double>(s);
      absl::StrAppendFormat(
          &out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", left,
          at, length, kBar - 2, ColourOf(s));
      Text(left + length + 5, at + kBar - 3, "start", NumberText(value, chart.series[s].unit), out);
    }
  }
  return absl::StrCat(out, "</svg>\n");
}

}  // namespace

std::string Escaped(absl::string_view text) {
  std::string out;
  for (const char c : Printable(text)) {
    switch (c) {
      case '&':
        absl::StrAppend(&out, "&amp;");
        break;
      case '<':
        absl::StrAppend(&out, "&lt;");
        break;
      case '>':
        absl::StrAppend(&out, "&gt;");
        break;
      case '"':
        absl::StrAppend(&out, "&quot;");
        break;
      case '\'':
        absl::StrAppend(&out, "&#39;");
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::string ChartSvg(const Chart& chart, Language language) {
  return chart.kind == Chart::Kind::kLines ? Lines(chart, language) : Bars(chart, language);
}

}  // namespace outpace::report
