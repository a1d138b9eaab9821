#include "engine/sip/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "engine/base/check.h"

namespace outpace::sip {
namespace {

constexpr size_t kChallengeMax = 4096;

bool IsTokenByte(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::string_view("-.!%*_+`'~").find(c) != absl::string_view::npos;
}

const EVP_MD* Algorithm(DigestHash hash) {
  switch (hash) {
    case DigestHash::kMd5:
      return EVP_md5();
    case DigestHash::kSha256:
      return EVP_sha256();
    case DigestHash::kSha512Over256:
      return EVP_sha512_256();
  }
  return nullptr;
}

std::string Hash(DigestHash hash, absl::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  OUTPACE_CHECK(EVP_Digest(text.data(), text.size(), digest, &size, Algorithm(hash), nullptr) == 1);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), size));
}

// A quoted-string (RFC 3261 25.1) with what would end it escaped.
std::string Quote(absl::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  quoted.push_back('"');
  return quoted;
}

// Takes a quoted-string off the front of `rest`, escapes resolved; false if it has no end.
bool TakeQuoted(absl::string_view* rest, std::string* value) {
  rest->remove_prefix(1);
  while (!rest->empty()) {
    char c = rest->front();
    rest->remove_prefix(1);
    if (c == '"') return true;
    if (c == '\\') {
      if (rest->empty()) return false;
      c = rest->front();
      rest->remove_prefix(1);
    }
    value->push_back(c);
  }
  return false;
}

using Params = std::vector<std::pair<std::string, std::string>>;

// "name=value" or "name="quoted"", separated by commas. False for anything else.
bool ParseParams(absl::string_view rest, Params* params) {
  for (;;) {
    rest = absl::StripLeadingAsciiWhitespace(rest);
    if (rest.empty()) return true;
    if (rest.front() == ',') {
      rest.remove_prefix(1);
      continue;
    }
    const auto name_end =
        static_cast<size_t>(std::find_if_not(rest.begin(), rest.end(), IsTokenByte) - rest.begin());
    if (name_end == 0) return false;
    std::string name = absl::AsciiStrToLower(rest.substr(0, name_end));
    rest = absl::StripLeadingAsciiWhitespace(rest.substr(name_end));
    if (rest.empty() || rest.front() != '=') return false;
    rest = absl::StripLeadingAsciiWhitespace(rest.substr(1));
    std::string value;
    if (!rest.empty() && rest.front() == '"') {
      if (!TakeQuoted(&rest, &value)) return false;
    } else {
      const size_t end = std::min(rest.find_first_of(", \t"), rest.size());
      value = std::string(rest.substr(0, end));
      rest.remove_prefix(end);
    }
    rest = absl::StripLeadingAsciiWhitespace(rest);
    if (!rest.empty() && rest.front() != ',') return false;
    params->emplace_back(std::move(name), std::move(value));
  }
}

const std::string* FindParam(const Params& params, absl::string_view name) {
  for (const auto& [key, value] : params) {
    if (key == name) return &value;
  }
  return nullptr;
}

bool ReadAlgorithm(const std::string& text, DigestChallenge* challenge) {
  challenge->algorithm = text;
  absl::string_view name = text;
  challenge->sess = absl::EndsWithIgnoreCase(name, "-sess");
  if (challenge->sess) name.remove_suffix(5);
  if (absl::EqualsIgnoreCase(name, "MD5")) {
    challenge->hash = DigestHash::kMd5;
  } else if (absl::EqualsIgnoreCase(name, "SHA-256")) {
    challenge->hash = DigestHash::kSha256;
  } else if (absl::EqualsIgnoreCase(name, "SHA-512-256")) {
    challenge->hash = DigestHash::kSha512Over256;
  } else {
    return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<DigestChallenge> ParseDigestChallenge(absl::string_view value) {
  if (value.size() > kChallengeMax) return absl::InvalidArgumentError("digest: too long");
  // What stands in a challenge comes back in our request: no byte may end a line there.
  if (std::any_of(value.begin(), value.end(),
                  [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; })) {
    return absl::InvalidArgumentError("digest: control character");
  }
  value = absl::StripAsciiWhitespace(value);
  if (!absl::StartsWithIgnoreCase(value, "Digest ")) {
    return absl::InvalidArgumentError("digest: another scheme");
  }
  Params params;
  if (!ParseParams(value.substr(7), &params)) {
    return absl::InvalidArgumentError("digest: malformed parameters");
  }
  DigestChallenge challenge;
  const std::string* realm = FindParam(params, "realm");
  const std::string* nonce = FindParam(params, "nonce");
  if (realm == nullptr || nonce == nullptr || nonce->empty()) {
    return absl::InvalidArgumentError("digest: no realm or no nonce");
  }
  challenge.realm = *realm;
  challenge.nonce = *nonce;
  if (const std::string* opaque = FindParam(params, "opaque")) {
    challenge.opaque = *opaque;
    challenge.has_opaque = true;
  }
  if (const std::string* stale = FindParam(params, "stale")) {
    challenge.stale = absl::EqualsIgnoreCase(*stale, "true");
  }
  if (const std::string* algorithm = FindParam(params, "algorithm")) {
    if (!ReadAlgorithm(*algorithm, &challenge)) {
      return absl::UnimplementedError("digest: unknown algorithm");
    }
  }
  if (const std::string* qop = FindParam(params, "qop"); qop != nullptr && !qop->empty()) {
    for (const absl::string_view option : absl::StrSplit(*qop, ',')) {
      if (absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(option), "auth")) {
        challenge.qop_auth = true;
      }
    }
    if (!challenge.qop_auth) return absl::UnimplementedError("digest: no qop that we have");
  }
  return challenge;
}

std::string DigestResponse(const DigestChallenge& challenge, const DigestRequest& request) {
  std::string a1 =
      Hash(challenge.hash, absl::StrCat(request.user, ":", challenge.realm, ":", request.password));
  if (challenge.sess) {
    a1 = Hash(challenge.hash, absl::StrCat(a1, ":", challenge.nonce, ":", request.cnonce));
  }
  const std::string a2 = Hash(challenge.hash, absl::StrCat(request.method, ":", request.uri));
  if (!challenge.qop_auth) {
    return Hash(challenge.hash, absl::StrCat(a1, ":", challenge.nonce, ":", a2));
  }
  return Hash(challenge.hash, absl::StrCat(a1, ":", challenge.nonce, ":",
                                           absl::StrFormat("%08x", request.nonce_count), ":",
                                           request.cnonce, ":auth:", a2));
}

std::string DigestCredentials(const DigestChallenge& challenge, const DigestRequest& request) {
  std::string value =
      absl::StrCat("Digest username=", Quote(request.user), ", realm=", Quote(challenge.realm),
                   ", nonce=", Quote(challenge.nonce), ", uri=", Quote(request.uri),
                   ", response=\"", DigestResponse(challenge, request), "\"");
  if (!challenge.algorithm.empty()) absl::StrAppend(&value, ", algorithm=", challenge.algorithm);
  if (challenge.qop_auth || challenge.sess) {
    absl::StrAppend(&value, ", cnonce=", Quote(request.cnonce));
  }
  if (challenge.has_opaque) absl::StrAppend(&value, ", opaque=", Quote(challenge.opaque));
  if (challenge.qop_auth) {
    absl::StrAppend(&value, ", qop=auth, nc=", absl::StrFormat("%08x", request.nonce_count));
  }
  return value;
}

}  // namespace outpace::sip
