// Supervisors who listen, coach or break in, and third parties: one more phone that is rung and
// joined to all that an agent hears. It stays from call to call, until it or the agent goes.

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/runtime/controller.h"

namespace outpace::runtime {

absl::string_view RoleName(call::MixRole role) {
  switch (role) {
    case call::MixRole::kListener:
      return "monitor";
    case call::MixRole::kCoach:
      return "whisper";
    case call::MixRole::kTalker:
      return "barge";
  }
  return "monitor";
}

absl::StatusOr<MonitorId> Controller::StartMonitor(const AgentId& agent,
                                                   const std::string& phone_uri,
                                                   call::MixRole role) {
  const agent::AgentRecord* record = roster_.Find(agent);
  if (record == nullptr || !IsWorking(agent) || !record->phone_up) {
    return absl::FailedPreconditionError(
        absl::StrCat("agent ", agent, " is not logged in with a phone that is up"));
  }
  int present = 0;
  for (const auto& [id, monitor] : monitors_) present += monitor.agent == agent ? 1 : 0;
  if (present + 2 >= call::kMixLegsMax) {
    return absl::ResourceExhaustedError(absl::StrCat("agent ", agent, " has ", present,
                                                     " listeners; a call has room for ",
                                                     call::kMixLegsMax, " legs"));
  }
  if (trunks_.IsTrunk(NextHopOf(phone_uri))) {
    return absl::InvalidArgumentError("phone: a trunk's address; it would be a call past the gate");
  }
  const MonitorId id(next_monitor_++);
  const LegId leg = slots_.Take(id);
  if (!leg.valid()) return absl::ResourceExhaustedError("all lines are in use");
  call::DialOrder order = PhoneOrder(leg, phone_uri, "monitor");
  if (!Post(std::move(order))) {
    slots_.Free(leg);
    return absl::ResourceExhaustedError("the call shard's queue is full; try again");
  }
  monitors_[id] = {.agent = agent, .phone = phone_uri, .role = role, .leg = leg};
  log_.Info("monitor.started", {{"monitor", id}, {"agent", agent}, {"role", RoleName(role)}});
  return id;
}

absl::StatusOr<MonitorId> Controller::StartConference(const AgentId& agent,
                                                      const std::string& phone_uri) {
  const auto live = OnLineWith(agent);
  if (!live.ok()) return live.status();
  const auto id = StartMonitor(agent, phone_uri, call::MixRole::kTalker);
  if (id.ok()) monitors_[*id].call = (*live)->record.id;
  return id;
}

absl::Status Controller::EndConference(const AgentId& agent, MonitorId id) {
  const auto found = monitors_.find(id);
  if (found == monitors_.end() || found->second.agent != agent || !found->second.call.valid()) {
    return absl::NotFoundError("no such party in your call");
  }
  return EndMonitor(id);
}

void Controller::EndConferencesOf(AttemptId call) {
  for (const auto& [id, monitor] : monitors_) {
    if (monitor.call == call) Post(call::HangUp{monitor.leg});
  }
}

bool Controller::OnMonitorAnswered(const call::LegAnswered& event) {
  const auto* id = std::get_if<MonitorId>(&slots_.OwnerOf(event.leg));
  if (id == nullptr) return false;
  const Monitor& monitor = monitors_.at(*id);
  if (monitor.call.valid() && !IsWith(monitor.agent, monitor.call)) {
    Post(call::HangUp{event.leg});  // the call it was for is over
    return true;
  }
  OrderMedia(event.leg, call::JoinCall{agents_[monitor.agent].leg, monitor.role});
  return true;
}

void Controller::OnJoined(const call::LegJoined& event) {
  const auto* id = std::get_if<MonitorId>(&slots_.OwnerOf(event.leg));
  if (id == nullptr) return;
  Monitor& monitor = monitors_.at(*id);
  if (LiveAttempt* live = FindLive(monitor.call); live != nullptr && event.joined) {
    live->record.conferences += monitor.joined ? 0 : 1;
  }
  monitor.joined = event.joined;
  if (!event.joined) Post(call::HangUp{event.leg});
}

bool Controller::OnMonitorEnded(const call::LegEnded& event) {
  const auto* owner = std::get_if<MonitorId>(&slots_.OwnerOf(event.leg));
  if (owner == nullptr) return false;
  const MonitorId id = *owner;
  log_.Info("monitor.ended", {{"monitor", id},
                              {"agent", monitors_.at(id).agent},
                              {"outcome", call::CallOutcomeName(event.outcome)}});
  monitors_.erase(id);
  slots_.Disown(event.leg);
  MaybeDrained();
  return true;
}

absl::Status Controller::SetMonitorRole(MonitorId id, call::MixRole role) {
  const auto found = monitors_.find(id);
  if (found == monitors_.end()) {
    return absl::NotFoundError(absl::StrCat("no listener ", id.value(), "; see: outpace monitor"));
  }
  found->second.role = role;
  // Before the phone is answered there is nothing to change: it joins in its new role.
  if (found->second.joined) OrderMedia(found->second.leg, call::SetRole{role});
  log_.Info("monitor.role",
            {{"monitor", id}, {"agent", found->second.agent}, {"role", RoleName(role)}});
  return absl::OkStatus();
}

absl::Status Controller::EndMonitor(MonitorId id) {
  const auto found = monitors_.find(id);
  if (found == monitors_.end()) {
    return absl::NotFoundError(absl::StrCat("no listener ", id.value(), "; see: outpace monitor"));
  }
  Post(call::HangUp{found->second.leg});
  return absl::OkStatus();
}

void Controller::EndMonitorsOf(const AgentId& agent) {
  for (const auto& [id, monitor] : monitors_) {
    if (monitor.agent == agent) Post(call::HangUp{monitor.leg});
  }
}

}  // namespace outpace::runtime
