#include "campaign/report/event_fields.h"

namespace outpace::report {

using campaign::Attempt;
using Event = AttemptEvent;

const std::array<EventKind, kAttemptEvents>& EventKinds() {
  static constexpr std::array<EventKind, kAttemptEvents> kKinds = {{
      {"placed", &Attempt::dialed_at},
      {"ringing", &Attempt::ringing_at},
      {"answered", &Attempt::answered_at},
      {"verdict", nullptr},
      {"connected", &Attempt::connected_at},
      {"abandoned", &Attempt::dropped_at},
      {"ended", &Attempt::ended_at},
      {"result", &Attempt::disposed_at},
  }};
  return kKinds;
}

absl::Span<const EventField> EventFields() {
  static const EventField kFields[] = {
      {"lead", Event::kPlaced, &Attempt::lead},
      {"list", Event::kPlaced, &Attempt::list},
      {"campaign", Event::kPlaced, &Attempt::campaign},
      {"tier", Event::kPlaced, &Attempt::tier},
      {"score", Event::kPlaced, &Attempt::score},
      {"explored", Event::kPlaced, &Attempt::explored},
      {"scorer", Event::kPlaced, &Attempt::scorer},
      {"number_of_try", Event::kPlaced, &Attempt::number_of_try},
      {"last_status", Event::kPlaced, &Attempt::last_status},
      {"alt", Event::kPlaced, &Attempt::alt},
      {"inbound", Event::kPlaced, &Attempt::inbound},
      {"dialed", Event::kPlaced, &Attempt::dialed},
      {"caller_id", Event::kPlaced, &Attempt::caller_id},
      {"trunk", Event::kPlaced, &Attempt::trunk},
      {"call_id", Event::kPlaced, &Attempt::call_id},
      {"from_tag", Event::kPlaced, &Attempt::from_tag},
      {"branch", Event::kPlaced, &Attempt::branch},
      {"route_uri", Event::kPlaced, &Attempt::route_uri},
      {"request_uri", Event::kPlaced, &Attempt::request_uri},
      {"from_uri", Event::kPlaced, &Attempt::from_uri},
      {"amd", Event::kVerdict, &Attempt::amd},
      {"amd_confidence", Event::kVerdict, &Attempt::amd_confidence},
      {"amd_ms", Event::kVerdict, &Attempt::amd_ms},
      {"amd_features", Event::kVerdict, &Attempt::amd_features},
      {"greeting_start_ms", Event::kVerdict, &Attempt::greeting_start_ms},
      {"greeting_end_ms", Event::kVerdict, &Attempt::greeting_end_ms},
      {"agent", Event::kConnected, &Attempt::agent},
      {"abandoned", Event::kAbandoned, &Attempt::abandoned},
      {"outcome", Event::kEnded, &Attempt::outcome},
      {"sip_status", Event::kEnded, &Attempt::sip_status},
      {"q850_cause", Event::kEnded, &Attempt::q850_cause},
      {"trunk_fault", Event::kEnded, &Attempt::trunk_fault},
      {"sent", Event::kEnded, &Attempt::sent},
      {"heard", Event::kEnded, &Attempt::heard},
      {"term_reason", Event::kEnded, &Attempt::term_reason},
      {"message_played", Event::kEnded, &Attempt::message_played},
      {"holds", Event::kEnded, &Attempt::holds},
      {"held_us", Event::kEnded, &Attempt::held},
      {"conferences", Event::kEnded, &Attempt::conferences},
      {"billed_seconds", Event::kEnded, &Attempt::billed_seconds},
      {"cost_micros", Event::kEnded, &Attempt::cost_micros},
      {"status", Event::kResult, &Attempt::status},
      {"note", Event::kResult, &Attempt::note},
      {"callback_us", Event::kResult, &Attempt::callback_time},
      {"open", Event::kResult, &Attempt::open},
  };
  return kFields;
}

}  // namespace outpace::report
