#pragma once

#include "campaign/lead.h"
#include "campaign/rules/rule_set.h"

namespace outpace::gate {

// What a lead says it has agreed to: its texts `consent` ("written", "express",
// "existing_business", "none"; "yes" is express, since how it was given is not said; 书面同意,
// 同意) and `consent_date`
// ("2026-11-01", or with a time behind it; the day's last instant is not claimed: 00:00 UTC). What
// is not understood is none, and a date that is not has never been.
rules::Consent ConsentOf(const campaign::Lead& lead);

}  // namespace outpace::gate
