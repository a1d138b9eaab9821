#pragma once

// What a number says of itself, by tables that an operator can replace (docs/NUMBERS.md).

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/base/e164.h"

namespace outpace::campaign {

enum class NumberType : uint8_t {
  kUnknown,
  kMobile,
  kFixed,
  kFixedOrMobile,  // North America: the number does not tell
  kTollFree,
  kShared,     // shared cost: CN 400
  kCorporate,  // CN 95xxx, GB 03
  kPersonal,   // GB 070
  kVoip,
};
absl::string_view NumberTypeName(NumberType type);  // "mobile", "fixed", "fixed_or_mobile", ...

// Views into the tables: valid until the next LoadNumberTables().
struct NumberInfo {
  NumberType type = NumberType::kUnknown;
  absl::string_view region;  // ISO 3166: "CN", "US"; empty: not known
  absl::string_view area;    // province (CN, "广东"), state ("CA"), nation or region (GB)
  absl::string_view city;    // "深圳", "Los Angeles", "Leeds"
  absl::string_view
      carrier;  // CN mobile: "中国移动", the one that was given the range: numbers move
};
// Any thread.
NumberInfo Describe(E164 number);

// Replaces built-in tables by those of `directory` (files as docs/NUMBERS.md says, those absent
// stay built in). InvalidArgument names file, line and reason; then nothing has changed. Before any
// other thread runs.
absl::Status LoadNumberTables(const std::string& directory);

// TimeZonesOf() without the cost of strings: zones of equal sets have equal numbers. Any thread.
// 0: not known.
uint32_t ZoneSetOf(E164 number);
const std::vector<std::string>& ZonesOfSet(uint32_t set);

}  // namespace outpace::campaign
