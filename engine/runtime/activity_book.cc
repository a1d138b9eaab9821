#include "engine/runtime/activity_book.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "campaign/activity_log.h"

namespace outpace::runtime {

using campaign::AgentActivity;
namespace activity = campaign::activity;

std::string ActivityState(agent::AgentState state) {
  if (state == agent::AgentState::kLoggedOut) return std::string(activity::kLoggedOut);
  return std::string(agent::AgentStateName(state));
}

void ActivityBook::Note(const agent::AgentRecord& record, absl::Time since, absl::Time now) {
  const auto known = last_.find(record.id);
  const bool logged_out = record.state == agent::AgentState::kLoggedOut;
  if (known == last_.end() && logged_out) return;
  AgentActivity next{.at = since,
                     .agent = record.id,
                     .campaign = record.campaign,
                     .state = ActivityState(record.state),
                     .code = {},
                     .attempt = record.attempt};
  if (record.state == agent::AgentState::kNotReady) next.code = record.pause_code;
  if (known == last_.end()) {
    next.state = std::string(activity::kLogin);
  } else {
    const AgentActivity& before = known->second;
    // Not ready yet, and nothing has been said: still the login.
    if (before.state == activity::kLogin && next.state == activity::kPaused && next.code.empty()) {
      return;
    }
    if (next.state == before.state && next.code == before.code && next.attempt == before.attempt) {
      return;
    }
    // Another code of the same pause: the roster counts the pause from its start.
    if (next.state == activity::kPaused &&
        (before.state == activity::kPaused || before.state == activity::kLogin)) {
      next.at = now;
    }
    next.at = std::max(next.at, before.at);
  }
  news_.push_back(next);
  if (logged_out) {
    last_.erase(known);
  } else {
    last_.insert_or_assign(record.id, std::move(next));
  }
}

void ActivityBook::NoteEngineEnded(absl::Time at) {
  news_.push_back({.at = at,
                   .agent = {},
                   .campaign = {},
                   .state = std::string(activity::kEngineEnded),
                   .code = {},
                   .attempt = {}});
}

void ActivityBook::RepeatIfDue(absl::Time now) {
  if (repeated_ == absl::InfinitePast()) repeated_ = now;
  // Well within the time that readers look back by, whatever the disk takes.
  if (now - repeated_ < campaign::kActivityRepeat && now >= repeated_) return;
  repeated_ = now;
  for (auto& [agent, last] : last_) {
    last.at = std::max(last.at, now);
    news_.push_back(last);
  }
}

bool ActivityBook::HasNews(absl::Time now) const {
  if (ended_) return false;
  return !news_.empty() || absl::AbsDuration(now - known_) >= campaign::kActivitiesKnownEvery;
}

void ActivityBook::MoveInto(campaign::StoreBatch& batch, absl::Time now) {
  if (ended_) return;
  std::move(news_.begin(), news_.end(), std::back_inserter(batch.activities));
  news_.clear();
  known_ = now;
  batch.meta[campaign::kActivitiesKnownKey] = campaign::ActivitiesKnown(now);
}

void ActivityBook::End(campaign::StoreBatch& batch) {
  if (ended_) return;
  std::move(news_.begin(), news_.end(), std::back_inserter(batch.activities));
  news_.clear();
  ended_ = true;
  batch.meta[campaign::kActivitiesKnownKey] = "";
}

const AgentActivity* ActivityBook::Last(const AgentId& agent) const {
  const auto it = last_.find(agent);
  return it == last_.end() ? nullptr : &it->second;
}

absl::StatusOr<absl::Time> LastKnownRunning(const campaign::LeadStore& store) {
  const auto saved = store.GetMeta(campaign::kActivitiesKnownKey);
  if (!saved.ok()) return saved.status();
  const absl::Time known = campaign::ParseActivitiesKnown(saved->value_or(""));
  if (known == absl::InfiniteFuture()) return known;
  absl::Time last = known;
  const absl::Status status =
      store.ForEachActivity(known, absl::InfiniteFuture(), [&](const AgentActivity& activity) {
        last = std::max(last, activity.at);
        return true;
      });
  if (!status.ok()) return status;
  return last;
}

}  // namespace outpace::runtime
