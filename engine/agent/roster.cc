#include "engine/agent/roster.h"

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace outpace::agent {
namespace {

// The sum that time in `state` adds to; nullptr for logged out.
absl::Duration* SumOf(StateTimes& times, AgentState state) {
  switch (state) {
    case AgentState::kLoggedOut:
      return nullptr;
    case AgentState::kNotReady:
      return &times.paused;
    case AgentState::kAvailable:
      return &times.ready;
    case AgentState::kReserved:
      return &times.reserved;
    case AgentState::kOnCall:
      return &times.talk;
    case AgentState::kWrapUp:
      return &times.wrap;
  }
  return nullptr;
}

int* CountOf(CampaignCounts& counts, AgentState state) {
  switch (state) {
    case AgentState::kLoggedOut:
      return nullptr;
    case AgentState::kNotReady:
      return &counts.paused;
    case AgentState::kAvailable:
      return &counts.ready;
    case AgentState::kReserved:
      return &counts.reserved;
    case AgentState::kOnCall:
      return &counts.talking;
    case AgentState::kWrapUp:
      return &counts.wrapping;
  }
  return nullptr;
}

bool HoldsAttempt(AgentState state) {
  return state == AgentState::kReserved || state == AgentState::kOnCall ||
         state == AgentState::kWrapUp;
}

bool IsLeaving(const AgentRecord& agent) { return HoldsAttempt(agent.state) && agent.pause_wanted; }

bool CanTakeCall(const AgentRecord& agent) {
  return agent.state == AgentState::kAvailable && agent.phone_up;
}

}  // namespace

double StateTimes::occupancy() const {
  const absl::Duration offered = ready + reserved + talk + wrap;
  if (offered <= absl::ZeroDuration()) return 0;
  return absl::FDivDuration(talk + wrap, offered);
}

StateTimes& StateTimes::operator+=(const StateTimes& other) {
  paused += other.paused;
  ready += other.ready;
  reserved += other.reserved;
  talk += other.talk;
  wrap += other.wrap;
  return *this;
}

absl::Status Roster::Add(const AgentId& id, const CampaignId& campaign, MonoTime now) {
  auto [it, added] = agents_.try_emplace(id);
  if (!added) return absl::AlreadyExistsError(absl::StrCat("agent ", id, " is on the roster"));
  it->second.id = id;
  it->second.campaign = campaign;
  it->second.since = now;
  Enter(it->second);
  return absl::OkStatus();
}

absl::Status Roster::Remove(const AgentId& id) {
  AgentRecord* agent = Get(id);
  if (agent == nullptr) return absl::NotFoundError(absl::StrCat("no agent ", id));
  if (agent->state != AgentState::kLoggedOut) {
    return absl::FailedPreconditionError(absl::StrCat("agent ", id, " is logged in"));
  }
  if (agent->phone.valid()) by_phone_.erase(agent->phone);
  Leave(*agent);
  agents_.erase(id);
  return absl::OkStatus();
}

absl::Status Roster::SetCampaign(const AgentId& id, const CampaignId& campaign) {
  AgentRecord* agent = Get(id);
  if (agent == nullptr) return absl::NotFoundError(absl::StrCat("no agent ", id));
  if (agent->state != AgentState::kLoggedOut) {
    return absl::FailedPreconditionError(absl::StrCat("agent ", id, " is logged in"));
  }
  Leave(*agent);
  agent->campaign = campaign;
  Enter(*agent);
  return absl::OkStatus();
}

absl::Status Roster::Apply(const AgentId& id, AgentEvent event, MonoTime now) {
  AgentRecord* agent = Get(id);
  if (agent == nullptr) return absl::NotFoundError(absl::StrCat("no agent ", id));
  const AgentTransition* row = FindTransition(agent->state, event);
  if (row == nullptr) {
    ++illegal_events_;
    return absl::FailedPreconditionError(
        absl::StrCat("agent ", id, " is ", AgentStateName(agent->state)));
  }
  Leave(*agent);
  if (event == AgentEvent::kConnect) ++agent->calls_today;
  SetState(*agent, row->to, /*keeps_place=*/event == AgentEvent::kRelease, now);
  if (agent->state == AgentState::kAvailable && agent->pause_wanted) {
    SetState(*agent, FindTransition(AgentState::kAvailable, AgentEvent::kNotReady)->to,
             /*keeps_place=*/false, now);
  }
  Enter(*agent);
  return absl::OkStatus();
}

// Called between Leave() and Enter().
void Roster::SetState(AgentRecord& agent, AgentState to, bool keeps_place, MonoTime now) {
  OUTPACE_CHECK(now >= agent.since);
  if (absl::Duration* sum = SumOf(agent.times, agent.state)) *sum += now - agent.since;
  agent.state = to;
  agent.since = now;
  if (to == AgentState::kAvailable) {
    if (!keeps_place) agent.waiting_since = now;
    if (!agent.pause_wanted) agent.pause_code.clear();
  }
  if (to == AgentState::kNotReady || to == AgentState::kLoggedOut) agent.pause_wanted = false;
  if (to == AgentState::kLoggedOut) agent.pause_code.clear();
  if (!HoldsAttempt(to)) agent.attempt = AttemptId();
}

absl::Status Roster::Reserve(const AgentId& id, AttemptId attempt, MonoTime now) {
  if (absl::Status status = Apply(id, AgentEvent::kReserve, now); !status.ok()) return status;
  Get(id)->attempt = attempt;
  return absl::OkStatus();
}

absl::Status Roster::Pause(const AgentId& id, absl::string_view code, MonoTime now) {
  AgentRecord* agent = Get(id);
  if (agent == nullptr) return absl::NotFoundError(absl::StrCat("no agent ", id));
  if (agent->state == AgentState::kNotReady) {
    agent->pause_code = std::string(code);
    return absl::OkStatus();
  }
  if (HoldsAttempt(agent->state)) {
    Leave(*agent);
    agent->pause_wanted = true;
    agent->pause_code = std::string(code);
    Enter(*agent);
    return absl::OkStatus();
  }
  if (absl::Status status = Apply(id, AgentEvent::kNotReady, now); !status.ok()) return status;
  agent->pause_code = std::string(code);
  return absl::OkStatus();
}

absl::Status Roster::Ready(const AgentId& id, MonoTime now) {
  AgentRecord* agent = Get(id);
  if (agent == nullptr) return absl::NotFoundError(absl::StrCat("no agent ", id));
  if (agent->state == AgentState::kAvailable) return absl::OkStatus();
  if (HoldsAttempt(agent->state)) {
    Leave(*agent);
    agent->pause_wanted = false;
    agent->pause_code.clear();
    Enter(*agent);
    return absl::OkStatus();
  }
  return Apply(id, AgentEvent::kReady, now);
}

absl::Status Roster::SetPhone(const AgentId& id, LegId leg, bool up) {
  AgentRecord* agent = Get(id);
  if (agent == nullptr) return absl::NotFoundError(absl::StrCat("no agent ", id));
  Leave(*agent);
  if (agent->phone != leg) {
    if (agent->phone.valid()) by_phone_.erase(agent->phone);
    if (leg.valid()) OUTPACE_CHECK(by_phone_.emplace(leg, id).second);
    agent->phone = leg;
  }
  agent->phone_up = up && leg.valid();
  Enter(*agent);
  return absl::OkStatus();
}

const AgentRecord* Roster::Find(const AgentId& id) const {
  const auto it = agents_.find(id);
  return it == agents_.end() ? nullptr : &it->second;
}

AgentRecord* Roster::Get(const AgentId& id) {
  const auto it = agents_.find(id);
  return it == agents_.end() ? nullptr : &it->second;
}

const AgentRecord* Roster::FindByPhone(LegId leg) const {
  const auto it = by_phone_.find(leg);
  return it == by_phone_.end() ? nullptr : Find(it->second);
}

const AgentRecord* Roster::PickLongestWaiting(const CampaignId& campaign) const {
  const auto it = campaigns_.find(campaign);
  if (it == campaigns_.end() || it->second.waiting.empty()) return nullptr;
  return Find(it->second.waiting.begin()->second);
}

CampaignCounts Roster::Counts(const CampaignId& campaign) const {
  const auto it = campaigns_.find(campaign);
  return it == campaigns_.end() ? CampaignCounts() : it->second.counts;
}

std::vector<absl::Duration> Roster::Ages(const absl::btree_map<AgentId, MonoTime>& since,
                                         MonoTime now) {
  std::vector<absl::Duration> ages;
  ages.reserve(since.size());
  for (const auto& [id, at] : since) ages.push_back(now - at);
  return ages;
}

absl::btree_map<AgentId, MonoTime>* Roster::BusyIn(Campaign& campaign, const AgentRecord& agent) {
  if (agent.pause_wanted) return nullptr;
  if (agent.state == AgentState::kOnCall) return &campaign.talking;
  return agent.state == AgentState::kWrapUp ? &campaign.wrapping : nullptr;
}

std::vector<absl::Duration> Roster::TalkAges(const CampaignId& campaign, MonoTime now) const {
  const auto it = campaigns_.find(campaign);
  return it == campaigns_.end() ? std::vector<absl::Duration>() : Ages(it->second.talking, now);
}

std::vector<absl::Duration> Roster::WrapAges(const CampaignId& campaign, MonoTime now) const {
  const auto it = campaigns_.find(campaign);
  return it == campaigns_.end() ? std::vector<absl::Duration>() : Ages(it->second.wrapping, now);
}

StateTimes Roster::TimesOf(const AgentRecord& agent, MonoTime now) {
  StateTimes times = agent.times;
  if (absl::Duration* sum = SumOf(times, agent.state)) *sum += now - agent.since;
  return times;
}

StateTimes Roster::TimesOf(const CampaignId& campaign, MonoTime now) const {
  StateTimes total;
  const auto it = campaigns_.find(campaign);
  if (it == campaigns_.end()) return total;
  for (const AgentId& id : it->second.members) total += TimesOf(agents_.at(id), now);
  return total;
}

void Roster::StartDay(MonoTime now) {
  for (auto& [id, agent] : agents_) {
    // What the present state has lasted belongs to the old day; a call that spans midnight is the
    // new day's from here on, so its age stays right and only the sum is cut.
    agent.times = StateTimes();
    if (absl::Duration* sum = SumOf(agent.times, agent.state)) *sum -= now - agent.since;
    agent.calls_today = 0;
  }
}

void Roster::Leave(const AgentRecord& agent) {
  Campaign& campaign = campaigns_[agent.campaign];
  campaign.members.erase(agent.id);
  if (int* count = CountOf(campaign.counts, agent.state)) {
    --*count;
    --campaign.counts.logged_in;
  }
  if (IsLeaving(agent)) --campaign.counts.leaving;
  if (auto* busy = BusyIn(campaign, agent)) busy->erase(agent.id);
  if (CanTakeCall(agent)) {
    --campaign.counts.ready_phone;
    OUTPACE_CHECK(campaign.waiting.erase({agent.waiting_since, agent.id}) == 1);
  }
}

void Roster::Enter(const AgentRecord& agent) {
  Campaign& campaign = campaigns_[agent.campaign];
  campaign.members.insert(agent.id);
  if (int* count = CountOf(campaign.counts, agent.state)) {
    ++*count;
    ++campaign.counts.logged_in;
  }
  if (IsLeaving(agent)) ++campaign.counts.leaving;
  if (auto* busy = BusyIn(campaign, agent)) busy->emplace(agent.id, agent.since);
  if (CanTakeCall(agent)) {
    ++campaign.counts.ready_phone;
    campaign.waiting.emplace(agent.waiting_since, agent.id);
  }
}

}  // namespace outpace::agent
