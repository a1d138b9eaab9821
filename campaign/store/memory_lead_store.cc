#include "campaign/store/memory_lead_store.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace outpace::store {

using campaign::Attempt;
using campaign::Lead;
using campaign::StoreBatch;

void MemoryLeadStore::FailCommitAt(int64_t k) {
  absl::MutexLock lock(&mutex_);
  fail_in_ = k;
}

void MemoryLeadStore::Restart() {
  absl::MutexLock lock(&mutex_);
  poison_ = absl::OkStatus();
  fail_in_ = 0;
}

int64_t MemoryLeadStore::commits() const {
  absl::MutexLock lock(&mutex_);
  return commits_;
}

absl::Status MemoryLeadStore::BeginWrite() {
  if (!poison_.ok()) return poison_;
  if (fail_in_ > 0 && --fail_in_ == 0) {
    poison_ = absl::UnavailableError(
        "store: a write failed and no more are taken; restart the process, which reads back what "
        "is stored");
    return poison_;
  }
  ++commits_;
  return absl::OkStatus();
}

absl::Status MemoryLeadStore::Commit(const StoreBatch& batch) {
  if (absl::Status status = CheckBatch(batch); !status.ok()) return status;
  absl::MutexLock lock(&mutex_);
  if (absl::Status status = BeginWrite(); !status.ok()) return status;
  for (const Lead& lead : batch.leads) PutLead(lead);
  for (const Attempt& attempt : batch.attempts) PutAttempt(attempt);
  // Removals first: a number both removed and added stays listed, which is the safe side.
  for (const campaign::DncEntry& entry : batch.dnc_removed) {
    dnc_.erase({entry.campaign, entry.phone});
  }
  for (const campaign::DncEntry& entry : batch.dnc_added) {
    dnc_[{entry.campaign, entry.phone}] = entry;
  }
  for (const campaign::List& list : batch.lists) lists_[list.id] = list;
  for (const campaign::CampaignSettings& settings : batch.campaigns) {
    campaigns_[settings.id] = settings;
  }
  for (const campaign::AgentRecord& agent : batch.agents) agents_[agent.user] = agent;
  for (const campaign::Recording& recording : batch.recordings) {
    campaign::Recording& stored = recordings_[recording.attempt];
    // Told again, or told while it was being erased: it stays erased.
    if (!stored.erased() || recording.erased()) stored = recording;
  }
  for (const auto& [name, value] : batch.meta) meta_[name] = value;
  return absl::OkStatus();
}

absl::Status MemoryLeadStore::CommitUnsynced(const StoreBatch& batch) { return Commit(batch); }

absl::Status MemoryLeadStore::SyncWrites() {
  absl::MutexLock lock(&mutex_);
  return BeginWrite();
}

void MemoryLeadStore::PutLead(const Lead& lead) {
  auto [it, inserted] = leads_.try_emplace(lead.id);
  Lead& stored = it->second;
  if (!inserted) {
    due_.erase(DueKeyOf(stored));
    phones_.erase({stored.phone, stored.id});
  }
  stored = lead;
  if (CanBeDue(lead)) due_.insert(DueKeyOf(lead));
  if (lead.phone.valid()) phones_.insert({lead.phone, lead.id});
}

void MemoryLeadStore::PutAttempt(const Attempt& attempt) {
  auto [it, inserted] = attempts_.try_emplace(attempt.id);
  Attempt& stored = it->second;
  if (!inserted) attempt_times_.erase({stored.dialed_at, stored.id});
  stored = attempt;
  attempt_times_.insert({attempt.dialed_at, attempt.id});
  if (attempt.open) {
    open_.insert(attempt.id);
  } else {
    open_.erase(attempt.id);
  }
}

absl::StatusOr<uint64_t> MemoryLeadStore::ReserveLeadIds(uint64_t count) {
  absl::MutexLock lock(&mutex_);
  if (count == 0) return absl::InvalidArgumentError("store: 0 ids were asked for");
  if (!poison_.ok()) return poison_;
  const uint64_t first = next_lead_;
  next_lead_ += count;
  return first;
}

absl::StatusOr<uint64_t> MemoryLeadStore::ReserveAttemptIds(uint64_t count) {
  absl::MutexLock lock(&mutex_);
  if (count == 0) return absl::InvalidArgumentError("store: 0 ids were asked for");
  if (!poison_.ok()) return poison_;
  const uint64_t first = next_attempt_;
  next_attempt_ += count;
  return first;
}

absl::StatusOr<std::optional<Lead>> MemoryLeadStore::GetLead(LeadId id) const {
  absl::MutexLock lock(&mutex_);
  const auto it = leads_.find(id);
  if (it == leads_.end()) return std::optional<Lead>();
  return std::optional<Lead>(it->second);
}

absl::StatusOr<std::optional<Attempt>> MemoryLeadStore::GetAttempt(AttemptId id) const {
  absl::MutexLock lock(&mutex_);
  const auto it = attempts_.find(id);
  if (it == attempts_.end()) return std::optional<Attempt>();
  return std::optional<Attempt>(it->second);
}

absl::StatusOr<std::vector<Lead>> MemoryLeadStore::DueLeads(const campaign::DueQuery& query) const {
  absl::MutexLock lock(&mutex_);
  std::vector<Lead> found;
  // The best key a lead of this campaign can have.
  DueKey start{query.campaign, campaign::Tier::kA, 99, absl::InfinitePast(), LeadId()};
  auto it = due_.lower_bound(start);
  while (found.size() < query.limit && it != due_.end() && it->campaign == query.campaign) {
    if (it->due_at <= query.now) {
      found.push_back(leads_.at(it->lead));
      ++it;
      continue;
    }
    // The rest of this tier and rank lies in the future: on to the next rank.
    start = *it;
    start.due_at = absl::InfiniteFuture();
    start.lead = LeadId();
    it = due_.lower_bound(start);
  }
  return found;
}

absl::StatusOr<std::vector<LeadId>> MemoryLeadStore::LeadsByPhone(E164 phone) const {
  absl::MutexLock lock(&mutex_);
  std::vector<LeadId> found;
  for (auto it = phones_.lower_bound({phone, LeadId()}); it != phones_.end() && it->first == phone;
       ++it) {
    found.push_back(it->second);
  }
  return found;
}

absl::StatusOr<std::vector<E164>> MemoryLeadStore::KnownPhones(const std::vector<E164>& phones,
                                                               const CampaignId& campaign) const {
  std::vector<E164> sorted = phones;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  absl::MutexLock lock(&mutex_);
  std::vector<E164> known;
  for (const E164 phone : sorted) {
    for (auto it = phones_.lower_bound({phone, LeadId()});
         it != phones_.end() && it->first == phone; ++it) {
      if (campaign.empty() || leads_.at(it->second).campaign == campaign) {
        known.push_back(phone);
        break;
      }
    }
  }
  return known;
}

absl::Status MemoryLeadStore::ForEachLead(const std::function<bool(const Lead&)>& visit) const {
  for (LeadId last;;) {
    Lead lead;
    {
      absl::MutexLock lock(&mutex_);
      const auto it = leads_.upper_bound(last);
      if (it == leads_.end()) return absl::OkStatus();
      lead = it->second;
    }
    last = lead.id;
    if (!visit(lead)) return absl::OkStatus();
  }
}

absl::Status MemoryLeadStore::ForEachAttempt(
    absl::Time from, absl::Time to, const std::function<bool(const Attempt&)>& visit) const {
  std::vector<AttemptId> ids;
  {
    absl::MutexLock lock(&mutex_);
    for (auto it = attempt_times_.lower_bound({from, AttemptId()});
         it != attempt_times_.end() && it->first < to; ++it) {
      ids.push_back(it->second);
    }
  }
  std::sort(ids.begin(), ids.end());
  for (const AttemptId id : ids) {
    Attempt attempt;
    {
      absl::MutexLock lock(&mutex_);
      attempt = attempts_.at(id);
    }
    if (!visit(attempt)) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Attempt>> MemoryLeadStore::OpenAttempts() const {
  absl::MutexLock lock(&mutex_);
  std::vector<Attempt> found;
  for (const AttemptId id : open_) found.push_back(attempts_.at(id));
  return found;
}

absl::StatusOr<std::optional<campaign::Recording>> MemoryLeadStore::GetRecording(
    AttemptId attempt) const {
  absl::MutexLock lock(&mutex_);
  const auto it = recordings_.find(attempt);
  if (it == recordings_.end()) return std::optional<campaign::Recording>();
  return std::optional<campaign::Recording>(it->second);
}

absl::StatusOr<std::vector<campaign::Recording>> MemoryLeadStore::FindRecordings(
    const campaign::RecordingQuery& query) const {
  std::vector<campaign::Recording> found;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [attempt, recording] : recordings_) {
      if (campaign::Matches(query, recording)) found.push_back(recording);
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.started < b.started; });
  if (found.size() > query.limit) found.resize(query.limit);
  return found;
}

absl::StatusOr<std::vector<campaign::DncEntry>> MemoryLeadStore::AllDnc() const {
  absl::MutexLock lock(&mutex_);
  std::vector<campaign::DncEntry> found;
  for (const auto& [key, entry] : dnc_) found.push_back(entry);
  return found;
}

absl::StatusOr<std::vector<campaign::List>> MemoryLeadStore::Lists() const {
  absl::MutexLock lock(&mutex_);
  std::vector<campaign::List> found;
  for (const auto& [id, list] : lists_) found.push_back(list);
  return found;
}

absl::StatusOr<std::vector<campaign::CampaignSettings>> MemoryLeadStore::Campaigns() const {
  absl::MutexLock lock(&mutex_);
  std::vector<campaign::CampaignSettings> found;
  for (const auto& [id, settings] : campaigns_) found.push_back(settings);
  return found;
}

absl::StatusOr<std::vector<campaign::AgentRecord>> MemoryLeadStore::Agents() const {
  absl::MutexLock lock(&mutex_);
  std::vector<campaign::AgentRecord> found;
  for (const auto& [user, agent] : agents_) found.push_back(agent);
  return found;
}

absl::StatusOr<std::optional<std::string>> MemoryLeadStore::GetMeta(const std::string& name) const {
  absl::MutexLock lock(&mutex_);
  const auto it = meta_.find(name);
  if (it == meta_.end()) return std::optional<std::string>();
  return std::optional<std::string>(it->second);
}

absl::StatusOr<std::map<CampaignId, std::map<std::string, int64_t>>> MemoryLeadStore::StatusCounts()
    const {
  absl::MutexLock lock(&mutex_);
  std::map<CampaignId, std::map<std::string, int64_t>> counts;
  for (const auto& [id, lead] : leads_) ++counts[lead.campaign][lead.status];
  return counts;
}

}  // namespace outpace::store
