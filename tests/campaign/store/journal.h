#pragma once

// A numbered series of commits and the check that what a store holds is exactly the first n of
// them: nothing lost, nothing half, no hole. Used by every test that kills, cuts the power or
// damages files.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "campaign/store/rocks_lead_store.h"
#include "tests/campaign/store/store_testing.h"

namespace outpace::store {

// Commit number n: a new lead, a new intent, the result of the intent before, one lead that all
// commits change, a do-not-call entry, and the number itself. `padding` bytes make flushes come
// early.
inline campaign::StoreBatch JournalBatch(uint64_t n, size_t padding = 0) {
  campaign::StoreBatch batch;
  for (const uint64_t id : {uint64_t{1}, n + 1}) {
    campaign::Lead lead;
    lead.id = LeadId(id);
    lead.campaign = "DEMO";
    lead.phone = E164(14'155'550'000 + id);
    lead.rank = id == 1 ? static_cast<int>(n % 50) : 0;
    lead.next_call_time = kStart + absl::Seconds(static_cast<int64_t>(n));
    lead.fields["comments"] = std::string(padding, static_cast<char>('a' + n % 26));
    lead.fields["n"] = absl::StrCat(n);
    batch.leads.push_back(lead);
  }
  for (const uint64_t id : {n, n + 1}) {
    if (id == 1) continue;  // there is no attempt before the first
    campaign::Attempt attempt;
    attempt.id = AttemptId(id);
    attempt.lead = LeadId(id);
    attempt.campaign = "DEMO";
    attempt.open = id == n + 1;
    attempt.outcome = attempt.open ? "" : "busy";
    attempt.dialed_at = kStart + absl::Seconds(static_cast<int64_t>(id));
    batch.attempts.push_back(attempt);
  }
  batch.dnc_added.push_back({E164(442'079'460'000 + n), {}, "journal", kStart});
  batch.meta["n"] = absl::StrCat(n);
  return batch;
}

// How many commits the store holds, after comparing every record with what was written. The store's
// error if it refuses to read; Internal if it served anything but the first n commits.
inline absl::StatusOr<uint64_t> JournalLength(const RocksLeadStore& store, size_t padding = 0) {
  if (absl::Status status = store.Verify(); !status.ok()) return status;
  const auto text = store.GetMeta("n");
  if (!text.ok()) return text.status();
  uint64_t n = 0;
  if (text->has_value() && !absl::SimpleAtoi(**text, &n)) return absl::DataLossError("meta n");

  campaign::StoreBatch expected;
  if (n > 0) {
    std::map<LeadId, campaign::Lead> leads;
    std::map<AttemptId, campaign::Attempt> attempts;
    for (uint64_t i = 1; i <= n; ++i) {
      campaign::StoreBatch batch = JournalBatch(i, padding);
      for (auto& lead : batch.leads) leads[lead.id] = lead;
      for (auto& attempt : batch.attempts) attempts[attempt.id] = attempt;
      expected.dnc_added.push_back(batch.dnc_added[0]);
    }
    for (auto& [id, lead] : leads) expected.leads.push_back(lead);
    for (auto& [id, attempt] : attempts) expected.attempts.push_back(attempt);
  }
  std::vector<campaign::Lead> leads;
  if (absl::Status status = store.ForEachLead([&](const campaign::Lead& lead) {
        leads.push_back(lead);
        return true;
      });
      !status.ok()) {
    return status;
  }
  std::vector<campaign::Attempt> attempts;
  if (absl::Status status = store.ForEachAttempt(absl::InfinitePast(), absl::InfiniteFuture(),
                                                 [&](const campaign::Attempt& attempt) {
                                                   attempts.push_back(attempt);
                                                   return true;
                                                 });
      !status.ok()) {
    return status;
  }
  std::vector<campaign::DncEntry> dnc;
  if (absl::Status status = store.ForEachDnc([&](const campaign::DncEntry& entry) {
        dnc.push_back(entry);
        return true;
      });
      !status.ok()) {
    return status;
  }
  const auto open = store.OpenAttempts();
  if (!open.ok()) return open.status();
  const auto due = store.DueLeads({"DEMO", absl::InfiniteFuture(), n + 2});
  if (!due.ok()) return due.status();
  // A wrong value here would be served as if it were true: the one thing that must never happen.
  if (AllBytes(leads) != AllBytes(expected.leads) ||
      AllBytes(attempts) != AllBytes(expected.attempts) ||
      AllBytes(dnc) != AllBytes(expected.dnc_added) || open->size() != (n > 0 ? 1u : 0u) ||
      due->size() != leads.size()) {
    return absl::InternalError(absl::StrCat("served: n=", n, " leads=", leads.size(),
                                            " attempts=", attempts.size(), " dnc=", dnc.size(),
                                            " open=", open->size(), " due=", due->size()));
  }
  return n;
}

}  // namespace outpace::store
