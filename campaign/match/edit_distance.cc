#include "campaign/match/edit_distance.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace outpace::match {

int EditDistance(absl::string_view a, absl::string_view b) {
  constexpr size_t kBits = 64;
  a = a.substr(0, kBits);
  b = b.substr(0, kBits);
  while (!a.empty() && !b.empty() && a.front() == b.front()) {
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  while (!a.empty() && !b.empty() && a.back() == b.back()) {
    a.remove_suffix(1);
    b.remove_suffix(1);
  }
  if (a.empty() || b.empty()) return static_cast<int>(std::max(a.size(), b.size()));
  // Hyyroe 2003, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances": a
  // column of the table at a time, its differences in the bits of two words.
  thread_local std::array<uint64_t, 256> where{};
  for (size_t i = 0; i < a.size(); ++i) {
    where[static_cast<unsigned char>(a[i])] |= uint64_t{1} << i;
  }
  uint64_t vp = ~uint64_t{0}, vn = 0, d0 = 0, match_before = 0;
  const uint64_t last = uint64_t{1} << (a.size() - 1);
  auto distance = static_cast<int>(a.size());
  for (const char c : b) {
    const uint64_t match = where[static_cast<unsigned char>(c)];
    const uint64_t swap = (((~d0) & match) << 1) & match_before;
    d0 = (((match & vp) + vp) ^ vp) | match | vn | swap;
    const uint64_t hp = vn | ~(d0 | vp);
    const uint64_t hn = d0 & vp;
    if (hp & last) ++distance;
    if (hn & last) --distance;
    const uint64_t shifted = (hp << 1) | 1;
    vp = (hn << 1) | ~(d0 | shifted);
    vn = shifted & d0;
    match_before = match;
  }
  for (const char c : a) where[static_cast<unsigned char>(c)] = 0;
  return distance;
}

double EditSimilarity(absl::string_view a, absl::string_view b) {
  if (a.empty() || b.empty()) return 0;
  const auto longer = static_cast<double>(std::min<size_t>(64, std::max(a.size(), b.size())));
  return 1 - EditDistance(a, b) / longer;
}

double JaroWinkler(absl::string_view a, absl::string_view b) {
  a = a.substr(0, 64);
  b = b.substr(0, 64);
  if (a.empty() || b.empty()) return 0;
  const size_t reach = std::max<size_t>(std::max(a.size(), b.size()) / 2, 1) - 1;
  uint64_t used_a = 0, used_b = 0;
  int common = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const size_t end = std::min(b.size(), i + reach + 1);
    for (size_t j = i > reach ? i - reach : 0; j < end; ++j) {
      if ((used_b >> j & 1) != 0 || a[i] != b[j]) continue;
      used_a |= uint64_t{1} << i;
      used_b |= uint64_t{1} << j;
      ++common;
      break;
    }
  }
  if (common == 0) return 0;
  int out_of_place = 0;
  for (size_t i = 0, j = 0; i < a.size(); ++i) {
    if ((used_a >> i & 1) == 0) continue;
    while ((used_b >> j & 1) == 0) ++j;
    if (a[i] != b[j++]) ++out_of_place;
  }
  const double m = common;
  const double jaro = (m / static_cast<double>(a.size()) + m / static_cast<double>(b.size()) +
                       (m - out_of_place / 2.0) / m) /
                      3;
  size_t prefix = 0;
  while (prefix < 4 && prefix < a.size() && prefix < b.size() && a[prefix] == b[prefix]) ++prefix;
  return jaro + 0.1 * static_cast<double>(prefix) * (1 - jaro);
}

}  // namespace outpace::match
