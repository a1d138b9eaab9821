#include "engine/listen/tone_plan.h"

#include <cstddef>

namespace outpace::listen {
namespace {

#include "engine/listen/tone_plan.inc"

}  // namespace

absl::Span<const TonePattern> TonePatterns() { return kPatterns; }
absl::Span<const absl::string_view> TonePlanCountries() { return kCountries; }
absl::Span<const std::array<uint16_t, 3>> SitFrequencies() { return kSitFrequencies; }

uint64_t TonePlanBit(absl::string_view country) {
  if (country == "ca") country = "us";
  if (country == "uk") country = "gb";
  for (size_t i = 0; i < TonePlanCountries().size(); ++i) {
    if (kCountries[i] == country) return uint64_t{1} << i;
  }
  return 0;
}

}  // namespace outpace::listen
