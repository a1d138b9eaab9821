// Calls from outside: somebody calls back a number that rang. A call to a number that is set for
// its trunk is taken, all others are refused. A caller whom the number's campaign has rung is given
// to the agent of that campaign who waits longest; everybody else, and everybody while no agent is
// free, hears the message that says who rang.
//
//   offered -> the store is asked who calls -> agent reserved, taken -> ACK -> bridged, screen-pop
//           -> ended -> wrap-up -> disposition, as with a call of ours
//           -> taken -> ACK -> message -> forgotten
//
// Such a call is no try of the lead and reaches neither the answers that the pacer learns from nor
// the limits on abandoned calls: those count what we dialed. Only a call that an agent took is
// stored. A flood of callers could starve the campaigns of legs: callers without an agent have at
// most half of the legs that are not otherwise in use, and kInboundMost.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "engine/runtime/controller.h"

namespace outpace::runtime {
namespace {

constexpr size_t kInboundMost = 20;  // at once; each hears a message of seconds

constexpr int kNotFound = 404;
constexpr int kUnavailable = 503;  // the trunk may try again, or elsewhere

// Trunks write the same number as "+12025550199" to one customer and "12025550199" to the next.
bool SameNumber(absl::string_view a, absl::string_view b) {
  return !a.empty() && absl::StripPrefix(a, "+") == absl::StripPrefix(b, "+");
}

// None for what cannot be an international number: "anonymous", "02025550100", "88001".
E164 NumberOf(absl::string_view text) {
  const auto number = ParseE164(absl::StrCat("+", absl::StripPrefix(text, "+")));
  return number.ok() ? *number : E164();
}

// nullptr: not set for this trunk.
const trunk::InboundNumber* FindNumber(const trunk::TrunkSettings& trunk,
                                       absl::string_view called) {
  for (const trunk::InboundNumber& set : trunk.inbound) {
    if (SameNumber(set.number, called)) return &set;
  }
  return nullptr;
}

}  // namespace

int Controller::RefusalOf(const call::CallOffered& event) const {
  if (event.trunk >= trunks_.size()) return kNotFound;
  if (FindNumber(trunks_.settings(event.trunk), event.called) == nullptr) return kNotFound;
  if (draining_ || !stopped_reason_.empty()) return kUnavailable;
  const size_t share = (slots_.free() + inbound_.size()) / 2;
  return inbound_.size() < std::min(share, kInboundMost) ? 0 : kUnavailable;
}

void Controller::OnCallOffered(const call::CallOffered& event) {
  const int refusal = RefusalOf(event);
  if (refusal != 0) {
    log_.Info("inbound.refused", {{"call", event.call}, {"status", refusal}});
    Post(call::RefuseCall{event.call, refusal});
    return;
  }
  const InboundId id(event.call);
  const LegId leg = slots_.Take(id);
  OUTPACE_CHECK(id.valid() && leg.valid());
  const trunk::TrunkSettings& trunk = trunks_.settings(event.trunk);
  const E164 caller = NumberOf(event.caller);
  const bool fresh =
      inbound_.try_emplace(id, InboundCall{leg, event.trunk, caller, NumberOf(event.called)})
          .second;
  OUTPACE_CHECK(fresh);
  log_.Info("inbound.offered", {{"call", event.call}, {"trunk", trunk.name}});
  const CampaignId& campaign = FindNumber(trunk, event.called)->campaign;
  const bool may_meet_agent = caller.valid() && FindRunner(campaign) != nullptr &&
                              roster_.PickLongestWaiting(campaign) != nullptr;
  if (!may_meet_agent) return TakeForMessage(id);
  store_.FindRung(caller, campaign, [this, id, campaign](auto lead) {
    OnCallerFound(id, campaign, std::move(lead));
  });
}

// A call that is taken already ends by its leg: the shard finds the caller gone.
void Controller::OnCallWithdrawn(const call::CallWithdrawn& event) {
  const auto found = inbound_.find(InboundId(event.call));
  if (found == inbound_.end() || found->second.taken) return;
  slots_.Free(found->second.leg);
  inbound_.erase(found);
  log_.Info("inbound.withdrawn", {{"call", event.call}});
  MaybeDrained();
}

void Controller::OnCallerFound(InboundId id, const CampaignId& campaign,
                               absl::StatusOr<std::optional<campaign::Lead>> lead) {
  const auto found = inbound_.find(id);
  if (found == inbound_.end()) return;  // withdrawn meanwhile
  if (draining_ || !stopped_reason_.empty()) {
    slots_.Free(found->second.leg);
    inbound_.erase(found);
    log_.Info("inbound.refused", {{"call", id.value()}, {"status", kUnavailable}});
    Post(call::RefuseCall{id.value(), kUnavailable});
    return MaybeDrained();
  }
  CampaignRunner* runner = FindRunner(campaign);
  const bool known = lead.ok() && lead->has_value() && runner != nullptr;
  if (known && TakeForAgent(id, *runner, **lead)) return;
  TakeForMessage(id);
}

void Controller::TakeForMessage(InboundId id) {
  InboundCall& call = inbound_.at(id);
  call.taken = true;
  Post(call::TakeCall{call.leg, id.value()});
}

bool Controller::TakeForAgent(InboundId id, CampaignRunner& runner, const campaign::Lead& lead) {
  const InboundCall call = inbound_.at(id);
  if (!HasAttemptIds() || numbers_in_call_.contains(call.caller)) return false;
  runner.hopper.Drop(lead.id);
  if (runner.hopper.Holds(lead.id)) return false;  // just being dialed, previewed or written
  if (withdrawals_.Has(lead.id)) return false;     // about to be removed
  const agent::AgentRecord* free = roster_.PickLongestWaiting(runner.settings().id);
  if (free == nullptr) return false;
  runner.hopper.Hold(lead.id);
  const AttemptId attempt = NextAttemptId();
  inbound_.erase(id);
  slots_.Give(call.leg, attempt);
  LiveAttempt& live = live_[attempt];
  live.phase = Phase::kTaking;
  live.leg = call.leg;
  live.trunk = call.trunk;
  live.before = live.lead = lead;
  campaign::Attempt& record = live.record;
  record.inbound = true;
  record.id = attempt;
  record.lead = lead.id;
  record.list = lead.list;
  record.campaign = runner.settings().id;
  record.tier = lead.tier;
  record.number_of_try = lead.called_count;
  record.dialed = call.caller;
  record.alt = call.caller != lead.phone;
  record.caller_id = call.called;
  record.trunk = trunks_.settings(call.trunk).name;
  record.dialed_at = loop_.clock().Wall();
  numbers_in_call_[call.caller] = attempt;  // nobody rings the caller meanwhile
  ReserveFor(live, free->id);
  Announce(live.agent);
  log_.Info("inbound.for_agent", {{"call", id.value()}, {"attempt", attempt}});
  Post(call::TakeCall{call.leg, id.value()});
  // From here on nothing else changes this lead; what did while the store looked for it shows now.
  store_.GetLead(lead.id, [this, attempt](auto now) {
    LiveAttempt* there = FindLive(attempt);
    const bool fits = there != nullptr && there->phase != Phase::kClosing;
    if (fits && now.ok() && now->has_value()) there->before = there->lead = **now;
  });
  return true;
}

InboundId Controller::InboundOf(LegId leg) const {
  const InboundId* id = std::get_if<InboundId>(&slots_.OwnerOf(leg));
  return id == nullptr ? InboundId() : *id;
}

Controller::LiveAttempt* Controller::InboundAttemptOf(LegId leg) {
  LiveAttempt* live = FindLive(AttemptOf(leg));
  return live != nullptr && live->record.inbound ? live : nullptr;
}

bool Controller::OnInboundAnswered(const call::LegAnswered& event) {
  if (LiveAttempt* live = InboundAttemptOf(event.leg)) {
    if (live->phase != Phase::kTaking) return true;
    live->answered = event.at;
    live->record.answered_at = WallAt(event.at);
    const AgentId agent = live->agent;
    const bool reserved = IsWith(agent, live->record.id);
    if (reserved && roster_.Find(agent)->phone_up) {
      ConnectToAgent(*live);
      return true;
    }
    live->phase = Phase::kDropping;  // the agent has gone meanwhile
    if (reserved) ApplyToAgent(agent, agent::AgentEvent::kRelease);
  } else if (!InboundOf(event.leg).valid()) {
    return false;
  }
  Post(call::PlayThenHangUp{event.leg, call::Prompt::kSafeHarbor});
  return true;
}

bool Controller::OnInboundConnected(const call::LegConnected& event) {
  LiveAttempt* live = InboundAttemptOf(event.lead);
  if (live == nullptr) return false;
  if (live->phase != Phase::kConnecting) return true;
  live->phase = Phase::kTalking;
  live->connected = event.at;
  live->record.connected_at = WallAt(event.at);
  live->record.agent = live->agent;
  ApplyToAgent(live->agent, agent::AgentEvent::kConnect);
  agent_events_.OnPop(live->agent, live->record, live->lead, false);
  BeginTalk(*live);
  // As with a call of ours: known after a crash, so that the agent can still dispose of it.
  StoreProgress(*live);
  return true;
}

bool Controller::OnInboundPromptFinished(const call::PromptFinished& event) {
  const auto found = inbound_.find(InboundOf(event.leg));
  if (found == inbound_.end()) return false;
  found->second.message_played = true;
  return true;
}

// Also the end of a call whose caller gave up as it was taken: its leg is refused by the shard.
bool Controller::OnInboundEnded(const call::LegEnded& event) {
  if (LiveAttempt* live = InboundAttemptOf(event.leg)) {
    slots_.Disown(event.leg);
    EndInboundAttempt(*live, event);
    return true;
  }
  const auto found = inbound_.find(InboundOf(event.leg));
  if (found == inbound_.end()) return false;
  const InboundCall call = found->second;
  slots_.Disown(event.leg);
  log_.Info("inbound.ended", {{"call", found->first.value()},
                              {"trunk", trunks_.settings(call.trunk).name},
                              {"outcome", call::CallOutcomeName(event.outcome)},
                              {"message_played", call.message_played},
                              {"by_caller", event.by_far_end}});
  inbound_.erase(found);
  MaybeDrained();
  return true;
}

void Controller::EndInboundAttempt(LiveAttempt& live, const call::LegEnded& event) {
  campaign::Attempt& record = live.record;
  log_.Info("inbound.ended", {{"attempt", record.id},
                              {"trunk", record.trunk},
                              {"outcome", call::CallOutcomeName(event.outcome)},
                              {"by_caller", event.by_far_end}});
  live.ended = event.at;
  record.ended_at = WallAt(event.at);
  record.outcome = std::string(call::CallOutcomeName(event.outcome));
  record.sip_status = event.sip_status;
  record.q850_cause = event.q850_cause;
  record.term_reason = TermReasonOf(live, event);
  if (live.phase == Phase::kTalking) {
    ResetAudio(live);
    return StartWrapUp(live);
  }
  // Met no agent: not stored, and the lead is as it was.
  const AgentId agent = live.agent;
  const bool reserved = IsWith(agent, record.id);
  CampaignRunner* runner = FindRunner(record.campaign);
  const LeadId lead = record.lead;
  numbers_in_call_.erase(record.dialed);
  live_.erase(AttemptId(record.id));
  if (runner != nullptr) runner->hopper.Release(lead);
  if (reserved) {
    ApplyToAgent(agent, agent::AgentEvent::kRelease);
    AgentFree(agent);
  }
  MaybeDrained();
}

void Controller::HangUpInbound() {
  for (const auto& [id, call] : inbound_) {
    if (call.taken) Post(call::HangUp{call.leg});
  }
}

std::string Controller::CheckInbound() const {
  if (inbound_.size() > kInboundMost) return "too many calls from outside";
  for (const auto& [id, call] : inbound_) {
    if (InboundOf(call.leg) != id) return "a call from outside has lost its leg";
  }
  for (const auto& [id, live] : live_) {
    if (live.phase == Phase::kTaking && !live.record.inbound) return "a call of ours is taken";
  }
  return "";
}

}  // namespace outpace::runtime
