// What the controller says in the evidence log: the gate's verdict before each call, and each call
// that was abandoned. Nothing here waits for the disk.

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/audit/event.h"
#include "engine/runtime/controller.h"

namespace outpace::runtime {
namespace {

std::string TimeOrNone(absl::Time time) {
  return time == absl::InfinitePast() ? std::string() : audit::TimeText(time);
}

// Given with an event of what has happened already: it is not refused because many wait.
audit::AuditSink::Done MustStay() {
  return [](const absl::Status&) {};
}

int64_t MillisBetween(absl::Time from, absl::Time to) {
  return from == absl::InfinitePast() || to == absl::InfinitePast()
             ? 0
             : absl::ToInt64Milliseconds(to - from);
}

}  // namespace

absl::Status Controller::NoteDialed(const LiveAttempt& live) {
  if (options_.audit == nullptr) return absl::OkStatus();
  const campaign::Attempt& record = live.record;
  const auto found = runners_.find(record.campaign);
  const CampaignRunner* const runner = found == runners_.end() ? nullptr : found->second.get();
  absl::Status taken = options_.audit->Append(
      {"call.dialed",
       live.agent.empty() ? "engine" : "agent " + live.agent,
       {{"campaign", record.campaign},
        {"list", record.list},
        {"lead", record.lead},
        {"attempt", record.id},
        {"try", record.number_of_try},
        {"trunk", record.trunk},
        {"verdict", "allow"},
        {"rules", runner == nullptr ? "" : runner->policy().rules().version()}}});
  // A queue that is full empties again, and the call is not placed until then. A log that has
  // failed, or whose disk is full, does not come back before a restart.
  if (const absl::Status ready = options_.audit->Ready(); !taken.ok() && !ready.ok()) {
    Stop(absl::StrCat("the evidence log cannot be written: ", ready.message()));
  }
  return taken;
}

void Controller::NoteAbandoned(const campaign::Attempt& record) {
  if (options_.audit == nullptr) return;
  const CampaignRunner* runner = FindRunner(record.campaign);
  // A call may be abandoned for one contract and not for another: an agent was there, but late.
  std::vector<std::string> contracts;
  const std::optional<campaign::CallFacts> facts = FactsOrNone(record, StatusesOf(record.campaign));
  if (runner != nullptr && facts) {
    for (const campaign::AbandonContract& contract : runner->contracts()) {
      if (campaign::SenseOf(contract, *facts) == campaign::CallSense::kAbandoned) {
        contracts.push_back(contract.name);
      }
    }
  }
  if (!record.abandoned && contracts.empty()) return;
  std::string message;
  if (record.abandoned && runner != nullptr) {
    message = MessageOf(record.campaign);
    if (message.empty()) message = runner->settings().safe_harbor_audio;
  }
  if (record.abandoned && message.empty()) message = "safe_harbor";
  const absl::Time greeting_end =
      record.greeting_end_ms < 0 ? absl::InfinitePast()
                                 : record.answered_at + absl::Milliseconds(record.greeting_end_ms);
  const absl::Time waited_to = record.dropped_at != absl::InfinitePast()     ? record.dropped_at
                               : record.connected_at != absl::InfinitePast() ? record.connected_at
                                                                             : record.ended_at;
  const absl::Status taken =
      options_.audit->Append({"call.abandoned",
                              "engine",
                              {{"campaign", record.campaign},
                               {"list", record.list},
                               {"lead", record.lead},
                               {"attempt", record.id},
                               {"contracts", absl::StrJoin(contracts, " ")},
                               {"answered_at", TimeOrNone(record.answered_at)},
                               {"greeting_end", TimeOrNone(greeting_end)},
                               {"waited_ms", MillisBetween(record.answered_at, waited_to)},
                               {"connected_at", TimeOrNone(record.connected_at)},
                               {"message", message},
                               {"message_played", record.message_played},
                               {"ended_at", TimeOrNone(record.ended_at)},
                               {"duration_ms", MillisBetween(record.answered_at, record.ended_at)},
                               {"term_reason", record.term_reason}}},
                             MustStay());
  if (!taken.ok()) {
    log_.Error("audit.not_taken", {{"event", "call.abandoned"}, {"attempt", record.id}});
  }
}

void Controller::NoteRecovered(const campaign::Attempt& record) {
  if (options_.audit == nullptr) return;
  const absl::Status taken = options_.audit->Append({"call.recovered",
                                                     "engine",
                                                     {{"campaign", record.campaign},
                                                      {"list", record.list},
                                                      {"lead", record.lead},
                                                      {"attempt", record.id},
                                                      {"intent_at", TimeOrNone(record.dialed_at)},
                                                      {"status", record.status}}},
                                                    MustStay());
  if (!taken.ok()) {
    log_.Error("audit.not_taken", {{"event", "call.recovered"}, {"attempt", record.id}});
  }
  NoteAbandoned(record);
}

void Controller::NoteDnc(const campaign::DncEntry& entry, const campaign::Attempt& record) {
  if (options_.audit == nullptr) return;
  const std::string mark =
      options_.number_mark == nullptr ? std::string() : options_.number_mark(entry.phone);
  const absl::Status taken = options_.audit->Append({"dnc.added",
                                                     entry.by,
                                                     {{"scope", entry.scope.ToString()},
                                                      {"reason", entry.reason},
                                                      {"campaign", record.campaign},
                                                      {"lead", record.lead},
                                                      {"attempt", record.id},
                                                      {"status", record.status},
                                                      {"number_mark", mark},
                                                      {"result", "done"}}},
                                                    MustStay());
  if (!taken.ok()) {
    log_.Error("audit.not_taken", {{"event", "dnc.added"}, {"attempt", record.id}});
  }
}

}  // namespace outpace::runtime
