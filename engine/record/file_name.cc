#include "engine/record/file_name.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace outpace::record {
namespace {

constexpr size_t kPatternMax = 200;
constexpr size_t kValueMax = 48;  // octets of a name from outside
constexpr size_t kPartMax = 200;
constexpr absl::string_view kDateParts = "YymdHMSj";

enum class Word { kCampaign, kCustPhone, kFullDate, kTinyDate, kEpoch, kAgent, kLeadId, kAttempt };
constexpr std::pair<absl::string_view, Word> kWords[] = {
    {"CAMPAIGN", Word::kCampaign}, {"CUSTPHONE", Word::kCustPhone}, {"FULLDATE", Word::kFullDate},
    {"TINYDATE", Word::kTinyDate}, {"EPOCH", Word::kEpoch},         {"AGENT", Word::kAgent},
    {"LEADID", Word::kLeadId},     {"ATTEMPT", Word::kAttempt}};

std::string Harmless(absl::string_view value) {
  std::string text;
  for (const char c : value.substr(0, kValueMax)) {
    text.push_back(absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' ||
                           c == '+'
                       ? c
                       : '_');
  }
  return text;
}

std::string ValueOf(Word word, const RecordingOrder& order, absl::TimeZone zone) {
  switch (word) {
    case Word::kCampaign:
      return Harmless(order.campaign);
    case Word::kCustPhone:
      return Harmless(absl::StartsWith(order.number, "+")
                          ? absl::string_view(order.number).substr(1)
                          : absl::string_view(order.number));
    case Word::kFullDate:
      return absl::FormatTime("%Y%m%d-%H%M%S", order.started, zone);
    case Word::kTinyDate:
      return absl::FormatTime("%y%m%d%H%M%S", order.started, zone);
    case Word::kEpoch:
      return absl::StrCat(absl::ToUnixSeconds(order.started));
    case Word::kAgent:
      return Harmless(order.agent);
    case Word::kLeadId:
      return absl::StrCat(order.lead.value());
    case Word::kAttempt:
      return absl::StrCat(order.attempt.value());
  }
  return "";
}

}  // namespace

absl::string_view FormatName(Format format) {
  switch (format) {
    case Format::kWav:
      return "wav";
    case Format::kWavUlaw:
      return "wav-ulaw";
    case Format::kOpus:
      return "opus";
  }
  return "";
}

std::string Extension(Format format, bool encrypted) {
  return absl::StrCat(format == Format::kOpus ? ".opus" : ".wav", encrypted ? ".sealed" : "");
}

absl::Status CheckPattern(absl::string_view pattern) {
  const auto wrong = [](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("recordings: the file-name pattern ", what,
                                                   "; write e.g. %Y%m%d/FULLDATE_CAMPAIGN_AGENT"));
  };
  if (pattern.empty()) return wrong("is empty");
  if (pattern.size() > kPatternMax) return wrong("is longer than 200 characters");
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '%') {
      if (i + 1 == pattern.size() || !absl::StrContains(kDateParts, pattern[i + 1])) {
        return wrong(absl::StrCat("has an unknown %-part at character ", i + 1,
                                  " (known: %Y %y %m %d %H %M %S %j)"));
      }
      ++i;
    } else if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) &&
               !absl::StrContains("._-+/", c)) {
      return wrong(absl::StrCat("has a character that file names may not have, at ", i + 1));
    }
  }
  for (const absl::string_view part : absl::StrSplit(pattern, '/')) {
    if (part.empty()) return wrong("begins or ends with '/', or has two in a row");
    if (part[0] == '.') return wrong("has a part that begins with '.'");
  }
  return absl::OkStatus();
}

std::string FileName(absl::string_view pattern, const RecordingOrder& order, absl::TimeZone zone) {
  std::string name;
  for (size_t i = 0; i < pattern.size();) {
    const absl::string_view rest = pattern.substr(i);
    if (rest[0] == '%' && rest.size() > 1) {
      absl::StrAppend(&name, absl::FormatTime(std::string(rest.substr(0, 2)), order.started, zone));
      i += 2;
      continue;
    }
    const auto* const word =
        std::find_if(std::begin(kWords), std::end(kWords),
                     [&](const auto& known) { return absl::StartsWith(rest, known.first); });
    if (word != std::end(kWords)) {
      absl::StrAppend(&name, ValueOf(word->second, order, zone));
      i += word->first.size();
    } else {
      name.push_back(rest[0]);
      ++i;
    }
  }
  // Parts that a value left empty or made too long.
  std::vector<std::string> parts;
  for (const absl::string_view part : absl::StrSplit(name, '/')) {
    parts.push_back(part.empty() ? "_" : std::string(part.substr(0, kPartMax)));
  }
  name.clear();
  for (const std::string& part : parts) absl::StrAppend(&name, name.empty() ? "" : "/", part);
  // A dot in the pattern must not be taken for the beginning of the extension.
  for (size_t i = name.rfind('/') + 1; i < name.size(); ++i) {
    if (name[i] == '.') name[i] = '_';
  }
  return name + Extension(order.format, order.encrypted);
}

}  // namespace outpace::record
