// What the controller says, on its way to the agents' screens.

#include "absl/strings/str_cat.h"
#include "campaign/retry_rule.h"
#include "engine/runtime/agent_service_impl.h"

namespace outpace::runtime {
namespace {

Json PopJson(const campaign::Attempt& attempt, const campaign::Lead& lead, bool preview) {
  Json fields = {{"phone_number", lead.phone.ToString()}};
  for (const auto& [name, value] : lead.fields) fields[name] = value;
  fields["status"] = lead.status;
  fields["called_count"] = lead.called_count;
  const bool answered = attempt.answered_at != absl::InfinitePast();
  return {{"type", "pop"},
          {"attempt", attempt.id.value()},
          {"lead_id", attempt.lead.value()},
          {"list_id", attempt.list.value()},
          {"campaign", attempt.campaign},
          {"preview", preview},
          {"dialed_number",
           (attempt.dialed.valid() ? attempt.dialed : campaign::NumberToDial(lead)).ToString()},
          {"answered_ms", answered ? absl::ToUnixMillis(attempt.answered_at) : 0},
          {"lead", std::move(fields)}};
}

// How the call sounds, for the agent's buttons.
Json AudioJson(AttemptId attempt, const CallAudio& audio) {
  using Recording = CallAudio::Recording;
  return {{"type", "audio"},
          {"attempt", attempt.value()},
          {"held", audio.held},
          {"muted", audio.muted},
          {"recording", audio.recording == Recording::kOff  ? "off"
                        : audio.recording == Recording::kOn ? "on"
                                                            : "paused"},
          {"may_stop_recording", audio.may_stop_recording},
          {"machine", audio.machine}};
}

}  // namespace

void AgentService::OnState(const AgentId& agent, agent::AgentState state, absl::Time since,
                           bool phone_up) {
  const bool queued = impl_->loop.Post([impl = impl_.get(), agent, state, since, phone_up] {
    Session& session = impl->sessions[agent];
    session.state = std::string(agent::AgentStateName(state));
    session.since_ms = absl::ToUnixMillis(since);
    session.phone_up = phone_up;
    const bool with_call = state == agent::AgentState::kOnCall ||
                           state == agent::AgentState::kWrapUp ||
                           state == agent::AgentState::kReserved;
    if (!with_call) session.pop = session.audio = Json();
    impl->Push(agent, impl->StateJson(session));
  });
  if (!queued) impl_->log.Error("agent.event_dropped", {{"agent", agent}});
}

void AgentService::OnPop(const AgentId& agent, const campaign::Attempt& attempt,
                         const campaign::Lead& lead, bool preview) {
  const bool queued = impl_->loop.Post([impl = impl_.get(), agent, attempt, lead, preview] {
    Session& session = impl->sessions[agent];
    if (!preview && std::exchange(session.counted, attempt.id.value()) != attempt.id.value()) {
      ++session.calls_today;
    }
    session.attempt = attempt.id.value();
    session.pop = PopJson(attempt, lead, preview);
    impl->Push(agent, session.pop);
  });
  if (!queued) impl_->log.Error("agent.event_dropped", {{"agent", agent}});
}

void AgentService::OnCallEnded(const AgentId& agent, AttemptId attempt, bool by_caller,
                               absl::Duration length) {
  const bool queued = impl_->loop.Post([impl = impl_.get(), agent, attempt, by_caller, length] {
    impl->Push(agent, {{"type", "call_ended"},
                       {"attempt", attempt.value()},
                       {"by", by_caller ? "CALLER" : "AGENT"},
                       {"length_ms", absl::ToInt64Milliseconds(length)}});
  });
  if (!queued) impl_->log.Error("agent.event_dropped", {{"agent", agent}});
}

void AgentService::OnNotice(const AgentId& agent, const std::string& message) {
  const bool queued = impl_->loop.Post([impl = impl_.get(), agent, message] {
    impl->Push(agent, {{"type", "notice"}, {"message", message}});
  });
  if (!queued) impl_->log.Error("agent.event_dropped", {{"agent", agent}});
}

void AgentService::OnAudio(const AgentId& agent, AttemptId attempt, const CallAudio& audio) {
  const bool queued = impl_->loop.Post([impl = impl_.get(), agent, attempt, audio] {
    Session& session = impl->sessions[agent];
    session.audio = AudioJson(attempt, audio);
    impl->Push(agent, session.audio);
  });
  if (!queued) impl_->log.Error("agent.event_dropped", {{"agent", agent}});
}

void AgentService::OnLoggedOut(const AgentId& agent) {
  const bool queued = impl_->loop.Post([impl = impl_.get(), agent] {
    Session& session = impl->sessions[agent];
    {
      const std::lock_guard<std::mutex> lock(impl->tokens_mutex);
      impl->tokens.erase(session.token);
    }
    for (const auto& socket : session.sockets) {
      impl->owners.erase(socket);
      socket->Close();
    }
    session.sockets.clear();
    session.token.clear();
    impl->log.Info("agent.logout", {{"agent", agent}});
    impl->Note({"agent.logout", absl::StrCat("agent ", agent), {{"agent", agent}}});
  });
  if (!queued) impl_->log.Error("agent.event_dropped", {{"agent", agent}});
}

}  // namespace outpace::runtime
