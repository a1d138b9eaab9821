#include "campaign/report/report_cells.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "campaign/report/report.h"

namespace outpace::report {
namespace {

std::string Grouped(double number, int decimals) {
  const std::string text = absl::StrFormat("%.*f", decimals, number);
  const size_t end = std::min(text.find('.'), text.size());
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool digit_before = i > 0 && text[i - 1] != '-';
    if (i < end && digit_before && (end - i) % 3 == 0) out.push_back(',');
    out.push_back(text[i]);
  }
  return out;
}

std::string Clock(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  return absl::StrFormat("%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
}

// The next character; `size`: its bytes. 0xfffd for a byte that begins none.
char32_t Next(absl::string_view text, size_t* size) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  *size = 1;
  const unsigned char lead = byte(0);
  if (lead < 0x80) return lead;
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (length == 0 || lead > 0xf4 || text.size() < length) return 0xfffd;
  char32_t c = static_cast<char32_t>(lead & (0x7f >> length));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0xfffd;
    c = c << 6 | static_cast<char32_t>(byte(i) & 0x3f);
  }
  *size = length;
  return c;
}

bool IsMark(char32_t c) {
  return (c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) || (c >= 0xfe00 && c <= 0xfe0f);
}

bool IsWide(char32_t c) {
  return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
         (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
         (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
         (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) ||
         (c >= 0x20000 && c <= 0x3fffd);
}

// Control characters, and those that turn the direction of what follows.
bool IsUnfit(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfffd || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0x2028 || c == 0x2029;
}

}  // namespace

Bilingual BilingualOf(const Words& words) { return {std::string(words.en), std::string(words.zh)}; }

std::string CellText(const Cell& cell, Unit unit) {
  switch (unit) {
    case Unit::kText:
      return cell.text;
    case Unit::kCount:
      return Grouped(cell.number, 0);
    case Unit::kPercent:
      return absl::StrFormat("%.2f %%", cell.number);
    case Unit::kTime:
      return Clock(cell.number);
    case Unit::kSeconds:
      return Grouped(cell.number, 1);
    case Unit::kNumber:
      return Grouped(cell.number, 2);
    case Unit::kMoney:
      return Grouped(cell.number, 4);
  }
  return "";
}

std::string RangeText(const Report& report, Language language) {
  const auto time = [&](absl::Time t) {
    return absl::FormatTime("%Y-%m-%d %H:%M", t, report.zone);
  };
  const bool zh = language == Language::kChinese;
  return absl::StrCat(time(report.from), zh ? " 至 " : " to ", time(report.to), " ",
                      report.zone.name());
}

std::string ShownCell(const Table& table, size_t row, size_t column, Language language) {
  const Cell& cell = table.rows[row][column];
  if (language == Language::kChinese && column < table.keys) {
    if (cell.text == "LIFE") return "全部";
    if (!cell.zh.empty()) return cell.zh;
    if (table.total && row + 1 == table.rows.size() && column == 0) return "合计";
  }
  return CellText(cell, table.columns[column].unit);
}

size_t TextWidth(absl::string_view utf8) {
  size_t width = 0;
  while (!utf8.empty()) {
    size_t size = 0;
    const char32_t c = Next(utf8, &size);
    utf8.remove_prefix(size);
    width += IsMark(c) ? 0 : IsWide(c) ? 2 : 1;
  }
  return width;
}

std::string Printable(absl::string_view utf8) {
  std::string out;
  while (!utf8.empty()) {
    size_t size = 0;
    const char32_t c = Next(utf8, &size);
    if (IsUnfit(c)) {
      out.push_back('?');
    } else {
      out.append(utf8.data(), size);
    }
    utf8.remove_prefix(size);
  }
  return out;
}

}  // namespace outpace::report
