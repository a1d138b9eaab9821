#pragma once

// Random records, comparison and scratch directories for the tests of both stores.

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "campaign/lead_store.h"
#include "campaign/store/codec.h"
#include "campaign/store/lead_record.h"
#include "engine/base/check.h"
#include "engine/base/rng.h"

namespace outpace::store {

// A directory of its own, gone with the object.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "outpace-store-XXXXXX").string();
    OUTPACE_CHECK(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline const absl::Time kStart = absl::FromUnixSeconds(1'790'000'000);

inline std::string RandomText(Rng& rng, size_t size_max) {
  static constexpr absl::string_view kPieces[] = {"a",  "Z",    "7", " ",  ",",    "\"", "\r\n",
                                                  "\t", "\xff", "ä", "王", "=1+1", "'",  ";"};
  std::string text;
  for (uint64_t n = rng.Below(size_max + 1); n > 0; --n) {
    if (rng.Chance(0.05)) {
      text.push_back('\0');
    } else {
      absl::StrAppend(&text, kPieces[rng.Below(std::size(kPieces))]);
    }
  }
  return text;
}

inline absl::Time RandomTime(Rng& rng) {
  const double kind = rng.Uniform();
  if (kind < 0.2) return absl::InfinitePast();
  if (kind < 0.3) return absl::InfiniteFuture();
  if (kind < 0.35) return absl::FromUnixMicros(-static_cast<int64_t>(rng.Below(1'000'000'000)));
  return kStart + absl::Microseconds(static_cast<int64_t>(rng.Below(1'000'000'000'000)));
}

inline E164 RandomPhone(Rng& rng) { return E164(10'000'000 + rng.Below(999'000'000'000'000)); }

inline campaign::Lead RandomLead(Rng& rng, uint64_t id) {
  campaign::Lead lead;
  lead.id = LeadId(id);
  lead.list = ListId(rng.Below(5));
  lead.campaign = rng.Chance(0.1) ? "" : absl::StrCat("C", rng.Below(3));
  lead.phone = rng.Chance(0.05) ? E164() : RandomPhone(rng);
  lead.alt_phone = rng.Chance(0.5) ? E164() : RandomPhone(rng);
  lead.status = rng.Chance(0.1) ? "" : rng.Chance(0.5) ? "NEW" : "NA";
  lead.tier = rng.Chance(0.5) ? campaign::Tier::kA : campaign::Tier::kB;
  lead.called_count = static_cast<int>(rng.Below(12)) - 1;
  lead.entry_date = RandomTime(rng);
  lead.last_call_time = RandomTime(rng);
  lead.next_call_time = RandomTime(rng);
  lead.hold_until = rng.Chance(0.8) ? absl::InfinitePast() : RandomTime(rng);
  for (uint64_t n = rng.Below(3); n > 0; --n) lead.time_zones.push_back(RandomText(rng, 5));
  lead.rank = rng.Chance(0.5) ? 0 : static_cast<int>(rng.Below(199)) - 99;
  lead.max_attempts = static_cast<int>(rng.Below(11));
  lead.recycled = rng.Chance(0.7) ? "" : absl::StrCat("NA:", rng.Below(5));
  lead.import = ImportId(rng.Below(3));
  lead.owner = RandomText(rng, 4);
  for (uint64_t n = rng.Below(6); n > 0; --n) {
    // A field without text is as good as none: stores do not keep it.
    lead.fields[RandomText(rng, 6)] = absl::StrCat(RandomText(rng, 40), "x");
  }
  return lead;
}

inline campaign::Attempt RandomAttempt(Rng& rng, uint64_t id) {
  campaign::Attempt a;
  a.id = AttemptId(id);
  a.lead = LeadId(rng.Below(1000));
  a.list = ListId(rng.Next());
  a.campaign = RandomText(rng, 4);
  a.tier = rng.Chance(0.5) ? campaign::Tier::kA : campaign::Tier::kB;
  a.number_of_try = static_cast<int>(rng.Below(20));
  a.dialed = RandomPhone(rng);
  a.caller_id = rng.Chance(0.5) ? E164() : RandomPhone(rng);
  for (std::string* text :
       {&a.trunk, &a.call_id, &a.from_tag, &a.branch, &a.route_uri, &a.request_uri, &a.from_uri,
        &a.outcome, &a.status, &a.term_reason, &a.agent, &a.note, &a.heard, &a.amd, &a.amd_features,
        &a.scorer, &a.last_status}) {
    *text = RandomText(rng, 12);
  }
  for (bool* flag : {&a.open, &a.sent, &a.trunk_fault, &a.abandoned, &a.message_played, &a.inbound,
                     &a.explored, &a.alt}) {
    *flag = rng.Chance(0.5);
  }
  a.sip_status = static_cast<int>(rng.Below(700));
  a.q850_cause = static_cast<int>(rng.Below(128));
  for (absl::Time* time : {&a.callback_time, &a.dialed_at, &a.ringing_at, &a.answered_at,
                           &a.connected_at, &a.dropped_at, &a.ended_at, &a.disposed_at}) {
    *time = RandomTime(rng);
  }
  a.amd_confidence = static_cast<int>(rng.Below(101));
  a.amd_ms = static_cast<int>(rng.Below(5000));
  a.greeting_start_ms = static_cast<int>(rng.Below(3000)) - 1;
  a.greeting_end_ms = static_cast<int>(rng.Below(3000)) - 1;
  a.score = rng.Chance(0.3) ? 0 : rng.Uniform();
  a.holds = static_cast<int>(rng.Below(4));
  a.held = absl::Microseconds(static_cast<int64_t>(rng.Below(1'000'000'000)));
  a.conferences = static_cast<int>(rng.Below(3));
  a.billed_seconds = static_cast<int>(rng.Below(4000));
  a.cost_micros = static_cast<int64_t>(rng.Below(100'000'000));
  return a;
}

inline campaign::DncEntry RandomDnc(Rng& rng) {
  const dnc::DncScope scopes[] = {{},
                                  {dnc::DncLevel::kLitigator, ""},
                                  {dnc::DncLevel::kState, "FL"},
                                  {dnc::DncLevel::kClient, "C1"},
                                  {dnc::DncLevel::kCampaign, "C1"}};
  campaign::DncEntry entry;
  if (rng.Chance(0.7)) {
    entry.phone = E164(14'155'550'100 + rng.Below(20));
  } else {
    entry.range.digits = rng.Chance(0.5) ? 14'155'550'100 + rng.Below(20) : 1 + rng.Below(50);
  }
  entry.scope = scopes[rng.Below(std::size(scopes))];
  entry.source = RandomText(rng, 5);
  entry.added = RandomTime(rng);
  entry.reason = RandomText(rng, 20);
  entry.by = RandomText(rng, 5);
  if (rng.Chance(0.3)) entry.expires = RandomTime(rng);
  return entry;
}

inline campaign::List RandomList(Rng& rng, uint64_t id) {
  campaign::List list;
  list.id = ListId(id);
  list.name = RandomText(rng, 10);
  list.campaign = "C1";
  list.active = rng.Chance(0.5);
  list.leads = static_cast<int64_t>(rng.Below(1'000'000)) - 1;
  list.description = RandomText(rng, 10);
  list.expires = RandomTime(rng);
  list.archived = rng.Chance(0.2);
  list.last_reset = RandomTime(rng);
  return list;
}

inline campaign::Import RandomImport(Rng& rng, uint64_t id) {
  campaign::Import import;
  import.id = ImportId(id);
  import.list = ListId(rng.Below(5));
  import.campaign = "C1";
  import.file = RandomText(rng, 10);
  import.file_bytes = rng.Next();
  import.content_hash = RandomText(rng, 10);
  import.options = RandomText(rng, 20);
  import.started = RandomTime(rng);
  import.finished = RandomTime(rng);
  for (uint64_t* count :
       {&import.counts.rows, &import.counts.accepted, &import.counts.duplicates_in_file,
        &import.counts.duplicates_in_store, &import.counts.dnc, &import.counts.filtered,
        &import.counts.rejected, &import.kept}) {
    *count = rng.Next() >> rng.Below(64);
  }
  for (uint64_t n = rng.Below(4); n > 0; --n) import.by_code[RandomText(rng, 5)] = rng.Below(1000);
  import.first_lead = LeadId(rng.Next());
  import.state = static_cast<campaign::ImportState>(rng.Below(3));
  return import;
}

inline campaign::CampaignSettings RandomSettings(Rng& rng, const CampaignId& id) {
  campaign::CampaignSettings settings;
  settings.id = id;
  settings.name = absl::StrCat("name ", rng.Below(1000));
  settings.active = rng.Chance(0.5);
  settings.hopper_level = 1 + static_cast<int>(rng.Below(1000));
  settings.trunk = rng.Chance(0.5) ? "" : "carrier";
  settings.wrapup_seconds = absl::Seconds(static_cast<int64_t>(rng.Below(100)));
  return settings;
}

inline campaign::AgentRecord RandomAgent(Rng& rng, const AgentId& user) {
  return {user, RandomText(rng, 8), "sip:a1@192.0.2.7:5060", RandomText(rng, 30)};
}

inline campaign::Recording RandomRecording(Rng& rng, uint64_t attempt) {
  campaign::Recording r;
  r.attempt = AttemptId(attempt);
  r.lead = LeadId(rng.Below(20));
  r.campaign = rng.Chance(0.1) ? "" : absl::StrCat("C", rng.Below(3));
  r.agent = rng.Chance(0.1) ? "" : absl::StrCat("a", rng.Below(12));
  r.number = rng.Chance(0.1) ? E164() : E164(14'155'550'100 + rng.Below(20));
  r.started = kStart + absl::Seconds(static_cast<int64_t>(rng.Below(1000)));
  r.length = absl::Milliseconds(static_cast<int64_t>(rng.Below(600'000)));
  r.file = RandomText(rng, 20);
  r.sha256 = RandomText(rng, 8);
  r.bytes = rng.Next();
  r.format = rng.Chance(0.5) ? "wav" : "opus";
  r.encrypted = rng.Chance(0.5);
  r.cut = rng.Chance(0.5);
  r.paused = absl::Microseconds(static_cast<int64_t>(rng.Below(1'000'000)));
  r.lost = absl::Microseconds(static_cast<int64_t>(rng.Below(1'000'000)));
  for (uint64_t n = rng.Below(4); n > 0; --n) {
    campaign::RecordingGap gap;
    gap.lost = rng.Chance(0.5);
    gap.from = absl::Microseconds(static_cast<int64_t>(rng.Below(1'000'000'000)));
    gap.to = gap.from + absl::Microseconds(static_cast<int64_t>(rng.Below(1'000'000'000)));
    r.gaps.push_back(gap);
  }
  r.fault = RandomText(rng, 5);
  if (rng.Chance(0.3)) {
    r.erased_at = kStart;
    r.erased_reason = RandomText(rng, 5);
  }
  return r;
}

inline campaign::AgentActivity RandomActivity(Rng& rng) {
  campaign::AgentActivity a;
  // Few instants, so that some are the same.
  a.at = rng.Chance(0.05) ? RandomTime(rng)
                          : kStart + absl::Microseconds(static_cast<int64_t>(rng.Below(50)));
  a.agent = rng.Chance(0.1) ? "" : absl::StrCat("a", rng.Below(12));
  a.campaign = rng.Chance(0.1) ? "" : absl::StrCat("C", rng.Below(3));
  a.state = rng.Chance(0.5) ? "READY" : absl::StrCat("x", RandomText(rng, 4));
  a.code = RandomText(rng, 4);
  a.attempt = AttemptId(rng.Below(3));
  return a;
}

// Two records are equal when they are the same bytes on disk: the coding is one to one.
inline std::string Bytes(const campaign::Lead& r) {
  std::string bytes = EncodeHot(r, 0, {});
  absl::StrAppend(&bytes, EncodeNamedTexts(r), r.has_fields ? "" : " without texts");
  for (const std::string& zone : r.time_zones) absl::StrAppend(&bytes, zone.size(), ":", zone);
  return bytes;
}
inline std::string Bytes(const campaign::Attempt& r) { return EncodeAttempt(r); }
inline std::string Bytes(const campaign::DncEntry& r) { return EncodeDnc(r); }
inline std::string Bytes(const campaign::List& r) { return EncodeList(r); }
inline std::string Bytes(const campaign::Import& r) { return EncodeImport(r); }
inline std::string Bytes(const campaign::CampaignSettings& r) { return EncodeSettings(r); }
inline std::string Bytes(const campaign::Recording& r) { return EncodeRecording(r); }
inline std::string Bytes(const campaign::AgentRecord& r) { return EncodeAgent(r); }
inline std::string Bytes(const campaign::AgentActivity& r) { return EncodeActivity(r); }

template <typename Record>
std::vector<std::string> AllBytes(const std::vector<Record>& records) {
  std::vector<std::string> all;
  for (const Record& record : records) all.push_back(Bytes(record));
  return all;
}

inline std::vector<campaign::Lead> LeadsOf(const campaign::LeadStore& store) {
  std::vector<campaign::Lead> leads;
  const absl::Status status = store.ForEachLead([&](const campaign::Lead& lead) {
    leads.push_back(lead);
    return true;
  });
  OUTPACE_CHECK(status.ok());
  return leads;
}

inline std::vector<campaign::Attempt> AttemptsOf(const campaign::LeadStore& store,
                                                 absl::Time from = absl::InfinitePast(),
                                                 absl::Time to = absl::InfiniteFuture()) {
  std::vector<campaign::Attempt> attempts;
  const absl::Status status = store.ForEachAttempt(from, to, [&](const campaign::Attempt& a) {
    attempts.push_back(a);
    return true;
  });
  OUTPACE_CHECK(status.ok());
  return attempts;
}

inline std::vector<campaign::AgentActivity> ActivitiesOf(const campaign::LeadStore& store,
                                                         absl::Time from = absl::InfinitePast(),
                                                         absl::Time to = absl::InfiniteFuture()) {
  std::vector<campaign::AgentActivity> activities;
  const absl::Status status = store.ForEachActivity(from, to, [&](const auto& activity) {
    activities.push_back(activity);
    return true;
  });
  OUTPACE_CHECK(status.ok());
  return activities;
}

inline std::vector<uint64_t> IdsOf(const std::vector<campaign::Lead>& leads) {
  std::vector<uint64_t> ids;
  for (const campaign::Lead& lead : leads) ids.push_back(lead.id.value());
  return ids;
}

inline std::vector<uint64_t> IdsOf(const std::vector<campaign::Attempt>& attempts) {
  std::vector<uint64_t> ids;
  for (const campaign::Attempt& attempt : attempts) ids.push_back(attempt.id.value());
  return ids;
}

}  // namespace outpace::store
