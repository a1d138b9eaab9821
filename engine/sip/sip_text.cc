#include "engine/sip/sip_text.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace outpace::sip {
namespace {

constexpr uint64_t kRetryAfterMaxSeconds = 300;

// Calls `visit(name, value)` for each ";name=value" until it returns true.
template <typename Visit>
bool AnyParam(absl::string_view params, Visit visit) {
  while (!params.empty()) {
    const size_t end = std::min(params.find(';'), params.size());
    const absl::string_view param = params.substr(0, end);
    const size_t equals = std::min(param.find('='), param.size());
    const absl::string_view value =
        equals < param.size() ? param.substr(equals + 1) : absl::string_view();
    if (visit(param.substr(0, equals), value)) return true;
    params.remove_prefix(std::min(end + 1, params.size()));
  }
  return false;
}

// One line of `text` without its line end; `text` moves on past it.
absl::string_view TakeLine(absl::string_view* text) {
  const size_t end = text->find('\n');
  absl::string_view line = text->substr(0, end);
  text->remove_prefix(end == absl::string_view::npos ? text->size() : end + 1);
  return absl::StripSuffix(line, "\r");
}

// '?' may stand in the user part, where it is no separator.
std::string WithoutHeaders(const std::string& uri) {
  const size_t at = uri.find('@');
  return uri.substr(0, uri.find('?', at == std::string::npos ? 0 : at));
}

bool IsSdpType(absl::string_view content_type) {
  const absl::string_view type =
      content_type.substr(0, std::min(content_type.find(';'), content_type.size()));
  return absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(type), "application/sdp");
}

}  // namespace

bool SipUri::HasParam(absl::string_view name) const {
  return AnyParam(params, [name](absl::string_view n, absl::string_view) {
    return absl::EqualsIgnoreCase(n, name);
  });
}

absl::string_view SipUri::Param(absl::string_view name) const {
  absl::string_view found;
  AnyParam(params, [&](absl::string_view n, absl::string_view value) {
    if (!absl::EqualsIgnoreCase(n, name)) return false;
    found = value;
    return true;
  });
  return found;
}

absl::StatusOr<SipUri> ParseSipUri(absl::string_view uri) {
  if (uri.size() > 1024) return absl::InvalidArgumentError("sip uri: longer than 1024 bytes");
  for (size_t i = 0; i < uri.size(); ++i) {
    const auto c = static_cast<unsigned char>(uri[i]);
    if (c <= 0x20 || c >= 0x7f || c == '<' || c == '>' || c == '"') {
      return absl::InvalidArgumentError(absl::StrCat("sip uri: bad byte at ", i));
    }
  }
  SipUri result;
  const size_t colon = uri.find(':');
  if (colon == absl::string_view::npos) return absl::InvalidArgumentError("sip uri: no scheme");
  result.scheme = absl::AsciiStrToLower(uri.substr(0, colon));
  if (result.scheme != "sip" && result.scheme != "sips") {
    return absl::InvalidArgumentError("sip uri: scheme is neither sip nor sips");
  }
  absl::string_view rest = uri.substr(colon + 1);
  // ';', '?' and ':' may stand in the user part; '@' cannot, nor in the headers (RFC 3261 25.1).
  if (const size_t at = rest.find('@'); at != absl::string_view::npos) {
    rest = rest.substr(at + 1);
    if (absl::StrContains(rest, '@')) return absl::InvalidArgumentError("sip uri: two '@'");
  }
  result.has_headers = absl::StrContains(rest, '?');
  rest = rest.substr(0, rest.find('?'));
  if (const size_t semicolon = rest.find(';'); semicolon != absl::string_view::npos) {
    result.params = std::string(rest.substr(semicolon + 1));
    rest = rest.substr(0, semicolon);
  }
  absl::string_view port;
  bool has_port = false;
  if (absl::ConsumePrefix(&rest, "[")) {
    const size_t close = rest.find(']');
    if (close == absl::string_view::npos) return absl::InvalidArgumentError("sip uri: no ']'");
    result.host = std::string(rest.substr(0, close));
    rest.remove_prefix(close + 1);
    has_port = absl::ConsumePrefix(&rest, ":");
    if (!has_port && !rest.empty()) return absl::InvalidArgumentError("sip uri: bad host");
    port = rest;
  } else {
    const size_t separator = rest.find(':');
    has_port = separator != absl::string_view::npos;
    result.host = std::string(rest.substr(0, separator));
    if (has_port) port = rest.substr(separator + 1);
  }
  if (result.host.empty()) return absl::InvalidArgumentError("sip uri: empty host");
  if (has_port &&
      (port.size() > 5 || !std::all_of(port.begin(), port.end(), absl::ascii_isdigit) ||
       !absl::SimpleAtoi(port, &result.port) || result.port < 1 || result.port > 65535)) {
    return absl::InvalidArgumentError("sip uri: port out of range");
  }
  return result;
}

std::string CanonicalHost(absl::string_view host) {
  unsigned char address[sizeof(in6_addr)];
  char text[INET6_ADDRSTRLEN];
  const std::string copy(host);
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, copy.c_str(), address) == 1 &&
        inet_ntop(family, address, text, sizeof text) != nullptr) {
      return text;
    }
  }
  return "";
}

std::string HopUri(absl::string_view host, int port, Transport transport) {
  const bool v6 = absl::StrContains(host, ':');
  const bool udp = transport == Transport::kUdp;
  return absl::StrCat("sip:", v6 ? "[" : "", host, v6 ? "]" : "", ":",
                      port == 0 ? DefaultPort(transport) : port,
                      udp ? "" : ";transport=", udp ? "" : TransportName(transport));
}

absl::StatusOr<Hop> ParseHop(absl::string_view route_uri) {
  const absl::StatusOr<SipUri> uri = ParseSipUri(route_uri);
  if (!uri.ok()) return uri.status();
  Hop hop;
  hop.host = CanonicalHost(uri->host);
  if (hop.host.empty()) {
    return absl::InvalidArgumentError("next hop: the host is not a numeric address");
  }
  if (uri->HasParam("maddr")) return absl::InvalidArgumentError("next hop: maddr is not allowed");
  if (uri->HasParam("transport")) {
    const absl::string_view name = uri->Param("transport");
    if (absl::EqualsIgnoreCase(name, "tcp")) {
      hop.transport = Transport::kTcp;
    } else if (absl::EqualsIgnoreCase(name, "tls")) {
      hop.transport = Transport::kTls;
    } else if (!absl::EqualsIgnoreCase(name, "udp")) {
      return absl::InvalidArgumentError("next hop: transport is none of udp, tcp, tls");
    }
  }
  if (uri->scheme == "sips") {  // "tcp" says what TLS runs on (RFC 3261 19.1.5)
    if (uri->HasParam("transport") && hop.transport == Transport::kUdp) {
      return absl::InvalidArgumentError("next hop: sips over UDP");
    }
    hop.transport = Transport::kTls;
  }
  hop.port = uri->port == 0 ? DefaultPort(hop.transport) : uri->port;
  return hop;
}

absl::StatusOr<std::string> NumericHop(absl::string_view route_uri) {
  const absl::StatusOr<Hop> hop = ParseHop(route_uri);
  if (!hop.ok()) return hop.status();
  return HopUri(hop->host, hop->port, hop->transport);
}

bool IsToken(absl::string_view text) {
  return !text.empty() && text.size() <= 256 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) ||
                  absl::string_view("-.!%*_+`'~").find(static_cast<char>(c)) !=
                      absl::string_view::npos;
         });
}

bool IsCallId(absl::string_view text) {
  const size_t at = text.find('@');
  if (at == absl::string_view::npos) return IsToken(text);
  return IsToken(text.substr(0, at)) && IsToken(text.substr(at + 1));
}

int Q850Cause(absl::string_view protocol, absl::string_view cause) {
  int value = 0;
  if (!absl::EqualsIgnoreCase(protocol, "Q.850")) return 0;
  if (cause.size() > 3 || !std::all_of(cause.begin(), cause.end(), absl::ascii_isdigit)) return 0;
  if (!absl::SimpleAtoi(cause, &value) || value < 1 || value > 127) return 0;
  return value;
}

absl::Duration ClampRetryAfter(uint64_t seconds) {
  return absl::Seconds(static_cast<int64_t>(std::min(seconds, kRetryAfterMaxSeconds)));
}

absl::string_view SdpOf(absl::string_view content_type, absl::string_view body) {
  if (body.empty()) return {};
  content_type = absl::StripAsciiWhitespace(content_type);
  if (content_type.empty()) return absl::StartsWith(body, "v=") ? body : absl::string_view();
  if (IsSdpType(content_type)) return body;
  if (!absl::StartsWithIgnoreCase(content_type, "multipart/")) return {};

  absl::string_view boundary;
  AnyParam(content_type, [&](absl::string_view name, absl::string_view value) {
    if (!absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(name), "boundary")) return false;
    boundary = absl::StripAsciiWhitespace(value);
    if (absl::ConsumePrefix(&boundary, "\"")) boundary = absl::StripSuffix(boundary, "\"");
    return true;
  });
  if (boundary.empty() || boundary.size() > 70) return {};  // RFC 2046 5.1.1
  const std::string delimiter = absl::StrCat("--", boundary);
  absl::string_view rest = body;
  bool in_headers = false;
  bool is_sdp = false;
  size_t part_begin = 0;
  bool in_body = false;
  while (!rest.empty()) {
    const auto line_begin = static_cast<size_t>(rest.data() - body.data());
    const absl::string_view line = TakeLine(&rest);
    if (absl::StartsWith(line, delimiter)) {
      if (in_body && is_sdp) return body.substr(part_begin, line_begin - part_begin);
      in_headers = true;
      is_sdp = in_body = false;
    } else if (in_headers && line.empty()) {
      in_headers = false;
      in_body = true;
      part_begin = static_cast<size_t>(rest.data() - body.data());
    } else if (in_headers && absl::StartsWithIgnoreCase(line, "content-type:")) {
      is_sdp = IsSdpType(line.substr(sizeof("content-type:") - 1));
    }
  }
  return {};
}

DialogRoute RouteInDialog(const call::DialogState& dialog,
                          absl::FunctionRef<bool(absl::string_view host)> is_peer) {
  const bool has_target = ParseSipUri(dialog.remote_target).ok();
  const std::string target = WithoutHeaders(has_target ? dialog.remote_target : dialog.to_uri);
  std::vector<std::string> routes;
  for (const std::string& route : dialog.route_set) {
    if (!ParseSipUri(route).ok()) {
      routes.clear();
      break;
    }
    routes.push_back(WithoutHeaders(route));
  }
  DialogRoute result;
  std::string first_hop = target;
  result.request_uri = target;
  if (!routes.empty()) {
    first_hop = routes.front();
    if (!ParseSipUri(first_hop)->HasParam("lr")) {  // a strict router (RFC 3261 12.2.1.1)
      result.request_uri = first_hop;
      routes.erase(routes.begin());
      routes.push_back(target);
    }
  }
  result.route_header = absl::StrJoin(routes, ", ", [](std::string* out, const std::string& uri) {
    absl::StrAppend(out, "<", uri, ">");
  });
  result.hop = dialog.next_hop;
  const absl::StatusOr<Hop> hop = ParseHop(first_hop);
  const absl::StatusOr<Hop> invites = ParseHop(dialog.next_hop);
  if (hop.ok() && invites.ok() && hop->transport == invites->transport && is_peer(hop->host)) {
    result.hop = HopUri(hop->host, hop->port, hop->transport);
  }
  return result;
}

}  // namespace outpace::sip
