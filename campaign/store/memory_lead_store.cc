#include "campaign/store/memory_lead_store.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "campaign/attempt_change.h"
#include "campaign/store/codec.h"
#include "campaign/store/phone_index.h"
#include "campaign/store/refill_lanes.h"
#include "engine/base/check.h"

namespace outpace::store {

using campaign::Attempt;
using campaign::Lead;
using campaign::StoreBatch;

void MemoryLeadStore::FailCommitAt(int64_t k) {
  absl::MutexLock lock(&mutex_);
  fail_in_ = k;
}

void MemoryLeadStore::HoldRecordsToTheRule() {
  absl::MutexLock lock(&mutex_);
  hold_records_ = true;
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
  if (absl::Status status = CheckUnchanged(batch); !status.ok()) return status;
  if (absl::Status status = BeginWrite(); !status.ok()) return status;
  for (const campaign::List& list : batch.lists) PutList(list);
  for (const Lead& lead : batch.leads) PutLead(lead);
  for (const LeadId id : batch.leads_removed) RemoveLead(id);
  for (const campaign::Import& import : batch.imports) imports_[import.id] = import;
  for (const Attempt& attempt : batch.attempts) PutAttempt(attempt);
  // Removals first: a number both removed and added stays listed, which is the safe side.
  for (const campaign::DncEntry& entry : batch.dnc_removed) {
    dnc_.erase({entry.scope, DncPlace(entry)});
  }
  for (const campaign::DncEntry& entry : batch.dnc_added) {
    dnc_[{entry.scope, DncPlace(entry)}] = entry;
  }
  for (const campaign::CampaignSettings& settings : batch.campaigns) {
    campaigns_[settings.id] = settings;
  }
  for (const campaign::AgentRecord& agent : batch.agents) agents_[agent.user] = agent;
  for (const campaign::Recording& recording : batch.recordings) {
    campaign::Recording& stored = recordings_[recording.attempt];
    // Told again, or told while it was being erased: it stays erased.
    if (!stored.erased() || recording.erased()) stored = recording;
  }
  for (const campaign::AgentActivity& activity : batch.activities) {
    activities_.emplace(TimeOf(MicrosOf(activity.at)), activity);
  }
  for (const auto& [name, value] : batch.meta) meta_[name] = value;
  return absl::OkStatus();
}

absl::Status MemoryLeadStore::CheckUnchanged(const StoreBatch& batch) const {
  for (const Lead& read : batch.unchanged) {
    const auto it = leads_.find(read.id);
    if (it == leads_.end() || !IsUnchanged(it->second, read)) return LeadHasChanged(read.id);
  }
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
  if (!inserted) EraseEntries(stored);
  Lead texts;
  if (!lead.has_fields) texts = std::move(stored);
  stored = lead;
  if (!lead.has_fields) {
    stored.has_fields = true;
    stored.owner = std::move(texts.owner);
    stored.fields = std::move(texts.fields);
  }
  // A field without text is as good as none.
  std::erase_if(stored.fields, [](const auto& field) { return field.second.empty(); });
  if (CanBeDue(stored)) due_.insert(DuePlaceOf(stored, OrderOf(stored.campaign)));
  if (stored.phone.valid()) phones_.insert({stored.phone, stored.id});
  if (HasAltEntry(stored)) phones_.insert({stored.alt_phone, stored.id});
}

void MemoryLeadStore::EraseEntries(const Lead& lead) {
  due_.erase(DuePlaceOf(lead, OrderOf(lead.campaign)));
  phones_.erase({lead.phone, lead.id});
  phones_.erase({lead.alt_phone, lead.id});
}

void MemoryLeadStore::RemoveLead(LeadId id) {
  const auto it = leads_.find(id);
  if (it == leads_.end()) return;
  EraseEntries(it->second);
  if (const auto list = lists_.find(it->second.list); list != lists_.end()) {
    list->second.leads = std::max<int64_t>(0, list->second.leads - 1);
  }
  leads_.erase(it);
}

void MemoryLeadStore::PutList(const campaign::List& list) {
  const auto [it, inserted] = lists_.try_emplace(list.id, list);
  if (inserted) return;
  const int64_t leads = it->second.leads;
  it->second = list;
  it->second.leads = leads;
}

campaign::LeadOrder MemoryLeadStore::OrderOf(const CampaignId& campaign) const {
  const auto it = orders_.find(campaign);
  return it == orders_.end() ? campaign::LeadOrder::kDue : it->second;
}

void MemoryLeadStore::PutAttempt(const Attempt& attempt) {
  auto [it, inserted] = attempts_.try_emplace(attempt.id);
  Attempt& stored = it->second;
  if (!inserted && hold_records_) {
    OUTPACE_CHECK(campaign::WhyNotReplace(stored, attempt).empty());
  }
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

bool MemoryLeadStore::Dialed(ListId list, absl::Time now) const {
  const auto it = lists_.find(list);
  return it == lists_.end() || it->second.dialed(now);
}

// Leads in their order, each to the end of its lane, until every lane has as many as could be
// asked of it.
absl::StatusOr<std::vector<Lead>> MemoryLeadStore::DueLeads(const campaign::DueQuery& query) const {
  absl::MutexLock lock(&mutex_);
  const bool by_time = OrderOf(query.campaign) == campaign::LeadOrder::kDue;
  RefillLanes lanes(query);
  std::vector<std::vector<const Lead*>> found(lanes.lanes());
  size_t full = 0;
  DuePlace start;  // before the best place a lead of this campaign can have
  start.campaign = query.campaign;
  auto it = due_.lower_bound(start);
  while (query.limit > 0 && full < lanes.used() && it != due_.end() &&
         it->campaign == query.campaign) {
    const Lead& lead = leads_.at(it->lead);
    if (by_time && DueAt(lead) > query.now) {
      // The rest of this tier and rank lies in the future: on to the next rank.
      start = *it;
      start.order = UINT64_MAX;
      start.lead = LeadId(UINT64_MAX);
      it = due_.upper_bound(start);
      continue;
    }
    ++it;
    if (DueAt(lead) > query.now || !Dialed(lead.list, query.now)) continue;
    const size_t lane = lanes.LaneOf(lead.list, lead.status);
    if (lane == RefillLanes::kNone || found[lane].size() == query.limit) continue;
    found[lane].push_back(&lead);
    if (found[lane].size() == query.limit) ++full;
  }
  std::vector<size_t> taken(found.size());
  std::vector<Lead> leads;
  lanes.Fill([&](size_t lane) {
    if (taken[lane] == found[lane].size()) return false;
    leads.push_back(*found[lane][taken[lane]++]);
    return true;
  });
  if (query.with_fields) return leads;
  for (Lead& lead : leads) {
    lead.has_fields = false;
    lead.owner.clear();
    lead.fields.clear();
  }
  return leads;
}

// Another order is made at once: nothing else of this store is ever put off.
absl::StatusOr<bool> MemoryLeadStore::Tend(const campaign::DueQuery& query) {
  absl::MutexLock lock(&mutex_);
  if (!poison_.ok()) return poison_;
  const campaign::LeadOrder old = OrderOf(query.campaign);
  if (old == query.order) return false;
  orders_[query.campaign] = query.order;
  for (const auto& [id, lead] : leads_) {
    if (lead.campaign != query.campaign || !CanBeDue(lead)) continue;
    due_.erase(DuePlaceOf(lead, old));
    due_.insert(DuePlaceOf(lead, query.order));
  }
  return false;
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

// On the calling thread alone, each visitor in turn.
absl::Status MemoryLeadStore::ScanLeads(const CampaignId& campaign,
                                        absl::Span<campaign::LeadVisitor* const> visitors) const {
  std::map<std::vector<std::string>, uint32_t> zones;
  size_t next = 0;
  absl::Status status;
  const absl::Status all = ForEachLead([&](const Lead& lead) {
    if (lead.campaign != campaign) return true;
    campaign::LeadGlance glance;
    glance.id = lead.id;
    glance.list = lead.list;
    glance.phone = lead.phone;
    glance.status = lead.status;
    glance.zones = zones.try_emplace(lead.time_zones, zones.size()).first->second;
    glance.zone_names = &lead.time_zones;
    glance.called_count = lead.called_count;
    glance.max_attempts = lead.max_attempts;
    glance.last_call_micros = MicrosOf(lead.last_call_time);
    glance.next_call_micros = MicrosOf(lead.next_call_time);
    glance.hold_until_micros = MicrosOf(lead.hold_until);
    status = visitors[next++ % visitors.size()]->Visit(
        glance, [&lead]() -> absl::StatusOr<Lead> { return lead; });
    return status.ok();
  });
  return status.ok() ? all : status;
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

absl::Status MemoryLeadStore::ForEachActivity(
    absl::Time from, absl::Time to,
    const std::function<bool(const campaign::AgentActivity&)>& visit) const {
  std::vector<campaign::AgentActivity> found;
  {
    absl::MutexLock lock(&mutex_);
    for (auto it = activities_.lower_bound(from); it != activities_.end() && it->first < to; ++it) {
      found.push_back(it->second);
      found.back().at = it->first;
    }
  }
  for (const campaign::AgentActivity& activity : found) {
    if (!visit(activity)) break;
  }
  return absl::OkStatus();
}

// On the calling thread alone, small pieces to each visitor in turn.
absl::Status MemoryLeadStore::ScanAttempts(
    const campaign::AttemptScan& scan, absl::Span<campaign::AttemptVisitor* const> visitors) const {
  constexpr size_t kPiece = 3;
  std::vector<Attempt> attempts;
  absl::Status read = ForEachAttempt(scan.from, scan.to, [&](const Attempt& attempt) {
    attempts.push_back(attempt);
    return true;
  });
  if (!read.ok()) return read;
  for (size_t begin = 0; begin < attempts.size(); begin += kPiece) {
    const size_t n = std::min(kPiece, attempts.size() - begin);
    std::vector<campaign::AttemptView> views;
    std::vector<campaign::Recording> found(n);
    std::vector<const campaign::Recording*> recordings(n, nullptr);
    for (size_t i = 0; i < n; ++i) {
      views.push_back(campaign::ViewOf(attempts[begin + i]));
      absl::MutexLock lock(&mutex_);
      const auto it = recordings_.find(views.back().id);
      if (!scan.recordings || it == recordings_.end()) continue;
      found[i] = it->second;
      recordings[i] = &found[i];
    }
    const size_t piece = begin / kPiece;
    const absl::Status status = visitors[piece % visitors.size()]->Visit(piece, views, recordings);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status MemoryLeadStore::ViewLeads(
    absl::Span<const LeadId> ids, absl::FunctionRef<void(const campaign::LeadView&)> visit) const {
  for (const LeadId id : ids) {
    const absl::StatusOr<std::optional<Lead>> lead = GetLead(id);
    if (!lead.ok()) return lead.status();
    if (!lead->has_value()) continue;
    const Lead& l = **lead;
    std::vector<campaign::LeadText> texts;
    if (!l.owner.empty()) texts.push_back({"owner", l.owner});
    for (const auto& [name, text] : l.fields) texts.push_back({name, text});
    campaign::LeadView view;
    view.id = l.id;
    view.list = l.list;
    view.campaign = l.campaign;
    view.status = l.status;
    view.phone = l.phone;
    view.alt_phone = l.alt_phone;
    view.tier = l.tier;
    view.rank = l.rank;
    view.max_attempts = l.max_attempts;
    view.called_count = l.called_count;
    view.entry_micros = MicrosOf(l.entry_date);
    view.last_call_micros = MicrosOf(l.last_call_time);
    view.zones = &l.time_zones;
    view.texts = texts;
    visit(view);
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

absl::Status MemoryLeadStore::ForEachDnc(
    const std::function<bool(const campaign::DncEntry&)>& visit) const {
  std::vector<campaign::DncEntry> entries;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [key, entry] : dnc_) entries.push_back(entry);
  }
  for (const campaign::DncEntry& entry : entries) {
    if (!visit(entry)) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<campaign::DncEntry>> MemoryLeadStore::GetDnc(
    const campaign::DncEntry& place) const {
  absl::MutexLock lock(&mutex_);
  const auto it = dnc_.find({place.scope, DncPlace(place)});
  return it == dnc_.end() ? std::nullopt : std::optional<campaign::DncEntry>(it->second);
}

absl::StatusOr<std::vector<campaign::DncEntry>> MemoryLeadStore::DncOf(E164 phone) const {
  const std::vector<uint64_t> places = DncPlacesOf(phone);
  absl::MutexLock lock(&mutex_);
  std::vector<campaign::DncEntry> found;
  for (const auto& [key, entry] : dnc_) {
    if (std::binary_search(places.begin(), places.end(), key.second)) found.push_back(entry);
  }
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
