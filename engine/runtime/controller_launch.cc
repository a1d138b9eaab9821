// From a lead that is due to an attempt whose intent is stored: gate, trunk, caller ID; and once
// more when the trunk has failed.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/retry_rule.h"
#include "engine/runtime/controller.h"

namespace outpace::runtime {
namespace {

// Before a number that no trunk of the campaign carries is looked at again.
constexpr absl::Duration kNoRouteRest = absl::Hours(24);

std::string Hex(uint64_t value) { return absl::StrCat(absl::Hex(value, absl::kZeroPad16)); }

}  // namespace

// RFC 3323 4.1: who asks for privacy shows no number in From; P-Asserted-Identity has it then.
std::string Controller::FromUri(const trunk::TrunkSettings& trunk, E164 caller_id) const {
  if (trunk.identity.privacy) return "sip:anonymous@anonymous.invalid";
  const std::string user = caller_id.valid() ? caller_id.ToString() : "anonymous";
  return absl::StrCat("sip:", user, "@", options_.local_host);
}

int64_t Controller::DayNumber() const {
  return absl::ToUnixSeconds(loop_.clock().Wall()) / (24 * 60 * 60);
}

// Writes a lead that may not be dialed now, so that it leaves those that are due.
void Controller::HoldBack(CampaignRunner& runner, campaign::Lead lead) {
  const LeadId lead_id = lead.id;
  campaign::StoreBatch batch;
  batch.leads.push_back(std::move(lead));
  activities_.MoveInto(batch, loop_.clock().Wall());
  store_.Commit(std::move(batch),
                [this, lead_id, campaign = runner.settings().id](absl::Status status) {
                  if (CampaignRunner* held = FindRunner(campaign)) held->hopper.Release(lead_id);
                  if (!status.ok()) StopForStore(status);
                });
}

Controller::Launched Controller::Launch(CampaignRunner& runner, campaign::Lead& lead, AttemptId id,
                                        const AgentId& agent, std::vector<uint16_t> tried) {
  // A campaign may have been moved to trunks that do not exist since the lead was offered.
  if (!runner.trunks.fault.empty() || slots_.free() == 0) return Launched::kNoRoom;
  if (const gate::Verdict verdict = AskGate(runner, lead, GateStage::kLaunch); !verdict.allowed()) {
    // Was legal when it came into the hopper and is not any more.
    ApplyRefusal(verdict, lead);
    HoldBack(runner, std::move(lead));
    return Launched::kHeldBack;
  }
  trunk::CallerIdTaken caller_id;
  const TrunkDesk::Choice choice =
      ChooseTrunk(runner, campaign::NumberToDial(lead), tried, caller_id);
  if (choice.why == trunk::NoRoute::kNotCarried) {
    log_.Warning("lead.no_route", {{"lead", lead.id}, {"campaign", runner.settings().id}});
    if (campaign::NumberToDial(lead) != lead.phone) {
      HoldBack(runner, campaign::WithoutSecondNumber(lead, runner.settings()));
      return Launched::kHeldBack;
    }
    lead.hold_until = std::max(lead.hold_until, loop_.clock().Wall() + kNoRouteRest);
    HoldBack(runner, std::move(lead));
    return Launched::kHeldBack;
  }
  if (choice.why != trunk::NoRoute::kNone) return Launched::kNoRoom;
  if (!id.valid()) id = NextAttemptId();  // only now: ids are not given back
  const LegId leg = slots_.Take(id);
  OUTPACE_CHECK(leg.valid());
  LiveAttempt& live = live_[id];
  live.leg = leg;
  live.agent = agent;
  live.trunk = choice.trunk;
  live.tried = std::move(tried);
  live.lead =
      campaign::ApplyIntent(lead, loop_.clock().Wall(), absl::Hours(campaign::kUnknownRestHours));
  live.record = IntentOf(runner, lead, id, choice, caller_id.id);
  live.caller_id = std::move(caller_id);
  live.before = std::move(lead);

  numbers_in_call_[live.record.dialed] = id;
  runner.pacer.OnDialed(id, Hopper::TraitsOf(live.before), loop_.clock().Mono());
  runner.CountAttempt(live.record.lead);
  if (runner.first_call == absl::InfinitePast()) runner.first_call = live.record.dialed_at;
  ++runner.ringing;
  ++runner.today.attempts;
  ++runner.lines;
  TrunkDesk::Trunk& trunk = trunks_[live.trunk];
  ++trunk.calls;
  ++trunk.dialing;
  trunk.tokens -= 1;
  TrunkShare& share = runner.trunks.shares[live.trunk];
  ++share.held;
  if (share.tokens != TrunkShare::kNoShare) {
    --share.tokens;
    --share.lines;
  }

  campaign::StoreBatch intent;
  intent.leads.push_back(live.lead);
  intent.attempts.push_back(live.record);
  activities_.MoveInto(intent, loop_.clock().Wall());
  store_.Commit(std::move(intent), [this, id](absl::Status status) { OnIntentStored(id, status); });
  return Launched::kPlaced;
}

// A trunk whose caller IDs all rest, or have had their calls of the day, does not take the call;
// the next one may.
TrunkDesk::Choice Controller::ChooseTrunk(CampaignRunner& runner, E164 number,
                                          const std::vector<uint16_t>& tried,
                                          trunk::CallerIdTaken& caller_id) {
  std::vector<uint16_t> passed_over = tried;
  for (;;) {
    const TrunkDesk::Choice choice = trunks_.Choose(number, runner.trunks, passed_over);
    if (choice.why != trunk::NoRoute::kNone) return choice;
    TrunkDesk::Trunk& trunk = trunks_[choice.trunk];
    caller_id = trunk.caller_ids.Take(number, runner.settings().campaign_cid, loop_.clock().Mono(),
                                      DayNumber());
    const bool used_up = caller_id.why == trunk::NoCallerId::kDailyCap;
    const bool rests = caller_id.why == trunk::NoCallerId::kResting;
    trunk.no_caller_id = used_up ? "its caller IDs have had their calls of the day"
                         : rests ? "its caller IDs rest"
                                 : "";
    if (!used_up && !rests) return choice;
    passed_over.push_back(static_cast<uint16_t>(choice.trunk));
  }
}

campaign::Attempt Controller::IntentOf(const CampaignRunner& runner, const campaign::Lead& lead,
                                       AttemptId id, const TrunkDesk::Choice& choice,
                                       const trunk::CallerId& caller_id) {
  const campaign::CampaignSettings& settings = runner.settings();
  const trunk::TrunkSettings& trunk = trunks_.settings(choice.trunk);
  campaign::Attempt record;
  record.id = id;
  record.lead = lead.id;
  record.list = lead.list;
  record.campaign = settings.id;
  record.tier = lead.tier;
  record.number_of_try = lead.called_count + 1;
  record.last_status = lead.status;
  if (const tier::Pick* pick = runner.hopper.PickOf(lead.id)) {
    record.score = pick->score;
    record.explored = pick->explored;
    if (!pick->by_rule) record.scorer = pick->challenger ? "challenger" : "champion";
  }
  record.dialed = campaign::NumberToDial(lead);
  record.alt = record.dialed != lead.phone;
  record.caller_id = caller_id.number;
  record.trunk = trunk.name;
  record.call_id = absl::StrCat("op-", id.value(), "-", Hex(nonce_()), Hex(nonce_()));
  record.from_tag = Hex(nonce_());
  record.branch = absl::StrCat("z9hG4bK-op", id.value(), "-", Hex(nonce_()));
  record.route_uri = *choice.route_uri;
  record.request_uri = absl::StrCat("sip:", choice.dialled, "@", trunk.peer);
  record.from_uri = FromUri(trunk, caller_id.number);
  record.dialed_at = loop_.clock().Wall();
  return record;
}

// Of a previewed lead the agent is told, and decides.
bool Controller::MayFailOver(const LiveAttempt& live, const call::LegEnded& event) {
  const CampaignRunner& runner = *FindRunner(live.record.campaign);
  // Whose phone has rung is not rung again at once; whom nobody could take, not by another trunk.
  if (live.withdrawn || live.ringing) return false;
  if (!live.record.trunk_fault || !event.invite_sent || !live.agent.empty() || draining_ ||
      !stopped_reason_.empty() || !runner.settings().active || !HasAttemptIds()) {
    return false;
  }
  std::vector<uint16_t> tried = live.tried;
  tried.push_back(static_cast<uint16_t>(live.trunk));
  return trunks_.Choose(live.record.dialed, runner.trunks, tried).why == trunk::NoRoute::kNone;
}

// The same lead by another trunk, as an attempt of its own: the gate is asked again, and nothing is
// held against the lead for the trunk that failed.
void Controller::FailOver(LiveAttempt ended) {
  CampaignRunner* runner = FindRunner(ended.record.campaign);
  if (runner == nullptr) return;
  ended.tried.push_back(static_cast<uint16_t>(ended.trunk));
  const agent::CampaignCounts agents = roster_.Counts(ended.record.campaign);
  const bool anybody =
      agents.ready_phone + agents.reserved + agents.talking + agents.wrapping > agents.leaving;
  const bool may = anybody && !draining_ && stopped_reason_.empty() && HasAttemptIds();
  const Launched launched =
      may ? Launch(*runner, ended.before, AttemptId(), AgentId(), ended.tried) : Launched::kNoRoom;
  if (launched == Launched::kNoRoom) return runner->hopper.Release(ended.record.lead);
  if (launched != Launched::kPlaced) return;
  LiveAttempt& next = *FindLive(numbers_in_call_.at(ended.record.dialed));
  next.before =
      std::move(ended.lead);  // should it not be sent either, the lead rests as it would have
  log_.Info("attempt.failed_over", {{"attempt", ended.record.id},
                                    {"next", next.record.id},
                                    {"from", ended.record.trunk},
                                    {"to", next.record.trunk}});
}

}  // namespace outpace::runtime
