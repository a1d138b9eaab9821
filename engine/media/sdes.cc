#include "engine/media/sdes.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace outpace::media {
namespace {

constexpr std::pair<SrtpSuite, absl::string_view> kSuites[] = {
    {SrtpSuite::kAesCm128Sha1_80, "AES_CM_128_HMAC_SHA1_80"},
    {SrtpSuite::kAesCm256Sha1_80, "AES_256_CM_HMAC_SHA1_80"},
    {SrtpSuite::kAesCm128Sha1_32, "AES_CM_128_HMAC_SHA1_32"},
};
constexpr size_t kMkiMax = 16;  // 128 are allowed; nobody counts keys that far
constexpr size_t kPartsMax = 8;

std::optional<uint32_t> ParseDigits(absl::string_view text, uint32_t max) {
  uint32_t value = 0;
  if (text.empty() || text.size() > 9) return std::nullopt;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
  }
  if (!absl::SimpleAtoi(text, &value) || value > max) return std::nullopt;
  return value;
}

// "2^20" or a number of packets. How long the key may be used does not matter to us: a call of a
// day is 2^22 packets, and who wants fewer sends new keys.
bool IsLifetime(absl::string_view text) {
  if (absl::ConsumePrefix(&text, "2^")) return ParseDigits(text, 48).has_value();
  return !text.empty() && text.size() <= 15 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
}

// "1:4": value and octets. RFC 4568 6.1.
std::optional<uint8_t> ParseMki(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits(':', 1));
  const auto size = ParseDigits(parts.second, kMkiMax);
  if (!IsLifetime(parts.first) || absl::StartsWith(parts.first, "2^")) return std::nullopt;
  if (!size.has_value() || *size == 0) return std::nullopt;
  return static_cast<uint8_t>(*size);
}

// "inline:" base64 ["|" lifetime] ["|" MKI]
bool ParseKey(absl::string_view text, SdesLine& line) {
  if (!absl::ConsumePrefix(&text, "inline:")) return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('|', 3));
  if (parts.size() > 3) return false;
  const size_t wanted = SrtpKeySize(line.key.suite);
  const absl::string_view coded = absl::StripSuffix(absl::StripSuffix(parts[0], "="), "=");
  if (coded.size() != (wanted * 8 + 5) / 6) return false;
  std::string octets;
  const bool decoded = absl::Base64Unescape(coded, &octets) && octets.size() == wanted;
  if (decoded) std::copy(octets.begin(), octets.end(), line.key.octets.begin());
  OPENSSL_cleanse(octets.data(), octets.size());
  if (!decoded) return false;
  for (size_t i = 1; i < parts.size(); ++i) {
    // One that has a colon is the key's identifier; it may stand alone.
    if (!absl::StrContains(parts[i], ':')) {
      if (i != 1 || !IsLifetime(parts[i])) return false;
    } else {
      const auto mki = ParseMki(parts[i]);
      if (!mki.has_value() || i + 1 != parts.size()) return false;
      line.mki_size = *mki;
    }
  }
  return true;
}

// KDR, UNENCRYPTED_*, UNAUTHENTICATED_*, FEC_*: none of them is what we do.
bool IsHarmless(absl::string_view parameter) {
  return absl::StartsWith(parameter, "-") || absl::StartsWith(parameter, "WSH=");
}

}  // namespace

std::optional<SdesLine> ParseSdes(absl::string_view value) {
  const std::vector<absl::string_view> parts =
      absl::StrSplit(value, absl::MaxSplits(' ', kPartsMax), absl::SkipEmpty());
  if (parts.size() < 3 || parts.size() > kPartsMax) return std::nullopt;
  SdesLine line;
  const auto tag = ParseDigits(parts[0], 999'999'999);
  if (!tag.has_value() || *tag == 0) return std::nullopt;
  line.tag = *tag;
  const auto suite = std::find_if(std::begin(kSuites), std::end(kSuites), [&](const auto& s) {
    return absl::EqualsIgnoreCase(s.second, parts[1]);
  });
  if (suite == std::end(kSuites)) return std::nullopt;
  line.key.suite = suite->first;
  if (!ParseKey(parts[2], line)) return std::nullopt;
  for (size_t i = 3; i < parts.size(); ++i) {
    if (!IsHarmless(parts[i])) return std::nullopt;
  }
  return line;
}

std::string SdesText(const SdesLine& line) {
  const auto suite = std::find_if(std::begin(kSuites), std::end(kSuites),
                                  [&](const auto& s) { return s.first == line.key.suite; });
  const absl::string_view octets(reinterpret_cast<const char*>(line.key.octets.data()),
                                 SrtpKeySize(line.key.suite));
  std::string coded = absl::Base64Escape(octets);
  std::string text =
      absl::StrCat("a=crypto:", line.tag, " ", suite->second, " inline:", coded, "\r\n");
  OPENSSL_cleanse(coded.data(), coded.size());
  return text;
}

bool SystemRandomBytes(absl::Span<uint8_t> out) {
  return RAND_bytes(out.data(), static_cast<int>(out.size())) == 1;
}

absl::StatusOr<SrtpKey> NewSrtpKey(SrtpSuite suite, const RandomBytes& random) {
  SrtpKey key;
  key.suite = suite;
  if (!random(absl::MakeSpan(key.octets).first(SrtpKeySize(suite)))) {
    return absl::UnavailableError("media: no random numbers for an SRTP key");
  }
  return key;
}

std::string RedactKeys(absl::string_view text) {
  constexpr absl::string_view kInline = "inline:";
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto at = std::search(
        text.begin(), text.end(), kInline.begin(), kInline.end(),
        [](char a, char b) { return absl::ascii_tolower(static_cast<unsigned char>(a)) == b; });
    const auto before = static_cast<size_t>(at - text.begin());
    out.append(text.data(), before);
    text.remove_prefix(before);
    if (text.empty()) break;
    absl::StrAppend(&out, text.substr(0, kInline.size()), "***");
    text.remove_prefix(kInline.size());
    // Up to what ends a key: a lifetime, another key, a blank or the line.
    text.remove_prefix(std::min(text.size(), text.find_first_of("|; \t\r\n")));
  }
  return out;
}

}  // namespace outpace::media
