#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/base/e164.h"

namespace outpace::campaign {

// Why a text is not a number that may be dialed.
enum class PhoneFault : uint8_t {
  kNone,
  kEmpty,
  kScientific,  // a spreadsheet's 1.38E+10: digits lost
  kLetters,
  kCharacters,   // something that is no part of a telephone number
  kLength,       // no valid length or range for its country
  kAmbiguous,    // more than one reading
  kSpecial,      // emergency, service or short number
  kDestination,  // premium rate, satellite, or no country's number
};
absl::string_view PhoneFaultCode(PhoneFault fault);  // "E_PHONE_LENGTH", ...

// What a text says when read as a telephone number.
struct PhoneReading {
  E164 number;  // valid only if fault is kNone
  PhoneFault fault = PhoneFault::kNone;
  absl::string_view reason;  // a few words of ours for people, never digits of the number
  std::string extension;     // digits behind "x", "ext.", "转"; empty if none
  bool repaired = false;     // rebuilt from an artefact (".0", lost or doubled trunk zero)
};
PhoneReading ReadPhone(absl::string_view text, absl::string_view country);

// The same for the cells most files are made of: ASCII digits with "+", blanks, '-', '.', '(' and
// ')', no extension and nothing to repair. True: `number` is what ReadPhone() would give, and there
// is nothing more to tell. False says nothing: ask ReadPhone(). `home`: CallingCode(country).
// 10-25 ns, no allocation. Any thread.
bool ReadPlainPhone(absl::string_view text, int home, E164& number);

// Turns what people write into E.164, by tables (20-50 ns a number; libphonenumber needs 20-27 us
// and its stale metadata calls new area codes invalid). Knows the plans of US/CA, GB, CN, HK and AU
// in detail; numbers of other countries pass with "+" or the phone_code when 8..15 digits long.
// `country`: ISO code of the file's home ("US", "GB", "CN", "AU"), or a phone_code such as "1",
// "44". Accepts full-width digits, 00/011/+ prefixes, trunk 0, punctuation, "tel:", a leading
// apostrophe and extensions (dropped). InvalidArgument says why in a few words, never the number.
absl::StatusOr<E164> NormalizePhone(absl::string_view text, absl::string_view country);

// Why a number must not be rung, whoever wrote it down: premium, satellite, special, or off the
// plan of its country. kNone: it may. Numbers of countries without a plan of ours are asked for
// their calling code and length alone: their ranges were judged when the list was read. 30-60 ns,
// no allocation. Any thread.
PhoneFault FaultOf(E164 number);

// Calling code of an ISO 3166 code (two letters; three for the detailed plans) or of its own
// digits; 0 if it is neither.
int CallingCode(absl::string_view country);

// ISO 3166 code of the country whose calling code the number begins with, in lower case ("cn"); of
// several that share a code the largest ("us", "gb", "ru"). Empty: not known.
std::string CountryOf(E164 number);

// IANA zones the number may lie in, by its longest known prefix; at least one for any E.164
// (country level falls back to all zones of the country; unknown country: {"UTC"} plus a stated
// reason is not possible, so an empty vector means "not known: do not dial").
std::vector<std::string> TimeZonesOf(E164 number);

// Whether the number lies behind one of `calling_codes` ("86", "44", "1876"); "1" means the
// geographic numbers of the United States and Canada, not the islands that share the code.
bool IsDestination(E164 number, const std::vector<std::string>& calling_codes);

}  // namespace outpace::campaign
