#pragma once

// Which numbers a lead has, wherever it has them.

#include "campaign/lead.h"
#include "engine/base/e164.h"

namespace outpace::match {

// Whether it is the lead's number, its alternate one, or one of its further numbers: those of
// "alt_phones" (campaign/load/alt_phones.h), of VICIdial's multi-alt cell, and of every field whose
// name begins with "phone". Whole numbers are compared: a longer one that begins or ends alike is
// another number.
bool HasNumber(const campaign::Lead& lead, E164 phone);

}  // namespace outpace::match
