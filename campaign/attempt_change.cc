#include "campaign/attempt_change.h"

#include <tuple>

namespace outpace::campaign {
namespace {

auto AsPlaced(const Attempt& a) {
  return std::tie(a.id, a.lead, a.list, a.campaign, a.tier, a.score, a.explored, a.scorer,
                  a.number_of_try, a.last_status, a.alt, a.dialed, a.caller_id, a.trunk, a.call_id,
                  a.inbound, a.dialed_at);
}

}  // namespace

std::string WhyNotReplace(const Attempt& stored, const Attempt& next) {
  if (stored.open) {
    return AsPlaced(stored) == AsPlaced(next) ? "" : "what was so when the call was placed changed";
  }
  Attempt may = stored;
  if (stored.status.empty() || stored.status == "DISPO") {
    may.status = next.status;
    may.note = next.note;
    may.callback_time = next.callback_time;
    may.disposed_at = next.disposed_at;
  }
  if (may == next) return "";
  Attempt erased = stored;
  erased.dialed = E164();
  erased.request_uri.clear();
  erased.note.clear();
  if (next.from_uri.empty()) erased.from_uri.clear();
  return erased == next ? "" : "the call is over and its record is closed";
}

}  // namespace outpace::campaign
