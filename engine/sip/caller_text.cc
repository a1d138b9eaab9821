#include "engine/sip/caller_text.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace outpace::sip {
namespace {

constexpr size_t kUserMax = 64;

int HexDigit(char c) {
  if (absl::ascii_isdigit(static_cast<unsigned char>(c))) return c - '0';
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The URI of the first value. A quoted name before it may hold '<' and ','.
absl::string_view FirstUri(absl::string_view header) {
  bool quoted = false;
  for (size_t i = 0; i < header.size(); ++i) {
    if (quoted && header[i] == '\\') {
      ++i;
    } else if (header[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && (header[i] == ',' || header[i] == ';')) {
      return header.substr(0, i);  // a URI without brackets
    } else if (!quoted && header[i] == '<') {
      const absl::string_view rest = header.substr(i + 1);
      return rest.substr(0, rest.find('>'));
    }
  }
  return header;
}

}  // namespace

std::string CleanUser(absl::string_view user) {
  user = user.substr(0, user.find(';'));
  if (user.size() > 3 * kUserMax) return "";
  std::string clean;
  for (size_t i = 0; i < user.size(); ++i) {
    char c = user[i];
    if (c == '%') {
      const int high = i + 2 < user.size() ? HexDigit(user[i + 1]) : -1;
      const int low = i + 2 < user.size() ? HexDigit(user[i + 2]) : -1;
      if (high < 0 || low < 0) return "";
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) return "";
    clean.push_back(c);
  }
  return clean.size() <= kUserMax ? clean : "";
}

std::string IdentityUser(absl::string_view header) {
  absl::string_view uri = absl::StripAsciiWhitespace(FirstUri(header));
  const size_t colon = uri.find(':');
  if (colon == absl::string_view::npos) return "";
  const absl::string_view scheme = uri.substr(0, colon);
  uri.remove_prefix(colon + 1);
  if (absl::EqualsIgnoreCase(scheme, "tel")) return CleanUser(uri);
  if (!absl::EqualsIgnoreCase(scheme, "sip") && !absl::EqualsIgnoreCase(scheme, "sips")) return "";
  const size_t at = uri.find('@');
  if (at == absl::string_view::npos) return "";
  const absl::string_view user = uri.substr(0, at);
  return CleanUser(user.substr(0, user.find(':')));
}

}  // namespace outpace::sip
