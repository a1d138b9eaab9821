#include "engine/audit/event.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "engine/base/check.h"

namespace outpace::audit {
namespace {

constexpr size_t kDigits = 64;
constexpr absl::string_view kBeforeHash = ",\"hash\":\"";
constexpr absl::string_view kBeforeSeal = "\",\"seal\":\"";
constexpr absl::string_view kEnd = "\"}";
constexpr size_t kTail = kBeforeHash.size() + kDigits + kBeforeSeal.size() + kDigits + kEnd.size();
constexpr uint32_t kInvalid = 0xFFFD;
constexpr size_t kNameMax = 64;

bool IsName(absl::string_view name) {
  return !name.empty() && name.size() <= kNameMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
         });
}

bool IsHex(absl::string_view text) {
  return text.size() == kDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// Takes one character off `text`. What is no UTF-8 (RFC 3629) is taken octet by octet, as kInvalid;
// `octets`: how many it was.
uint32_t TakeCharacter(absl::string_view text, size_t* octets) {
  const auto at = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = at(0);
  *octets = 1;
  if (first < 0x80) return first;
  const size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return kInvalid;
  uint32_t code = first & (0x7Fu >> size);
  for (size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xC0) != 0x80) return kInvalid;
    code = code << 6 | (at(i) & 0x3Fu);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  if (overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return kInvalid;
  *octets = size;
  return code;
}

// Characters that end lines, drive terminals, hide, or turn the direction of what follows.
bool IsEscaped(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0xAD || c == 0x61C || c == 0x180E ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB);
}

void AppendQuoted(absl::string_view text, std::string& out) {
  out.push_back('"');
  size_t done = 0;
  while (done < text.size()) {
    size_t octets = 0;
    const uint32_t code = TakeCharacter(text.substr(done), &octets);
    if (done + octets > kTextMax) break;
    if (code == '"' || code == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(code));
    } else if (code == kInvalid) {
      absl::StrAppend(&out, "\\ufffd");
    } else if (IsEscaped(code)) {
      absl::StrAppendFormat(&out, "\\u%04x", code);
    } else {
      out.append(text.data() + done, octets);
    }
    done += octets;
  }
  if (done < text.size()) absl::StrAppend(&out, "... (", text.size() - done, " octets more)");
  out.push_back('"');
}

void AppendUtf8(uint32_t code, std::string& out) {  // of \uXXXX: below 0x10000
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | code >> 6));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xE0 | code >> 12));
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

// Reads a body from front to back, in the one form that BodyOf() writes.
class Cursor {
 public:
  explicit Cursor(absl::string_view text) : rest_(text) {}
  bool Skip(absl::string_view token) { return absl::ConsumePrefix(&rest_, token); }
  bool empty() const { return rest_.empty(); }

  bool Number(int64_t* number) {
    const size_t end = rest_.find_first_not_of("-0123456789");
    const absl::string_view digits = rest_.substr(0, end);
    if (!absl::SimpleAtoi(digits, number) || absl::StrCat(*number) != digits) return false;
    rest_.remove_prefix(digits.size());
    return true;
  }
  bool String(std::string* text) {
    if (!Skip("\"")) return false;
    while (!rest_.empty()) {
      const char c = rest_[0];
      if (c == '"') {
        rest_.remove_prefix(1);
        return true;
      }
      if (c != '\\') {
        if (static_cast<uint8_t>(c) < 0x20) return false;
        text->push_back(c);
        rest_.remove_prefix(1);
      } else if (!Escape(text)) {
        return false;
      }
    }
    return false;
  }

 private:
  bool Escape(std::string* text) {
    if (rest_.size() >= 2 && (rest_[1] == '"' || rest_[1] == '\\')) {
      text->push_back(rest_[1]);
      rest_.remove_prefix(2);
      return true;
    }
    uint32_t code = 0;
    if (rest_.size() < 6 || rest_[1] != 'u' || !absl::SimpleHexAtoi(rest_.substr(2, 4), &code)) {
      return false;
    }
    AppendUtf8(code, *text);
    rest_.remove_prefix(6);
    return true;
  }
  absl::string_view rest_;
};

bool ParseAbout(Cursor& cursor, std::vector<Field>& about) {
  if (cursor.Skip("}")) return true;
  do {
    std::string name, text;
    int64_t number = 0;
    if (!cursor.String(&name) || !cursor.Skip(":")) return false;
    if (cursor.Skip("true")) {
      about.emplace_back(name, true);
    } else if (cursor.Skip("false")) {
      about.emplace_back(name, false);
    } else if (cursor.Number(&number)) {
      about.emplace_back(name, number);
    } else if (cursor.String(&text)) {
      about.emplace_back(name, text);
    } else {
      return false;
    }
  } while (cursor.Skip(","));
  return cursor.Skip("}");
}

constexpr char kTimeFormat[] = "%Y-%m-%dT%H:%M:%E3SZ";

}  // namespace

std::string TextOf(const Event& event, absl::string_view name) {
  for (const Field& field : event.about) {
    if (field.name != name) continue;
    const std::string* text = std::get_if<std::string>(&field.value);
    return text == nullptr ? std::string() : *text;
  }
  return "";
}

int64_t NumberOf(const Event& event, absl::string_view name) {
  for (const Field& field : event.about) {
    if (field.name != name) continue;
    const int64_t* number = std::get_if<int64_t>(&field.value);
    return number == nullptr ? 0 : *number;
  }
  return 0;
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime(kTimeFormat, time, absl::UTCTimeZone());
}

std::string ValueText(const Field::Value& value) {
  if (const int64_t* number = std::get_if<int64_t>(&value)) return absl::StrCat(*number);
  if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  return std::get<std::string>(value);
}

std::string Quoted(absl::string_view text) {
  std::string quoted;
  AppendQuoted(text, quoted);
  return quoted;
}

std::string BodyOf(uint64_t seq, const Event& event) {
  OUTPACE_CHECK(IsName(event.kind) && event.about.size() <= kFieldsMax);
  std::string body = absl::StrCat("{\"seq\":", seq, ",\"time\":\"", TimeText(event.at),
                                  "\",\"kind\":\"", event.kind, "\",\"actor\":");
  AppendQuoted(event.actor, body);
  absl::StrAppend(&body, ",\"about\":{");
  bool first = true;
  for (const Field& field : event.about) {
    OUTPACE_CHECK(IsName(field.name));
    absl::StrAppend(&body, first ? "" : ",", "\"", field.name, "\":");
    first = false;
    if (const std::string* text = std::get_if<std::string>(&field.value)) {
      AppendQuoted(*text, body);
    } else {
      absl::StrAppend(&body, ValueText(field.value));
    }
  }
  body.push_back('}');
  return body;
}

std::string LineOf(absl::string_view body, absl::string_view hash, absl::string_view seal) {
  return absl::StrCat(body, kBeforeHash, hash, kBeforeSeal, seal, kEnd, "\n");
}

absl::StatusOr<LineParts> SplitLine(absl::string_view line) {
  if (line.size() <= kTail) return absl::DataLossError("is too short for an event");
  LineParts parts;
  absl::string_view tail = line.substr(line.size() - kTail);
  parts.body = line.substr(0, line.size() - kTail);
  const auto take = [&tail](absl::string_view before, absl::string_view* digits) {
    if (!absl::ConsumePrefix(&tail, before)) return false;
    *digits = tail.substr(0, kDigits);
    tail.remove_prefix(kDigits);
    return IsHex(*digits);
  };
  if (!take(kBeforeHash, &parts.hash) || !take(kBeforeSeal, &parts.seal) || tail != kEnd) {
    return absl::DataLossError("does not end with a hash and a seal");
  }
  return parts;
}

absl::StatusOr<StoredEvent> ParseLine(absl::string_view line) {
  const auto parts = SplitLine(line);
  if (!parts.ok()) return parts.status();
  StoredEvent stored;
  stored.hash = std::string(parts->hash);
  stored.seal = std::string(parts->seal);
  Cursor cursor(parts->body);
  int64_t seq = 0;
  std::string time, fault;
  const bool good =
      cursor.Skip("{\"seq\":") && cursor.Number(&seq) && seq > 0 && cursor.Skip(",\"time\":") &&
      cursor.String(&time) && cursor.Skip(",\"kind\":") && cursor.String(&stored.event.kind) &&
      cursor.Skip(",\"actor\":") && cursor.String(&stored.event.actor) &&
      cursor.Skip(",\"about\":{") && ParseAbout(cursor, stored.event.about) && cursor.empty();
  if (!good || !absl::ParseTime(kTimeFormat, time, &stored.event.at, &fault)) {
    return absl::DataLossError("is no event");
  }
  stored.seq = static_cast<uint64_t>(seq);
  return stored;
}

}  // namespace outpace::audit
