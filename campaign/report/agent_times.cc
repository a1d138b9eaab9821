#include "campaign/report/agent_times.h"

#include <algorithm>
#include <utility>

#include "campaign/activity_log.h"

namespace outpace::report {

using campaign::AgentActivity;
using campaign::Attempt;
namespace activity = campaign::activity;

namespace {

// From the intent to the bridge: ringing, screening, waiting for an agent.
constexpr absl::Duration kPlacedBefore = absl::Hours(1);

bool SaysTheSame(const AgentActivity& a, const AgentActivity& b) {
  return a.state == b.state && a.code == b.code && a.campaign == b.campaign &&
         a.attempt == b.attempt;
}

absl::Duration Mean(absl::Duration sum, int count) {
  return count > 0 ? sum / count : absl::ZeroDuration();
}

double Ratio(absl::Duration part, absl::Duration whole) {
  return whole > absl::ZeroDuration() ? absl::FDivDuration(part, whole) : 0;
}

}  // namespace

void AgentSpans::Add(const AgentActivity& activity) {
  if (activity.agent.empty()) {  // activity::kEngineEnded
    for (auto& [agent, open] : agents_) Close(open, activity.at);
    return;
  }
  Open& open = agents_[activity.agent];
  if (SaysTheSame(open.since, activity)) return;
  const bool was_out = open.since.state.empty();
  Close(open, activity.at);
  if (activity.state == activity::kLoggedOut) return;
  // A login while the one before is open: that one's end was lost.
  if (was_out || activity.state == activity::kLogin) ++open.session;
  open.since = activity;
}

void AgentSpans::Close(Open& open, absl::Time at) {
  const AgentActivity since = std::exchange(open.since, AgentActivity());
  if (since.state.empty()) return;
  const absl::Time to = std::min(at, to_);
  const bool begins = since.at >= from_ && since.at < to_;
  if (!begins && (to <= from_ || since.at >= to_)) return;
  AgentSpan span{.agent = since.agent,
                 .campaign = since.campaign,
                 .state = since.state,
                 .code = since.code,
                 .attempt = since.attempt,
                 .from = std::max(since.at, from_),
                 .to = to,
                 .begins = begins,
                 .session = open.session};
  span.to = std::max(span.to, span.from);  // the clock was set back
  visit_(span);
}

void AgentSpans::Finish(absl::Time known_until) {
  for (auto& [agent, open] : agents_) Close(open, known_until);
}

absl::Duration AgentTimes::talk_mean() const { return Mean(talk, calls); }
absl::Duration AgentTimes::wait_mean() const { return Mean(wait, calls); }
absl::Duration AgentTimes::dispo_mean() const { return Mean(dispo, calls); }
absl::Duration AgentTimes::pause_mean() const { return Mean(pause, pauses); }
absl::Duration AgentTimes::session_mean() const { return Mean(login(), sessions); }
double AgentTimes::pause_ratio() const { return Ratio(pause, login()); }
double AgentTimes::pauses_a_session() const {
  return sessions > 0 ? static_cast<double>(pauses) / sessions : 0;
}
double AgentTimes::occupancy() const { return Ratio(talk + dispo, wait + talk + dispo); }

AgentTimesFold::AgentTimesFold(absl::Time from, absl::Time to, CampaignId campaign)
    : from_(from),
      to_(to),
      campaign_(std::move(campaign)),
      spans_(from, to, [this](const AgentSpan& span) { AddSpan(span); }) {}

void AgentTimesFold::AddSpan(const AgentSpan& span) {
  if (!campaign_.empty() && span.campaign != campaign_) return;
  AgentTimes& times = times_[span.agent];
  if (sessions_.insert({span.agent, span.session}).second) ++times.sessions;
  if (span.state == activity::kLogin || span.state == activity::kPaused) {
    const std::string code(span.state == activity::kLogin ? activity::kLogin : span.code);
    times.pause += span.length();
    times.pause_by_code[code] += span.length();
    ++times.pauses;
    ++times.pauses_by_code[code];
  } else if (span.state == activity::kInCall) {
    times.talk += span.length();
  } else if (span.state == activity::kDispo) {
    times.dispo += span.length();
  } else {
    times.wait += span.length();
  }
}

void AgentTimesFold::Add(const Attempt& attempt) {
  const bool met = !attempt.agent.empty() && attempt.connected_at >= from_ &&
                   attempt.connected_at < to_ && attempt.connected_at != absl::InfinitePast();
  if (!met || (!campaign_.empty() && attempt.campaign != campaign_)) return;
  AgentTimes& times = times_[attempt.agent];
  ++times.calls;
  ++times.statuses[attempt.status];
  times.holds += attempt.holds;
  times.held += attempt.held;
  times.conferences += attempt.conferences;
}

std::vector<AgentTimes> AgentTimesFold::Finish(absl::Time known_until) {
  spans_.Finish(known_until);
  std::vector<AgentTimes> all;
  for (auto& [agent, times] : times_) {
    times.agent = agent;
    all.push_back(std::move(times));
  }
  times_.clear();
  return all;
}

double ShareOfCalls(const AgentTimes& times, const std::vector<AgentTimes>& all) {
  int64_t calls = 0;
  for (const AgentTimes& each : all) calls += each.calls;
  return calls > 0 ? static_cast<double>(times.calls) / static_cast<double>(calls) : 0;
}

absl::StatusOr<std::vector<AgentTimes>> ReadAgentTimes(const EventSource& source, absl::Time from,
                                                       absl::Time to, const CampaignId& campaign) {
  const absl::StatusOr<absl::Time> known = source.KnownUntil();
  if (!known.ok()) return known.status();
  AgentTimesFold fold(from, to, campaign);
  absl::Status status = source.ForEachActivity(from - campaign::kActivityLookBack, to,
                                               [&](const AgentActivity& activity) {
                                                 fold.Add(activity);
                                                 return true;
                                               });
  if (status.ok()) {
    status = source.ForEachAttempt(from - kPlacedBefore, to, [&](const Attempt& attempt) {
      fold.Add(attempt);
      return true;
    });
  }
  if (!status.ok()) return status;
  return fold.Finish(*known);
}

}  // namespace outpace::report
