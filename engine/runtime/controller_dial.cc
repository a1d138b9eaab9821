// How many legs, of which leads, over which share of the trunk: each tick and each time an agent
// gets free. And the reverse: calls that ring for agents who have left.

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/pacing/share.h"
#include "engine/runtime/controller.h"

namespace outpace::runtime {
namespace {

// Leads of the hopper that the pacer may choose among.
constexpr size_t kTraitsMost = 100;
// A demand nobody can have: more legs than there are ids of legs.
constexpr int kDemandMost = 1'000'000;
// Leads that are passed over at once because no trunk is free for their numbers.
constexpr size_t kWaitingMost = 50;

int AgentsOf(const agent::CampaignCounts& counts) {
  return counts.ready_phone + counts.reserved + counts.talking + counts.wrapping;
}

// VICIdial's available-only tally: the level counts for free agents, and connected calls are no
// part of it. Never more than the tally of all agents allows, which the pacer has applied.
void HoldToFreeAgents(const campaign::CampaignSettings& settings, const pacing::PacingInput& input,
                      int ringing, pacing::Decision& decision) {
  if (settings.dial_method != campaign::DialMethod::kRatio ||
      !settings.available_only_ratio_tally) {
    return;
  }
  const int goal =
      static_cast<int>(std::floor(settings.auto_dial_level * input.agents_idle + 1e-9));
  const int most = std::max(0, goal - ringing - input.calls_waiting);
  if (decision.legs_to_place <= most) return;
  decision.legs_to_place = most;
  decision.limit = pacing::Limit::kLevel;
}

// What a campaign lacks is what others on its trunks may have too much of.
bool IsShortOf(pacing::Limit limit) {
  return limit == pacing::Limit::kTrunkRate || limit == pacing::Limit::kLines;
}

// Calls that may go on ringing for `agents` who stay: so many that the answers expected of them do
// not exceed the agents, however long each of these is still busy.
int RingingServable(int agents, double answer_ratio) {
  if (agents <= 0) return 0;
  return static_cast<int>(std::min(1e6, std::ceil(agents / std::clamp(answer_ratio, 0.01, 1.0))));
}

}  // namespace

void Controller::DialAll() {
  ShareTrunks(ShareRound::kFirst);
  for (auto& [id, runner] : runners_) Dial(*runner);
  // What some did not need goes to those who had too little.
  ShareTrunks(ShareRound::kLeftOver);
  for (auto& [id, runner] : runners_) {
    const TrunkDesk::Room room = trunks_.RoomFor(runner->trunks);
    if (IsShortOf(runner->last_decision.limit) && room.shared && room.tokens > 0 &&
        room.lines > 0) {
      Dial(*runner);
    }
  }
  // Agents get free between ticks: each campaign then has its own share to draw from.
  ShareTrunks(ShareRound::kBetweenTicks);
}

// Splits what each trunk has left among the campaigns that dial over it, rate and lines apart. A
// campaign alone on its trunk may use it all.
void Controller::ShareTrunks(ShareRound round) {
  for (size_t i = 0; i < trunks_.size(); ++i) {
    std::vector<CampaignRunner*> on_trunk;
    for (auto& [id, runner] : runners_) {
      if (runner->settings().active && runner->trunks.Has(i)) on_trunk.push_back(runner.get());
    }
    ShareTrunk(i, on_trunk, round);
  }
}

void Controller::ShareTrunk(size_t i, const std::vector<CampaignRunner*>& on_trunk,
                            ShareRound round) {
  std::vector<TrunkShare*> sharing;
  std::vector<pacing::ShareClaim> tokens;
  std::vector<pacing::ShareClaim> lines;
  for (CampaignRunner* runner : on_trunk) {
    TrunkShare& share = runner->trunks.shares[i];
    share.tokens = share.lines = on_trunk.size() == 1 ? TrunkShare::kNoShare : 0;
    const campaign::CampaignSettings& settings = runner->settings();
    const int agents = AgentsOf(roster_.Counts(settings.id));
    const bool dials = settings.dial_method != campaign::DialMethod::kManual &&
                       settings.dial_method != campaign::DialMethod::kPreview;
    if (!dials || agents == 0 || runner->hopper.size() == 0) {
      // It claims nothing; a previewed lead or a failover takes of what there is.
      share.tokens = share.lines = TrunkShare::kNoShare;
      continue;
    }
    int demand = agents;  // at once, a campaign dials one leg an agent at most
    if (round == ShareRound::kLeftOver) {
      demand = IsShortOf(runner->last_decision.limit) ? kDemandMost : 0;
    }
    const bool first = round == ShareRound::kFirst;
    const pacing::ShareClaim claim{.demand = demand,
                                   .weight = settings.campaign_weight,
                                   .priority = settings.campaign_priority};
    sharing.push_back(&share);
    tokens.push_back(claim);
    tokens.back().credit = first ? share.token_credit : 0;
    lines.push_back(claim);
    lines.back().credit = first ? share.line_credit : 0;
  }
  if (on_trunk.size() < 2 || sharing.empty()) return;
  const int calls_max = trunks_.settings(i).calls_max;
  const int free_lines = std::min(calls_max - trunks_[i].calls, static_cast<int>(slots_.free()));
  if (round != ShareRound::kLeftOver) {
    // Lines are held for minutes: what is shared fairly is all of them, not those that happen to
    // be free.
    std::vector<pacing::ShareClaim> held = lines;
    for (size_t c = 0; c < sharing.size(); ++c) {
      held[c].demand = sharing[c]->held + lines[c].demand;
      held[c].credit = 0;
    }
    const std::vector<pacing::ShareGrant> target = pacing::Share(calls_max, held);
    for (size_t c = 0; c < sharing.size(); ++c) {
      lines[c].demand = std::max(0, target[c].units - sharing[c]->held);
    }
  }
  const std::vector<pacing::ShareGrant> token_grants =
      pacing::Share(static_cast<int>(trunks_[i].tokens), tokens);
  const std::vector<pacing::ShareGrant> line_grants = pacing::Share(free_lines, lines);
  for (size_t c = 0; c < sharing.size(); ++c) {
    sharing[c]->tokens = token_grants[c].units;
    sharing[c]->lines = line_grants[c].units;
    if (round != ShareRound::kFirst) continue;
    sharing[c]->token_credit = token_grants[c].credit;
    sharing[c]->line_credit = line_grants[c].credit;
  }
}

bool Controller::MayDial(CampaignRunner& runner) {
  const campaign::CampaignSettings& settings = runner.settings();
  runner.idle_reason.clear();
  if (!HasAttemptIds()) Stop("all attempt ids of this run are used; restart the engine");
  if (!settings.active) {
    runner.idle_reason = "the campaign is paused";
  } else if (draining_) {
    runner.idle_reason = "the engine is draining";
  } else if (!stopped_reason_.empty()) {
    runner.idle_reason = stopped_reason_;
  } else if (!runner.trunks.fault.empty()) {
    runner.idle_reason = runner.trunks.fault;
  } else {
    runner.idle_reason = runner.policy().Standstill(settings, dnc_, history_, loop_.clock().Wall());
  }
  if (runner.idle_reason.empty()) {
    runner.idle_reason = trunks_.RoomFor(runner.trunks).closed;
  }
  return runner.idle_reason.empty();
}

void Controller::Dial(CampaignRunner& runner) {
  if (!MayDial(runner)) return;
  const campaign::CampaignSettings& settings = runner.settings();
  Refill(runner);
  if (settings.dial_method == campaign::DialMethod::kPreview) return OfferPreviews(runner);

  const MonoTime now = loop_.clock().Mono();
  const agent::CampaignCounts agents = roster_.Counts(settings.id);
  const std::vector<absl::Duration> talk_ages = roster_.TalkAges(settings.id, now);
  const std::vector<absl::Duration> wrap_ages = roster_.WrapAges(settings.id, now);
  const TrunkDesk::Room room = trunks_.RoomFor(runner.trunks);
  pacing::PacingInput input;
  input.agents_idle = agents.ready_phone;
  input.talk_ages = talk_ages;
  input.wrap_ages = wrap_ages;
  input.calls_waiting = static_cast<int>(runner.waiting.size());
  input.calls_in_amd = runner.screening;
  input.lines_free = std::min(room.lines, static_cast<int>(slots_.free()));
  input.trunk_tokens = room.tokens;
  input.leads_ready = static_cast<int>(runner.hopper.size());
  runner.hopper.Traits(kTraitsMost, runner.next_traits);
  input.next = runner.next_traits;

  pacing::Decision& decision = runner.last_decision = runner.pacer.Decide(input, now);
  HoldToFreeAgents(settings, input, runner.ringing, decision);
  DecisionRecord record;
  record.placed = Place(runner, decision, now);
  decision.picks = {};  // good until here only
  if (record.placed == 0) runner.idle_reason = trunks_.NoCallerIds(runner.trunks);
  if (AgentsOf(agents) == 0) {
    runner.idle_reason = "no agent is logged in and ready";
  } else if (runner.hopper.size() == 0 && !runner.fetching) {
    runner.idle_reason = "no lead is due: see `outpace lead why` and the list's calling window";
  }
  record.decision = decision;
  record.lines_free = input.lines_free;
  record.trunk_tokens = input.trunk_tokens;
  record.leads_ready = input.leads_ready;
  record.trunk_shared = room.shared;
  if (runner.NoteDecision(std::move(record), loop_.clock().Wall(), now)) LogDecision(runner);
}

int Controller::Place(CampaignRunner& runner, const pacing::Decision& decision, MonoTime now) {
  const int wanted = std::max(0, decision.legs_to_place);
  int placed = 0;
  // Leads for whose numbers no trunk is free now: they keep their places.
  std::vector<campaign::Lead> waiting;
  const auto launch = [&](campaign::Lead lead) {
    switch (HasAttemptIds() ? Launch(runner, lead, AttemptId(), AgentId()) : Launched::kNoRoom) {
      case Launched::kPlaced:
        ++placed;
        return;
      case Launched::kHeldBack:
        return;
      case Launched::kNoRoom:
        waiting.push_back(std::move(lead));
    }
  };
  for (campaign::Lead& lead : runner.hopper.TakeAt(
           decision.picks.subspan(0, std::min(static_cast<size_t>(wanted), decision.picks.size())),
           now)) {
    launch(std::move(lead));
  }
  // In the hopper's order where nothing was picked, and in place of picks that the gate held back.
  while (placed < wanted && runner.hopper.size() > 0 && slots_.free() > 0 && HasAttemptIds() &&
         waiting.size() < kWaitingMost) {
    launch(runner.hopper.Pop());
  }
  while (!waiting.empty()) {
    runner.hopper.PutBack(std::move(waiting.back()));
    waiting.pop_back();
  }
  return placed;
}

// One line for the legs placed since the last one.
void Controller::LogDecision(CampaignRunner& runner) const {
  const pacing::Decision& d = runner.last_decision;
  log_.Info("pacing.decision", {{"campaign", runner.settings().id},
                                {"legs", std::exchange(runner.legs_unlogged, 0)},
                                {"limit", pacing::LimitName(d.limit)},
                                {"alarm", pacing::AlarmName(d.alarm)},
                                {"agents_idle", d.agents_idle},
                                {"agents_talking", d.agents_talking},
                                {"agents_wrapping", d.agents_wrapping},
                                {"calls_ringing", d.in_flight},
                                {"calls_waiting", d.calls_waiting},
                                {"calls_in_amd", d.calls_in_amd},
                                {"agents_expected_free", d.agents_expected_free},
                                {"answers_expected", d.answers_expected},
                                {"answer_ratio", d.answer_ratio},
                                {"p_abandon", d.p_abandon},
                                {"theta", d.theta},
                                {"aim", d.aim},
                                {"contract", d.contract},
                                {"budget_left", d.budget_left},
                                {"dial_level", d.dial_level}});
}

// Agents have left, and calls ring that nobody could take any more. Each would be an abandoned call
// if it is answered, so some are cancelled: the youngest first, as they are the likeliest to be
// answered yet, but none before it has rung for min_ring_seconds, which is never under 15 s (16 CFR
// 310.4(b)(4)(ii)), counted from when the far end said that it rings. Only after agents have left:
// the pacer itself never takes a dial back.
void Controller::WithdrawUnserved(CampaignRunner& runner) {
  const CampaignId& campaign = runner.settings().id;
  const agent::CampaignCounts counts = roster_.Counts(campaign);
  const int staying = AgentsOf(counts) - counts.leaving;
  if (staying < runner.agents_staying && runner.ringing > 0) runner.withdrawing = true;
  runner.agents_staying = staying;
  if (!runner.withdrawing) return;
  const int servable = RingingServable(staying, runner.pacer.Snapshot().answer_ratio);
  const MonoTime now = loop_.clock().Mono();
  int ringing = 0;
  std::vector<std::pair<MonoTime, AttemptId>> may_go;
  for (const auto& [id, live] : live_) {
    // A previewed lead has its own agent, whose leaving ends the call.
    const bool counts_here = live.record.campaign == campaign && live.agent.empty() &&
                             !live.withdrawn &&
                             (live.phase == Phase::kStoring || live.phase == Phase::kDialing);
    if (!counts_here) continue;
    ++ringing;
    const bool long_enough = live.phase == Phase::kDialing && live.ringing &&
                             now - live.ringing_since >= runner.settings().min_ring_seconds;
    if (long_enough) may_go.push_back({live.ringing_since, id});
  }
  if (ringing <= servable) {
    runner.withdrawing = false;
    return;
  }
  std::sort(may_go.rbegin(), may_go.rend());
  const auto most = static_cast<size_t>(ringing - servable);
  if (may_go.size() > most) may_go.resize(most);
  for (const auto& [since, id] : may_go) {
    LiveAttempt& live = *FindLive(id);
    live.withdrawn = true;
    log_.Info("attempt.withdrawn", {{"attempt", id}, {"agents", staying}});
    Post(call::HangUp{live.leg});
  }
}

}  // namespace outpace::runtime
