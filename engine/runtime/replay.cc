#include "engine/runtime/replay.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace outpace::runtime {
namespace {

using campaign::Attempt;

constexpr absl::Duration kHalfHour = absl::Minutes(30);
constexpr absl::Duration kStaffing = absl::Minutes(10);  // a phase; divides the half hour
constexpr int kPersonsMin = 50;                          // below it nothing can be learned
// What a half hour of few calls is mixed with: so many calls of the whole day.
constexpr double kPriorDials = 50;
constexpr double kPriorTalks = 30;
// An agent who takes no call for so many times the mean wait was on a break; the wait is roughly
// exponential, so that one in twenty thousand real waits is mistaken. The second is the least, the
// third the most that a wait can be.
constexpr double kBreakGaps = 10;
constexpr absl::Duration kBreakLeast = absl::Minutes(3);
constexpr absl::Duration kWaitMost = absl::Minutes(30);

bool Happened(absl::Time t) { return t != absl::InfinitePast() && t != absl::InfiniteFuture(); }

double Seconds(absl::Time from, absl::Time to) {
  return std::max(0.0, absl::ToDoubleSeconds(to - from));
}

int64_t HalfHourOf(absl::Time at, absl::Time midnight) {
  absl::Duration rest;
  return absl::IDivDuration(at - midnight, kHalfHour, &rest);
}

bool IsMachine(const Attempt& attempt, const campaign::StatusSet& statuses) {
  const campaign::Disposition* disposition = statuses.Find(attempt.status);
  return disposition != nullptr && disposition->answering_machine;
}

bool IsSale(const Attempt& attempt, const campaign::StatusSet& statuses) {
  const campaign::Disposition* disposition = statuses.Find(attempt.status);
  return disposition != nullptr && disposition->sale;
}

struct Span {
  absl::Time from, to;
};

// What became of the dials of a stretch of time.
struct Counts {
  double persons = 0, machines = 0, no_answer = 0, fail = 0, faults = 0;
  double unmet = 0;  // answered and met no agent: person or machine, nobody knows
  double talk_s = 0, talks = 0;
  double dials() const { return persons + machines + no_answer + fail + unmet; }
};

// A campaign's day, read attempt by attempt.
struct CampaignDay {
  campaign::CampaignSettings settings;
  Counts day;
  std::map<int64_t, Counts> half_hours;        // by number since the day's beginning
  std::map<AgentId, std::vector<Span>> calls;  // connected to disposed
  sim::ScenarioCampaign spec;
  double caller_hung_up = 0;
  FloorFigures recorded;
  absl::Time first = absl::InfiniteFuture(), last = absl::InfinitePast();

  void Add(const Attempt& attempt, int64_t half_hour);
  // When agents were at work; sets `gap_mean` to their mean wait between two calls.
  std::vector<Span> Presence(absl::Duration& gap_mean, absl::Duration& break_min) const;
};

void AddSample(sim::DelayLaw& law, double seconds) {
  law.kind = sim::DelayLaw::Kind::kSamples;
  law.samples.push_back(seconds);
}

void CampaignDay::Add(const Attempt& a, int64_t half_hour) {
  Counts& half = half_hours[half_hour];
  first = std::min(first, a.dialed_at);
  for (const absl::Time t : {a.dialed_at, a.ended_at, a.disposed_at}) {
    if (Happened(t)) last = std::max(last, t);
  }
  ++recorded.dials;
  if (a.trunk_fault) {
    ++half.faults;
    ++day.faults;
    return;
  }
  const double delay = Happened(a.ended_at) ? Seconds(a.dialed_at, a.ended_at) : 0;
  if (!Happened(a.answered_at)) {
    // Who hung up on the network's side before our limit gave a line back early.
    const bool rang_out =
        (a.outcome == "no_answer" && delay >= absl::ToDoubleSeconds(settings.dial_timeout) - 1) ||
        a.outcome == "cancelled";
    ++(rang_out ? half.no_answer : half.fail);
    ++(rang_out ? day.no_answer : day.fail);
    if (!rang_out && Happened(a.ended_at)) AddSample(spec.fail_delay, delay);
    return;
  }
  ++recorded.answered;
  recorded.abandoned += a.abandoned ? 1 : 0;
  if (!Happened(a.connected_at)) {
    ++half.unmet;
    ++day.unmet;
    return;
  }
  ++recorded.connected;
  const absl::Time ended = Happened(a.ended_at) ? a.ended_at : a.connected_at;
  const absl::Time disposed = Happened(a.disposed_at) ? a.disposed_at : ended;
  calls[a.agent].push_back({a.connected_at, disposed});
  recorded.busy_s += Seconds(a.connected_at, disposed);
  const double ring = Seconds(a.dialed_at, a.answered_at);
  if (IsMachine(a, settings.statuses)) {
    ++half.machines;
    ++day.machines;
    ++recorded.machines;
    AddSample(spec.machine_ring, ring);
    // Its wrap-up too: the dialer's scenarios have one law of wrap-up, that after persons.
    AddSample(spec.machine_talk, Seconds(a.connected_at, disposed));
    return;
  }
  const double talk = Seconds(a.connected_at, ended);
  ++half.persons;
  ++day.persons;
  half.talk_s += talk;
  ++half.talks;
  day.talk_s += talk;
  ++day.talks;
  recorded.talk_s += talk;
  recorded.sales += IsSale(a, settings.statuses) ? 1 : 0;
  caller_hung_up += a.term_reason == "CALLER" ? 1 : 0;
  AddSample(spec.person_ring, ring);
  AddSample(spec.talk, talk);
  AddSample(spec.wrap, Seconds(ended, disposed));
}

std::vector<Span> CampaignDay::Presence(absl::Duration& gap_mean, absl::Duration& break_min) const {
  std::map<AgentId, std::vector<Span>> sorted = calls;
  std::vector<double> waits;
  for (auto& [agent, spans] : sorted) {
    std::sort(spans.begin(), spans.end(),
              [](const Span& a, const Span& b) { return a.from < b.from; });
    for (size_t i = 1; i < spans.size(); ++i) {
      waits.push_back(Seconds(spans[i - 1].to, spans[i].from));
    }
  }
  // What is a break hangs on the mean wait, and the mean wait on what is a break.
  break_min = kWaitMost;
  for (int round = 0; round < 4; ++round) {
    double sum = 0, count = 0;
    for (const double wait : waits) {
      if (wait > absl::ToDoubleSeconds(break_min)) continue;
      sum += wait;
      ++count;
    }
    gap_mean = absl::Seconds(count > 0 ? sum / count : 0);
    break_min = std::clamp(kBreakGaps * gap_mean, kBreakLeast, kWaitMost);
  }
  std::vector<Span> present;
  for (const auto& [agent, spans] : sorted) {
    Span now{absl::InfinitePast(), absl::InfinitePast()};
    for (const Span& span : spans) {
      if (now.to != absl::InfinitePast() && span.from - now.to <= break_min) {
        now.to = std::max(now.to, span.to);
        continue;
      }
      if (now.to != absl::InfinitePast()) present.push_back(now);
      now = {std::max(span.from - gap_mean, std::min(first, span.from)), span.to};
    }
    if (now.to != absl::InfinitePast()) present.push_back(now);
  }
  return present;
}

// Shares of a stretch, drawn towards those of the day where it has few calls. Who met no agent is
// counted as the day's answers were: persons and machines in their proportion.
sim::OutcomeMix MixOf(const Counts& c, const Counts& day) {
  const double met = day.persons + day.machines;
  const double person = met > 0 ? day.persons / met : 1;
  const auto share = [&](double own, double of_day) {
    return (own + kPriorDials * of_day / day.dials()) / (c.dials() + kPriorDials);
  };
  sim::OutcomeMix mix;
  mix.person = share(c.persons + person * c.unmet, day.persons + person * day.unmet);
  mix.machine = share(c.machines + (1 - person) * c.unmet, day.machines + (1 - person) * day.unmet);
  mix.no_answer = share(c.no_answer, day.no_answer);
  mix.fail = std::max(0.0, 1 - mix.person - mix.machine - mix.no_answer);
  return mix;
}

// The campaign as a scenario, from `from` on in phases until `to`.
void Describe(CampaignDay& day, absl::Time midnight, absl::Time from, absl::Time to,
              const std::vector<Span>& present) {
  sim::ScenarioCampaign& spec = day.spec;
  spec.id = day.settings.id;
  spec.ring_time_max = day.settings.dial_timeout;
  spec.answer_limit = day.settings.drop_call_seconds;
  spec.abandon_ratio_max = day.settings.adaptive_dropped_percentage / 100;
  spec.wrap_after_machine = false;
  spec.amd.present = false;
  spec.mix = MixOf(day.day, day.day);
  const double talk_mean = day.day.talk_s / std::max(1.0, day.day.talks);
  for (absl::Time at = from; at < to; at += kStaffing) {
    const absl::Time end = at + kStaffing;
    double at_work_s = 0;
    for (const Span& span : present) {
      at_work_s += Seconds(std::max(at, span.from), std::max(at, std::min(end, span.to)));
    }
    sim::ScenarioPhase phase;
    phase.length = kStaffing;
    phase.agents = static_cast<int>(std::lround(at_work_s / absl::ToDoubleSeconds(kStaffing)));
    const auto found = day.half_hours.find(HalfHourOf(at, midnight));
    if (found != day.half_hours.end()) {
      const Counts& half = found->second;
      phase.mix = MixOf(half, day.day);
      phase.congestion = half.faults / std::max(1.0, half.faults + half.dials());
      if (talk_mean > 0) {
        phase.talk_scale =
            (half.talk_s + kPriorTalks * talk_mean) / ((half.talks + kPriorTalks) * talk_mean);
      }
    }
    spec.phases.push_back(std::move(phase));
  }
  spec.agents = spec.phases.empty() ? 0 : *spec.phases.front().agents;
}

absl::StatusOr<absl::CivilDay> DayOf(const std::string& text, absl::Time now, absl::TimeZone zone) {
  const absl::CivilDay today = absl::ToCivilDay(now, zone);
  absl::CivilDay day;
  if (text == "today") return today;
  if (text == "yesterday") return today - 1;
  if (absl::ParseCivilTime(text, &day)) return day;
  return absl::InvalidArgumentError(
      absl::StrCat("'", text, "' is no day; write 2026-11-21, today or yesterday"));
}

// "; there are calls from 2026-11-19 to 2026-11-21".
std::string DaysOf(const campaign::LeadStore& store, const CampaignId& campaign,
                   absl::TimeZone zone) {
  absl::Time first = absl::InfiniteFuture(), last = absl::InfinitePast();
  const absl::Status read = store.ForEachAttempt(
      absl::InfinitePast(), absl::InfiniteFuture(), [&](const Attempt& attempt) {
        if (!campaign.empty() && attempt.campaign != campaign) return true;
        first = std::min(first, attempt.dialed_at);
        last = std::max(last, attempt.dialed_at);
        return true;
      });
  if (!read.ok() || last == absl::InfinitePast()) return "; the store has none at all";
  return absl::StrCat("; there are some from ",
                      absl::FormatCivilTime(absl::ToCivilDay(first, zone)), " to ",
                      absl::FormatCivilTime(absl::ToCivilDay(last, zone)));
}

absl::StatusOr<absl::TimeZone> ZoneOf(const ReplayOptions& options,
                                      const std::vector<campaign::CampaignSettings>& campaigns) {
  if (!options.zone.empty()) return campaign::FindTimeZone(options.zone);
  bool found = options.campaign.empty();
  absl::TimeZone zone = campaigns.size() == 1 ? campaigns[0].report_zone : absl::UTCTimeZone();
  for (const campaign::CampaignSettings& settings : campaigns) {
    if (settings.id != options.campaign) continue;
    found = true;
    zone = settings.report_zone;
  }
  if (found) return zone;
  return absl::NotFoundError(
      absl::StrCat("no campaign is named '", options.campaign, "'; see: outpace campaign list"));
}

// One trunk for all when they share it, else what each has.
void LimitTrunks(const ReplayOptions& options, RecordedDay& out) {
  bool same = true;
  for (const campaign::CampaignSettings& settings : out.options.settings) {
    same &= settings.trunk == out.options.settings[0].trunk;
  }
  bool known = false;
  for (size_t c = 0; c < out.scenario.campaigns.size(); ++c) {
    for (const trunk::TrunkSettings& trunk : options.trunks) {
      if (trunk.name != out.options.settings[c].trunk) continue;
      known = true;
      (same ? out.options.lines_max : out.scenario.campaigns[c].lines_max) = trunk.calls_max;
      (same ? out.options.calls_per_second : out.scenario.campaigns[c].calls_per_second) =
          trunk.calls_per_second;
    }
  }
  if (!known)
    out.assumptions.push_back("the trunk has lines enough: its limits are not known here");
}

}  // namespace

absl::StatusOr<RecordedDay> ReadRecordedDay(const campaign::LeadStore& store,
                                            const ReplayOptions& options, absl::Time now) {
  auto campaigns = store.Campaigns();
  if (!campaigns.ok()) return campaigns.status();
  auto zone = ZoneOf(options, *campaigns);
  if (!zone.ok()) return zone.status();
  auto civil = DayOf(options.day, now, *zone);
  if (!civil.ok()) return civil.status();
  const absl::Time midnight = absl::FromCivil(*civil, *zone);
  const std::string when = absl::StrCat(absl::FormatCivilTime(*civil), " (", zone->name(), ")");

  std::map<CampaignId, CampaignDay> days;
  for (const campaign::CampaignSettings& settings : *campaigns) {
    if (options.campaign.empty() || settings.id == options.campaign) {
      days[settings.id].settings = settings;
    }
  }
  absl::Time first = absl::InfiniteFuture(), last = absl::InfinitePast();
  const absl::Status read = store.ForEachAttempt(
      midnight, absl::FromCivil(*civil + 1, *zone), [&](const Attempt& attempt) {
        const auto day = days.find(attempt.campaign);
        const bool counts = attempt.sent && !attempt.inbound && attempt.outcome != "unknown";
        if (day == days.end() || !counts) return true;
        day->second.Add(attempt, HalfHourOf(attempt.dialed_at, midnight));
        return true;
      });
  if (!read.ok()) return read;
  std::erase_if(days, [](const auto& entry) { return entry.second.recorded.dials == 0; });
  if (days.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no calls were placed on ", when, DaysOf(store, options.campaign, *zone)));
  }
  double caller_hung_up = 0, persons = 0, sales = 0;
  for (const auto& [id, day] : days) {
    if (day.day.persons < kPersonsMin) {
      return absl::FailedPreconditionError(absl::StrFormat(
          "campaign %s: agents met %.0f persons on %s; at least %d are needed to simulate a day "
          "like it (with several campaigns, choose one with --campaign)",
          id, day.day.persons, when, kPersonsMin));
    }
    first = std::min(first, day.first);
    last = std::max(last, day.last);
    caller_hung_up += day.caller_hung_up;
    persons += day.day.persons;
    sales += static_cast<double>(day.recorded.sales);
  }

  RecordedDay out;
  const absl::Time from = midnight + absl::Floor(first - midnight, kStaffing);
  const absl::Time to = midnight + absl::Ceil(last - midnight, kStaffing);
  absl::Duration gap_mean, break_min;
  for (auto& [id, day] : days) {
    const std::vector<Span> present = day.Presence(gap_mean, break_min);
    for (const Span& span : present) day.recorded.offered_s += Seconds(span.from, span.to);
    Describe(day, midnight, from, to, present);
    out.recorded += day.recorded;
    day.settings.local_call_time = *campaign::CallingWindow::Parse("24hours");
    out.options.settings.push_back(day.settings);
    out.scenario.campaigns.push_back(std::move(day.spec));
    out.assumptions.push_back(absl::StrFormat(
        "%s: agents were at work from %.0f s (the mean wait between calls) before their first call "
        "to their last disposition; a gap of more than %.0f min was a break",
        id, absl::ToDoubleSeconds(gap_mean), absl::ToDoubleMinutes(break_min)));
  }
  out.scenario.id = "replay";
  out.scenario.title =
      absl::StrCat("replay of ", when, ", ", absl::FormatTime("%H:%M", from, *zone), " to ",
                   absl::FormatTime("%H:%M", to, *zone));
  out.scenario.warm_up = absl::ZeroDuration();
  out.scenario.length = to - from;
  out.options.start = from;
  out.options.people.caller_hangs_up = caller_hung_up / persons;
  out.options.people.sales = sales / persons;
  out.assumptions.push_back(
      "the settings were those of now, but for the trunk and the hours of calling; nothing had "
      "been "
      "learned the day before");
  out.assumptions.push_back(
      "leads do not run out, and answer in each half hour as those that were dialed in it; who met "
      "no agent was a machine as often as those who did");
  LimitTrunks(options, out);
  return out;
}

}  // namespace outpace::runtime
