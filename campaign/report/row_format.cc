#include "campaign/report/row_format.h"

#include "campaign/report/csv_writer.h"

namespace outpace::report {
namespace {

constexpr absl::string_view kReplacement = "\xef\xbf\xbd";

// Octets of the UTF-8 character that `text` begins with; 0: it begins with none (RFC 3629).
size_t CharacterAt(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (size == 0 || first > 0xf4 || text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, beyond U+10FFFF.
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) >= 0xa0) ||
      (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) >= 0x90)) {
    return 0;
  }
  return size;
}

}  // namespace

void AppendCsvHeader(const CallLayout& layout, std::string& to) {
  bool first = true;
  for (const LayoutColumn& column : layout.columns) {
    if (!first) to.push_back(layout.separator);
    first = false;
    AppendCsvCell(column.header, layout.separator, to);
  }
  to.append("\r\n");
}

void AppendCsvRow(const CallLayout& layout, const CallRow& row, std::string& to) {
  bool first = true;
  for (const LayoutColumn& place : layout.columns) {
    if (!first) to.push_back(layout.separator);
    first = false;
    const CallColumn& column = *place.column;
    if (column.append != nullptr) {
      column.append(row, to);  // digits, letters and signs that need no quotes
    } else if (column.type == CellType::kText) {
      AppendCsvText(column.view(row), layout.separator, to);
    } else {
      AppendCsvCell(column.view(row), layout.separator, to);
    }
  }
  to.append("\r\n");
}

absl::string_view CellText(const CallColumn& column, const CallRow& row, std::string& scratch) {
  if (column.view != nullptr) return column.view(row);
  scratch.clear();
  column.append(row, scratch);
  return scratch;
}

void AppendJsonRow(const CallLayout& layout, const CallRow& row, std::string& to) {
  char before = '{';
  std::string scratch;
  for (const LayoutColumn& place : layout.columns) {
    to.push_back(before);
    before = ',';
    AppendJsonString(place.header, to);
    to.push_back(':');
    const absl::string_view text = CellText(*place.column, row, scratch);
    if (text.empty()) {
      to.append("null");
    } else if (place.column->type == CellType::kNumber) {
      to.append(text.data(), text.size());
    } else {
      AppendJsonString(text, to);
    }
  }
  to.append("}\n");
}

void AppendJsonString(absl::string_view text, std::string& to) {
  static constexpr char kHex[] = "0123456789abcdef";
  to.push_back('"');
  while (!text.empty()) {
    const size_t size = CharacterAt(text);
    const auto c = static_cast<unsigned char>(text[0]);
    if (size == 0) {
      to.append(kReplacement.data(), kReplacement.size());
    } else if (c < 0x20 || c == 0x7f) {
      to.append("\\u00");
      to.push_back(kHex[c >> 4]);
      to.push_back(kHex[c & 15]);
    } else {
      if (c == '"' || c == '\\') to.push_back('\\');
      to.append(text.data(), size);
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  to.push_back('"');
}

std::string ValidUtf8(absl::string_view text, size_t bytes) {
  std::string valid;
  while (!text.empty()) {
    const size_t size = CharacterAt(text);
    const absl::string_view next = size == 0 ? kReplacement : text.substr(0, size);
    if (valid.size() + next.size() > bytes) break;
    valid.append(next.data(), next.size());
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return valid;
}

}  // namespace outpace::report
