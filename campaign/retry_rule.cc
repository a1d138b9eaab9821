// What becomes of a lead after an attempt: one pure function from (lead before, attempt, settings)
// to (lead after). What each status does is the campaign's table's to say (status_set.h): final
// ones never come back, a callback comes back at its time, others after their delay until their
// tries are used up; before that, where the table says so, by the lead's second number.

#include "campaign/retry_rule.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "campaign/disposition.h"
#include "engine/base/check.h"

namespace outpace::campaign {
namespace {

// A trunk fault says nothing about the lead, so it waits only for the trunk.
constexpr absl::Duration kTrunkFaultRest = absl::Minutes(2);

// No repeat after an abandoned call without a guaranteed agent, whatever a table says: Ofcom 2010
// statement on persistent misuse, A1.55; kept where no rule asks for it, because the person was
// rung for nothing.
constexpr absl::Duration kAbandonedRest = absl::Hours(72);

// Marks in Lead::recycled, beside the tries by status; no status begins with '+'. The lead's second
// number is dialed next; its first is known to be dead, so the second stands for it.
constexpr absl::string_view kAltMark = "+alt:1";
constexpr absl::string_view kDeadMark = "+dead:1";

struct Retry {
  absl::Duration delay;
  int tries_max = 0;
};

// The campaign's setting lead_recycle, then its table of statuses.
Retry RuleFor(absl::string_view status, const CampaignSettings& settings) {
  for (const RecycleRule& rule : settings.recycle) {
    if (rule.status == status) return {rule.delay, rule.tries_max};
  }
  const Disposition* row = settings.statuses.Find(status);
  if (row == nullptr) return {absl::ZeroDuration(), 0};
  return {row->next.delay, row->next.tries};
}

bool HasMark(const Lead& lead, absl::string_view mark) {
  for (absl::string_view cell : absl::StrSplit(lead.recycled, ',')) {
    if (cell == mark) return true;
    if (cell.empty() || cell[0] != '+') return false;  // marks come first
  }
  return false;
}

void SetMark(Lead& lead, absl::string_view mark, bool on) {
  if (HasMark(lead, mark) == on) return;
  std::vector<absl::string_view> cells = absl::StrSplit(lead.recycled, ',', absl::SkipEmpty());
  if (on) {
    cells.insert(cells.begin(), mark);
  } else {
    cells.erase(std::find(cells.begin(), cells.end(), mark));
  }
  std::sort(cells.begin(), cells.end());  // '+' is before any status
  lead.recycled = absl::StrJoin(cells, ",");
}

bool HasSecondNumber(const Lead& lead) {
  return lead.alt_phone.valid() && lead.alt_phone != lead.phone;
}

// Counts one more use of the rule of `status` in Lead::recycled; returns how many there were
// before.
int CountUse(Lead& lead, absl::string_view status) {
  std::map<std::string, int> uses;
  const std::string& text = lead.recycled;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    const std::string cell = text.substr(at, end - at);
    const size_t colon = cell.find(':');
    int count = 0;
    if (colon != std::string::npos && absl::SimpleAtoi(cell.substr(colon + 1), &count)) {
      uses[cell.substr(0, colon)] = count;
    }
    at = end + 1;
  }
  const int before = uses[std::string(status)]++;
  std::string out;
  for (const auto& [name, count] : uses) {
    absl::StrAppend(&out, out.empty() ? "" : ",", name, ":", count);
  }
  lead.recycled = std::move(out);
  return before;
}

Tier TierAfter(const Disposition* row, Tier before) {
  if (row == nullptr) return Tier::kB;
  if (row->next.tier == TierMove::kKeep) return before;
  return row->next.tier == TierMove::kA ? Tier::kA : Tier::kB;
}

// One use of the rule of the lead's status; when its tries are used up, of the status that comes
// then, and so on. `from`: what the rule's delay is counted from.
void Recycle(Lead& lead, absl::Time from, const CampaignSettings& settings) {
  lead.next_call_time = absl::InfiniteFuture();
  // A table that was never checked may lead in a circle: each status is come to once.
  std::vector<std::string> seen;
  while (std::find(seen.begin(), seen.end(), lead.status) == seen.end()) {
    seen.push_back(lead.status);
    const Disposition* row = settings.statuses.Find(lead.status);
    const Retry rule = RuleFor(lead.status, settings);
    if ((row != nullptr && row->next.final) || rule.tries_max == 0) return;
    if (CountUse(lead, lead.status) < rule.tries_max) {
      lead.next_call_time = from + rule.delay;
      return;
    }
    const Disposition* then = row == nullptr ? nullptr : settings.statuses.Find(row->next.then);
    if (then == nullptr) return;
    lead.status = then->status;
    lead.tier = TierAfter(then, lead.tier);
  }
}

absl::Time EndOf(const Attempt& attempt) {
  if (attempt.ended_at != absl::InfinitePast()) return attempt.ended_at;
  if (attempt.disposed_at != absl::InfinitePast()) return attempt.disposed_at;
  return attempt.dialed_at;
}

}  // namespace

Lead ApplyResult(const Lead& before, const Attempt& attempt, const CampaignSettings& settings) {
  Lead lead = before;
  const absl::Time ended = EndOf(attempt);
  const bool met_agent = attempt.connected_at != absl::InfinitePast();
  std::string status = attempt.status;
  const bool answered = attempt.answered_at != absl::InfinitePast();
  const bool unknown = attempt.outcome == "unknown";
  // The engine died while somebody was on the line and no agent: to that person it was silence.
  const bool abandoned = attempt.abandoned || (unknown && answered && !met_agent);
  if (status.empty()) {
    status = met_agent ? "DISPO"  // spoke to an agent, and nobody said what came of it
                       : std::string(StatusOfOutcome(attempt.outcome, answered, abandoned));
  }

  // The trunk failed, not the lead: give the try back, keep the place in the queue.
  if (attempt.trunk_fault && !met_agent && !abandoned) {
    lead.called_count = std::max(0, lead.called_count - 1);
    lead.status = lead.called_count == 0 ? "NEW" : "QUEUE";
    lead.next_call_time = ended + kTrunkFaultRest;
    return lead;
  }

  lead.status = status;
  lead.last_call_time = attempt.dialed_at;
  const Disposition* row = settings.statuses.Find(status);
  lead.tier = TierAfter(row, before.tier);
  const bool second = attempt.alt && HasSecondNumber(lead);
  SetMark(lead, kAltMark, false);

  // Abandoned before all else: whatever a rule says, the number rests.
  if (abandoned) {
    const Retry rule = RuleFor("DROP", settings);
    const bool again = CountUse(lead, "DROP") < rule.tries_max;
    lead.next_call_time =
        again ? ended + std::max(rule.delay, kAbandonedRest) : absl::InfiniteFuture();
    return lead;
  }
  if (row != nullptr && row->scheduled_callback) {
    // A callback without a time is one the agent forgot: a while later, as a callback still.
    lead.next_call_time = attempt.callback_time == absl::InfinitePast() ? ended + row->next.delay
                                                                        : attempt.callback_time;
    SetMark(lead, kAltMark, second);  // where the person was met
    return lead;
  }
  if (lead.called_count >= settings.call_count_limit) {
    lead.next_call_time = absl::InfiniteFuture();
    return lead;
  }
  if (row != nullptr && row->next.number == NextNumber::kAlt && HasSecondNumber(lead) && !second) {
    SetMark(lead, kAltMark, true);
    if (row->unworkable) SetMark(lead, kDeadMark, true);
    lead.next_call_time = ended + row->next.number_delay;
  } else {
    Recycle(lead, ended, settings);
  }
  // Nobody knows whether it rang: no sooner than the intent promised.
  if (unknown) {
    lead.next_call_time =
        std::max(lead.next_call_time, attempt.dialed_at + absl::Hours(kUnknownRestHours));
  }
  return lead;
}

E164 NumberToDial(const Lead& lead) {
  const bool second =
      HasSecondNumber(lead) && (HasMark(lead, kAltMark) || HasMark(lead, kDeadMark));
  return second ? lead.alt_phone : lead.phone;
}

Lead WithoutSecondNumber(const Lead& before, const CampaignSettings& settings) {
  Lead lead = before;
  SetMark(lead, kAltMark, false);
  if (HasMark(lead, kDeadMark)) {
    lead.next_call_time = absl::InfiniteFuture();
    return lead;
  }
  // A promise keeps its time, and what a trunk has failed its turn: the first number is dialed
  // then.
  const Disposition* row = settings.statuses.Find(lead.status);
  const bool counts_tries =
      row == nullptr || row->next.final || RuleFor(lead.status, settings).tries_max > 0;
  if (counts_tries) Recycle(lead, lead.last_call_time, settings);
  return lead;
}

bool IsFinal(const Lead& lead, const CampaignSettings& settings) {
  if (lead.next_call_time == absl::InfiniteFuture()) return true;
  const Disposition* row = settings.statuses.Find(lead.status);
  if (row == nullptr || !row->next.final) return false;
  // Final for the first number: the second is still to be dialed.
  return !(row->unworkable && HasMark(lead, kAltMark));
}

Lead ApplyIntent(const Lead& before, absl::Time now, absl::Duration unknown_rest) {
  OUTPACE_CHECK(unknown_rest > absl::ZeroDuration());
  Lead lead = before;
  lead.called_count += 1;
  lead.status = "INCALL";
  lead.last_call_time = now;
  lead.next_call_time = now + unknown_rest;
  return lead;
}

bool IsRetried(absl::string_view status, const CampaignSettings& settings) {
  const Disposition* row = settings.statuses.Find(status);
  if (row != nullptr && row->next.final) return false;
  const auto& dialed = settings.dial_statuses;
  return status == "NEW" || status == "QUEUE" || RuleFor(status, settings).tries_max > 0 ||
         std::find(dialed.begin(), dialed.end(), status) != dialed.end();
}

}  // namespace outpace::campaign
