#include "engine/media/sdp.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
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
constexpr size_t kCryptoMax = 16;  // a=crypto lines of one m= line; the rest is passed over
constexpr uint32_t kPtimeMax = 200;

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("sdp: ", what));
}

// Digits only, no sign, no blanks; nullopt when empty, longer than 5 digits or above `max`.
std::optional<uint32_t> ParseNumber(absl::string_view text, uint32_t max) {
  return text.size() > 5 ? std::nullopt : ParseSdpNumber(text, max);
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

struct Section {
  std::string media;
  std::string transport;
  std::string format;  // the first
  uint32_t port = 0;
  std::vector<uint8_t> types;  // of the m= line, in its order
  FormatReader formats;
  uint32_t ptime = 0;
  uint32_t maxptime = 0;
  bool rtcp_mux = false;
  std::optional<uint32_t> rtcp_port;
  std::vector<SdesLine> crypto;
  Scope scope;
};

std::optional<Direction> ParseDirection(absl::string_view attribute) {
  if (attribute == "sendrecv") return Direction::kSendRecv;
  if (attribute == "sendonly") return Direction::kSendOnly;
  if (attribute == "recvonly") return Direction::kRecvOnly;
  if (attribute == "inactive") return Direction::kInactive;
  return std::nullopt;
}

absl::StatusOr<Section> ParseMediaLine(absl::string_view value) {
  // At most one part more than allowed: a line of a million formats is cut, then refused.
  const std::vector<absl::string_view> parts =
      absl::StrSplit(value, absl::MaxSplits(' ', kFormatsMax + 3), absl::SkipEmpty());
  if (parts.size() < 4) return Bad("m= line too short");
  if (parts.size() > kFormatsMax + 3) return Bad("too many formats");
  Section section;
  if (!IsToken(parts[0]) || !IsToken(parts[2]) || !IsToken(parts[3])) return Bad("bad m= line");
  section.media = std::string(parts[0]);
  section.transport = std::string(parts[2]);
  section.format = std::string(parts[3]);
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

// A number of milliseconds worth believing; else 0, as if it were not said.
uint32_t ParsePtime(absl::string_view text) {
  return ParseNumber(absl::StripAsciiWhitespace(text), kPtimeMax).value_or(0);
}

void TakeMediaAttribute(absl::string_view value, Section& section) {
  if (absl::ConsumePrefix(&value, "rtpmap:")) {
    section.formats.TakeRtpmap(value);
  } else if (absl::ConsumePrefix(&value, "fmtp:")) {
    section.formats.TakeFmtp(value);
  } else if (absl::ConsumePrefix(&value, "ptime:")) {
    section.ptime = ParsePtime(value);
  } else if (absl::ConsumePrefix(&value, "maxptime:")) {
    section.maxptime = ParsePtime(value);
  } else if (value == "rtcp-mux") {
    section.rtcp_mux = true;
  } else if (absl::ConsumePrefix(&value, "rtcp:")) {
    // "53020", or "53020 IN IP4 ...": reports to another host than the audio's are not sent.
    const size_t blank = value.find(' ');
    const std::optional<uint32_t> port = ParseNumber(value.substr(0, blank), 65535);
    section.rtcp_port = blank == absl::string_view::npos ? port.value_or(0) : 0;
  } else if (absl::ConsumePrefix(&value, "crypto:") && section.crypto.size() < kCryptoMax) {
    if (const std::optional<SdesLine> line = ParseSdes(value)) section.crypto.push_back(*line);
  }
}

void TakeAttribute(absl::string_view value, Section* section, Scope& scope) {
  if (const std::optional<Direction> direction = ParseDirection(value)) {
    scope.direction = direction;
  } else if (section != nullptr) {
    TakeMediaAttribute(value, *section);
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

absl::Status CheckAddress(const IpAddress& ip, const SdpPolicy& policy) {
  if (ip.v6() != policy.ipv6) {
    return Bad(ip.v6() ? "IPv6 address, and ours is IPv4" : "IPv4 address, and ours is IPv6");
  }
  if (ip.unusable()) return Bad("multicast, reserved, broadcast or disguised address");
  if (ip.loopback() && !policy.allow_loopback) return Bad("loopback address");
  if (ip.link_local() && !policy.allow_link_local) return Bad("link-local address");
  return absl::OkStatus();
}

// "IN IP4 192.0.2.1". Names are never resolved.
absl::Status TakeConnection(absl::string_view value, const SdpPolicy& policy, RemoteMedia& out) {
  const std::vector<absl::string_view> parts =
      absl::StrSplit(value, absl::MaxSplits(' ', 3), absl::SkipEmpty());
  if (parts.size() != 3 || parts[0] != "IN") return Bad("bad c= line");
  if (parts[1] != "IP4" && parts[1] != "IP6") return Bad("not an IP address");
  const absl::StatusOr<IpAddress> ip = IpAddress::Parse(parts[2]);
  if (!ip.ok() || ip->v6() != (parts[1] == "IP6")) return Bad("bad address in c= line");
  if (ip->any() && policy.allow_hold_address) {
    out.old_style_hold = true;
    return absl::OkStatus();
  }
  if (absl::Status status = CheckAddress(*ip, policy); !status.ok()) return status;
  out.address.ip = *ip;
  return absl::OkStatus();
}

// Key presses must run on the clock of the audio (RFC 4733 2.1), so the type of the codec we send;
// a far end that has only the other clock gets that rather than none.
void ChooseEvent(RemoteMedia& out) {
  const int rate = codec::InfoOf(out.codecs.front().codec).rtp_rate;
  for (const SdpEvent& event : out.events) {
    if (out.event_type != 0 && event.rate != rate) continue;
    out.event_type = event.payload_type;
    out.event_rate = event.rate;
  }
}

void TakeFormats(const Section& section, const SdpPolicy& policy, RemoteMedia& out) {
  SdpFormats formats = section.formats.Read(section.types, policy.codecs, kCodecsMax);
  out.codecs = std::move(formats.codecs);
  out.events = std::move(formats.events);
  out.comfort_noise = formats.comfort_noise;
  if (!out.codecs.empty()) ChooseEvent(out);
}

// The m= line that is ours to take: encrypted where that is allowed, else the first in the clear.
const Section* FindAudio(const std::vector<Section>& sections, Security security) {
  const auto is = [](const Section& section, absl::string_view transport) {
    return section.media == "audio" && section.port != 0 && section.transport == transport;
  };
  if (security != Security::kNever) {
    for (const Section& section : sections) {
      if (is(section, "RTP/SAVP") && !section.crypto.empty()) return &section;
    }
  }
  if (security != Security::kMust) {
    for (const Section& section : sections) {
      if (is(section, "RTP/AVP")) return &section;
    }
  }
  return nullptr;
}

// Why FindAudio found nothing, for whoever reads the log of a failed call.
absl::Status NoAudio(const std::vector<Section>& sections, Security security) {
  bool audio = false;
  bool secure = false;
  for (const Section& section : sections) {
    if (section.media != "audio" || section.port == 0) continue;
    audio = true;
    secure = secure || absl::StartsWith(section.transport, "RTP/SAVP");
  }
  if (!audio) return Bad("no audio with a port");
  if (!secure && security == Security::kMust) {
    return Bad("audio in the clear (RTP/AVP) where RTP/SAVP was asked for");
  }
  if (secure && security != Security::kNever) return Bad("RTP/SAVP without a usable a=crypto");
  return Bad(secure ? "RTP/SAVP where RTP/AVP was offered" : "no RTP/AVP audio");
}

std::string Head(const LocalMedia& local) {
  const std::string ip =
      absl::StrCat(local.address.ip.v6() ? "IN IP6 " : "IN IP4 ", local.address.ip.ToString());
  return absl::StrCat("v=0\r\no=- ", local.session_id, " ", local.version, " ", ip,
                      "\r\ns=-\r\nc=", ip, "\r\nt=0 0\r\n");
}

absl::string_view Transport(const LocalMedia& local) {
  return local.crypto.empty() ? "RTP/AVP" : "RTP/SAVP";
}

std::string Tail(const LocalMedia& local, bool mux) {
  std::string text;
  for (const SdesLine& line : local.crypto) text += SdesText(line);
  // An RTP port may be odd here; naming RTCP's says that this is meant (RFC 3605 2.1).
  if (local.no_rtcp_port) absl::StrAppend(&text, "a=rtcp:", local.address.port, "\r\n");
  if (mux) text += "a=rtcp-mux\r\n";
  absl::StrAppend(&text, "a=ptime:20\r\na=", DirectionName(local.direction), "\r\n");
  return text;
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

absl::StatusOr<RemoteMedia> ParseSdp(absl::string_view text, const SdpPolicy& policy) {
  absl::StatusOr<Description> description = Split(text);
  if (!description.ok()) return description.status();
  std::vector<Section>& sections = description->sections;
  const Section* const audio = FindAudio(sections, policy.security);
  if (audio == nullptr) return NoAudio(sections, policy.security);

  RemoteMedia out;
  TakeFormats(*audio, policy, out);
  if (out.codecs.empty()) return Bad("no codec that we have");
  const std::optional<absl::string_view> connection = audio->scope.connection.has_value()
                                                          ? audio->scope.connection
                                                          : description->session.connection;
  if (!connection.has_value()) return Bad("no c= line");
  if (absl::Status status = TakeConnection(*connection, policy, out); !status.ok()) return status;
  out.address.port = static_cast<uint16_t>(audio->port);
  out.direction = audio->scope.direction.value_or(
      description->session.direction.value_or(Direction::kSendRecv));
  if (out.old_style_hold) out.direction = Direction::kInactive;
  out.ptime_ms = static_cast<uint8_t>(audio->ptime);
  out.maxptime_ms = static_cast<uint8_t>(audio->maxptime);
  out.rtcp_mux = audio->rtcp_mux;
  out.rtcp_port =
      static_cast<uint16_t>(audio->rtcp_port.value_or(audio->port < 65535 ? audio->port + 1 : 0));
  out.secure = audio->transport == "RTP/SAVP";
  if (out.secure) out.crypto = audio->crypto;
  std::string* refused = &out.refused_before;
  for (const Section& section : sections) {
    if (&section == audio) {
      refused = &out.refused_after;
      continue;
    }
    absl::StrAppend(refused, "m=", section.media, " 0 ", section.transport, " ", section.format,
                    "\r\n");
  }
  return out;
}

std::string BuildOffer(const LocalMedia& local) {
  const SdpFormats formats = OfferedFormats(local.codecs, local.comfort_noise);
  return absl::StrCat(Head(local), "m=audio ", local.address.port, " ", Transport(local),
                      FormatTypes(formats), "\r\n", FormatLines(formats),
                      Tail(local, local.rtcp_mux));
}

std::string BuildAnswer(const LocalMedia& local, const RemoteMedia& remote) {
  SdpFormats formats;
  formats.codecs = remote.codecs;
  formats.comfort_noise = local.comfort_noise && remote.comfort_noise;
  // Every event type that runs on a clock of the codecs, and the one we send in any case.
  for (const SdpEvent& event : remote.events) {
    const bool on_clock = absl::c_any_of(remote.codecs, [&](const SdpCodec& codec) {
      return codec::InfoOf(codec.codec).rtp_rate == event.rate;
    });
    if (on_clock || event.payload_type == remote.event_type) formats.events.push_back(event);
  }
  return absl::StrCat(Head(local), remote.refused_before, "m=audio ", local.address.port, " ",
                      Transport(local), FormatTypes(formats), "\r\n", FormatLines(formats),
                      Tail(local, local.rtcp_mux && remote.rtcp_mux), remote.refused_after);
}

int PacketMilliseconds(int ptime_ms, int maxptime_ms) {
  int ms = ptime_ms == 0 ? 20 : ptime_ms;
  if (maxptime_ms != 0) ms = std::min(ms, maxptime_ms);
  return std::clamp(ms / 10 * 10, 10, 60);
}

int PacketMilliseconds(codec::Codec codec, int ptime_ms, int maxptime_ms) {
  const int ms = PacketMilliseconds(ptime_ms, maxptime_ms);
  const bool odd = codec == codec::Codec::kOpus && ms > 10 && ms % 20 == 10;
  return odd ? ms - 10 : ms;
}

}  // namespace outpace::media
