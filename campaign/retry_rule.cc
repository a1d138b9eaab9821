// What becomes of a lead after an attempt: one pure function from (lead before, attempt, settings)
// to (lead after). Three kinds of status: final ones never come back, a callback comes back at its
// time, all others come back after the delay of a recycle rule until the rule's tries are used up.

#include "campaign/retry_rule.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "campaign/disposition.h"
#include "engine/base/check.h"

namespace outpace::campaign {
namespace {

struct DefaultRule {
  absl::string_view status;
  int seconds;
  int tries_max;
};

// For statuses the campaign has no rule for. Delays by habit of the field: VICIdial recycles after
// 1800 s; a busy line is free again sooner than an absent person is home; a phone that is off or
// out of coverage stays so for hours. docs/CAMPAIGNS.md has the table.
constexpr DefaultRule kDefaults[] = {
    {"NA", 1800, 3},    {"N", 1800, 3},     {"AB", 900, 5},   {"B", 900, 5},      {"A", 7200, 2},
    {"AA", 7200, 2},    {"AM", 86400, 1},   {"AL", 86400, 1}, {"NP", 3600, 2},    {"DAIR", 1800, 1},
    {"ADCT", 14400, 2}, {"DISPO", 3600, 1}, {"ERI", 3600, 1}, {"LRERR", 1800, 2},
};

// A trunk fault says nothing about the lead, so it waits only for the trunk.
constexpr absl::Duration kTrunkFaultRest = absl::Minutes(2);

// No repeat after an abandoned call without a guaranteed agent: Ofcom 2010 statement on persistent
// misuse, A1.55; kept where no rule asks for it, because the person was rung for nothing.
constexpr absl::Duration kAbandonedRest = absl::Hours(72);
// How often an abandoned number is tried again at all.
constexpr int kAbandonedTries = 2;

struct Retry {
  absl::Duration delay;
  int tries_max = 0;
};

Retry RuleFor(absl::string_view status, const CampaignSettings& settings) {
  for (const RecycleRule& rule : settings.recycle) {
    if (rule.status == status) return {rule.delay, rule.tries_max};
  }
  for (const DefaultRule& rule : kDefaults) {
    if (rule.status == status) return {absl::Seconds(rule.seconds), rule.tries_max};
  }
  if (status == "DROP" || status == "PDROP" || status == "XDROP") {
    return {kAbandonedRest, kAbandonedTries};
  }
  return {absl::ZeroDuration(), 0};  // final
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

// A person was reached and did not say no: worth a better place in the queue than a lead that has
// never been spoken to.
bool IsGoodContact(const Disposition* disposition, absl::string_view status) {
  if (disposition == nullptr) return false;
  if (disposition->not_interested || disposition->dnc || status == "DEC") return false;
  return disposition->customer_contact || disposition->scheduled_callback || disposition->sale;
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
  const Disposition* disposition = FindDisposition(status);
  lead.tier = IsGoodContact(disposition, status) ? Tier::kA : Tier::kB;

  // Abandoned before all else: whatever a rule says, the number rests.
  if (abandoned) {
    const Retry rule = RuleFor("DROP", settings);
    const bool again = CountUse(lead, "DROP") < rule.tries_max;
    lead.next_call_time =
        again ? ended + std::max(rule.delay, kAbandonedRest) : absl::InfiniteFuture();
    return lead;
  }
  if (disposition != nullptr && disposition->scheduled_callback) {
    lead.tier = Tier::kA;
    // A callback without a time is one the agent forgot: an hour later, as a callback still.
    lead.next_call_time = attempt.callback_time == absl::InfinitePast() ? ended + absl::Hours(1)
                                                                        : attempt.callback_time;
    return lead;
  }
  const bool final = disposition == nullptr ? RuleFor(status, settings).tries_max == 0
                                            : disposition->completed || disposition->dnc;
  const Retry rule = RuleFor(status, settings);
  if (final || rule.tries_max == 0 || lead.called_count >= settings.call_count_limit) {
    lead.next_call_time = absl::InfiniteFuture();
    return lead;
  }
  const int used = CountUse(lead, status);
  lead.next_call_time = used < rule.tries_max ? ended + rule.delay : absl::InfiniteFuture();
  // Nobody knows whether it rang: no sooner than the intent promised.
  if (unknown) {
    lead.next_call_time =
        std::max(lead.next_call_time, attempt.dialed_at + absl::Hours(kUnknownRestHours));
  }
  return lead;
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
  const Disposition* disposition = FindDisposition(status);
  if (disposition != nullptr &&
      (disposition->completed || disposition->dnc || disposition->unworkable)) {
    return false;
  }
  const auto& dialed = settings.dial_statuses;
  return status == "NEW" || status == "QUEUE" || RuleFor(status, settings).tries_max > 0 ||
         std::find(dialed.begin(), dialed.end(), status) != dialed.end();
}

}  // namespace outpace::campaign
