#pragma once

// What the store in tests/data/store_v1 holds: made by the last program of schema version 1
// (v1_store_maker.cc) from this very file, and compared with it after its migration. So it uses
// only what both versions have.

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "campaign/lead_store.h"

namespace outpace::store {

inline constexpr uint64_t kV1Leads = 700;
inline const absl::Time kV1Start = absl::FromUnixSeconds(1'790'000'000);

// As version 1 kept it: what have become members were fields.
inline campaign::Lead V1Lead(uint64_t i) {
  campaign::Lead lead;
  lead.id = LeadId(i * 3);
  lead.list = ListId(100 + i % 3);
  lead.campaign = i % 50 == 0 ? "" : i % 3 == 0 ? "ALPHA" : "DEMO";
  lead.phone = i % 40 == 0 ? E164() : E164(14'155'550'000 + i / 2);
  if (i % 5 == 0) lead.alt_phone = E164(442'079'460'000 + i);
  if (i % 10 == 0) lead.alt_phone = lead.phone;
  lead.status = i % 7 == 0 ? "NA" : i % 11 == 0 ? "" : "NEW";
  lead.tier = i % 4 == 0 ? campaign::Tier::kB : campaign::Tier::kA;
  lead.called_count = static_cast<int>(i % 6);
  lead.entry_date = kV1Start + absl::Microseconds(static_cast<int64_t>(i * 1'234'567));
  if (i % 6 != 0) lead.last_call_time = kV1Start + absl::Hours(static_cast<int64_t>(i));
  if (i % 9 == 0) lead.next_call_time = absl::InfiniteFuture();
  if (i % 9 == 1) lead.next_call_time = kV1Start + absl::Minutes(static_cast<int64_t>(i));
  if (i % 13 == 0) lead.hold_until = kV1Start + absl::Hours(2);
  lead.rank = static_cast<int>(i % 199) - 99;
  lead.time_zones = {i % 2 == 0 ? "America/Denver" : "Asia/Shanghai"};
  if (i % 8 == 0) lead.time_zones.push_back("Asia/Urumqi");
  if (i % 31 == 0) lead.time_zones.clear();
  if (i % 3 == 0) lead.owner = absl::StrCat("owner ", i % 5);
  if (i % 10 != 7) {
    lead.fields["first_name"] = absl::StrCat("Ann", i);
    lead.fields["city"] = i % 2 == 0 ? "深圳" : "Leeds";
    lead.fields["empty"] = "";
  }
  if (i % 17 == 0) lead.fields[absl::StrCat("column ", i)] = std::string("\0\xff,\r\n", 5);
  if (i % 7 == 0) lead.fields["_recycled"] = absl::StrCat("NA:", i % 3 + 1);
  if (i % 12 == 0) lead.fields["max_attempts"] = absl::StrCat(i % 10 + 1);
  return lead;
}

// Version 1 had a name for the list of a do-not-call entry, and has a scope now.
template <typename Entry>
void PutDncCampaign(const CampaignId& campaign, Entry& entry) {
  if constexpr (requires { entry.campaign; }) {
    entry.campaign = campaign;
  } else {
    entry.scope = decltype(entry.scope)();
    if (campaign.empty()) return;
    entry.scope.level = decltype(entry.scope.level)::kCampaign;
    entry.scope.id = campaign;
  }
}

// Everything else, a few of each.
inline campaign::StoreBatch V1Rest() {
  campaign::StoreBatch batch;
  for (uint64_t i = 1; i <= 20; ++i) {
    campaign::Attempt attempt;
    attempt.id = AttemptId(i);
    attempt.lead = LeadId(i * 3);
    attempt.campaign = "DEMO";
    attempt.dialed = E164(14'155'550'000 + i);
    attempt.dialed_at = kV1Start + absl::Minutes(static_cast<int64_t>(i));
    attempt.open = i == 20;
    attempt.outcome = attempt.open ? "" : "busy";
    batch.attempts.push_back(attempt);
    campaign::DncEntry dnc;
    dnc.phone = E164(14'155'559'000 + i);
    PutDncCampaign(i % 2 == 0 ? "" : "DEMO", dnc);
    dnc.source = "import";
    dnc.added = kV1Start;
    batch.dnc_added.push_back(dnc);
  }
  for (uint64_t i = 0; i < 3; ++i) {
    campaign::List list;
    list.id = ListId(100 + i);
    list.name = absl::StrCat("list ", i);
    list.campaign = i == 0 ? "ALPHA" : "DEMO";
    list.leads = 233;
    batch.lists.push_back(list);
  }
  for (const char* id : {"ALPHA", "DEMO"}) {
    campaign::CampaignSettings settings;
    settings.id = id;
    settings.hopper_level = 77;
    batch.campaigns.push_back(settings);
  }
  batch.agents.push_back({"a1", "Ann", "sip:a1@192.0.2.7:5060", "scrypt$x"});
  campaign::Recording recording;
  recording.attempt = AttemptId(3);
  recording.agent = "a1";
  recording.started = kV1Start;
  recording.file = "3.wav";
  batch.recordings.push_back(recording);
  batch.meta["estimator"] = "state";
  return batch;
}

}  // namespace outpace::store
