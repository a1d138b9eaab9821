#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/e164.h"
#include "engine/base/ids.h"

namespace outpace::campaign {

// Priority class of a lead for its next attempt: A before B. Moved by dispositions (retry_rule.h).
enum class Tier : uint8_t { kA = 0, kB = 1 };
absl::string_view TierName(Tier tier);  // "A", "B"

// A lead with the standard fields of the field's list files, in their names. Text is UTF-8.
struct Lead {
  LeadId id;
  ListId list;
  CampaignId campaign;         // of its list, at load time
  E164 phone;                  // the number to dial
  E164 alt_phone;              // none if absent
  std::string status = "NEW";  // six characters at most; see disposition.h
  Tier tier = Tier::kA;
  int called_count = 0;
  absl::Time entry_date;
  absl::Time last_call_time = absl::InfinitePast();
  // Not dialled before this instant; InfiniteFuture: final, never again by itself.
  absl::Time next_call_time = absl::InfinitePast();
  // Held back by a rule of the gate until then (calling window, daily limit); a change of the
  // campaign's rules clears it. Due when both this and next_call_time have passed.
  absl::Time hold_until = absl::InfinitePast();
  // IANA zones the number may lie in (never empty once loaded). Legal only when every one is inside
  // the calling window.
  std::vector<std::string> time_zones;
  int rank = 0;          // -99..99, higher first
  int max_attempts = 0;  // 1..10: fewer tries than the campaign allows; 0: the campaign's
  // Tries used up by status since the lead was new, "NA:2,B:1" (retry_rule.h).
  std::string recycled;
  ImportId import;  // the file it came from; none: added by itself
  // False: `fields` and `owner` were not read (LeadStore::DueLeads without texts). Committing such
  // a lead leaves its texts as they are.
  bool has_fields = true;
  std::string owner;
  // vendor_lead_code, source_id, title, first_name, last_name, address1, city, state, postal_code,
  // country_code, gender, date_of_birth, email, security_phrase, comments, company, and any further
  // column of the file under its own name.
  std::map<std::string, std::string> fields;

  const std::string& Field(const std::string& name) const;  // empty if absent
};

// A list of leads, loaded from one or more files.
struct List {
  ListId id;
  std::string name;
  CampaignId campaign;
  bool active = true;
  int64_t leads = 0;
  std::string description = {};
  // Not dialed from this instant on (VICIdial's expiration_date).
  absl::Time expires = absl::InfiniteFuture();
  bool archived = false;  // off, and left out of what is shown unless asked for
  absl::Time last_reset = absl::InfinitePast();
  // Whether its leads may be dialed at `now`.
  bool dialed(absl::Time now) const { return active && !archived && now < expires; }
};

}  // namespace outpace::campaign
