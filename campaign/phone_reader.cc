// From what people and spreadsheets write to digits. Punctuation of telephone numbers is skipped,
// full-width forms are ASCII, an extension is split off; anything else is refused at the first
// thing that does not belong, since a digit too many rings a stranger.

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "campaign/number_plan.h"
#include "campaign/number_plan_internal.h"

namespace outpace::campaign {
namespace {

using P = PhoneFault;

constexpr size_t kTextMax =
    96;  // bytes of a phone cell after folding; the longest real ones have 40

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); }

// Decodes one UTF-8 character of 2..4 bytes; 0 if it is none. No check for overlong forms is
// needed: only the few code points listed in Fold() are accepted, and they are compared by value
// and length.
uint32_t DecodeOne(absl::string_view text, size_t& length) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (length == 0 || text.size() < length) return 0;
  uint32_t code = lead & (0xffu >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (at(i) & 0x3fu);
  }
  return code;
}

// One character outside ASCII to what it stands for in a number: 0 drops it, 1 refuses it.
char Fold(uint32_t code) {
  if (code >= 0xff01 && code <= 0xff5e) return static_cast<char>(code - 0xfee0);  // full width
  if (code == 0x3000 || code == 0xa0 || code == 0x202f || (code >= 0x2000 && code <= 0x200a)) {
    return ' ';
  }
  if ((code >= 0x2010 && code <= 0x2015) || code == 0x2212) return '-';
  // Format characters (Cf): soft hyphen, zero-width, bidi marks, word joiner, byte order mark.
  if (code == 0xad || (code >= 0x200b && code <= 0x200f) || (code >= 0x202a && code <= 0x202e) ||
      (code >= 0x2060 && code <= 0x2064) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff) {
    return 0;
  }
  if (code == 0x2018 || code == 0x2019) return '\'';
  if (code == 0x8f6c) return 'x';  // 转: extension
  return 1;
}

// ASCII form of the cell. Characters that can be no part of a number become '\1'.
std::string FoldText(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size() && out.size() <= kTextMax;) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) < 0x80) {
      out += c;
      ++i;
      continue;
    }
    if (absl::StartsWith(text.substr(i), "分机")) {
      out += 'x';
      i += absl::string_view("分机").size();
      continue;
    }
    size_t length = 0;
    const uint32_t code = DecodeOne(text.substr(i), length);
    const char folded = code == 0 ? '\1' : Fold(code);
    if (folded != 0) out += folded;
    i += length == 0 || code == 0 ? 1 : length;
  }
  return out;
}

// "1.38E+10", "1,38e10": digits were lost when a spreadsheet saved the file.
bool IsScientific(absl::string_view t) {
  size_t i = 0;
  while (i < t.size() && IsDigit(t[i])) ++i;
  if (i == 0) return false;
  if (i < t.size() && (t[i] == '.' || t[i] == ',')) {
    ++i;
    while (i < t.size() && IsDigit(t[i])) ++i;
  }
  if (i >= t.size() || (t[i] != 'e' && t[i] != 'E')) return false;
  ++i;
  if (i < t.size() && (t[i] == '+' || t[i] == '-')) ++i;
  const size_t exponent = i;
  while (i < t.size() && IsDigit(t[i])) ++i;
  return i == t.size() && i > exponent;
}

// "13,800,000,002": groups of three behind one of one to three.
bool IsGrouped(absl::string_view t) {
  size_t in_group = 0, groups = 0;
  for (const char c : t) {
    if (IsDigit(c)) {
      if (++in_group > 3) return false;
    } else if (c == ',' && in_group > 0 && (groups == 0 || in_group == 3)) {
      ++groups;
      in_group = 0;
    } else {
      return false;
    }
  }
  return groups > 0 && in_group == 3;
}

// What a spreadsheet hangs on a number: "13800000001.0", "+4930901820.00".
enum class Decimals { kNone, kZeros, kDoubtful };

// `length`: of the dot and what stands behind it. One zero is no group of digits that anybody
// writes. Two or more may be one ("06 12 34 56.00"), so they come off a plain number only, and a
// dot that separates less than a whole number from its last digits is no decimal point.
Decimals TrailingDecimals(absl::string_view t, size_t& length) {
  const size_t dot = t.find('.');
  if (dot == absl::string_view::npos) return Decimals::kNone;
  const absl::string_view zeros = t.substr(dot + 1);
  if (zeros.empty() || zeros.find_first_not_of('0') != absl::string_view::npos) {
    return Decimals::kNone;
  }
  length = zeros.size() + 1;
  absl::string_view head = t.substr(0, dot);
  if (head.find_first_not_of("0123456789+-(), ") != absl::string_view::npos) return Decimals::kNone;
  const auto digits = std::count_if(head.begin(), head.end(), IsDigit);
  constexpr int kShort = 6, kWhole = 8;
  if (zeros.size() == 1) return Decimals::kZeros;
  if (digits <= kShort) return Decimals::kNone;
  if (zeros.size() > 2) return digits >= kWhole ? Decimals::kDoubtful : Decimals::kNone;
  absl::ConsumePrefix(&head, "+");
  return digits >= kWhole && std::all_of(head.begin(), head.end(), IsDigit) ? Decimals::kZeros
                                                                            : Decimals::kDoubtful;
}

// The digits of "x123", "ext. 123", "extension 123", "#123" or ";ext=123"; empty if it is none.
absl::string_view ExtensionOf(absl::string_view t) {
  bool marked = false;
  for (absl::string_view mark : {";ext=", "extension", "ext", "x", "#"}) {
    if (t.size() >= mark.size() && absl::EqualsIgnoreCase(t.substr(0, mark.size()), mark)) {
      t.remove_prefix(mark.size());
      marked = true;
      break;
    }
  }
  if (!marked) return {};
  absl::ConsumePrefix(&t, ".");
  absl::ConsumePrefix(&t, ":");
  t = absl::StripAsciiWhitespace(t);
  if (t.empty() || t.size() > 8 || !std::all_of(t.begin(), t.end(), IsDigit)) return {};
  return t;
}

PhoneReading Refuse(PhoneFault fault, absl::string_view reason) {
  PhoneReading out;
  out.fault = fault;
  out.reason = reason;
  return out;
}

PhoneReading FromDigits(absl::string_view digits, bool plus, int home, PhoneReading out) {
  if (digits.size() > internal::kDigitsMax) {
    return Refuse(P::kLength, "more digits than any number has");
  }
  const internal::Parsed parsed = internal::ParseDigits(internal::Digits(digits), plus, home);
  if (parsed.fault != P::kNone) return Refuse(parsed.fault, parsed.reason);
  out.number = parsed.number;
  out.repaired = out.repaired || parsed.repaired;
  return out;
}

// "010-55550101-8002", "+86-379-6123456-1": a Chinese fixed line with its extension behind a dash.
struct DashedExtension {
  size_t dash = absl::string_view::npos;  // where the extension begins; npos: this is none
  bool doubtful = false;  // what stands in front has two readings, and with the tail a third
};

DashedExtension FindDashedExtension(absl::string_view t, int home) {
  constexpr size_t kExtensionMax = 6;
  const size_t dash = t.rfind('-');
  if (dash == absl::string_view::npos) return {};
  const absl::string_view tail = absl::StripAsciiWhitespace(t.substr(dash + 1));
  if (tail.empty() || tail.size() > kExtensionMax ||
      !std::all_of(tail.begin(), tail.end(), IsDigit)) {
    return {};
  }
  std::string digits;
  for (const char c : t.substr(0, dash)) {
    if (IsDigit(c)) digits += c;
  }
  const bool plus = t[0] == '+';
  const bool china =
      plus ? absl::StartsWith(digits, "86")
           : home == 86 || absl::StartsWith(digits, "0086") || absl::StartsWith(digits, "01186");
  if (!china || digits.size() < 10 || digits.size() > internal::kDigitsMax) return {};
  const internal::Parsed parsed = internal::ParseDigits(internal::Digits(digits), plus, home);
  if (parsed.fault == P::kAmbiguous) {
    // "379-6123456-1"; but "86-0755-8888-8888" is one number in four groups.
    constexpr size_t kSubscriber = 7;
    const size_t group = t.substr(0, dash).find_last_not_of("0123456789");
    if (dash - (group + 1) < kSubscriber) return {};
    return {dash, true};
  }
  // A mobile has no extension; with digits behind it is refused as too long.
  constexpr uint64_t kMobiles = 8'613'000'000'000, kMobilesEnd = 8'620'000'000'000;
  const uint64_t number = parsed.number.value();
  if (parsed.fault != P::kNone || (number >= kMobiles && number < kMobilesEnd)) return {};
  return {number / 10'000'000'000 == 86 || number / 100'000'000'000 == 86
              ? dash
              : absl::string_view::npos};
}

}  // namespace

absl::string_view PhoneFaultCode(PhoneFault fault) {
  switch (fault) {
    case P::kNone:
      return "";
    case P::kEmpty:
      return "E_PHONE_EMPTY";
    case P::kScientific:
      return "E_PHONE_SCI";
    case P::kLetters:
      return "E_PHONE_LETTERS";
    case P::kCharacters:
      return "E_PHONE_CHARS";
    case P::kLength:
      return "E_PHONE_LENGTH";
    case P::kAmbiguous:
      return "E_PHONE_AMBIGUOUS";
    case P::kSpecial:
      return "E_PHONE_SPECIAL";
    case P::kDestination:
      return "E_PHONE_DEST";
  }
  return "";
}

PhoneReading ReadPhone(absl::string_view text, absl::string_view country) {
  const int home = CallingCode(country);
  PhoneReading out;
  if (ReadPlainPhone(text, home, out.number)) return out;

  const std::string folded = FoldText(text);
  if (folded.size() > kTextMax) return Refuse(P::kLength, "far too long");
  // Only blanks are trimmed: a line break inside the cell is no part of a number.
  absl::string_view t = folded;
  while (!t.empty() && t.front() == ' ') t.remove_prefix(1);
  while (!t.empty() && t.back() == ' ') t.remove_suffix(1);
  if (t.size() >= 3 && absl::StartsWith(t, "=\"") && t.back() == '"') {
    t = t.substr(2, t.size() - 3);  // a spreadsheet's text formula
  } else {
    absl::ConsumePrefix(&t, "'");
  }
  if (absl::StartsWithIgnoreCase(t, "tel:")) t.remove_prefix(4);
  if (t.empty()) return Refuse(P::kEmpty, "empty");
  if (IsScientific(t)) return Refuse(P::kScientific, "scientific notation: digits are lost");

  size_t decimals = 0;
  switch (TrailingDecimals(t, decimals)) {
    case Decimals::kNone:
      break;
    case Decimals::kZeros:
      t.remove_suffix(decimals);
      out.repaired = true;
      break;
    case Decimals::kDoubtful:
      return Refuse(P::kAmbiguous, "zeros behind a dot: digits or decimals");
  }
  const bool grouped = IsGrouped(t);
  out.repaired = out.repaired || grouped;
  if (const DashedExtension found = FindDashedExtension(t, home); found.doubtful) {
    return Refuse(P::kAmbiguous, "digits behind a dash: an extension or a part of the number");
  } else if (found.dash != absl::string_view::npos) {
    out.extension = std::string(absl::StripAsciiWhitespace(t.substr(found.dash + 1)));
    t = t.substr(0, found.dash);
  }

  std::string digits;
  bool plus = false;
  for (size_t i = 0; i < t.size(); ++i) {
    const char c = t[i];
    if (IsDigit(c)) {
      digits += c;
    } else if (c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || (c == ',' && grouped)) {
      continue;
    } else if (c == '+' && !plus && digits.empty()) {
      plus = true;
    } else if (c == '/') {
      // "310/246-1501" is an area code; "010-55550104/05" is two numbers in one cell.
      const auto rest = std::count_if(t.begin() + static_cast<ptrdiff_t>(i), t.end(), IsDigit);
      if (digits.size() < 2 || digits.size() > 5 || rest < 6) {
        return Refuse(digits.size() >= 6 ? P::kAmbiguous : P::kCharacters,
                      digits.size() >= 6 ? "two numbers in one cell" : "'/' is out of place");
      }
    } else {
      if (digits.size() >= 7) {
        const absl::string_view extension = ExtensionOf(t.substr(i));
        if (!extension.empty()) {
          out.extension = std::string(extension);
          break;
        }
      }
      return IsLetter(c) ? Refuse(P::kLetters, "letters")
                         : Refuse(P::kCharacters, "characters that are no part of a number");
    }
  }
  if (digits.empty()) return Refuse(P::kEmpty, "no digits");
  return FromDigits(digits, plus, home, std::move(out));
}

absl::StatusOr<E164> NormalizePhone(absl::string_view text, absl::string_view country) {
  const PhoneReading reading = ReadPhone(text, country);
  if (reading.fault == P::kNone) return reading.number;
  return absl::InvalidArgumentError(absl::StrCat("phone: ", reading.reason));
}

}  // namespace outpace::campaign
