#include "tests/engine/sip/malformed.h"

#include <functional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/base/check.h"
#include "engine/base/rng.h"

namespace outpace::sip {
namespace {

// Stands in the tables for a letter many times over; how many is said when a case is made.
constexpr char kHugeMark[] = "<<huge>>";
constexpr size_t kHugeMarkSize = sizeof kHugeMark - 1;
constexpr size_t kRepeatedOctets = 15'000;  // what is repeated stays below this

std::string Times(size_t n, absl::string_view text) {
  std::string result;
  result.reserve(n * text.size());
  for (size_t i = 0; i < n; ++i) absl::StrAppend(&result, text);
  return result;
}

std::string Expanded(std::string text, size_t huge) {
  const size_t at = text.find(kHugeMark);
  if (at == std::string::npos || at + kHugeMarkSize == text.size()) return text;
  const char letter = text[at + kHugeMarkSize];
  return text.replace(at, kHugeMarkSize + 1, std::string(huge, letter));
}

std::string RandomOctets(Rng& rng, size_t n) {
  std::string result;
  for (size_t i = 0; i < n; ++i) result.push_back(static_cast<char>(rng.Below(256)));
  return result;
}

std::string InTheMiddle(const std::string& value, absl::string_view what) {
  const size_t half = value.size() / 2;
  return absl::StrCat(value.substr(0, half), what, value.substr(half));
}

using namespace std::string_literals;  // for octets with a NUL among them

struct ValueAnomaly {
  const char* name;
  std::function<std::string(const std::string& value, Rng& rng)> apply;
};

// In place of `value`.
ValueAnomaly Instead(const char* name, std::string text) {
  return {name, [text = std::move(text)](const std::string&, Rng&) { return text; }};
}
// In the middle of `value`.
ValueAnomaly Inside(const char* name, std::string text) {
  return {name,
          [text = std::move(text)](const std::string& v, Rng&) { return InTheMiddle(v, text); }};
}

const std::vector<ValueAnomaly>& Values() {
  static const auto* all = new std::vector<ValueAnomaly>{
      Instead("empty", ""),
      Instead("one blank", " "),
      Instead("a tab", "\t"),
      Instead("one letter", "A"),
      Instead("256 letters", Times(256, "A")),
      Instead("4 KiB", Times(4096, "A")),
      Instead("huge", "<<huge>>A"),
      Instead("huge, of digits", "<<huge>>9"),
      Instead("format string", Times(32, "%n%s%x")),
      Instead("NUL", "\0"s),
      Inside("NUL inside", "\0"s),
      Instead("NUL in front", "\0AAAA"s),
      Instead("UTF-8 cut short", "\xe2\x82"),
      Instead("UTF-8 overlong", "\xc0\xaf\xe0\x80\xaf"),
      Instead("octets UTF-8 has not", "\xff\xfe\xfd"),
      Inside("a high octet inside", "\xa0"),
      Instead("UTF-8", "\xe7\xa9\xba\xe5\x8f\xb7"),
      Instead("-1", "-1"),
      Instead("0", "0"),
      Instead("leading zeros", "0000000000000000000000000001"),
      Instead("+1", "+1"),
      Instead("2^31", "2147483648"),
      Instead("2^32-1", "4294967295"),
      Instead("2^32", "4294967296"),
      Instead("2^63", "9223372036854775808"),
      Instead("2^64", "18446744073709551616"),
      Instead("-2^63", "-9223372036854775808"),
      Instead("hex", "0x7fffffff"),
      Instead("fraction", "1.5e309"),
      {"repeated", [](const std::string& v, Rng&) { return absl::StrCat(v, ",", v); }},
      {"repeated after a blank",
       [](const std::string& v, Rng&) { return absl::StrCat(v, " ", v); }},
      {"200 times",
       [](const std::string& v, Rng&) {
         return Times(std::min<size_t>(200, kRepeatedOctets / (v.size() + 2)),
                      absl::StrCat(v, ", "));
       }},
      {"first half", [](const std::string& v, Rng&) { return v.substr(0, v.size() / 2); }},
      {"backwards", [](const std::string& v, Rng&) { return std::string(v.rbegin(), v.rend()); }},
      Inside("bare CR inside", "\r"),
      Inside("bare LF inside", "\n"),
      Inside("CRLF inside", "\r\n"),
      Inside("end of headers inside", "\r\n\r\n"),
      Inside("another header inside", "\r\nX-Outpace-Lead: 1\r\n"),
      Inside("folded", "\r\n "),
      Inside("folded 5,000 times", Times(5000, "\r\n\t")),
      Inside("blanks inside", Times(1000, " ")),
      Inside("control octets inside", "\x01\x08\x1b\x7f"),
      Instead("quote", "\""),
      Instead("1,001 quotes", Times(1001, "\"")),
      Instead("backslash at the end", "\"abc\\"),
      Instead("quoted NUL", "\"a\\\0b\""s),
      Instead("<", "<"),
      Instead("1,000 <", Times(1000, "<")),
      Instead("><", "><"),
      Instead("<>", "<>"),
      Instead("1,000 semicolons", Times(1000, ";")),
      Instead("1,000 parameters", Times(1000, ";a=b")),
      Instead("parameters without names", ";=;==;=x;"),
      Instead("1,000 commas", Times(1000, ",")),
      Instead("1,000 at signs", Times(1000, "@")),
      Instead("1,000 colons", Times(1000, ":")),
      Instead("10,000 open parentheses", Times(10'000, "(")),
      Instead("comment without end", "1 (comment \\"),
      Instead("escapes cut short", "%%0%0g%"),
      Instead("escaped NUL", "%00"),
      Instead("sip:", "sip:"),
      Instead("sip:@", "<sip:@>"),
      Instead("bracket without end", "<sip:[::1>"),
      Instead("IPv6 too long", "<sip:a@[1:2:3:4:5:6:7:8:9:a]:99999>"),
      Instead("port 65536", "<sip:a@127.4.75.9:65536>"),
      Instead("URI with 500 headers",
              absl::StrCat("<sip:a@127.4.75.9?", Times(500, "Route=x&"), ">")),
      Instead("URI nested", "<sip:<sip:<sip:a@b>@c>@d>"),
      Instead("tel:", "tel:+0"),
      Instead("slashes", "SIP/2.0/UDP/TCP/2.0"),
      Instead("markup", "<script>alert(1)</script>"),
      Instead("query", "' OR 1=1; --"),
      {"64 random octets", [](const std::string&, Rng& rng) { return RandomOctets(rng, 64); }},
      {"2,000 random octets", [](const std::string&, Rng& rng) { return RandomOctets(rng, 2000); }},
      {"one bit turned",
       [](const std::string& v, Rng& rng) {
         if (v.empty()) return v;
         std::string turned = v;
         char& octet = turned[rng.Below(v.size())];
         octet = static_cast<char>(octet ^ (1 << rng.Below(8)));
         return turned;
       }},
  };
  return *all;
}

struct LineAnomaly {
  const char* name;
  // `name` and `value` with `separator` between make the line; the result has its own line end.
  std::string (*apply)(const std::string& name, absl::string_view separator,
                       const std::string& value);
};

const std::vector<LineAnomaly>& Lines() {
  using S = const std::string&;
  using V = absl::string_view;
  static const auto* all = new std::vector<LineAnomaly>{
      {"missing", [](S, V, S) { return ""s; }},
      {"twice", [](S n, V s, S v) { return Times(2, absl::StrCat(n, s, v, "\r\n")); }},
      {"100 times",
       [](S n, V s, S v) {
         return Times(std::min<size_t>(100, kRepeatedOctets / (n.size() + v.size() + 4)),
                      absl::StrCat(n, s, v, "\r\n"));
       }},
      {"twice, the second empty",
       [](S n, V s, S v) { return absl::StrCat(n, s, v, "\r\n", n, s, "\r\n"); }},
      {"blank before the separator",
       [](S n, V s, S v) { return absl::StrCat(n, " ", s, v, "\r\n"); }},
      {"tab before the separator",
       [](S n, V s, S v) { return absl::StrCat(n, "\t", s, v, "\r\n"); }},
      {"fold before the separator",
       [](S n, V s, S v) { return absl::StrCat(n, "\r\n ", s, v, "\r\n"); }},
      {"no separator", [](S n, V, S v) { return absl::StrCat(n, " ", v, "\r\n"); }},
      {"separator only", [](S, V s, S) { return absl::StrCat(s, "\r\n"); }},
      {"no name", [](S, V s, S v) { return absl::StrCat(s, v, "\r\n"); }},
      {"name only", [](S n, V, S) { return absl::StrCat(n, "\r\n"); }},
      {"huge name", [](S, V s, S v) { return absl::StrCat(kHugeMark, "N", s, v, "\r\n"); }},
      {"NUL in the name",
       [](S n, V s, S v) { return absl::StrCat(InTheMiddle(n, "\0"s), s, v, "\r\n"); }},
      {"high octet in the name",
       [](S n, V s, S v) { return absl::StrCat(InTheMiddle(n, "\xff"), s, v, "\r\n"); }},
      {"LF only", [](S n, V s, S v) { return absl::StrCat(n, s, v, "\n"); }},
      {"CR only", [](S n, V s, S v) { return absl::StrCat(n, s, v, "\r"); }},
      {"no line end", [](S n, V s, S v) { return absl::StrCat(n, s, v); }},
      {"LF CR", [](S n, V s, S v) { return absl::StrCat(n, s, v, "\n\r"); }},
      {"CR CR LF", [](S n, V s, S v) { return absl::StrCat(n, s, v, "\r\r\n"); }},
      {"folded in front", [](S n, V s, S v) { return absl::StrCat(" ", n, s, v, "\r\n"); }},
      {"empty folds after",
       [](S n, V s, S v) { return absl::StrCat(n, s, v, "\r\n", Times(5000, " \r\n")); }},
      {"1,000 unknown ones before",
       [](S n, V s, S v) {
         return absl::StrCat(Times(1000, absl::StrCat("X", s, "y\r\n")), n, s, v, "\r\n");
       }},
      {"separator 1,000 times",
       [](S n, V s, S v) { return absl::StrCat(n, Times(1000, s), v, "\r\n"); }},
      {"empty line before", [](S n, V s, S v) { return absl::StrCat("\r\n", n, s, v, "\r\n"); }},
  };
  return *all;
}

// "a;b=c;d=e": the values of the parameters that have one, as (name, begin, length).
struct Parameter {
  std::string name;
  size_t begin = 0;
  size_t length = 0;
};
std::vector<Parameter> ParametersOf(absl::string_view value) {
  std::vector<Parameter> found;
  size_t at = 0;
  while ((at = value.find(';', at)) != absl::string_view::npos) {
    const size_t name = ++at;
    size_t end = value.find_first_of(";,>", at);
    if (end == absl::string_view::npos) end = value.size();
    const size_t equals = value.substr(0, end).find('=', name);
    if (equals == absl::string_view::npos) continue;
    found.push_back({std::string(value.substr(name, equals - name)), equals + 1, end - equals - 1});
  }
  return found;
}

std::pair<std::string, std::string> SdpParts(const std::string& line) {
  OUTPACE_CHECK(line.size() >= 2 && line[1] == '=');
  return {line.substr(0, 1), line.substr(2)};
}

std::vector<std::string> Words(const std::string& value) { return absl::StrSplit(value, ' '); }

std::string Assemble(absl::string_view start, absl::string_view headers, absl::string_view body) {
  std::string text = absl::StrCat(start, "\r\n", headers);
  if (!body.empty()) absl::StrAppend(&text, "Content-Type: application/sdp\r\n");
  absl::StrAppend(&text, "Content-Length: ", body.size(), "\r\n\r\n", body);
  return text;
}

std::string StartLine(const Draft& draft) { return absl::StrJoin(draft.start, " "); }

std::string HeaderLines(const Draft& draft) {
  std::string lines;
  for (const auto& [name, value] : draft.headers)
    absl::StrAppend(&lines, name, ": ", value, "\r\n");
  return lines;
}

std::string SdpLines(const Draft& draft) {
  std::string lines;
  for (const std::string& line : draft.sdp) absl::StrAppend(&lines, line, "\r\n");
  return lines;
}

}  // namespace

size_t ValueAnomalies() { return Values().size(); }
size_t LineAnomalies() { return Lines().size(); }

std::string Draft::Text() const {
  return Assemble(StartLine(*this), HeaderLines(*this), SdpLines(*this));
}

Malformed::Malformed(const Draft& form, uint64_t seed, Octets huge)
    : form_(form), seed_(seed), huge_(huge) {
  for (size_t i = 0; i < form.start.size(); ++i) Add(Where::kStart, i, 0, ValueAnomalies());
  for (size_t i = 0; i < form.headers.size(); ++i) {
    Add(Where::kHeaderLine, i, 0, LineAnomalies());
    Add(Where::kHeaderValue, i, 0, ValueAnomalies());
    const size_t parameters = ParametersOf(form.headers[i].second).size();
    for (size_t p = 0; p < parameters; ++p) Add(Where::kParameter, i, p, ValueAnomalies());
  }
  for (size_t i = 0; i < form.sdp.size(); ++i) {
    Add(Where::kSdpLine, i, 0, LineAnomalies());
    const size_t words = Words(SdpParts(form.sdp[i]).second).size();
    if (words > 1) Add(Where::kSdpValue, i, 0, ValueAnomalies());
    for (size_t w = 0; w < words; ++w) Add(Where::kSdpWord, i, w, ValueAnomalies());
  }
}

void Malformed::Add(Where where, size_t part, size_t detail, size_t anomalies) {
  for (size_t a = 0; a < anomalies; ++a) cases_.push_back({where, part, detail, a});
}

std::string Malformed::Name(size_t number) const {
  const Case& c = cases_.at(number);
  switch (c.where) {
    case Where::kStart:
      return absl::StrCat("first line, word ", c.part + 1, ": ", Values()[c.anomaly].name);
    case Where::kHeaderValue:
      return absl::StrCat("header ", form_.headers[c.part].first, ": ", Values()[c.anomaly].name);
    case Where::kParameter:
      return absl::StrCat("header ", form_.headers[c.part].first, ", parameter ",
                          ParametersOf(form_.headers[c.part].second)[c.detail].name, ": ",
                          Values()[c.anomaly].name);
    case Where::kHeaderLine:
      return absl::StrCat("line of ", form_.headers[c.part].first, ": ", Lines()[c.anomaly].name);
    case Where::kSdpValue:
      return absl::StrCat("sdp ", form_.sdp[c.part], ": ", Values()[c.anomaly].name);
    case Where::kSdpWord:
      return absl::StrCat("sdp ", form_.sdp[c.part], ", word ", c.detail + 1, ": ",
                          Values()[c.anomaly].name);
    case Where::kSdpLine:
      return absl::StrCat("line of sdp ", form_.sdp[c.part], ": ", Lines()[c.anomaly].name);
  }
  return "";
}

std::string Malformed::Text(const Draft& draft, size_t number) const {
  const Case& c = cases_.at(number);
  Rng rng(seed_ ^ (0x9e3779b97f4a7c15 * (number + 1)));
  Draft spoiled = draft;
  const auto spoil = [&](const std::string& value) {
    return Expanded(Values()[c.anomaly].apply(value, rng), huge_);
  };
  const auto spoil_line = [&](const std::string& name, absl::string_view separator,
                              const std::string& value) {
    return Expanded(Lines()[c.anomaly].apply(name, separator, value), huge_);
  };
  switch (c.where) {
    case Where::kStart: {
      std::string& word = spoiled.start.at(c.part);
      word = spoil(word);
      return spoiled.Text();
    }
    case Where::kHeaderValue: {
      std::string& value = spoiled.headers.at(c.part).second;
      value = spoil(value);
      return spoiled.Text();
    }
    case Where::kParameter: {
      std::string& value = spoiled.headers.at(c.part).second;
      const Parameter parameter = ParametersOf(value).at(c.detail);
      value.replace(parameter.begin, parameter.length,
                    spoil(value.substr(parameter.begin, parameter.length)));
      return spoiled.Text();
    }
    case Where::kHeaderLine: {
      std::string lines;
      for (size_t i = 0; i < spoiled.headers.size(); ++i) {
        const auto& [name, value] = spoiled.headers[i];
        absl::StrAppend(&lines, i == c.part ? spoil_line(name, ": ", value)
                                            : absl::StrCat(name, ": ", value, "\r\n"));
      }
      return Assemble(StartLine(spoiled), lines, SdpLines(spoiled));
    }
    case Where::kSdpValue: {
      std::string& line = spoiled.sdp.at(c.part);
      const auto [type, value] = SdpParts(line);
      line = absl::StrCat(type, "=", spoil(value));
      return spoiled.Text();
    }
    case Where::kSdpWord: {
      std::string& line = spoiled.sdp.at(c.part);
      const auto [type, value] = SdpParts(line);
      std::vector<std::string> words = Words(value);
      words.at(c.detail) = spoil(words.at(c.detail));
      line = absl::StrCat(type, "=", absl::StrJoin(words, " "));
      return spoiled.Text();
    }
    case Where::kSdpLine: {
      std::string lines;
      for (size_t i = 0; i < spoiled.sdp.size(); ++i) {
        const auto [type, value] = SdpParts(spoiled.sdp[i]);
        absl::StrAppend(&lines, i == c.part ? spoil_line(type, "=", value)
                                            : absl::StrCat(spoiled.sdp[i], "\r\n"));
      }
      return Assemble(StartLine(spoiled), HeaderLines(spoiled), lines);
    }
  }
  return "";
}

}  // namespace outpace::sip
