#pragma once

// One call of an export with all that its cells are made from.

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/attempt_scan.h"
#include "campaign/lead_store.h"
#include "campaign/report/cells.h"
#include "campaign/status_set.h"

namespace outpace::report {

// Texts of a lead that exports of calls have.
enum LeadField : uint8_t {
  kVendorLeadCode,
  kSourceId,
  kPhoneCode,
  kTitle,
  kFirstName,
  kMiddleInitial,
  kLastName,
  kAddress1,
  kAddress2,
  kAddress3,
  kCity,
  kState,
  kProvince,
  kPostalCode,
  kCountryCode,
  kGender,
  kDateOfBirth,
  kEmail,
  kSecurityPhrase,
  kComments,
  kOwner,
  kLeadFields
};
// Their names in a lead, by LeadField.
inline constexpr std::array<absl::string_view, kLeadFields> kLeadFieldNames = {"vendor_lead_code",
                                                                               "source_id",
                                                                               "phone_code",
                                                                               "title",
                                                                               "first_name",
                                                                               "middle_initial",
                                                                               "last_name",
                                                                               "address1",
                                                                               "address2",
                                                                               "address3",
                                                                               "city",
                                                                               "state",
                                                                               "province",
                                                                               "postal_code",
                                                                               "country_code",
                                                                               "gender",
                                                                               "date_of_birth",
                                                                               "email",
                                                                               "security_phrase",
                                                                               "comments",
                                                                               "owner"};

// A lead as it is now; without an id: the store has it no more.
struct RowLead {
  LeadId id;
  E164 phone, alt_phone;
  absl::string_view status;
  int rank = 0, called_count = 0;
  int64_t entry_micros = campaign::kNeverMicros, last_call_micros = campaign::kNeverMicros;
  GmtOffsetCells::Zone* zone = nullptr;  // its first; null: none
  std::array<absl::string_view, kLeadFields> texts;
};

// What rows look up: read once an export, the same for all its threads.
struct CallNames {
  absl::flat_hash_map<std::string, campaign::AgentRecord> agents;
  absl::flat_hash_map<ListId, campaign::List> lists;
  campaign::StatusBook statuses;
};

// Of one thread.
struct CellContext {
  CellContext(absl::TimeZone in, const CallNames& known) : dates(in), zone(in), names(known) {}
  DateCells dates;
  const absl::TimeZone zone;
  GmtOffsetCells offsets;
  const CallNames& names;
  CampaignId statuses_of;  // the campaign asked for last
  const campaign::StatusSet* statuses = nullptr;
  std::string scratch;
};

struct CallRow {
  const campaign::AttemptView& attempt;
  const RowLead& lead;
  const campaign::AgentRecord* agent;    // null: nobody took the call, or no longer known
  const campaign::List* list;            // null: not known
  const campaign::Recording* recording;  // null: none
  CellContext& context;
};

}  // namespace outpace::report
