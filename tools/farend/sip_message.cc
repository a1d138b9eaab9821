#include "tools/farend/sip_message.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace outpace::farend {
namespace {

constexpr size_t kDatagramBytesMax = 65535;
constexpr size_t kHeadersMax = 256;

struct KnownName {
  absl::string_view name;
  char compact;  // RFC 3261 7.3.3, 0: none
};
constexpr KnownName kKnownNames[] = {
    {"Via", 'v'},
    {"From", 'f'},
    {"To", 't'},
    {"Call-ID", 'i'},
    {"CSeq", 0},
    {"Contact", 'm'},
    {"Record-Route", 0},
    {"Route", 0},
    {"Max-Forwards", 0},
    {"Content-Length", 'l'},
    {"Content-Type", 'c'},
    {"Content-Encoding", 'e'},
    {"Reason", 0},
    {"Require", 0},
    {"Supported", 'k'},
    {"Subject", 's'},
    {"Retry-After", 0},
    {"Allow", 0},
    {"User-Agent", 0},
    {"Expires", 0},
    {"Session-Expires", 'x'},
    {"Refer-To", 'r'},
    {"Event", 'o'},
    {"Unsupported", 0},
};

std::string CanonicalName(absl::string_view name) {
  for (const KnownName& known : kKnownNames) {
    if (absl::EqualsIgnoreCase(name, known.name) ||
        (name.size() == 1 && known.compact != 0 &&
         absl::ascii_tolower(static_cast<unsigned char>(name[0])) == known.compact)) {
      return std::string(known.name);
    }
  }
  return std::string(name);
}

bool IsToken(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("-.!%*_+`'~", c);
  });
}

// Takes the next line off `rest`; the end of line may be CRLF or LF.
absl::string_view TakeLine(absl::string_view& rest) {
  const size_t end = rest.find('\n');
  absl::string_view line = rest.substr(0, end);
  rest = end == absl::string_view::npos ? absl::string_view() : rest.substr(end + 1);
  return absl::StripSuffix(line, "\r");
}

// Position of the first of `what` outside quotes and, if `angles`, outside <>; npos if none.
size_t FindBare(absl::string_view text, absl::string_view what, bool angles) {
  bool quoted = false;
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        quoted = false;
      }
      continue;
    }
    if (depth == 0 && absl::StrContains(what, c)) return i;
    if (c == '"') {
      quoted = true;
    } else if (angles && c == '<') {
      depth = 1;
    } else if (angles && c == '>') {
      depth = 0;
    }
  }
  return absl::string_view::npos;
}

absl::Status ParseStartLine(absl::string_view line, SipMessage* message) {
  if (absl::StartsWithIgnoreCase(line, "SIP/2.0 ")) {
    line.remove_prefix(8);
    const absl::string_view code = line.substr(0, line.find(' '));
    if (code.size() != 3 || !absl::SimpleAtoi(code, &message->status) || message->status < 100 ||
        message->status > 699) {
      return absl::InvalidArgumentError("status line: want a code from 100 to 699");
    }
    message->phrase = std::string(absl::StripAsciiWhitespace(line.substr(3)));
    return absl::OkStatus();
  }
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == absl::string_view::npos || last <= first + 1 ||
      !absl::EqualsIgnoreCase(line.substr(last + 1), "SIP/2.0") ||
      !IsToken(line.substr(0, first))) {
    return absl::InvalidArgumentError("request line: want \"METHOD uri SIP/2.0\"");
  }
  message->method = std::string(line.substr(0, first));
  message->uri = std::string(absl::StripAsciiWhitespace(line.substr(first, last - first)));
  if (message->uri.empty()) return absl::InvalidArgumentError("request line: no URI");
  return absl::OkStatus();
}

absl::Status ParseHeaders(absl::string_view& rest, SipMessage* message) {
  while (!rest.empty()) {
    const absl::string_view line = TakeLine(rest);
    if (line.empty()) return absl::OkStatus();
    if (line[0] == ' ' || line[0] == '\t') {  // folded: belongs to the header before
      if (message->headers.empty()) return absl::InvalidArgumentError("header: folded first line");
      absl::StrAppend(&message->headers.back().value, " ", absl::StripAsciiWhitespace(line));
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) return absl::InvalidArgumentError("header: no colon");
    const absl::string_view name = absl::StripTrailingAsciiWhitespace(line.substr(0, colon));
    if (!IsToken(name)) return absl::InvalidArgumentError("header: bad name");
    if (message->headers.size() == kHeadersMax) {
      return absl::InvalidArgumentError("header: too many");
    }
    message->headers.push_back(
        {CanonicalName(name), std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)))});
  }
  return absl::OkStatus();
}

// "host", "host:port" or "[v6]:port".
absl::Status ParseHostPort(absl::string_view text, std::string* host, uint16_t* port) {
  size_t colon = text.rfind(':');
  if (colon != absl::string_view::npos && absl::StrContains(text.substr(colon), ']')) {
    colon = absl::string_view::npos;
  }
  uint32_t number = 0;
  if (colon != absl::string_view::npos &&
      (!absl::SimpleAtoi(text.substr(colon + 1), &number) || number > 65535)) {
    return absl::InvalidArgumentError("host: bad port");
  }
  *host = std::string(absl::StripAsciiWhitespace(text.substr(0, colon)));
  *port = static_cast<uint16_t>(number);
  if (host->empty()) return absl::InvalidArgumentError("host: empty");
  return absl::OkStatus();
}

}  // namespace

absl::string_view SipMessage::Get(absl::string_view name) const {
  for (const SipHeader& header : headers) {
    if (absl::EqualsIgnoreCase(header.name, name)) return header.value;
  }
  return {};
}

bool SipMessage::Has(absl::string_view name) const {
  return std::any_of(headers.begin(), headers.end(), [name](const SipHeader& header) {
    return absl::EqualsIgnoreCase(header.name, name);
  });
}

std::vector<absl::string_view> SipMessage::List(absl::string_view name) const {
  std::vector<absl::string_view> values;
  for (const SipHeader& header : headers) {
    if (!absl::EqualsIgnoreCase(header.name, name)) continue;
    absl::string_view rest = header.value;
    while (!rest.empty()) {
      const size_t comma = FindBare(rest, ",", true);
      const absl::string_view value = absl::StripAsciiWhitespace(rest.substr(0, comma));
      if (!value.empty()) values.push_back(value);
      rest = comma == absl::string_view::npos ? absl::string_view() : rest.substr(comma + 1);
    }
  }
  return values;
}

SipMessage& SipMessage::Add(absl::string_view name, absl::string_view value) {
  headers.push_back({std::string(name), std::string(value)});
  return *this;
}

std::string SipMessage::Serialize() const {
  std::string out = is_request() ? absl::StrCat(method, " ", uri, " SIP/2.0\r\n")
                                 : absl::StrCat("SIP/2.0 ", status, " ", phrase, "\r\n");
  for (const SipHeader& header : headers) {
    if (header.name != "Content-Length") {
      absl::StrAppend(&out, header.name, ": ", header.value, "\r\n");
    }
  }
  absl::StrAppend(&out, "Content-Length: ", body.size(), "\r\n\r\n", body);
  return out;
}

absl::StatusOr<SipMessage> ParseSip(absl::string_view datagram) {
  if (datagram.size() > kDatagramBytesMax) return absl::InvalidArgumentError("message: too long");
  while (absl::ConsumePrefix(&datagram, "\r\n") || absl::ConsumePrefix(&datagram, "\n")) {
  }
  if (datagram.empty()) return absl::InvalidArgumentError("message: empty");
  absl::string_view rest = datagram;
  SipMessage message;
  const absl::string_view start = TakeLine(rest);
  absl::Status status = ParseStartLine(start, &message);
  if (!status.ok()) return status;
  status = ParseHeaders(rest, &message);
  if (!status.ok()) return status;
  const absl::string_view head = datagram.substr(0, datagram.size() - rest.size());
  if (absl::StrContains(head, '\0')) return absl::InvalidArgumentError("message: NUL in a header");
  if (message.Has("Content-Length")) {
    size_t length = 0;
    if (!absl::SimpleAtoi(message.Get("Content-Length"), &length)) {
      return absl::InvalidArgumentError("Content-Length: not a number");
    }
    // RFC 3261 18.3: a datagram that ends before its body does is an error, a longer one is cut.
    if (length > rest.size())
      return absl::InvalidArgumentError("Content-Length: body is cut short");
    rest = rest.substr(0, length);
  }
  message.body = std::string(rest);
  return message;
}

absl::StatusOr<SipUri> ParseUri(absl::string_view text) {
  SipUri uri;
  const size_t colon = text.find(':');
  if (colon == absl::string_view::npos || !IsToken(text.substr(0, colon))) {
    return absl::InvalidArgumentError("URI: no scheme");
  }
  uri.scheme = absl::AsciiStrToLower(text.substr(0, colon));
  text.remove_prefix(colon + 1);
  if (uri.scheme == "tel") {
    const size_t semicolon = text.find(';');
    uri.user = std::string(text.substr(0, semicolon));
    if (semicolon != absl::string_view::npos) uri.params = std::string(text.substr(semicolon + 1));
    return uri;
  }
  if (uri.scheme != "sip" && uri.scheme != "sips") {
    return absl::InvalidArgumentError("URI: want sip, sips or tel");
  }
  text = text.substr(0, text.find('?'));
  const size_t at = text.rfind('@');
  if (at != absl::string_view::npos) {
    uri.user = std::string(text.substr(0, at));
    uri.user = uri.user.substr(0, uri.user.find(':'));  // a password, long deprecated
    text.remove_prefix(at + 1);
  }
  const size_t semicolon = text.find(';');
  if (semicolon != absl::string_view::npos) uri.params = std::string(text.substr(semicolon + 1));
  const absl::Status status = ParseHostPort(text.substr(0, semicolon), &uri.host, &uri.port);
  if (!status.ok()) return status;
  return uri;
}

absl::StatusOr<NameAddr> ParseNameAddr(absl::string_view value) {
  NameAddr result;
  const size_t open = FindBare(value, "<", false);
  size_t params = absl::string_view::npos;
  if (open != absl::string_view::npos) {
    const size_t close = value.find('>', open);
    if (close == absl::string_view::npos) return absl::InvalidArgumentError("address: no '>'");
    result.uri = std::string(absl::StripAsciiWhitespace(value.substr(open + 1, close - open - 1)));
    params = value.find(';', close);
  } else {
    params = value.find(';');
    result.uri = std::string(absl::StripAsciiWhitespace(value.substr(0, params)));
  }
  if (result.uri.empty()) return absl::InvalidArgumentError("address: no URI");
  if (params != absl::string_view::npos) result.params = std::string(value.substr(params + 1));
  return result;
}

absl::StatusOr<Via> ParseVia(absl::string_view value) {
  // "SIP / 2.0 / UDP host:port;branch=...": the protocol part may hold spaces round its slashes.
  const size_t slash = value.find('/');
  const size_t second = slash == absl::string_view::npos ? slash : value.find('/', slash + 1);
  if (second == absl::string_view::npos) return absl::InvalidArgumentError("Via: no protocol");
  absl::string_view rest = absl::StripLeadingAsciiWhitespace(value.substr(second + 1));
  const size_t space = rest.find_first_of(" \t");
  if (space == absl::string_view::npos) return absl::InvalidArgumentError("Via: no sent-by");
  rest = absl::StripLeadingAsciiWhitespace(rest.substr(space));
  const size_t semicolon = rest.find(';');
  Via via;
  const absl::Status status = ParseHostPort(rest.substr(0, semicolon), &via.host, &via.port);
  if (!status.ok()) return status;
  if (semicolon != absl::string_view::npos) {
    const absl::string_view params = rest.substr(semicolon + 1);
    via.branch = Param(params, "branch");
    Param(params, "rport", &via.rport);
  }
  return via;
}

absl::StatusOr<CSeq> ParseCSeq(absl::string_view value) {
  CSeq cseq;
  const size_t space = value.find_first_of(" \t");
  if (space == absl::string_view::npos || !absl::SimpleAtoi(value.substr(0, space), &cseq.number)) {
    return absl::InvalidArgumentError("CSeq: want \"number METHOD\"");
  }
  cseq.method = std::string(absl::StripAsciiWhitespace(value.substr(space)));
  if (!IsToken(cseq.method)) return absl::InvalidArgumentError("CSeq: bad method");
  return cseq;
}

std::string Param(absl::string_view params, absl::string_view name, bool* found) {
  if (found != nullptr) *found = false;
  while (!params.empty()) {
    const size_t semicolon = FindBare(params, ";", false);
    const absl::string_view item = params.substr(0, semicolon);
    const size_t equals = item.find('=');
    if (absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(item.substr(0, equals)), name)) {
      if (found != nullptr) *found = true;
      if (equals == absl::string_view::npos) return "";
      absl::string_view value = absl::StripAsciiWhitespace(item.substr(equals + 1));
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
      }
      return std::string(value);
    }
    if (semicolon == absl::string_view::npos) break;
    params.remove_prefix(semicolon + 1);
  }
  return "";
}

int Q850Cause(const SipMessage& message) {
  for (const absl::string_view reason : message.List("Reason")) {
    const size_t semicolon = reason.find(';');
    int cause = 0;
    if (semicolon != absl::string_view::npos &&
        absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(reason.substr(0, semicolon)), "Q.850") &&
        absl::SimpleAtoi(Param(reason.substr(semicolon + 1), "cause"), &cause) && cause > 0 &&
        cause < 128) {
      return cause;
    }
  }
  return 0;
}

std::string DigitsOf(absl::string_view user) {
  user = user.substr(0, user.find(';'));
  std::string digits;
  std::copy_if(user.begin(), user.end(), std::back_inserter(digits),
               [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); });
  return digits;
}

absl::StatusOr<Sdp> ParseSdp(absl::string_view body) {
  Sdp sdp;
  std::string session_address;
  bool in_media = false;  // past an m= line
  bool in_audio = false;  // in the first audio stream
  bool seen_audio = false;
  while (!body.empty()) {
    const absl::string_view line = absl::StripTrailingAsciiWhitespace(TakeLine(body));
    if (line.size() < 2 || line[1] != '=') continue;
    const absl::string_view value = line.substr(2);
    if (line[0] == 'm') {
      in_media = true;
      in_audio = !seen_audio && absl::StartsWith(value, "audio ");
      if (!in_audio) continue;
      seen_audio = true;
      const std::vector<absl::string_view> parts = absl::StrSplit(value, ' ', absl::SkipEmpty());
      uint32_t port = 0;
      if (parts.size() < 4 || !absl::SimpleAtoi(parts[1], &port) || port > 65535) {
        return absl::InvalidArgumentError("SDP: bad audio line");
      }
      sdp.port = static_cast<uint16_t>(port);
      for (size_t i = 3; i < parts.size() && i < 64; ++i) {
        int payload = 0;
        if (absl::SimpleAtoi(parts[i], &payload) && payload >= 0 && payload < 128) {
          sdp.payloads.push_back(payload);
        }
      }
    } else if (line[0] == 'c' && (in_audio || !in_media)) {
      const std::vector<absl::string_view> parts = absl::StrSplit(value, ' ', absl::SkipEmpty());
      if (parts.size() < 3) return absl::InvalidArgumentError("SDP: bad connection line");
      std::string& address = in_audio ? sdp.address : session_address;
      address = std::string(parts[2].substr(0, parts[2].find('/')));
    } else if (line[0] == 'a' && (in_audio || !in_media)) {
      if (value == "sendonly" || value == "inactive") sdp.receives = false;
      if (value == "recvonly" || value == "inactive") sdp.sends = false;
      int payload = 0;
      if (absl::StartsWith(value, "rtpmap:") && absl::StrContains(value, "telephone-event/8000") &&
          absl::SimpleAtoi(value.substr(7, value.find(' ') - 7), &payload)) {
        sdp.telephone_event = payload;
      }
    }
  }
  if (!seen_audio) return absl::InvalidArgumentError("SDP: no audio line");
  if (sdp.address.empty()) sdp.address = session_address;
  if (sdp.address.empty()) return absl::InvalidArgumentError("SDP: no connection line");
  return sdp;
}

int ChooseCodec(const Sdp& sdp) {
  for (const int payload : sdp.payloads) {
    if (payload == 0 || payload == 8) return payload;
  }
  return -1;
}

std::string BuildSdp(absl::string_view address, uint16_t port, int codec, const Sdp& peer,
                     uint64_t session_version) {
  std::string sdp = absl::StrCat("v=0\r\no=farend 1 ", session_version, " IN IP4 ", address,
                                 "\r\ns=-\r\nc=IN IP4 ", address, "\r\nt=0 0\r\nm=audio ", port,
                                 " RTP/AVP ", codec);
  if (peer.telephone_event >= 0) absl::StrAppend(&sdp, " ", peer.telephone_event);
  absl::StrAppend(&sdp, "\r\na=rtpmap:", codec, codec == 8 ? " PCMA" : " PCMU", "/8000\r\n");
  if (peer.telephone_event >= 0) {
    absl::StrAppend(&sdp, "a=rtpmap:", peer.telephone_event,
                    " telephone-event/8000\r\na=fmtp:", peer.telephone_event, " 0-15\r\n");
  }
  const absl::string_view direction = peer.sends && peer.receives ? "sendrecv"
                                      : peer.sends                ? "recvonly"
                                      : peer.receives             ? "sendonly"
                                                                  : "inactive";
  absl::StrAppend(&sdp, "a=ptime:20\r\na=", direction, "\r\n");
  return sdp;
}

}  // namespace outpace::farend
