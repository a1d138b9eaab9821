// What call records and agents' activities say beside the call's own events: costs, holds, who hung
// up, and who was in which state.

#include <algorithm>
#include <utility>

#include "engine/runtime/controller.h"
#include "engine/trunk/tariff.h"

namespace outpace::runtime {

void Controller::NoteActivity(const agent::AgentRecord& record) {
  activities_.Note(record, WallAt(record.since), loop_.clock().Wall());
}

// A change that a call brings is in the call's own write. The others wait for the next tick: an
// engine that dies loses as much of them.
void Controller::WriteActivities() {
  const absl::Time now = loop_.clock().Wall();
  activities_.RepeatIfDue(now);
  if (!activities_.HasNews(now)) return;
  campaign::StoreBatch batch;
  activities_.MoveInto(batch, now);
  store_.Commit(std::move(batch), [this](absl::Status status) {
    if (!status.ok()) StopForStore(status);
  });
}

void Controller::EndActivities() {
  campaign::StoreBatch batch;
  activities_.End(batch);
  if (!batch.empty()) store_.Commit(std::move(batch), [](absl::Status) {});
}

std::string Controller::CheckActivities() const {
  for (const auto& [user, agent] : roster_.agents()) {
    const campaign::AgentActivity* last = activities_.Last(user);
    const bool logged_in = agent.state != agent::AgentState::kLoggedOut;
    if (logged_in != (last != nullptr)) return "an agent's login or logout is not recorded";
    if (!logged_in) continue;
    const bool login = last->state == campaign::activity::kLogin &&
                       agent.state == agent::AgentState::kNotReady && agent.pause_code.empty();
    const bool same = last->state == ActivityState(agent.state) && last->attempt == agent.attempt;
    if (!login && !same) return "an agent's state is not the one recorded last";
  }
  return "";
}

// The configuration is read at the start of the engine, so the trunk's tariff is that of the call.
void Controller::NoteCost(campaign::Attempt& record, size_t trunk, absl::Duration answered) const {
  if (record.inbound || record.answered_at == absl::InfinitePast()) return;
  record.billed_seconds = trunk::BilledSeconds(trunks_.settings(trunk).billing, answered);
  record.cost_micros =
      trunk::CostMicros(trunks_.CostPerMinute(trunk, record.dialed), record.billed_seconds);
}

void Controller::NoteHold(LiveAttempt& live, bool held, MonoTime now) {
  if (held == live.audio.held) return;
  live.audio.held = held;
  if (held) {
    ++live.record.holds;
    live.held_since = now;
  } else {
    live.record.held += std::max(now - live.held_since, absl::ZeroDuration());
  }
}

void Controller::EndTalk(LiveAttempt& live, absl::string_view by) {
  if (live.hung_up_by.empty()) live.hung_up_by = std::string(by);
  Post(call::HangUp{live.leg});
}

// Whom nobody told to end the call it ended by itself: a session that was not refreshed, a phone
// that does not answer its SIP any more.
std::string Controller::TermReasonOf(const LiveAttempt& live, const call::LegEnded& event) {
  if (event.by_far_end) return "CALLER";
  return live.hung_up_by.empty() ? "SYSTEM" : live.hung_up_by;
}

}  // namespace outpace::runtime
