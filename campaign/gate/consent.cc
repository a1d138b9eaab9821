#include "campaign/gate/consent.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/time/civil_time.h"

namespace outpace::gate {
namespace {

rules::Basis BasisOf(absl::string_view text) {
  const auto is_one_of = [text](std::initializer_list<absl::string_view> words) {
    for (const absl::string_view word : words) {
      if (absl::EqualsIgnoreCase(text, word)) return true;
    }
    return false;
  };
  if (is_one_of({"written", "express_written", "express written", "pewc", "书面同意"})) {
    return rules::Basis::kWritten;
  }
  if (is_one_of({"express", "yes", "y", "true", "1", "同意", "已同意", "是"})) {
    return rules::Basis::kExpress;
  }
  if (is_one_of({"existing_business", "existing business", "ebr"})) return rules::Basis::kBusiness;
  return rules::Basis::kNone;
}

}  // namespace

rules::Consent ConsentOf(const campaign::Lead& lead) {
  static const std::string kConsent = "consent", kConsentDate = "consent_date";
  rules::Consent out;
  out.basis = BasisOf(absl::StripAsciiWhitespace(lead.Field(kConsent)));
  const absl::string_view date = absl::StripAsciiWhitespace(lead.Field(kConsentDate));
  absl::CivilDay day;
  const bool ends = date.size() == 10 || (date.size() > 10 && (date[10] == ' ' || date[10] == 'T'));
  if (ends && absl::ParseCivilTime(date.substr(0, 10), &day)) {
    out.given = absl::FromCivil(day, absl::UTCTimeZone());
  }
  return out;
}

}  // namespace outpace::gate
