// Over random tables that pass the check: every lead comes to rest, none is dialed after its end,
// and second numbers are dialed as the table says and no more.

#include <string>
#include <vector>

#include "campaign/retry_rule.h"
#include "campaign/status_check.h"
#include "engine/base/rng.h"
#include "gtest/gtest.h"

namespace outpace::campaign {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'768'478'400);

// Rows that agents choose or the engine gives, changed at random; some of one's own.
CampaignSettings RandomTable(Rng& rng) {
  CampaignSettings settings;
  settings.id = "DEMO";
  settings.client_id = "ACME";
  const auto changed = [&](Disposition row) {
    NextStep& next = row.next;
    next.final = rng.Chance(0.2);
    next.tries = next.final || rng.Chance(0.2) ? 0 : 1 + static_cast<int>(rng.Below(10));
    next.delay = next.tries > 0 || row.scheduled_callback
                     ? absl::Seconds(120 + rng.Below(604800 - 120))
                     : absl::ZeroDuration();
    const bool may_alt = next.final ? row.unworkable : next.tries > 0;
    next.number = may_alt && rng.Chance(0.6) ? NextNumber::kAlt : NextNumber::kMain;
    next.number_delay = next.number == NextNumber::kAlt && rng.Chance(0.5)
                            ? absl::Seconds(rng.Below(7200))
                            : absl::ZeroDuration();
    next.tier = static_cast<TierMove>(rng.Below(3));
    if (next.tries > 0 && rng.Chance(0.5)) {
      const std::vector<std::string> ends = {"MAXCAL", "NA", "N", "AB", "OWN1", "OWN2", "ADCT"};
      next.then = ends[rng.Below(ends.size())];
    }
    return row;
  };
  for (const char* status :
       {"NA", "AB", "ADC", "ADCT", "AA", "LRERR", "N", "B", "NI", "NP", "DC"}) {
    if (rng.Chance(0.4)) settings.statuses.Put(changed(*FindDisposition(status)));
  }
  for (const char* status : {"OWN1", "OWN2"}) {
    Disposition row;
    row.status = row.name = status;
    row.selectable = true;
    if (rng.Chance(0.7)) settings.statuses.Put(changed(std::move(row)));
  }
  // What the check refuses goes, one after another, until the rest may be used.
  for (;;) {
    const std::vector<StatusFault> faults = CheckStatuses(settings);
    if (faults.empty()) return settings;
    Disposition row = *settings.statuses.Find(faults[0].status);
    settings.statuses.Remove(row.status);
    if (row.next.then.empty()) continue;
    row.next.then.clear();
    settings.statuses.Put(std::move(row));
  }
}

Attempt RandomResult(Rng& rng, const Lead& lead, absl::Time at, const CampaignSettings& settings,
                     bool callbacks) {
  Attempt attempt;
  attempt.dialed = NumberToDial(lead);
  attempt.alt = attempt.dialed != lead.phone;
  attempt.dialed_at = at;
  attempt.ended_at = at + absl::Seconds(30);
  attempt.open = false;
  // Mostly what does not end a lead: a long life meets more of its table.
  const std::vector<const char*> outcomes = {"no_answer", "busy", "unreachable", "rejected"};
  const uint64_t kind = rng.Below(20);
  if (kind < 17) {
    attempt.outcome = rng.Chance(0.05) ? "invalid" : outcomes[rng.Below(outcomes.size())];
  } else if (kind == 17) {
    attempt.outcome = "answered";
    attempt.answered_at = at;
    attempt.abandoned = rng.Chance(0.5);
  } else {
    attempt.outcome = "answered";
    attempt.answered_at = attempt.connected_at = at;
    do {
      const std::vector<const Disposition*> chosen = settings.statuses.Selectable();
      attempt.status = chosen[rng.Below(chosen.size())]->status;
    } while (!callbacks && settings.statuses.Find(attempt.status)->scheduled_callback);
  }
  return attempt;
}

TEST(StatusProperty, EveryLeadComesToRestAndIsNotDialedAfterItsEnd) {
  int64_t second_numbers = 0, chains = 0, own_rows = 0;
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    CampaignSettings settings = RandomTable(rng);
    own_rows += static_cast<int64_t>(settings.statuses.own().size());
    const bool callbacks = rng.Chance(0.3);
    // Without callbacks, which agents may promise for ever, the table ends each lead by itself.
    settings.call_count_limit = callbacks ? 1 + static_cast<int>(rng.Below(20)) : 2000;
    for (int each = 0; each < 8; ++each) {
      Lead lead;
      lead.phone = E164(12025550100);
      if (rng.Chance(0.7)) lead.alt_phone = E164(12125550100);
      absl::Time now = kStart;
      bool second_before = false, dead = false;
      int attempts = 0;
      // As the gate: the limit, the status, the time.
      while (lead.called_count < settings.call_count_limit && !IsFinal(lead, settings)) {
        ASSERT_LT(++attempts, 1500);
        now = std::max(now, lead.next_call_time);
        const Lead intent = ApplyIntent(lead, now, absl::Hours(kUnknownRestHours));
        ASSERT_EQ(NumberToDial(intent), NumberToDial(lead));
        const Attempt attempt = RandomResult(rng, intent, now, settings, callbacks);
        ASSERT_TRUE(!attempt.alt || lead.alt_phone.valid());
        // To and fro no more than once a pass, but for a first number that is dead or a callback.
        if (attempt.alt && second_before && !dead) {
          ASSERT_EQ(lead.status, "CALLBK");
        }
        const Lead after = ApplyResult(intent, attempt, settings);
        second_numbers += attempt.alt ? 1 : 0;
        const std::string given =
            !attempt.status.empty()
                ? attempt.status
                : std::string(StatusOfOutcome(attempt.outcome,
                                              attempt.answered_at != absl::InfinitePast(),
                                              attempt.abandoned));
        chains += after.status != given ? 1 : 0;
        const Disposition* row = settings.statuses.Find(given);
        ASSERT_NE(row, nullptr);
        if (attempt.abandoned && !IsFinal(after, settings)) {
          ASSERT_GE(after.next_call_time, attempt.ended_at + absl::Hours(72));
        }
        const bool goes_on = row->unworkable && !attempt.alt && after.alt_phone.valid() &&
                             row->next.number == NextNumber::kAlt;
        if (row->next.final && !goes_on) {
          ASSERT_TRUE(IsFinal(after, settings)) << given;
          ASSERT_EQ(after.next_call_time, absl::InfiniteFuture()) << given;
        }
        if (goes_on) dead = true;
        ASSERT_GE(after.next_call_time, attempt.ended_at);
        second_before = attempt.alt;
        lead = after;
      }
      ASSERT_LE(lead.called_count, settings.call_count_limit);
      if (!callbacks) {
        ASSERT_LT(lead.called_count, settings.call_count_limit);
      }
    }
  }
  // The tables drawn are not empty ones.
  EXPECT_GT(own_rows, 5000);
  EXPECT_GT(second_numbers, 10000);
  EXPECT_GT(chains, 500);
}

}  // namespace
}  // namespace outpace::campaign
