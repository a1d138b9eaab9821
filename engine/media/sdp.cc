#include "engine/media/sdp.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace outpace::media {
namespace {

constexpr size_t kTextMax = 16 * 1024;
constexpr size_t kLinesMax = 8;     // m= lines; a phone offers audio, video and text at most
constexpr size_t kFormatsMax = 40;  // payload types of one m= line
constexpr size_t kTokenMax = 32;

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("sdp: ", what));
}

// Digits only, no sign, no blanks; nullopt when empty, longer than 5 digits or above `max`.
std::optional<uint32_t> ParseNumber(absl::string_view text, uint32_t max) {
  if (text.empty() || text.size() > 5) return std::nullopt;
  uint32_t value = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
    value = value * 10 + static_cast<uint32_t>(c - '0');
  }
  if (value > max) return std::nullopt;
  return value;
}

// Safe to repeat in our own answer.
bool IsToken(absl::string_view text) {
  if (text.empty() || text.size() > kTokenMax) return false;
  for (const char c : text) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && !absl::StrContains("-./+_*", c)) {
      return false;
    }
  }
  return true;
}

// What stands at session level and holds for each m= line that does not say otherwise.
struct Scope {
  std::optional<absl::string_view> connection;
  std::optional<Direction> direction;
};

enum class Coding { kNone, kMu, kA, kEvent, kOther };

struct Section {
  RemoteMedia::Line line;
  uint32_t port = 0;
  std::vector<uint8_t> types;        // of the m= line, in its order
  std::array<Coding, 128> rtpmap{};  // kNone: no a=rtpmap for it
  Scope scope;
};

std::optional<Direction> ParseDirection(absl::string_view attribute) {
  if (attribute == "sendrecv") return Direction::kSendRecv;
  if (attribute == "sendonly") return Direction::kSendOnly;
  if (attribute == "recvonly") return Direction::kRecvOnly;
  if (attribute == "inactive") return Direction::kInactive;
  return std::nullopt;
}

// "0 PCMU/8000" or "0 PCMU/8000/1". Names compare without case (RFC 8866 6.6).
void TakeRtpmap(absl::string_view value, Section& section) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(value, absl::MaxSplits(' ', 1));
  const std::optional<uint32_t> type = ParseNumber(parts.first, 127);
  if (!type.has_value()) return;
  absl::string_view name = absl::StripAsciiWhitespace(parts.second);
  absl::ConsumeSuffix(&name, "/1");
  Coding coding = Coding::kOther;
  if (absl::EqualsIgnoreCase(name, "PCMU/8000")) coding = Coding::kMu;
  if (absl::EqualsIgnoreCase(name, "PCMA/8000")) coding = Coding::kA;
  if (absl::EqualsIgnoreCase(name, "telephone-event/8000")) coding = Coding::kEvent;
  section.rtpmap[*type] = coding;
}

absl::StatusOr<Section> ParseMediaLine(absl::string_view value) {
  // At most one part more than allowed: a line of a million formats is cut, then refused.
  const std::vector<absl::string_view> parts =
      absl::StrSplit(value, absl::MaxSplits(' ', kFormatsMax + 3), absl::SkipEmpty());
  if (parts.size() < 4) return Bad("m= line too short");
  if (parts.size() > kFormatsMax + 3) return Bad("too many formats");
  Section section;
  if (!IsToken(parts[0]) || !IsToken(parts[2]) || !IsToken(parts[3])) return Bad("bad m= line");
  section.line = {.media = std::string(parts[0]),
                  .transport = std::string(parts[2]),
                  .format = std::string(parts[3])};
  // "49170/2" names two ports; the first is as good as any.
  const absl::string_view port = parts[1].substr(0, parts[1].find('/'));
  const std::optional<uint32_t> number = ParseNumber(port, 65535);
  if (!number.has_value()) return Bad("bad port in m= line");
  section.port = *number;
  for (size_t i = 3; i < parts.size(); ++i) {
    // A format that is no payload type belongs to another transport; such a line is not used.
    if (const std::optional<uint32_t> type = ParseNumber(parts[i], 127)) {
      section.types.push_back(static_cast<uint8_t>(*type));
    }
  }
  return section;
}

void TakeAttribute(absl::string_view value, Section* section, Scope& scope) {
  if (const std::optional<Direction> direction = ParseDirection(value)) {
    scope.direction = direction;
  } else if (section != nullptr && absl::ConsumePrefix(&value, "rtpmap:")) {
    TakeRtpmap(value, *section);
  }
}

struct Description {
  Scope session;
  std::vector<Section> sections;
};

absl::StatusOr<Description> Split(absl::string_view text) {
  if (text.size() > kTextMax) return Bad("too long");
  Description out;
  bool first = true;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    absl::ConsumeSuffix(&line, "\r");
    if (line.empty()) continue;
    for (const char c : line) {
      if (absl::ascii_iscntrl(static_cast<unsigned char>(c)) && c != '\t') {
        return Bad("control character");
      }
    }
    if (line.size() < 2 || line[1] != '=') return Bad("line is not type=value");
    const absl::string_view value = line.substr(2);
    if (first && line != "v=0") return Bad("does not begin with v=0");
    first = false;
    Section* const section = out.sections.empty() ? nullptr : &out.sections.back();
    Scope& scope = section == nullptr ? out.session : section->scope;
    if (line[0] == 'm') {
      if (out.sections.size() == kLinesMax) return Bad("too many m= lines");
      absl::StatusOr<Section> parsed = ParseMediaLine(value);
      if (!parsed.ok()) return parsed.status();
      out.sections.push_back(*std::move(parsed));
    } else if (line[0] == 'c') {
      // The first of several counts; more are only for layered multicast.
      if (!scope.connection.has_value()) scope.connection = value;
    } else if (line[0] == 'a') {
      TakeAttribute(value, section, scope);
    }
  }
  if (first) return Bad("empty");
  return out;
}

absl::Status CheckAddress(uint32_t ip, const SdpPolicy& policy) {
  const uint32_t top = ip >> 24;
  if (top == 0) return Bad("address in 0.0.0.0/8");
  if (top == 127 && !policy.allow_loopback) return Bad("loopback address");
  if (top >= 224) return Bad("multicast, reserved or broadcast address");
  return absl::OkStatus();
}

// "IN IP4 192.0.2.1". Names are never resolved, and IPv6 is not spoken.
absl::Status TakeConnection(absl::string_view value, const SdpPolicy& policy, RemoteMedia& out) {
  const std::vector<absl::string_view> parts =
      absl::StrSplit(value, absl::MaxSplits(' ', 3), absl::SkipEmpty());
  if (parts.size() != 3 || parts[0] != "IN") return Bad("bad c= line");
  if (parts[1] != "IP4") return Bad("not an IPv4 address");
  const absl::StatusOr<uint32_t> ip = ParseIpv4(parts[2]);
  if (!ip.ok()) return ip.status();
  if (*ip == 0 && policy.allow_hold_address) {
    out.old_style_hold = true;
    return absl::OkStatus();
  }
  if (absl::Status status = CheckAddress(*ip, policy); !status.ok()) return status;
  out.address.ip = *ip;
  return absl::OkStatus();
}

// The codecs of `section` that we have too, in its order.
void TakeCodecs(const Section& section, RemoteMedia& out) {
  std::array<bool, 128> seen{};
  for (const uint8_t type : section.types) {
    if (std::exchange(seen[type], true)) continue;
    Coding coding = section.rtpmap[type];
    // 0 and 8 need no rtpmap (RFC 3551 6); one that gives them another meaning is believed.
    if (coding == Coding::kNone && type == 0) coding = Coding::kMu;
    if (coding == Coding::kNone && type == 8) coding = Coding::kA;
    if (coding == Coding::kMu || coding == Coding::kA) {
      // A G.711 on our own telephone-event number could not be told from a key press.
      if (type != kOurEventType) {
        out.codecs.push_back(
            {.law = coding == Coding::kMu ? Law::kMu : Law::kA, .payload_type = type});
      }
    } else if (coding == Coding::kEvent && out.event_type == 0 && type >= 96) {
      out.event_type = type;
    }
  }
}

std::string Head(const LocalMedia& local) {
  const std::string ip = Ipv4ToString(local.address.ip);
  return absl::StrCat("v=0\r\no=- ", local.session_id, " ", local.version, " IN IP4 ", ip,
                      "\r\ns=-\r\nc=IN IP4 ", ip, "\r\nt=0 0\r\n");
}

std::string Tail(Direction direction) {
  return absl::StrCat("a=ptime:20\r\na=", DirectionName(direction), "\r\n");
}

std::string EventLines(uint8_t type) {
  // RFC 4733 2.4.1: the sixteen DTMF keys.
  return absl::StrCat("a=rtpmap:", type, " telephone-event/8000\r\na=fmtp:", type, " 0-15\r\n");
}

}  // namespace

Direction Mirror(Direction theirs) {
  if (theirs == Direction::kSendOnly) return Direction::kRecvOnly;
  if (theirs == Direction::kRecvOnly) return Direction::kSendOnly;
  return theirs;
}

absl::string_view DirectionName(Direction direction) {
  switch (direction) {
    case Direction::kSendRecv:
      return "sendrecv";
    case Direction::kSendOnly:
      return "sendonly";
    case Direction::kRecvOnly:
      return "recvonly";
    case Direction::kInactive:
      return "inactive";
  }
  return "inactive";
}

absl::StatusOr<uint32_t> ParseIpv4(absl::string_view text) {
  in_addr address{};
  if (text.size() > 15 || inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) {
    return Bad("not an IPv4 address");
  }
  return ntohl(address.s_addr);
}

std::string Ipv4ToString(uint32_t ip) {
  return absl::StrCat(ip >> 24, ".", (ip >> 16) & 0xff, ".", (ip >> 8) & 0xff, ".", ip & 0xff);
}

absl::StatusOr<RemoteMedia> ParseSdp(absl::string_view text, const SdpPolicy& policy) {
  absl::StatusOr<Description> description = Split(text);
  if (!description.ok()) return description.status();

  RemoteMedia out;
  const Section* audio = nullptr;
  for (size_t i = 0; i < description->sections.size(); ++i) {
    const Section& section = description->sections[i];
    out.lines.push_back(section.line);
    if (audio == nullptr && section.line.media == "audio" && section.port != 0 &&
        section.line.transport == "RTP/AVP") {
      audio = &section;
      out.audio_line = i;
    }
  }
  if (audio == nullptr) return Bad("no RTP/AVP audio with a port");
  TakeCodecs(*audio, out);
  if (out.codecs.empty()) return Bad("no G.711");

  const std::optional<absl::string_view> connection = audio->scope.connection.has_value()
                                                          ? audio->scope.connection
                                                          : description->session.connection;
  if (!connection.has_value()) return Bad("no c= line");
  if (absl::Status status = TakeConnection(*connection, policy, out); !status.ok()) return status;
  out.address.port = static_cast<uint16_t>(audio->port);
  out.direction = audio->scope.direction.value_or(
      description->session.direction.value_or(Direction::kSendRecv));
  if (out.old_style_hold) out.direction = Direction::kInactive;
  return out;
}

std::string BuildOffer(const LocalMedia& local) {
  return absl::StrCat(Head(local), "m=audio ", local.address.port, " RTP/AVP 0 8 ", kOurEventType,
                      "\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n",
                      EventLines(kOurEventType), Tail(local.direction));
}

std::string BuildAnswer(const LocalMedia& local, const RemoteMedia& remote) {
  std::string text = Head(local);
  for (size_t i = 0; i < remote.lines.size(); ++i) {
    const RemoteMedia::Line& line = remote.lines[i];
    if (i != remote.audio_line) {
      absl::StrAppend(&text, "m=", line.media, " 0 ", line.transport, " ", line.format, "\r\n");
      continue;
    }
    absl::StrAppend(&text, "m=audio ", local.address.port, " RTP/AVP");
    for (const SdpCodec& codec : remote.codecs) absl::StrAppend(&text, " ", codec.payload_type);
    if (remote.event_type != 0) absl::StrAppend(&text, " ", remote.event_type);
    absl::StrAppend(&text, "\r\n");
    for (const SdpCodec& codec : remote.codecs) {
      absl::StrAppend(&text, "a=rtpmap:", codec.payload_type,
                      codec.law == Law::kMu ? " PCMU/8000\r\n" : " PCMA/8000\r\n");
    }
    if (remote.event_type != 0) absl::StrAppend(&text, EventLines(remote.event_type));
    absl::StrAppend(&text, Tail(local.direction));
  }
  return text;
}

}  // namespace outpace::media
