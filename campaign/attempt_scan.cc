#include "campaign/attempt_scan.h"

#include <type_traits>

namespace outpace::campaign {
namespace {

int64_t Micros(absl::Time time) {
  if (time == absl::InfinitePast()) return INT64_MIN;
  if (time == absl::InfiniteFuture()) return INT64_MAX;
  return absl::ToUnixMicros(time);
}
absl::Time TimeAt(int64_t micros) {
  if (micros == INT64_MIN) return absl::InfinitePast();
  if (micros == INT64_MAX) return absl::InfiniteFuture();
  return absl::FromUnixMicros(micros);
}

// The fields that both have under one name, so that neither direction can forget one.
template <typename From, typename To>
void CopyCommon(const From& from, To& to) {
  to.id = from.id;
  to.lead = from.lead;
  to.list = from.list;
  to.campaign = std::decay_t<decltype(to.campaign)>(from.campaign);
  to.tier = from.tier;
  to.score = from.score;
  to.explored = from.explored;
  to.scorer = std::decay_t<decltype(to.scorer)>(from.scorer);
  to.number_of_try = from.number_of_try;
  to.last_status = std::decay_t<decltype(to.last_status)>(from.last_status);
  to.alt = from.alt;
  to.dialed = from.dialed;
  to.caller_id = from.caller_id;
  to.trunk = std::decay_t<decltype(to.trunk)>(from.trunk);
  to.call_id = std::decay_t<decltype(to.call_id)>(from.call_id);
  to.from_tag = std::decay_t<decltype(to.from_tag)>(from.from_tag);
  to.branch = std::decay_t<decltype(to.branch)>(from.branch);
  to.route_uri = std::decay_t<decltype(to.route_uri)>(from.route_uri);
  to.request_uri = std::decay_t<decltype(to.request_uri)>(from.request_uri);
  to.from_uri = std::decay_t<decltype(to.from_uri)>(from.from_uri);
  to.open = from.open;
  to.sent = from.sent;
  to.inbound = from.inbound;
  to.outcome = std::decay_t<decltype(to.outcome)>(from.outcome);
  to.trunk_fault = from.trunk_fault;
  to.sip_status = from.sip_status;
  to.q850_cause = from.q850_cause;
  to.abandoned = from.abandoned;
  to.message_played = from.message_played;
  to.status = std::decay_t<decltype(to.status)>(from.status);
  to.term_reason = std::decay_t<decltype(to.term_reason)>(from.term_reason);
  to.heard = std::decay_t<decltype(to.heard)>(from.heard);
  to.amd = std::decay_t<decltype(to.amd)>(from.amd);
  to.amd_features = std::decay_t<decltype(to.amd_features)>(from.amd_features);
  to.amd_confidence = from.amd_confidence;
  to.amd_ms = from.amd_ms;
  to.greeting_start_ms = from.greeting_start_ms;
  to.greeting_end_ms = from.greeting_end_ms;
  to.agent = std::decay_t<decltype(to.agent)>(from.agent);
  to.holds = from.holds;
  to.held = from.held;
  to.conferences = from.conferences;
  to.billed_seconds = from.billed_seconds;
  to.cost_micros = from.cost_micros;
  to.note = std::decay_t<decltype(to.note)>(from.note);
}

}  // namespace

Attempt ToAttempt(const AttemptView& v) {
  Attempt a;
  CopyCommon(v, a);
  a.callback_time = TimeAt(v.callback_micros);
  a.dialed_at = TimeAt(v.dialed_micros);
  a.ringing_at = TimeAt(v.ringing_micros);
  a.answered_at = TimeAt(v.answered_micros);
  a.connected_at = TimeAt(v.connected_micros);
  a.dropped_at = TimeAt(v.dropped_micros);
  a.ended_at = TimeAt(v.ended_micros);
  a.disposed_at = TimeAt(v.disposed_micros);
  return a;
}

AttemptView ViewOf(const Attempt& a) {
  AttemptView v;
  CopyCommon(a, v);
  v.callback_micros = Micros(a.callback_time);
  v.dialed_micros = Micros(a.dialed_at);
  v.ringing_micros = Micros(a.ringing_at);
  v.answered_micros = Micros(a.answered_at);
  v.connected_micros = Micros(a.connected_at);
  v.dropped_micros = Micros(a.dropped_at);
  v.ended_micros = Micros(a.ended_at);
  v.disposed_micros = Micros(a.disposed_at);
  return v;
}

}  // namespace outpace::campaign
