// Two years by the gate, zone by zone: no call outside the campaign's hours or those of the chosen
// rules, no window passed over, and a clock that is set changes nothing but the time. The witness
// is the C library's clock and two comparisons of minutes.
//
// Every build walks one zone of each kind of clock, in steps of a quarter of an hour and minute by
// minute around each change of its clock; OUTPACE_ALL_ZONES=1 every minute in every zone and link
// that tzdata has.

#include <cstdlib>
#include <ctime>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/calling_window.h"
#include "campaign/gate/gate.h"
#include "engine/base/rng.h"
#include "gtest/gtest.h"
#include "tests/fakes/wall_clock.h"

namespace outpace::gate {
namespace {

constexpr absl::string_view kZoneNames[] = {
#include "campaign/zone_name_table.inc"
};
constexpr time_t kBegin = 1767225600;  // 2026-01-01T00:00:00Z
constexpr int kMinutes = 730 * 1440;

time_t SecondsAt(int minute) { return kBegin + 60 * time_t{minute}; }
absl::Time TimeAt(int minute) { return absl::FromUnixSeconds(SecondsAt(minute)); }

// The campaign's hours are 08:30-21:30, those of the rules 08:00-21:00, on Sundays 12:00-18:00.
bool IsOpen(const tm& local) {
  const int minute = local.tm_hour * 60 + local.tm_min;
  const bool sunday = local.tm_wday == 0;
  const bool by_rules =
      sunday ? minute >= 12 * 60 && minute < 18 * 60 : minute >= 8 * 60 && minute < 21 * 60;
  return by_rules && minute >= 8 * 60 + 30 && minute < 21 * 60 + 30;
}

class Walker {
 public:
  Walker() {
    lead_.id = LeadId(1);
    lead_.phone = E164(12125550100);
    settings_.id = "DEMO";
    settings_.active = true;
    settings_.compliance = {"hours"};
    settings_.local_call_time = *campaign::CallingWindow::Parse("08:30-21:30");
    const auto book = rules::RuleBook::Parse({{"hours.toml", R"(id = "hours"
version = "2026-01-01"
title = "Hours of a state"
[[window]]
id = "hours:window"
areas = ["US"]
open = ["Mon-Sat 08:00-21:00", "Sun 12:00-18:00"]
source = "none"
status = "read"
)"}});
    EXPECT_TRUE(book.ok()) << book.status();
    policy_ = Policy(settings_, *book);
  }
  void SetZones(std::vector<std::string> zones) { lead_.time_zones = std::move(zones); }
  Verdict At(int minute) const {
    return Decide({.lead = lead_,
                   .number = lead_.phone,
                   .settings = settings_,
                   .policy = policy_,
                   .history = history_},
                  dnc_, TimeAt(minute));
  }

 private:
  campaign::Lead lead_;
  campaign::CampaignSettings settings_;
  Policy policy_;
  NumberHistory history_;
  dnc::DncSet dnc_;
};

// When all reasons have passed.
absl::Time UntilOf(const Verdict& verdict) {
  absl::Time until = absl::InfinitePast();
  for (const Reason& reason : verdict.reasons) until = std::max(until, reason.until);
  return until;
}

// A lead that is refused is held until the verdict says; asked again then, and so on, it is let
// through at the first open minute and not a minute later.
absl::Time LetThrough(const Walker& walker, int minute) {
  for (int asked = 0; asked < 20; ++asked) {
    const Verdict verdict = walker.At(minute);
    if (verdict.allowed()) return TimeAt(minute);
    const absl::Time until = UntilOf(verdict);
    if (until <= TimeAt(minute) || until > TimeAt(kMinutes)) return until;
    minute = static_cast<int>((absl::ToUnixSeconds(until) - kBegin) / 60);
  }
  return absl::InfiniteFuture();
}

bool Walk(absl::string_view name, bool whole) {
  const absl::TimeZone zone = *campaign::FindTimeZone(name);
  const fakes::WallClock clock(name);
  Walker walker;
  walker.SetZones({std::string(name)});
  Rng rng(1);
  std::vector<std::pair<int, absl::Time>> promised;  // when it was refused, when it will be let in
  int ask_at = 0;
  for (int minute = 0; minute < kMinutes;) {
    const bool expected = IsOpen(clock.At(SecondsAt(minute)));
    if (walker.At(minute).allowed() != expected) {
      ADD_FAILURE() << name << " " << TimeAt(minute) << ": open is " << !expected;
      return false;
    }
    if (!expected && (promised.empty() || minute >= ask_at)) {
      promised.emplace_back(minute, LetThrough(walker, minute));
      ask_at = minute + 1 + static_cast<int>(rng.Below(900));
    }
    if (expected && !promised.empty()) {
      // In steps of minutes this is the first open one; else it lies within the step.
      for (const auto& [asked, until] : promised) {
        const bool first = until <= TimeAt(minute) &&
                           !IsOpen(clock.At(absl::ToTimeT(until) - 60)) &&
                           IsOpen(clock.At(absl::ToTimeT(until)));
        if (first) continue;
        ADD_FAILURE() << name << ": refused at " << TimeAt(asked) << " until " << until
                      << ", open at " << TimeAt(minute);
        return false;
      }
      promised.clear();
    }
    const absl::Time now = TimeAt(minute);
    const bool change =
        zone.At(now - absl::Hours(14)).offset != zone.At(now + absl::Hours(14)).offset;
    minute += whole || change ? 1 : 15;
  }
  return true;
}

std::string ClockOf(absl::string_view name) {
  const absl::TimeZone zone = *campaign::FindTimeZone(name);
  std::string out;
  int last = 1 << 30;
  for (int minute = 0; minute < kMinutes; minute += 15) {
    const int offset = zone.At(TimeAt(minute)).offset;
    if (offset != last) absl::StrAppend(&out, minute, ":", offset, " ");
    last = offset;
  }
  return out;
}

TEST(GateProperty, TwoYearsInEveryKindOfZone) {
  const char* all = std::getenv("OUTPACE_ALL_ZONES");
  const bool whole = all != nullptr && *all != '\0';
  std::set<std::string> seen;
  int walked = 0;
  for (const absl::string_view name : kZoneNames) {
    if (!whole && !seen.insert(ClockOf(name)).second) continue;
    ++walked;
    ASSERT_TRUE(Walk(name, whole));
  }
  EXPECT_GE(walked, whole ? 590 : 40);
  std::printf("%d zones of %d minutes\n", walked, kMinutes);
}

// In two zones at once, with a clock that is set an hour or a day forward or back between any two
// questions: what counts is the time at the question, and no other.
TEST(GateProperty, AClockThatIsSet) {
  const std::vector<std::string> names = {"America/New_York",    "America/Chicago",
                                          "America/St_Johns",    "America/Los_Angeles",
                                          "Australia/Lord_Howe", "Asia/Kathmandu"};
  for (size_t a = 0; a < names.size(); ++a) {
    const size_t b = (a + 1) % names.size();
    Walker walker;
    walker.SetZones({names[a], names[b]});
    // The zone is the process's, so that each is read by itself.
    std::vector<bool> open(kMinutes, true);
    for (const size_t each : {a, b}) {
      const fakes::WallClock clock(names[each]);
      for (int m = 0; m < kMinutes; ++m) {
        if (open[static_cast<size_t>(m)]) {
          open[static_cast<size_t>(m)] = IsOpen(clock.At(SecondsAt(m)));
        }
      }
    }
    Rng rng(a + 1);
    int minute = kMinutes / 2;
    for (int step = 0; step < 20'000; ++step) {
      ASSERT_EQ(walker.At(minute).allowed(), open[static_cast<size_t>(minute)])
          << names[a] << ", " << names[b] << " " << TimeAt(minute);
      if (!open[static_cast<size_t>(minute)] && step % 50 == 0) {
        int next = minute;
        while (next < kMinutes && !open[static_cast<size_t>(next)]) ++next;
        if (next < kMinutes) {
          ASSERT_EQ(LetThrough(walker, minute), TimeAt(next));
        }
      }
      constexpr int kSteps[] = {60, -60, 1440, -1440, 1, 7, 333, -300};
      minute += kSteps[rng.Below(std::size(kSteps))];
      minute = std::clamp(minute, 0, kMinutes - 1);
    }
  }
}

}  // namespace
}  // namespace outpace::gate
