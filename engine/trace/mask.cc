#include "engine/trace/mask.h"

#include <algorithm>
#include <cstring>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace outpace::trace {
namespace {

constexpr size_t kShownLess = 4;  // letters or digits taken off the end
constexpr size_t kLongRun = 5;    // digits that may be a telephone number
constexpr size_t kCallIdRun = 10;

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }
bool IsWord(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         static_cast<unsigned char>(c) >= 0x80;
}

// A stretch of the message that is masked in place.
struct Text {
  char* data = nullptr;
  size_t size = 0;
  absl::string_view view() const { return {data, size}; }
  Text From(size_t start) const { return {data + start, size - start}; }
  Text Part(size_t start, size_t length) const { return {data + start, length}; }
};

void Star(Text text) { std::memset(text.data, '*', text.size); }

void StarWords(Text text) {
  for (size_t i = 0; i < text.size; ++i) {
    if (IsWord(text.data[i])) text.data[i] = '*';
  }
}

// The last four letters and digits, if there are five or more.
void StarTail(Text text) {
  if (std::count_if(text.data, text.data + text.size, IsWord) < static_cast<ptrdiff_t>(kLongRun)) {
    return;
  }
  size_t left = kShownLess;
  for (size_t i = text.size; i > 0 && left > 0; --i) {
    if (!IsWord(text.data[i - 1])) continue;
    text.data[i - 1] = '*';
    --left;
  }
}

// ---- secrets ----

// The value of `line` if that is a header called `name`, else an empty text without data.
Text ValueOf(Text line, absl::string_view name) {
  if (!absl::StartsWithIgnoreCase(line.view(), name)) return {};
  size_t at = name.size();
  while (at < line.size && (line.data[at] == ' ' || line.data[at] == '\t')) ++at;
  if (at == line.size || line.data[at] != ':') return {};
  return line.From(at + 1);
}

bool MaskCredentials(Text line) {
  for (const absl::string_view name : {"Authorization", "Proxy-Authorization",
                                       "Authentication-Info", "Proxy-Authentication-Info"}) {
    const Text value = ValueOf(line, name);
    if (value.data == nullptr) continue;
    size_t at = 0;
    while (at < value.size && (value.data[at] == ' ' || value.data[at] == '\t')) ++at;
    if (!absl::EndsWithIgnoreCase(name, "Info")) {  // the scheme stays: "Digest"
      while (at < value.size && IsWord(value.data[at])) ++at;
      if (at < value.size && value.data[at] == ' ') ++at;
    }
    Star(value.From(at));
    return true;
  }
  return false;
}

void MaskKey(Text line) {
  const absl::string_view view = line.view();
  if (absl::StartsWithIgnoreCase(view, "a=crypto:")) {
    constexpr absl::string_view kInline = "inline:";
    const size_t at = view.find(kInline);
    Star(line.From(at == view.npos ? std::min<size_t>(9, line.size) : at + kInline.size()));
  } else if (absl::StartsWithIgnoreCase(view, "a=key-mgmt:")) {
    Star(line.From(11));
  } else if (absl::StartsWithIgnoreCase(view, "k=")) {
    Star(line.From(2));
  }
}

// ---- numbers ----

bool IsPort(absl::string_view text, size_t start, size_t end) {
  return end - start == kLongRun && start >= 2 && text[start - 1] == ':' &&
         (IsWord(text[start - 2]) || text[start - 2] == ']') && text.substr(start, 5) <= "65535";
}

// Runs of `least` or more digits keep all but their last four. Tags name dialogs and stay.
void MaskRuns(Text text, size_t least) {
  const absl::string_view view = text.view();
  for (size_t i = 0; i < view.size();) {
    if (absl::StartsWithIgnoreCase(view.substr(i), ";tag=")) {
      i = std::min(view.find_first_of(";, \t>", i + 1), view.size());
      continue;
    }
    if (!IsDigit(view[i])) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < view.size() && IsDigit(view[end])) ++end;
    const bool masked = end < view.size() && view[end] == '*';  // as a user part, before
    if (end - i >= least && !masked && !IsPort(view, i, end))
      Star(text.Part(end - kShownLess, kShownLess));
    i = end;
  }
}

// The user part of the URI whose scheme ends at `start`, or the number of a tel: URI.
void MaskUser(Text text, size_t start, bool tel) {
  const absl::string_view view = text.view();
  const size_t stop = std::min(view.find_first_of(" \t<>\",", start), view.size());
  size_t end = tel ? std::min(view.find(';', start), stop) : view.find('@', start);
  if (end == view.npos || end > stop) return;
  const size_t rest = std::min(view.find_first_of(";:", start), end);
  if (view.substr(start, rest - start) == "outpace") return;  // our own Contact
  StarTail(text.Part(start, rest - start));
  if (rest < end && view[rest] == ':') Star(text.Part(rest + 1, end - rest - 1));  // a password
}

void MaskUris(Text text) {
  const absl::string_view view = text.view();
  for (size_t i = 0; i + 4 <= view.size(); ++i) {
    if (i > 0 && IsWord(view[i - 1])) continue;
    for (const absl::string_view scheme : {"sip:", "sips:", "tel:"}) {
      if (!absl::StartsWithIgnoreCase(view.substr(i), scheme)) continue;
      MaskUser(text, i + scheme.size(), scheme == "tel:");
    }
  }
}

void MaskNumbersIn(Text text) {
  MaskUris(text);
  MaskRuns(text, kLongRun);
}

// Quoted names, and those before each '<' of a list of addresses.
void MaskDisplayNames(Text text) {
  for (size_t quote = text.view().find('"'); quote != absl::string_view::npos;) {
    size_t end = quote + 1;
    while (end < text.size && text.data[end] != '"') end += text.data[end] == '\\' ? 2 : 1;
    end = std::min(end, text.size);
    StarWords(text.Part(quote, end - quote));
    quote = text.view().find('"', end + 1);
  }
  size_t i = 0;
  while (i < text.size) {
    const size_t bracket = text.view().find('<', i);
    if (bracket == absl::string_view::npos) return;
    StarWords(text.Part(i, bracket - i));
    const size_t close = text.view().find('>', bracket);
    const size_t comma = text.view().find(',', close);
    if (close == absl::string_view::npos || comma == absl::string_view::npos) return;
    i = comma + 1;
  }
}

// Our own, "op-<attempt>-<random>", is the key to logs and exports; some exchanges put numbers into
// theirs.
void MaskCallId(Text text) {
  if (!absl::StartsWith(absl::StripLeadingAsciiWhitespace(text.view()), "op-")) {
    MaskRuns(text, kCallIdRun);
  }
}

enum class HeaderKind { kGeneral, kKeep, kAddress, kCallId, kHide };

HeaderKind KindOf(absl::string_view name) {
  static const auto* const kKinds = new absl::flat_hash_map<std::string, HeaderKind>{
      {"via", HeaderKind::kKeep},
      {"v", HeaderKind::kKeep},
      {"cseq", HeaderKind::kKeep},
      {"max-forwards", HeaderKind::kKeep},
      {"content-length", HeaderKind::kKeep},
      {"l", HeaderKind::kKeep},
      {"content-type", HeaderKind::kKeep},
      {"c", HeaderKind::kKeep},
      {"rseq", HeaderKind::kKeep},
      {"rack", HeaderKind::kKeep},
      {"session-expires", HeaderKind::kKeep},
      {"x", HeaderKind::kKeep},
      {"min-se", HeaderKind::kKeep},
      {"expires", HeaderKind::kKeep},
      {"min-expires", HeaderKind::kKeep},
      {"retry-after", HeaderKind::kKeep},
      {"timestamp", HeaderKind::kKeep},
      {"date", HeaderKind::kKeep},
      {"www-authenticate", HeaderKind::kKeep},
      {"proxy-authenticate", HeaderKind::kKeep},
      {"authorization", HeaderKind::kKeep},
      {"proxy-authorization", HeaderKind::kKeep},
      {"allow", HeaderKind::kKeep},
      {"accept", HeaderKind::kKeep},
      {"supported", HeaderKind::kKeep},
      {"k", HeaderKind::kKeep},
      {"require", HeaderKind::kKeep},
      {"user-agent", HeaderKind::kKeep},
      {"server", HeaderKind::kKeep},
      {"from", HeaderKind::kAddress},
      {"f", HeaderKind::kAddress},
      {"to", HeaderKind::kAddress},
      {"t", HeaderKind::kAddress},
      {"contact", HeaderKind::kAddress},
      {"m", HeaderKind::kAddress},
      {"p-asserted-identity", HeaderKind::kAddress},
      {"p-preferred-identity", HeaderKind::kAddress},
      {"p-called-party-id", HeaderKind::kAddress},
      {"remote-party-id", HeaderKind::kAddress},
      {"diversion", HeaderKind::kAddress},
      {"history-info", HeaderKind::kAddress},
      {"refer-to", HeaderKind::kAddress},
      {"r", HeaderKind::kAddress},
      {"referred-by", HeaderKind::kAddress},
      {"b", HeaderKind::kAddress},
      {"reply-to", HeaderKind::kAddress},
      {"call-id", HeaderKind::kCallId},
      {"i", HeaderKind::kCallId},
      {"in-reply-to", HeaderKind::kCallId},
      {"replaces", HeaderKind::kCallId},
      {"identity", HeaderKind::kHide},
      {"y", HeaderKind::kHide},
      {"subject", HeaderKind::kHide},
      {"s", HeaderKind::kHide},
      {"organization", HeaderKind::kHide},
      {"user-to-user", HeaderKind::kHide},
      {"geolocation", HeaderKind::kHide},
  };
  const std::string lower = absl::AsciiStrToLower(name);
  if (absl::StartsWith(lower, "x-")) return HeaderKind::kHide;
  const auto it = kKinds->find(lower);
  return it != kKinds->end() ? it->second : HeaderKind::kGeneral;
}

void MaskValue(Text value, HeaderKind kind) {
  switch (kind) {
    case HeaderKind::kKeep:
      return;
    case HeaderKind::kAddress:
      MaskDisplayNames(value);
      return MaskNumbersIn(value);
    case HeaderKind::kCallId:
      return MaskCallId(value);
    case HeaderKind::kHide:
      return StarWords(value);
    case HeaderKind::kGeneral:
      return MaskNumbersIn(value);
  }
}

void MaskBodyLine(Text line, bool digits_are_keys) {
  if (digits_are_keys) {
    for (size_t i = 0; i < line.size; ++i) {
      if (IsDigit(line.data[i])) line.data[i] = '*';
    }
    return;
  }
  const bool sdp = line.size >= 2 && line.data[1] == '=';
  if (!sdp) return MaskNumbersIn(line);
  if (absl::string_view("osv").find(line.data[0]) != absl::string_view::npos) {
    return MaskNumbersIn(line);
  }
  if (absl::string_view("iuep").find(line.data[0]) != absl::string_view::npos) {
    StarWords(line.From(2));  // information, page, e-mail and telephone of a person
  }
}

// Calls `each` with every line, without its CR and LF.
template <typename Each>
void ForEachLine(char* message, size_t size, Each each) {
  for (char *at = message, *end = message + size; at < end;) {
    char* const newline = static_cast<char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
    char* const stop = newline != nullptr ? newline : end;
    size_t length = static_cast<size_t>(stop - at);
    if (length > 0 && at[length - 1] == '\r') --length;
    each(Text{at, length});
    at = stop + 1;
  }
}

}  // namespace

void MaskSecrets(char* message, size_t size) {
  bool credentials = false;  // a folded line goes on with the header above (RFC 3261 7.3.1)
  ForEachLine(message, size, [&credentials](Text line) {
    if (line.size == 0) {
      credentials = false;
      return;
    }
    switch (line.data[0]) {
      case ' ':
      case '\t':
        if (credentials) Star(line);
        return;
      case 'a':
      case 'A':
      case 'k':
      case 'K':
        MaskKey(line);
        [[fallthrough]];
      case 'p':
      case 'P':
        credentials = MaskCredentials(line);
        return;
      default:
        credentials = false;
    }
  });
}

std::string MaskNumbers(absl::string_view message) {
  std::string masked(message);
  bool first = true, body = false, keys = false;
  HeaderKind kind = HeaderKind::kGeneral;
  ForEachLine(masked.data(), masked.size(), [&](Text line) {
    if (first) {
      first = false;
      return MaskNumbersIn(line);
    }
    if (body) return MaskBodyLine(line, keys);
    if (line.size == 0) {
      body = true;
      return;
    }
    if (line.data[0] == ' ' || line.data[0] == '\t') return MaskValue(line, kind);
    const size_t colon = line.view().find(':');
    if (colon == absl::string_view::npos) return MaskNumbersIn(line);
    const absl::string_view name = absl::StripTrailingAsciiWhitespace(line.view().substr(0, colon));
    kind = KindOf(name);
    if (absl::EqualsIgnoreCase(name, "content-type") || absl::EqualsIgnoreCase(name, "c")) {
      const std::string type = absl::AsciiStrToLower(line.view());
      keys = absl::StrContains(type, "dtmf") || absl::StrContains(type, "telephone-event");
    }
    MaskValue(line.From(colon + 1), kind);
  });
  return masked;
}

}  // namespace outpace::trace
