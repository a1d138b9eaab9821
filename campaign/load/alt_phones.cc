#include "campaign/load/alt_phones.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "campaign/number_plan.h"

namespace outpace::load {
namespace {

// Octets of the separator at the beginning of `text`, 0 if there is none: ; , / | and line ends,
// and the full-width ； ， 、 ／ ｜.
size_t SeparatorAt(absl::string_view text) {
  switch (text[0]) {
    case ';':
    case ',':
    case '/':
    case '|':
    case '\n':
    case '\r':
      return 1;
    case '\xE3':
      return absl::StartsWith(text, "、") ? 3 : 0;
    case '\xEF':
      for (absl::string_view wide : {"；", "，", "／", "｜"}) {
        if (absl::StartsWith(text, wide)) return 3;
      }
      return 0;
    default:
      return 0;
  }
}

}  // namespace

void SplitPhoneCell(absl::string_view cell, std::vector<PhonePart>& parts) {
  parts.clear();
  size_t begin = 0;
  const auto take = [&](size_t end) {
    const absl::string_view number = absl::StripAsciiWhitespace(cell.substr(begin, end - begin));
    // "-" and "暂无" stand for nothing in company registers.
    if (!number.empty() && number != "-" && number != "暂无") parts.push_back({number, {}, {}});
  };
  for (size_t i = 0; i < cell.size();) {
    const size_t length = SeparatorAt(cell.substr(i));
    if (length == 0) {
      ++i;
      continue;
    }
    take(i);
    i += length;
    begin = i;
  }
  take(cell.size());
}

void SplitMultiAlt(absl::string_view cell, std::vector<PhonePart>& parts) {
  parts.clear();
  for (absl::string_view entry : absl::StrSplit(cell, '!')) {
    const std::pair<absl::string_view, absl::string_view> number_rest =
        absl::StrSplit(entry, absl::MaxSplits('_', 1));
    const std::pair<absl::string_view, absl::string_view> code_note =
        absl::StrSplit(number_rest.second, absl::MaxSplits('_', 1));
    PhonePart part;
    part.number = absl::StripAsciiWhitespace(number_rest.first);
    part.phone_code = absl::StripAsciiWhitespace(code_note.first);
    part.note = absl::StripAsciiWhitespace(code_note.second);
    if (!part.number.empty()) parts.push_back(part);
  }
}

void AppendAltPhone(E164 number, absl::string_view note, std::string& field) {
  if (!field.empty()) field += ';';
  absl::StrAppend(&field, "+", number.value());
  if (note.empty()) return;
  field += ' ';
  const size_t at = field.size();
  field.append(note.data(), note.size());
  std::replace(field.begin() + static_cast<ptrdiff_t>(at), field.end(), ';', ',');
}

std::vector<AltPhone> ParseAltPhones(absl::string_view field) {
  std::vector<AltPhone> out;
  for (absl::string_view entry : absl::StrSplit(field, ';', absl::SkipWhitespace())) {
    entry = absl::StripAsciiWhitespace(entry);
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(entry, absl::MaxSplits(' ', 1));
    absl::StatusOr<E164> number = ParseE164(parts.first);
    if (number.ok()) out.push_back({*number, std::string(parts.second)});
  }
  return out;
}

std::string FormatMultiAlt(absl::string_view field) {
  std::string out;
  for (const AltPhone& phone : ParseAltPhones(field)) {
    const std::string digits = phone.number.Digits();
    // The calling code of one to three digits that the number's country has.
    const int code = campaign::CallingCode(campaign::CountryOf(phone.number));
    const std::string prefix = code > 0 ? absl::StrCat(code) : "";
    if (!out.empty()) out += '!';
    if (!prefix.empty() && absl::StartsWith(digits, prefix)) {
      absl::StrAppend(&out, digits.substr(prefix.size()), "_", prefix);
    } else {
      absl::StrAppend(&out, digits, "_");
    }
    absl::StrAppend(&out, "_", absl::StrReplaceAll(phone.note, {{"!", "."}}));
  }
  return out;
}

}  // namespace outpace::load
