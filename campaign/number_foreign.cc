#include "campaign/number_foreign.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "campaign/number_regions.h"
#include "campaign/number_tables.h"
#include "campaign/number_zones.h"
#include "phonenumbers/logger.h"
#include "phonenumbers/phonenumberutil.h"

namespace outpace::campaign::internal {
namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;
using P = PhoneFault;

const PhoneNumberUtil& Library() {
  static PhoneNumberUtil* const library = [] {
    PhoneNumberUtil* const made = PhoneNumberUtil::GetInstance();
    // Its messages may hold the number, and numbers stay out of logs. It owns the logger.
    made->SetLogger(new i18n::phonenumbers::NullLogger());
    return made;
  }();
  return *library;
}

Parsed Wrong(PhoneFault fault, absl::string_view reason) {
  Parsed out;
  out.fault = fault;
  out.reason = reason;
  return out;
}

// Numbers that cost the caller more than a call, or reach a machine.
bool MustNotBeRung(PhoneNumberUtil::PhoneNumberType type) {
  return type == PhoneNumberUtil::PREMIUM_RATE || type == PhoneNumberUtil::PERSONAL_NUMBER ||
         type == PhoneNumberUtil::PAGER || type == PhoneNumberUtil::VOICEMAIL;
}

Parsed Judge(const PhoneNumber& number, uint64_t value) {
  const PhoneNumberUtil& library = Library();
  if (library.IsPossibleNumberWithReason(number) != PhoneNumberUtil::IS_POSSIBLE) {
    return Wrong(P::kLength, "not as long as the numbers of its country are");
  }
  const PhoneNumberUtil::PhoneNumberType type = library.GetNumberType(number);
  if (type == PhoneNumberUtil::UNKNOWN) {
    return Wrong(P::kDestination, "in no range its country is known to use");
  }
  if (MustNotBeRung(type)) {
    return Wrong(P::kDestination, "premium rate, personal, pager or voicemail");
  }
  Parsed out;
  out.number = E164(value);
  return out;
}

}  // namespace

Parsed ParseForeign(absl::string_view digits, int home) {
  const std::string region(home == 0 ? "ZZ" : RegionOfCallingCode(home));
  PhoneNumber number;
  const auto fault =
      Library().Parse(home == 0 ? absl::StrCat("+", digits) : std::string(digits), region, &number);
  if (fault != PhoneNumberUtil::NO_PARSING_ERROR) {
    return fault == PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR
               ? Wrong(P::kDestination, "no country's number")
               : Wrong(P::kLength, "not as long as the numbers of its country are");
  }
  std::string e164;
  Library().Format(number, PhoneNumberUtil::E164, &e164);
  const Digits read(absl::string_view(e164).substr(1));
  if (read.size() < 8 || read.size() > 15) return Wrong(P::kLength, "not 8 to 15 digits");
  const bool known = Zones().IsKnownRange(read.value());
  Parsed out = known ? Parsed() : Judge(number, read.value());
  if (known) out.number = E164(read.value());
  // Behind "+" a trunk zero is none of the number: dropped, and told.
  out.repaired = home == 0 && read.text() != digits;
  return out;
}

}  // namespace outpace::campaign::internal
