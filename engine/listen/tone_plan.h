#pragma once

// The tones of national networks (ITU-T E.180 supplement 2) as a compiled-in table: what cadence
// means ringback, busy, congestion or "information" in which country. Patterns that several
// countries share stand there once.

#include <array>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace outpace::listen {

enum class ToneKind : uint8_t { kRing, kBusy, kCongestion, kInfo, kDial };

// A part of a period: a tone between two frequencies (one, two that sound together, or a carrier
// with its sidebands), or silence.
struct ToneSegment {
  uint16_t low_hz;  // 0: silence
  uint16_t high_hz;
  uint16_t ms;
};

struct TonePattern {
  ToneKind kind;
  uint8_t segment_count;
  uint64_t countries;  // bit set of TonePlanCountries()
  std::array<ToneSegment, 8> segments;
};

absl::Span<const TonePattern> TonePatterns();
absl::Span<const absl::string_view> TonePlanCountries();

// The bit of a country in TonePattern::countries; 0 for one whose plan is not known. ISO 3166
// alpha-2, lower case; Canada has the plan of the United States.
uint64_t TonePlanBit(absl::string_view country);

// The first, second and third frequency of the plans' special information tones, in Hz.
absl::Span<const std::array<uint16_t, 3>> SitFrequencies();

}  // namespace outpace::listen
