// Agents: login with a nailed-up line, ready and pause, preview, hang-up, disposition, lost
// screens.

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "campaign/disposition.h"
#include "campaign/retry_rule.h"
#include "engine/runtime/controller.h"

namespace outpace::runtime {
namespace {

constexpr absl::Duration kRedialFirst = absl::Seconds(1);
constexpr absl::Duration kRedialMost = absl::Seconds(30);

constexpr char kAway[] = "AWAY";  // pause code while an agent's screen is gone

absl::Status NotLoggedIn(const AgentId& agent) {
  return absl::FailedPreconditionError(absl::StrCat("agent ", agent, " is not logged in"));
}

absl::Status NoChoice(const std::string& status) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", status, "' is no disposition an agent may choose"));
}

}  // namespace

std::string Controller::NextHopOf(absl::string_view phone_uri) {
  const size_t at = phone_uri.find('@');
  absl::string_view host =
      at == absl::string_view::npos ? phone_uri.substr(4) : phone_uri.substr(at + 1);
  return absl::StrCat("sip:", host.substr(0, host.find(';')));
}

call::DialOrder Controller::PhoneOrder(LegId leg, const std::string& phone_uri,
                                       absl::string_view what) {
  call::DialOrder order;
  order.leg = leg;
  order.kind = call::LegKind::kAgent;
  order.ids.call_id = absl::StrFormat("op-%s-%016x%016x", what, nonce_(), nonce_());
  order.ids.from_tag = absl::StrFormat("%016x", nonce_());
  order.ids.branch = absl::StrFormat("z9hG4bK-opa%016x", nonce_());
  order.trunk = call::kAgentTrunk;
  order.route_uri = NextHopOf(phone_uri);
  order.request_uri = phone_uri;
  order.from_uri = absl::StrCat("sip:outpace@", options_.local_host);
  order.ring_time_max = absl::Seconds(30);
  return order;
}

bool Controller::IsWorking(const AgentId& agent) const {
  const agent::AgentRecord* record = roster_.Find(agent);
  return record != nullptr && record->state != agent::AgentState::kLoggedOut;
}

bool Controller::IsWith(const AgentId& agent, AttemptId attempt) const {
  const agent::AgentRecord* record = roster_.Find(agent);
  return record != nullptr && record->attempt == attempt;
}

absl::Status Controller::Login(const AgentId& agent, const CampaignId& campaign,
                               const std::string& phone_uri) {
  const auto line = agents_.find(agent);
  if (line == agents_.end()) {
    return absl::NotFoundError(
        absl::StrCat("no agent is named '", agent, "'; add one with: outpace agent add"));
  }
  if (FindRunner(campaign) == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("no campaign is named '", campaign, "'; see: outpace campaign list"));
  }
  if (IsWorking(agent)) {
    // A second login of the same person resumes the session: a reloaded page must not drop a call.
    if (roster_.Find(agent)->campaign == campaign) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat("agent ", agent, " is logged in to campaign ",
                                                      roster_.Find(agent)->campaign,
                                                      "; log out there first"));
  }
  if (draining_) return absl::UnavailableError("the engine is draining; no logins");
  const std::string phone = phone_uri.empty() ? line->second.record.phone_uri : phone_uri;
  if (!absl::StartsWith(phone, "sip:")) {
    return absl::InvalidArgumentError(absl::StrCat(
        "agent ", agent, " has no phone; give one such as sip:", agent, "@192.0.2.7:5060"));
  }
  const MonoTime now = loop_.clock().Mono();
  if (roster_.Find(agent) == nullptr) {
    OUTPACE_CHECK(roster_.Add(agent, campaign, now).ok());
  } else {
    OUTPACE_CHECK(roster_.SetCampaign(agent, campaign).ok());
  }
  line->second.phone_uri = phone;
  line->second.redial_wait = kRedialFirst;
  ApplyToAgent(agent, agent::AgentEvent::kLogin);
  // A page that logs in and never opens its event socket must not hold a line for ever.
  line->second.away_timer = loop_.After(4 * options_.agent_away_max, [this, agent] {
    agents_[agent].away_timer = 0;
    Logout(agent).IgnoreError();
  });
  // The line of an earlier session may still be on its way down; its end places the new one.
  if (!line->second.leg.valid()) PlacePhoneLeg(agent);
  return absl::OkStatus();
}

void Controller::PlacePhoneLeg(const AgentId& agent) {
  AgentLine& line = agents_[agent];
  line.redial_timer = 0;
  if (!IsWorking(agent) || line.leg.valid()) return;
  line.leg = slots_.Take(agent);
  if (!line.leg.valid()) {
    agent_events_.OnNotice(agent,
                           "All lines are in use; your phone is rung as soon as one is free.");
    return RedialPhone(agent);
  }
  if (trunks_.IsTrunk(
          NextHopOf(line.phone_uri))) {  // its name may have been resolved after the login
    slots_.Free(std::exchange(line.leg, LegId()));
    return agent_events_.OnNotice(agent, "Your phone's address is a trunk's; it is not rung.");
  }
  roster_.SetPhone(agent, line.leg, false).IgnoreError();
  if (!Post(PhoneOrder(line.leg, line.phone_uri, "agent"))) {
    slots_.Free(std::exchange(line.leg, LegId()));
    RedialPhone(agent);
  }
}

void Controller::RedialPhone(const AgentId& agent) {
  AgentLine& line = agents_[agent];
  const absl::Duration wait = std::max(line.redial_wait, kRedialFirst);
  line.redial_wait = std::min(2 * wait, kRedialMost);
  line.redial_timer = loop_.After(wait, [this, agent] { PlacePhoneLeg(agent); });
}

void Controller::OnAgentLegAnswered(const AgentId& agent) {
  AgentLine& line = agents_[agent];
  if (!IsWorking(agent)) {
    Post(call::HangUp{line.leg});
    return;
  }
  line.redial_wait = kRedialFirst;
  roster_.SetPhone(agent, line.leg, true).IgnoreError();
  Announce(agent);
  AgentFree(agent);
}

void Controller::OnAgentLegEnded(const AgentId& agent, const call::LegEnded& event) {
  AgentLine& line = agents_[agent];
  slots_.Disown(event.leg);
  line.leg = LegId();
  roster_.SetPhone(agent, LegId(), false).IgnoreError();
  EndMonitorsOf(agent);
  if (!IsWorking(agent)) return MaybeDrained();
  Announce(agent);
  agent_events_.OnNotice(
      agent, absl::StrCat("Your phone is not connected (", call::CallOutcomeName(event.outcome),
                          "); it is rung again."));
  // Nobody hears the customer any more, so the customer is not kept.
  if (LiveAttempt* live = FindLive(roster_.Find(agent)->attempt)) {
    if (live->phase == Phase::kTalking) EndTalk(*live, event.by_far_end ? "AGENT" : "SYSTEM");
    if (live->phase == Phase::kConnecting) DropConnecting(*live);
  }
  if (!draining_) RedialPhone(agent);
}

// The agent went away between the reservation and the bridge: to the person it is an abandoned
// call.
void Controller::DropConnecting(LiveAttempt& live) {
  live.phase = Phase::kDropping;
  CountAbandoned(live);
  if (IsWith(live.agent, live.record.id)) ApplyToAgent(live.agent, agent::AgentEvent::kRelease);
  PlaySafeHarbor(live);
  StoreProgress(live);
}

bool Controller::ApplyToAgent(const AgentId& agent, agent::AgentEvent event) {
  const absl::Status status = roster_.Apply(agent, event, loop_.clock().Mono());
  if (!status.ok())
    log_.Warning("agent.event_refused", {{"agent", agent}, {"why", status.message()}});
  Announce(agent);
  return status.ok();
}

void Controller::Announce(const AgentId& agent) {
  const agent::AgentRecord* record = roster_.Find(agent);
  if (record == nullptr) return;
  NoteActivity(*record);
  agent_events_.OnState(agent, record->state, WallAt(record->since), record->phone_up);
}

void Controller::AgentFree(const AgentId& agent) {
  CampaignRunner* runner = FindRunner(roster_.Find(agent)->campaign);
  ServeWaiting(*runner);
  Dial(*runner);
}

absl::Status Controller::SetReady(const AgentId& agent) {
  if (!IsWorking(agent)) return NotLoggedIn(agent);
  if (absl::Status status = roster_.Ready(agent, loop_.clock().Mono()); !status.ok()) return status;
  Announce(agent);
  AgentFree(agent);
  return absl::OkStatus();
}

absl::Status Controller::SetNotReady(const AgentId& agent, const std::string& code) {
  if (!IsWorking(agent)) return NotLoggedIn(agent);
  WithdrawPreview(agent);
  if (absl::Status status = roster_.Pause(agent, code, loop_.clock().Mono()); !status.ok()) {
    return status;
  }
  Announce(agent);
  return absl::OkStatus();
}

absl::Status Controller::HangUp(const AgentId& agent) {
  if (!IsWorking(agent)) return NotLoggedIn(agent);
  LiveAttempt* live = FindLive(roster_.Find(agent)->attempt);
  const bool on_line =
      live != nullptr && (live->phase == Phase::kTalking || live->phase == Phase::kConnecting ||
                          live->phase == Phase::kDialing);
  if (!on_line) return absl::FailedPreconditionError("no customer is on the line");
  EndTalk(*live, "AGENT");
  return absl::OkStatus();
}

absl::Status Controller::Logout(const AgentId& agent) {
  if (!IsWorking(agent)) return NotLoggedIn(agent);
  WithdrawPreview(agent);
  AgentLine& line = agents_[agent];
  loop_.Cancel(std::exchange(line.away_timer, 0));
  loop_.Cancel(std::exchange(line.redial_timer, 0));
  line.away = false;
  const AttemptId attempt = roster_.Find(agent)->attempt;
  ApplyToAgent(agent, agent::AgentEvent::kLogout);
  if (LiveAttempt* live = FindLive(attempt)) {
    switch (live->phase) {
      case Phase::kConnecting:
        DropConnecting(*live);
        break;
      case Phase::kTalking:
      case Phase::kDialing:
        EndTalk(*live, "AGENT");
        break;
      case Phase::kWrapUp:
        Close(*live, "DISPO", nullptr);
        break;
      default:
        break;
    }
  }
  EndMonitorsOf(agent);
  if (line.leg.valid()) Post(call::HangUp{line.leg});
  agent_events_.OnLoggedOut(agent);
  return absl::OkStatus();
}

void Controller::ScreenLost(const AgentId& agent) {
  if (!IsWorking(agent)) return;
  AgentLine& line = agents_[agent];
  line.away = true;
  // A break, or one that was asked for during the call, stays what the agent called it.
  const agent::AgentRecord& record = *roster_.Find(agent);
  const bool pausing = record.state == agent::AgentState::kNotReady || record.pause_wanted;
  if (!pausing) SetNotReady(agent, kAway).IgnoreError();
  loop_.Cancel(line.away_timer);
  line.away_timer = loop_.After(options_.agent_away_max, [this, agent] {
    agents_[agent].away_timer = 0;
    log_.Info("agent.away_logout", {{"agent", agent}});
    Logout(agent).IgnoreError();
  });
}

void Controller::ScreenConnected(const AgentId& agent) {
  if (!IsWorking(agent)) return;
  AgentLine& line = agents_[agent];
  loop_.Cancel(std::exchange(line.away_timer, 0));
  if (std::exchange(line.away, false) && roster_.Find(agent)->pause_code == kAway) {
    SetReady(agent).IgnoreError();
  }
  Announce(agent);
  if (line.preview) {
    return agent_events_.OnPop(agent, PreviewRecord(line), *line.preview, true);
  }
  LiveAttempt* live = FindLive(roster_.Find(agent)->attempt);
  if (live == nullptr) return;
  if (live->phase == Phase::kTalking || live->phase == Phase::kWrapUp) {
    agent_events_.OnPop(agent, live->record, live->lead, false);
    TellAudio(*live);
  }
  if (live->phase == Phase::kWrapUp) {
    agent_events_.OnCallEnded(agent, live->record.id, live->record.term_reason == "CALLER",
                              live->ended - live->connected);
  }
}

campaign::Attempt Controller::PreviewRecord(const AgentLine& line) {
  campaign::Attempt record;
  record.id = line.preview_id;
  record.lead = line.preview->id;
  record.list = line.preview->list;
  record.campaign = line.preview->campaign;
  return record;
}

void Controller::OfferPreviews(CampaignRunner& runner) {
  while (runner.hopper.size() > 0 && HasAttemptIds()) {
    const agent::AgentRecord* idle = roster_.PickLongestWaiting(runner.settings().id);
    if (idle == nullptr) return;
    const AgentId agent = idle->id;
    AgentLine& line = agents_[agent];
    line.preview = runner.hopper.Pop();
    line.preview_id = NextAttemptId();
    OUTPACE_CHECK(roster_.Reserve(agent, line.preview_id, loop_.clock().Mono()).ok());
    Announce(agent);
    agent_events_.OnPop(agent, PreviewRecord(line), *line.preview, true);
  }
}

void Controller::WithdrawPreview(const AgentId& agent) {
  AgentLine& line = agents_[agent];
  if (!line.preview) return;
  if (CampaignRunner* runner = FindRunner(line.preview->campaign)) {
    runner->hopper.Release(line.preview->id);
  }
  line.preview.reset();
  ApplyToAgent(agent, agent::AgentEvent::kRelease);
}

absl::Status Controller::AnswerPreview(const AgentId& agent, AttemptId attempt, bool dial) {
  if (!IsWorking(agent)) return NotLoggedIn(agent);
  AgentLine& line = agents_[agent];
  if (!line.preview || line.preview_id != attempt) {
    return absl::FailedPreconditionError("this preview is no longer offered");
  }
  CampaignRunner* runner = FindRunner(line.preview->campaign);
  campaign::Lead lead = std::move(*line.preview);
  line.preview.reset();
  if (dial) {
    const Launched launched = Launch(*runner, lead, attempt, agent);
    if (launched == Launched::kPlaced) return absl::OkStatus();
    ApplyToAgent(agent, agent::AgentEvent::kRelease);
    if (launched == Launched::kNoRoom) {
      runner->hopper.PutBack(std::move(lead));
      return absl::UnavailableError("no trunk is free for this number now; try again");
    }
    return absl::FailedPreconditionError(
        "the lead may not be called now; `outpace lead why` tells the reason");
  }
  // Skipped: somebody else may like it later.
  lead.hold_until = loop_.clock().Wall() + absl::Minutes(30);
  const LeadId id = lead.id;
  campaign::StoreBatch batch;
  batch.leads.push_back(std::move(lead));
  store_.Commit(std::move(batch),
                [this, id, campaign = runner->settings().id](absl::Status status) {
                  if (CampaignRunner* held = FindRunner(campaign)) held->hopper.Release(id);
                  if (!status.ok()) StopForStore(status);
                });
  ApplyToAgent(agent, agent::AgentEvent::kRelease);
  return absl::OkStatus();
}

// Whether an agent may choose `status` for a call of this campaign, with that time of a callback.
absl::Status Controller::CheckChoice(const CampaignId& campaign, const std::string& status,
                                     absl::Time callback) const {
  const campaign::Disposition* disposition = StatusesOf(campaign).Find(status);
  if (disposition == nullptr || !disposition->selectable) return NoChoice(status);
  const absl::Time now = loop_.clock().Wall();
  if (disposition->scheduled_callback && callback != absl::InfinitePast() &&
      (callback < now - absl::Minutes(5) || callback > now + absl::Hours(24 * 366))) {
    return absl::InvalidArgumentError(
        "callback_ms: must lie between now and a year from now, in milliseconds since 1970");
  }
  return absl::OkStatus();
}

void Controller::Dispose(const AgentId& agent, AttemptId attempt, const std::string& status,
                         const std::string& note, absl::Time callback, Done done) {
  // Of a call that is no longer live the campaign is known once it has been read.
  const bool known = std::any_of(runners_.begin(), runners_.end(), [&](const auto& runner) {
    const campaign::Disposition* row = runner.second->settings().statuses.Find(status);
    return row != nullptr && row->selectable;
  });
  if (!known) return done(NoChoice(status));
  LiveAttempt* live = FindLive(attempt);
  if (live == nullptr)
    return DisposeStored(agent, attempt, status, note, callback, std::move(done));
  if (absl::Status fault = CheckChoice(live->record.campaign, status, callback); !fault.ok()) {
    return done(std::move(fault));
  }
  if (live->agent != agent) {
    return done(absl::PermissionDeniedError("this call belongs to another agent"));
  }
  if (live->phase == Phase::kClosing) {
    // A repeated request: wait for the first one's write, then compare with what was stored.
    store_.Commit(campaign::StoreBatch(), [this, agent, attempt, status, note, callback,
                                           done = std::move(done)](absl::Status) mutable {
      DisposeStored(agent, attempt, status, note, callback, std::move(done));
    });
    return;
  }
  if (live->phase != Phase::kWrapUp) {
    return done(absl::FailedPreconditionError("the call is not over; hang up first"));
  }
  live->record.note = note;
  live->record.callback_time = callback;
  const bool counts = !live->record.inbound;
  Close(*live, status, [this, agent, counts, done = std::move(done)](absl::Status stored) mutable {
    done(stored);
    if (stored.ok() && IsWorking(agent)) FinishWrapUp(agent, true, counts);
  });
}

// For a call that is no longer live: a repeated request, or one that the engine's predecessor took.
void Controller::DisposeStored(const AgentId& agent, AttemptId attempt, const std::string& status,
                               const std::string& note, absl::Time callback, Done done) {
  if (!disposing_.insert(attempt).second) {
    // Another disposition of this call is being written: look again when it is.
    store_.Commit(campaign::StoreBatch(), [this, agent, attempt, status, note, callback,
                                           done = std::move(done)](absl::Status) mutable {
      DisposeStored(agent, attempt, status, note, callback, std::move(done));
    });
    return;
  }
  done = [this, attempt, done = std::move(done)](absl::Status result) mutable {
    disposing_.erase(attempt);
    done(std::move(result));
  };
  store_.GetAttempt(attempt, [this, agent, status, note, callback, attempt,
                              done = std::move(done)](auto found) mutable {
    if (!found.ok()) return done(found.status());
    if (!found->has_value()) {
      return done(absl::NotFoundError(absl::StrCat("no attempt ", attempt.value())));
    }
    campaign::Attempt record = std::move(**found);
    if (record.agent != agent) {
      return done(absl::PermissionDeniedError("this call belongs to another agent"));
    }
    if (record.status == status) return done(absl::OkStatus());
    if (absl::Status fault = CheckChoice(record.campaign, status, callback);
        !fault.ok() && !campaign::IsEngineStatus(status)) {
      return done(std::move(fault));
    }
    CampaignRunner* runner = FindRunner(record.campaign);
    // DISPO is what the engine writes when the agent is too late; the agent's own word replaces it.
    const bool undecided = record.status.empty() || record.status == "DISPO";
    if (!undecided || runner == nullptr) {
      return done(absl::FailedPreconditionError(
          absl::StrCat("the call has the disposition ", record.status, " already")));
    }
    record.status = status;
    record.note = note;
    record.callback_time = callback;
    record.disposed_at = loop_.clock().Wall();
    WriteDisposition(std::move(record), /*again=*/false, std::move(done));
  });
}

// The call is over, so nothing keeps others from its lead: it is written only if it is still as it
// was read, else a lead that was erased would come back, or another's change be lost. `again`: it
// was not, and what the engine learns from the call it has learned.
void Controller::WriteDisposition(campaign::Attempt record, bool again, Done done) {
  store_.GetLead(record.lead, [this, record, again, done = std::move(done)](auto lead) mutable {
    if (!lead.ok()) return done(lead.status());
    CampaignRunner* owner = FindRunner(record.campaign);
    if (!lead->has_value() || owner == nullptr) {
      return done(absl::NotFoundError("the lead of this call is gone"));
    }
    campaign::StoreBatch batch;
    batch.leads.push_back(campaign::ApplyResult(**lead, record, owner->settings()));
    batch.unchanged.push_back(**lead);
    owner->hopper.Drop(record.lead);  // a copy from before this result must not be dialed
    if (AddDncOf(record, **lead, batch)) done = AfterShard(std::move(done));
    if (!again) LearnFromLate(*owner, record);
    NoteAttempt(record);
    batch.attempts.push_back(record);
    store_.Commit(std::move(batch), [this, record = std::move(record), lead = **std::move(lead),
                                     done = std::move(done)](absl::Status status) mutable {
      if (!absl::IsAborted(status)) {
        if (status.ok()) LearnTiers(tier::AsOf(std::move(lead), record), record);
        return done(std::move(status));
      }
      WriteDisposition(std::move(record), /*again=*/true, std::move(done));
    });
  });
}

void Controller::LearnFromLate(CampaignRunner& owner, const campaign::Attempt& record) {
  if (!record.inbound) owner.CountDisposition(record.status);
  LearnFromDisposition(owner, record, 1);
  const campaign::Disposition* said = owner.settings().statuses.Find(record.status);
  if (!record.inbound && said != nullptr && said->answering_machine &&
      record.answered_at != absl::InfinitePast()) {
    owner.pacer.OnWasMachine(record.id);
  }
  // It was counted as one that nobody had said anything of.
  campaign::Attempt before = record;
  before.status = "DISPO";
  std::optional<campaign::CallFacts> counted = FactsOrNone(before, owner.settings().statuses);
  owner.CountCall(counted, record);
}

void Controller::FinishWrapUp(const AgentId& agent, bool by_agent, bool counts) {
  const agent::AgentRecord* record = roster_.Find(agent);
  if (record == nullptr || record->state != agent::AgentState::kWrapUp) return;
  const MonoTime now = loop_.clock().Mono();
  if (counts) FindRunner(record->campaign)->pacer.OnWrapEnded(now - record->since, now);
  // Who let the wrap-up run out is probably not at the desk.
  if (!by_agent) roster_.Pause(agent, "DISPO", now).IgnoreError();
  ApplyToAgent(agent, agent::AgentEvent::kDispose);
  AgentFree(agent);
}

}  // namespace outpace::runtime
