#include "campaign/filter/text_fold.h"

#include <unicode/uchar.h>

#include <array>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace outpace::filter {
namespace {

// How the octet that begins a character is treated.
enum class Lead : uint8_t { kAscii, kThreeAsIs, kDecode };

// U+4000..U+9FFF, which is most of Chinese, has neither case nor a narrow form.
constexpr std::array<Lead, 256> kLeads = [] {
  std::array<Lead, 256> leads{};
  for (size_t c = 0; c < 256; ++c) {
    leads[c] = c < 0x80 ? Lead::kAscii : c >= 0xe4 && c <= 0xe9 ? Lead::kThreeAsIs : Lead::kDecode;
  }
  return leads;
}();

constexpr uint64_t Each(uint8_t octet) { return 0x0101010101010101u * octet; }

// Eight ASCII octets at once. An octet c has its top bit set in (c + 0x80 - 'A') when c >= 'A' and
// in (c + 0x80 - 'Z' - 1) when c > 'Z'; the top bit moved to 0x20 is what makes a letter small.
uint64_t LowerEight(uint64_t octets) {
  const uint64_t from_a = octets + Each(0x80 - 'A');
  const uint64_t above_z = octets + Each(0x80 - 'Z' - 1);
  return octets + ((from_a & ~above_z & Each(0x80)) >> 2);
}

size_t PutUtf8(char32_t c, char* out) {
  const auto put = [&](size_t i, char32_t octet) { out[i] = static_cast<char>(octet); };
  if (c < 0x80) return put(0, c), 1;
  if (c < 0x800) return put(0, 0xc0 | c >> 6), put(1, 0x80 | (c & 0x3f)), 2;
  if (c < 0x10000) {
    return put(0, 0xe0 | c >> 12), put(1, 0x80 | (c >> 6 & 0x3f)), put(2, 0x80 | (c & 0x3f)), 3;
  }
  put(0, 0xf0 | c >> 18), put(1, 0x80 | (c >> 12 & 0x3f));
  return put(2, 0x80 | (c >> 6 & 0x3f)), put(3, 0x80 | (c & 0x3f)), 4;
}

}  // namespace

char32_t NextCharacter(absl::string_view text, size_t& at) {
  const auto octet = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char lead = octet(0);
  if (lead < 0x80) return ++at, lead;
  const size_t size = lead >= 0xc2 && lead <= 0xdf   ? 2
                      : lead >= 0xe0 && lead <= 0xef ? 3
                      : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                     : 0;
  char32_t c = lead & (0x7fu >> size);
  bool valid = size > 0 && size <= text.size() - at;
  for (size_t i = 1; valid && i < size; ++i) {
    valid = (octet(i) & 0xc0) == 0x80;
    c = c << 6 | (octet(i) & 0x3fu);
  }
  static constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  valid = valid && c >= kLeast[size] && c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff);
  at += valid ? size : 1;
  return valid ? c : 0x110000u + lead;
}

void AppendUtf8(char32_t character, std::string& to) {
  char octets[4];
  to.append(octets, PutUtf8(character, octets));
}

size_t Fold(absl::string_view text, char* out) {
  char* to = out;
  const size_t size = text.size();
  for (size_t at = 0; at < size;) {
    const auto c = static_cast<unsigned char>(text[at]);
    switch (kLeads[c]) {
      case Lead::kAscii: {
        uint64_t eight;
        if (size - at >= 8) {
          std::memcpy(&eight, text.data() + at, 8);
          if ((eight & Each(0x80)) == 0) {
            eight = LowerEight(eight);
            std::memcpy(to, &eight, 8);
            at += 8;
            to += 8;
            continue;
          }
        }
        *to++ = absl::ascii_tolower(c);
        ++at;
        continue;
      }
      case Lead::kThreeAsIs:
        if (size - at >= 3) {
          std::memcpy(to, text.data() + at, 3);
          at += 3;
          to += 3;
          continue;
        }
        [[fallthrough]];
      case Lead::kDecode: {
        const char32_t character = NextCharacter(text, at);
        if (character > 0x10ffff) {
          *to++ = static_cast<char>(c);
          continue;
        }
        const auto folded = static_cast<char32_t>(
            u_foldCase(static_cast<UChar32>(Narrow(character)), U_FOLD_CASE_DEFAULT));
        to += PutUtf8(folded, to);
      }
    }
  }
  return static_cast<size_t>(to - out);
}

std::string Folded(absl::string_view text) {
  std::string out(FoldedSizeMax(text.size()), '\0');
  out.resize(Fold(text, out.data()));
  return out;
}

absl::string_view TrimBlanks(absl::string_view text) {
  static constexpr absl::string_view kWide[] = {"\xc2\xa0", "\xe3\x80\x80"};
  const auto blank = [](char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); };
  for (bool again = true; again && !text.empty();) {
    again = false;
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    for (const absl::string_view wide : kWide) {
      if (absl::StartsWith(text, wide)) text.remove_prefix(wide.size()), again = true;
      if (absl::EndsWith(text, wide)) text.remove_suffix(wide.size()), again = true;
    }
  }
  return text;
}

}  // namespace outpace::filter
