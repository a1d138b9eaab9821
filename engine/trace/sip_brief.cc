#include "engine/trace/sip_brief.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace outpace::trace {
namespace {

// The next line of `rest`, without its end; `rest` goes on after it.
absl::string_view TakeLine(absl::string_view& rest) {
  const size_t end = rest.find('\n');
  absl::string_view line = rest.substr(0, end);
  rest = end == rest.npos ? absl::string_view() : rest.substr(end + 1);
  return absl::StripSuffix(line, "\r");
}

// Static payload types that telephony uses (RFC 3551 6).
std::string NameOfPayload(absl::string_view type) {
  static constexpr std::pair<const char*, const char*> kNames[] = {
      {"0", "PCMU"}, {"3", "GSM"}, {"4", "G723"}, {"8", "PCMA"},
      {"9", "G722"}, {"13", "CN"}, {"18", "G729"}};
  for (const auto& [number, name] : kNames) {
    if (type == number) return name;
  }
  return absl::StrCat("pt", type);
}

struct Stream {
  std::string kind, port, address, direction;
  std::vector<std::pair<std::string, std::string>> payloads;  // type, name
  bool srtp = false;

  std::string Text() const {
    std::vector<std::string> words;
    if (kind != "audio") words.push_back(kind);
    words.push_back(absl::StrCat(address, ":", port));
    for (const auto& [type, name] : payloads) words.push_back(name);
    if (!direction.empty() && direction != "sendrecv") words.push_back(direction);
    if (srtp) words.push_back("SRTP");
    return absl::StrJoin(words, " ");
  }
};

void ReadAttribute(absl::string_view value, Stream& stream) {
  if (absl::ConsumePrefix(&value, "rtpmap:")) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(value, absl::MaxSplits(' ', 1));
    for (auto& [type, name] : stream.payloads) {
      if (type == parts.first) name = std::string(parts.second.substr(0, parts.second.find('/')));
    }
  } else if (value == "sendonly" || value == "recvonly" || value == "inactive" ||
             value == "sendrecv") {
    stream.direction = std::string(value);
  }
}

std::string SummaryOfSdp(absl::string_view body) {
  std::string session_address, session_direction;
  std::vector<Stream> streams;
  while (!body.empty()) {
    const absl::string_view line = TakeLine(body);
    if (line.size() < 2 || line[1] != '=') continue;
    const std::vector<absl::string_view> words = absl::StrSplit(line.substr(2), ' ');
    if (line[0] == 'c' && words.size() >= 3) {
      (streams.empty() ? session_address : streams.back().address) = std::string(words[2]);
    } else if (line[0] == 'm' && words.size() >= 3) {
      Stream& stream = streams.emplace_back();
      stream.kind = std::string(words[0]);
      stream.port = std::string(words[1]);
      stream.address = session_address;
      stream.direction = session_direction;
      stream.srtp = absl::StrContains(words[2], "SAVP");
      for (size_t i = 3; i < words.size(); ++i) {
        stream.payloads.emplace_back(std::string(words[i]), NameOfPayload(words[i]));
      }
    } else if (line[0] == 'a' && !streams.empty()) {
      ReadAttribute(line.substr(2), streams.back());
    } else if (line[0] == 'a') {
      Stream session;
      ReadAttribute(line.substr(2), session);
      if (!session.direction.empty()) session_direction = session.direction;
    }
  }
  return absl::StrJoin(streams, ", ", [](std::string* out, const Stream& stream) {
    absl::StrAppend(out, stream.Text());
  });
}

std::string ParamOf(absl::string_view header, absl::string_view name) {
  const std::string marker = absl::StrCat(";", name, "=");
  const size_t at = absl::AsciiStrToLower(header).find(marker);
  if (at == std::string::npos) return "";
  const absl::string_view value = header.substr(at + marker.size());
  return std::string(value.substr(0, value.find_first_of(";, \t>")));
}

absl::string_view BodyOf(absl::string_view message) {
  const size_t crlf = message.find("\r\n\r\n");
  if (crlf != message.npos) return message.substr(crlf + 4);
  const size_t lf = message.find("\n\n");
  return lf != message.npos ? message.substr(lf + 2) : absl::string_view();
}

void ReadStartLine(absl::string_view line, SipBrief& brief) {
  if (absl::ConsumePrefix(&line, "SIP/2.0 ")) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    int status = 0;
    if (absl::SimpleAtoi(parts.first, &status) && status >= 100 && status <= 999) {
      brief.status = status;
      brief.phrase = std::string(parts.second);
    }
    return;
  }
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  if (words.size() == 3 && absl::StartsWithIgnoreCase(words[2], "SIP/")) {
    brief.method = std::string(words[0]);
    brief.request_uri = std::string(words[1]);
  }
}

}  // namespace

std::string HeaderOf(absl::string_view message, absl::string_view name, char compact) {
  TakeLine(message);
  std::string value;
  bool found = false;
  while (!message.empty()) {
    const absl::string_view line = TakeLine(message);
    if (line.empty()) break;
    if (line[0] == ' ' || line[0] == '\t') {
      if (found) absl::StrAppend(&value, " ", absl::StripAsciiWhitespace(line));
      continue;
    }
    if (found) break;
    const size_t colon = line.find(':');
    if (colon == line.npos) continue;
    const absl::string_view key = absl::StripAsciiWhitespace(line.substr(0, colon));
    found = absl::EqualsIgnoreCase(key, name) ||
            (key.size() == 1 && absl::ascii_tolower(static_cast<unsigned char>(key[0])) == compact);
    if (found) value = std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
  }
  return value;
}

SipBrief ReadSip(absl::string_view message) {
  SipBrief brief;
  absl::string_view rest = message;
  ReadStartLine(TakeLine(rest), brief);
  if (!brief.IsSip()) return brief;
  brief.call_id = HeaderOf(message, "Call-ID", 'i');
  const std::vector<std::string> cseq =
      absl::StrSplit(HeaderOf(message, "CSeq"), absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (cseq.size() == 2 && absl::SimpleAtoi(cseq[0], &brief.cseq)) brief.cseq_method = cseq[1];
  brief.branch = ParamOf(HeaderOf(message, "Via", 'v'), "branch");
  brief.to_tag = ParamOf(HeaderOf(message, "To", 't'), "tag");
  brief.reason = HeaderOf(message, "Reason");
  brief.retry_after = HeaderOf(message, "Retry-After");
  // Also inside a multipart body: its SDP lines look the same.
  const std::string type = absl::AsciiStrToLower(HeaderOf(message, "Content-Type", 'c'));
  if (absl::StrContains(type, "sdp") || absl::StartsWith(type, "multipart/")) {
    brief.sdp = SummaryOfSdp(BodyOf(message));
  }
  return brief;
}

}  // namespace outpace::trace
