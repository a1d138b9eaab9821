#include "engine/api/http_parse.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace outpace::api {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// False for a '%' without two hex digits and for a NUL, which text of ours never holds.
bool PercentDecode(absl::string_view raw, bool plus_is_space, std::string* out) {
  out->clear();
  for (size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '+' && plus_is_space) {
      c = ' ';
    } else if (c == '%') {
      if (i + 2 >= raw.size()) return false;
      const int high = HexDigit(raw[i + 1]);
      const int low = HexDigit(raw[i + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return false;
    out->push_back(c);
  }
  return true;
}

// "dialer.lan:8080" -> "dialer.lan"; "[::1]:8080" -> "::1".
absl::string_view HostOfAuthority(absl::string_view authority) {
  if (absl::StartsWith(authority, "[")) {
    const size_t end = authority.find(']');
    return end == absl::string_view::npos ? authority : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

// The authority of "http://host:port" or "https://host:port"; empty for anything else.
absl::string_view AuthorityOfOrigin(absl::string_view origin) {
  if (!absl::ConsumePrefix(&origin, "http://") && !absl::ConsumePrefix(&origin, "https://")) {
    return {};
  }
  return origin.find('/') == absl::string_view::npos ? origin : absl::string_view();
}

bool IsIpLiteral(absl::string_view host) {
  if (absl::StrContains(host, ':')) return true;  // a name holds no colon: IPv6
  const std::vector<absl::string_view> parts = absl::StrSplit(host, '.');
  if (parts.size() != 4) return false;
  for (absl::string_view part : parts) {
    int value = 0;
    if (part.size() > 3 || !absl::SimpleAtoi(part, &value) || value < 0 || value > 255)
      return false;
  }
  return true;
}

bool IsLoopback(absl::string_view address) {
  return absl::StartsWith(address, "127.") || address == "::1" || address == "localhost";
}

}  // namespace

HeadScanner::State HeadScanner::Feed(absl::string_view piece, size_t* consumed) {
  for (size_t i = 0; i < piece.size(); ++i) {
    const char c = piece[i];
    if (after_cr_) {
      if (c != '\n') return State::kMalformed;
      after_cr_ = false;
      if (line_start_ && any_line_) {
        *consumed = i + 1;
        return State::kComplete;
      }
      any_line_ = true;
      line_start_ = true;
      continue;
    }
    if (c == '\r') {
      // An empty line ends the head; before the request line there is nothing to end.
      if (line_start_ && !any_line_) return State::kMalformed;
      after_cr_ = true;
      continue;
    }
    const bool control = (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
    if (control) return State::kMalformed;
    if (line_start_ && (c == ' ' || c == '\t')) return State::kMalformed;
    line_start_ = false;
  }
  return State::kMore;
}

absl::StatusOr<Target> ParseTarget(absl::string_view raw) {
  if (!absl::StartsWith(raw, "/")) {
    return absl::InvalidArgumentError("request target must be a path: \"/...\"");
  }
  if (absl::StrContains(raw, '#')) {
    return absl::InvalidArgumentError("request target must not hold a fragment");
  }
  Target target;
  const size_t question = raw.find('?');
  const absl::string_view path = raw.substr(0, question);
  for (absl::string_view segment : absl::StrSplit(path.substr(1), '/')) {
    std::string decoded;
    if (!PercentDecode(segment, false, &decoded)) {
      return absl::InvalidArgumentError("bad percent escape in the path");
    }
    for (char c : decoded) {
      if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
        return absl::InvalidArgumentError("control character in the path");
      }
    }
    target.path += '/';
    target.path += decoded;
    target.segments.push_back(std::move(decoded));
  }
  if (question == absl::string_view::npos) return target;
  for (absl::string_view pair : absl::StrSplit(raw.substr(question + 1), '&', absl::SkipEmpty())) {
    const size_t equals = pair.find('=');
    std::string name;
    std::string value;
    if (!PercentDecode(pair.substr(0, equals), true, &name) ||
        (equals != absl::string_view::npos &&
         !PercentDecode(pair.substr(equals + 1), true, &value))) {
      return absl::InvalidArgumentError("bad percent escape in the query");
    }
    target.query.emplace(std::move(name), std::move(value));
  }
  return target;
}

RoutePattern::RoutePattern(absl::string_view path) {
  absl::ConsumePrefix(&path, "/");
  for (absl::string_view segment : absl::StrSplit(path, '/')) {
    if (segment != "{}") literal_bytes_ += segment.size() + 1;
    segments_.emplace_back(segment);
  }
}

std::optional<std::vector<std::string>> RoutePattern::Match(
    const std::vector<std::string>& segments) const {
  if (segments.size() != segments_.size()) return std::nullopt;
  std::vector<std::string> captures;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (segments_[i] == "{}") {
      if (segments[i].empty()) return std::nullopt;
      captures.push_back(segments[i]);
    } else if (segments_[i] != segments[i]) {
      return std::nullopt;
    }
  }
  return captures;
}

bool OriginAllowed(absl::string_view origin, absl::string_view host,
                   const std::vector<std::string>& allowed) {
  for (const std::string& candidate : allowed) {
    if (absl::EqualsIgnoreCase(absl::StripSuffix(candidate, "/"), origin)) return true;
  }
  const absl::string_view authority = AuthorityOfOrigin(origin);
  return !authority.empty() && absl::EqualsIgnoreCase(authority, host);
}

bool HostAllowed(absl::string_view host, absl::string_view address,
                 const std::vector<std::string>& allowed) {
  if (!IsLoopback(address)) return true;
  const absl::string_view name = HostOfAuthority(host);
  if (absl::EqualsIgnoreCase(name, "localhost") || IsIpLiteral(name)) return true;
  for (const std::string& candidate : allowed) {
    const absl::string_view listed =
        HostOfAuthority(AuthorityOfOrigin(absl::StripSuffix(candidate, "/")));
    if (!listed.empty() && absl::EqualsIgnoreCase(listed, name)) return true;
  }
  return false;
}

}  // namespace outpace::api
