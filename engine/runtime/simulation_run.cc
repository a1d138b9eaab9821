#include "engine/runtime/simulation_run.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "campaign/disposition.h"
#include "engine/runtime/simulation.h"

namespace outpace::runtime {
namespace {

constexpr uint64_t kFirstNumber = 13035550000;
constexpr absl::Duration kHalfHour = absl::Minutes(30);
constexpr absl::Duration kSample = absl::Minutes(1);  // of the agents' time
constexpr absl::Duration kSupply = absl::Seconds(5);  // between looks at the stock of leads
constexpr int kPersonsMin = 20;                       // for a half hour's share to mean anything
constexpr int kNoLines = 1'000'000;                   // "no limit"
constexpr double kNoRate = 2000;

std::string TrunkName(const sim::ScenarioCampaign& spec) {
  const bool own = spec.lines_max > 0 || spec.calls_per_second > 0;
  return own ? absl::StrCat("carrier-", spec.id) : "carrier";
}

int Lines(int wanted) { return wanted > 0 ? wanted : kNoLines; }
double Rate(double wanted) { return wanted > 0 ? wanted : kNoRate; }

absl::StatusOr<campaign::CampaignSettings> SettingsOf(const sim::ScenarioCampaign& spec) {
  campaign::CampaignSettings settings;
  if (absl::Status s = settings.Set("campaign_id", spec.id); !s.ok()) return s;
  settings.adaptive_maximum_level = 20;  // the most it can be: the cap on abandonment shall bind
  settings.adaptive_dropped_percentage = 100 * spec.abandon_ratio_max;
  settings.drop_call_seconds = spec.answer_limit;
  settings.dial_timeout = spec.ring_time_max;
  settings.campaign_weight = std::clamp(static_cast<int>(std::lround(50 * spec.weight)), 1, 100);
  settings.campaign_priority = std::clamp(spec.priority, -99, 99);
  settings.local_call_time = *campaign::CallingWindow::Parse("24hours");
  return settings;
}

absl::StatusOr<std::vector<campaign::CampaignSettings>> AllSettings(
    const sim::Scenario& scenario, const ScenarioOptions& options) {
  std::vector<campaign::CampaignSettings> all = options.settings;
  if (all.empty()) {
    for (const sim::ScenarioCampaign& spec : scenario.campaigns) {
      auto settings = SettingsOf(spec);
      if (!settings.ok()) return settings.status();
      all.push_back(*std::move(settings));
    }
  }
  for (const SettingChange& change : options.changes) {
    bool found = false;
    for (campaign::CampaignSettings& settings : all) {
      if (!change.campaign.empty() && change.campaign != settings.id) continue;
      found = true;
      if (absl::Status s = settings.Set(change.name, change.value); !s.ok()) return s;
    }
    if (!found) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", change.campaign, "' is no campaign of this simulation"));
    }
  }
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].active = true;
    all[i].trunk = TrunkName(scenario.campaigns[i]);
    // Wrap-up is as long as the scenario says; no agent here forgets to end it.
    all[i].wrapup_seconds = std::max(all[i].wrapup_seconds, absl::Hours(1));
  }
  return all;
}

// One run from cold.
class ScenarioRun {
 public:
  ScenarioRun(const sim::Scenario& scenario, const ScenarioOptions& options, uint64_t seed,
              const std::vector<campaign::CampaignSettings>& settings, campaign::LeadStore* store);
  ScenarioResult Run();

 private:
  struct LeadRef {
    uint32_t campaign;
    uint32_t index;
    uint32_t segment;
    bool has_segment;
  };
  struct Feed {
    const sim::ScenarioCampaign* spec = nullptr;
    CampaignId id;
    std::unique_ptr<sim::Population> people;
    uint32_t leads = 0;                              // made so far
    std::optional<uint32_t> segment;                 // dialed now
    std::vector<campaign::List> lists;               // by first use
    std::map<uint32_t, int64_t> stock;               // never rung, by segment
    std::map<uint32_t, std::vector<uint64_t>> made;  // numbers, by segment
    std::optional<Rng> churn;
    agent::StateTimes seen;
    CampaignResult result;
  };

  static SimulationOptions WorldOf(const sim::Scenario& scenario, const ScenarioOptions& options,
                                   uint64_t seed,
                                   const std::vector<campaign::CampaignSettings>& settings);
  absl::Duration Elapsed() { return world_.world().now() - started_; }
  sim::CalleePlan Answer(const std::string& number, int number_of_call, MonoTime now);
  void OnPhase(size_t c);
  void OnChurn(size_t c);
  void OnSupply();
  void OnSample();
  void SwitchSegment(size_t c, std::optional<uint32_t> segment);
  ListId ListOf(Feed& feed);
  void Supply(Feed& feed, size_t c);
  FloorFigures& HalfHourAt(Feed& feed, absl::Duration since_warm_up);
  void ReadAttempts();
  bool Counts(absl::Time at) const { return at >= counted_from_ && at < counted_to_; }

  const sim::Scenario& scenario_;
  std::vector<LeadRef> leads_;          // by number
  absl::flat_hash_set<uint64_t> rung_;  // numbers
  Simulation world_;
  const MonoTime started_;
  const absl::Time counted_from_, counted_to_;
  std::vector<Feed> feeds_;
  std::unique_ptr<sim::SimLoop> loop_;
};

SimulationOptions ScenarioRun::WorldOf(const sim::Scenario& scenario,
                                       const ScenarioOptions& options, uint64_t seed,
                                       const std::vector<campaign::CampaignSettings>& settings) {
  SimulationOptions world;
  world.seed = seed;
  world.start = options.start;
  world.campaigns = settings;
  world.trunks.push_back({.name = "carrier",
                          .peer = kCarrierPeer,
                          .calls_per_second = Rate(options.calls_per_second),
                          .calls_max = Lines(options.lines_max)});
  int64_t agents = 0;
  for (const sim::ScenarioCampaign& spec : scenario.campaigns) {
    int most = spec.agents;
    for (const sim::ScenarioPhase& phase : spec.phases) {
      most = std::max(most, phase.agents.value_or(0));
    }
    agents += std::lround(most * (1 + spec.churn_share)) + 1;
    if (TrunkName(spec) == "carrier") continue;
    world.trunks.push_back({.name = TrunkName(spec),
                            .peer = kCarrierPeer,
                            .calls_per_second = Rate(spec.calls_per_second),
                            .calls_max = Lines(spec.lines_max)});
  }
  world.legs_max = static_cast<uint32_t>(std::clamp<int64_t>(30 * agents + 1000, 4000, 200'000));
  world.carrier.patience_mean = absl::ZeroDuration();
  world.carrier.agent_drop_mean = absl::ZeroDuration();
  return world;
}

ScenarioRun::ScenarioRun(const sim::Scenario& scenario, const ScenarioOptions& options,
                         uint64_t seed, const std::vector<campaign::CampaignSettings>& settings,
                         campaign::LeadStore* store)
    : scenario_(scenario),
      world_(WorldOf(scenario, options, seed, settings), store),
      started_(world_.world().now()),
      counted_from_(options.start + scenario.warm_up),
      counted_to_(counted_from_ + scenario.length),
      feeds_(scenario.campaigns.size()),
      loop_(world_.world().NewLoop()) {
  world_.carrier().set_callees([this](const std::string& number, int number_of_call, MonoTime now) {
    return Answer(number, number_of_call, now);
  });
  for (size_t c = 0; c < feeds_.size(); ++c) {
    Feed& feed = feeds_[c];
    feed.spec = &scenario.campaigns[c];
    feed.id = settings[c].id;
    feed.people = std::make_unique<sim::Population>(*feed.spec, seed, c, options.people);
    feed.result.id = feed.id;
    feed.result.dial_method = std::string(campaign::DialMethodName(settings[c].dial_method));
    feed.result.dropped_percentage = settings[c].adaptive_dropped_percentage;
    feed.churn.emplace(seed * 1'000'003 + c);
    const bool phases = feed.people->PhaseAt(absl::ZeroDuration()).has_value();
    if (phases) {
      loop_->After(absl::ZeroDuration(), [this, c] { OnPhase(c); });
    } else {
      loop_->After(absl::ZeroDuration(), [this, c] {
        SwitchSegment(c, std::nullopt);
        world_.Staff(feeds_[c].id, feeds_[c].spec->agents);
      });
    }
    if (feed.spec->churn_share > 0 && feed.spec->churn_every > absl::ZeroDuration()) {
      loop_->After(feed.spec->churn_every, [this, c] { OnChurn(c); });
    }
  }
  loop_->After(kSupply, [this] { OnSupply(); });
  loop_->After(kSample, [this] { OnSample(); });
}

sim::CalleePlan ScenarioRun::Answer(const std::string& number, int number_of_call, MonoTime now) {
  uint64_t digits = 0;
  OUTPACE_CHECK(absl::SimpleAtoi(number.substr(1), &digits));
  const LeadRef& lead = leads_.at(digits - kFirstNumber);
  Feed& feed = feeds_[lead.campaign];
  if (number_of_call == 1) --feed.stock[lead.segment];
  if (lead.has_segment) rung_.insert(digits);
  return feed.people->PlanOf(
      lead.index, number_of_call, now - started_,
      lead.has_segment ? std::optional<uint32_t>(lead.segment) : std::nullopt);
}

void ScenarioRun::OnPhase(size_t c) {
  Feed& feed = feeds_[c];
  const sim::ScenarioPhase& phase = feed.spec->phases[*feed.people->PhaseAt(Elapsed())];
  loop_->After(phase.length, [this, c] { OnPhase(c); });
  SwitchSegment(c, phase.segment);
  world_.Staff(feed.id, phase.agents.value_or(feed.spec->agents));
  if (phase.stalled) world_.Stall(phase.length);
}

void ScenarioRun::OnChurn(size_t c) {
  const sim::ScenarioCampaign& spec = *feeds_[c].spec;
  loop_->After(spec.churn_every, [this, c] { OnChurn(c); });
  const double factor = 1 + spec.churn_share * (2 * feeds_[c].churn->Uniform() - 1);
  world_.Staff(feeds_[c].id, static_cast<int>(std::lround(spec.agents * factor)));
}

ListId ScenarioRun::ListOf(Feed& feed) {
  const auto c = static_cast<uint64_t>(&feed - feeds_.data());
  return ListId(1000 * (c + 1) + feed.segment.value_or(0));
}

// What a manager does: `outpace lead list-on`, `list-off`.
void ScenarioRun::SwitchSegment(size_t c, std::optional<uint32_t> segment) {
  Feed& feed = feeds_[c];
  if (!feed.lists.empty() && feed.segment == segment) return;
  feed.segment = segment;
  const ListId now = ListOf(feed);
  bool known = false;
  for (campaign::List& list : feed.lists) {
    list.active = list.id == now;
    known |= list.active;
  }
  if (!known) {
    campaign::List list;
    list.id = now;
    list.name = absl::StrCat("segment ", segment.value_or(0));
    list.campaign = feed.id;
    feed.lists.push_back(std::move(list));
  }
  world_.PutLists(feed.lists);
  // Leads that were held back while their list was off.
  std::vector<campaign::Lead> freed;
  std::vector<uint64_t>& made = feed.made[segment.value_or(0)];
  std::erase_if(made, [this](uint64_t number) { return rung_.contains(number); });
  for (const uint64_t number : made) {
    auto lead = world_.store().GetLead(LeadId(number - kFirstNumber + 1));
    if (!lead.ok() || !lead->has_value() || (*lead)->hold_until == absl::InfinitePast()) continue;
    (*lead)->hold_until = absl::InfinitePast();
    freed.push_back(**std::move(lead));
  }
  world_.PutLeads(feed.id, freed);
  Supply(feed, c);
  world_.RefreshCampaign(feed.id);
}

// A list that never ends is loaded as it is used up; one of so many leads, at once.
void ScenarioRun::Supply(Feed& feed, size_t c) {
  const bool endless = feed.spec->leads == 0;
  int64_t wanted = std::max<int64_t>(400, 20 * feed.spec->agents);
  if (!endless) wanted = feed.leads == 0 ? feed.spec->leads : 0;
  int64_t& stock = feed.stock[feed.segment.value_or(0)];
  std::vector<campaign::Lead> fresh;
  for (; stock < wanted; ++stock) {
    const uint64_t number = kFirstNumber + leads_.size();
    campaign::Lead lead;
    lead.id = LeadId(leads_.size() + 1);
    lead.list = ListOf(feed);
    lead.campaign = feed.id;
    lead.phone = E164(number);
    lead.time_zones = {"UTC"};
    lead.entry_date = world_.world().clock().Wall();
    fresh.push_back(std::move(lead));
    if (feed.segment.has_value()) feed.made[*feed.segment].push_back(number);
    leads_.push_back({static_cast<uint32_t>(c), feed.leads++, feed.segment.value_or(0),
                      feed.segment.has_value()});
  }
  if (!fresh.empty()) world_.PutLeads(feed.id, fresh);
}

void ScenarioRun::OnSupply() {
  loop_->After(kSupply, [this] { OnSupply(); });
  for (size_t c = 0; c < feeds_.size(); ++c) Supply(feeds_[c], c);
}

FloorFigures& ScenarioRun::HalfHourAt(Feed& feed, absl::Duration since_warm_up) {
  const auto index = static_cast<size_t>(std::max<int64_t>(
      0, absl::ToInt64Milliseconds(since_warm_up) / absl::ToInt64Milliseconds(kHalfHour)));
  if (feed.result.half_hours.size() <= index) feed.result.half_hours.resize(index + 1);
  return feed.result.half_hours[index];
}

// The agents' time of the last minute.
void ScenarioRun::OnSample() {
  loop_->After(kSample, [this] { OnSample(); });
  const MonoTime now = world_.world().now();
  const absl::Duration counted = Elapsed() - scenario_.warm_up;
  for (Feed& feed : feeds_) {
    agent::StateTimes times = world_.controller().roster().TimesOf(feed.id, now);
    // A new day begins from zero.
    if (times.logged_in() < feed.seen.logged_in()) feed.seen = agent::StateTimes();
    const agent::StateTimes seen = std::exchange(feed.seen, times);
    if (counted <= absl::ZeroDuration() || counted > scenario_.length) continue;
    FloorFigures& half = HalfHourAt(feed, counted - kSample);
    const absl::Duration busy = times.talk + times.wrap - seen.talk - seen.wrap;
    const absl::Duration free = times.ready + times.reserved - seen.ready - seen.reserved;
    half.busy_s += absl::ToDoubleSeconds(busy);
    half.offered_s += absl::ToDoubleSeconds(busy + free);
  }
}

void ScenarioRun::ReadAttempts() {
  const auto read = [this](const campaign::Attempt& attempt) {
    if (!attempt.sent) return true;
    const auto feed = std::find_if(feeds_.begin(), feeds_.end(),
                                   [&](const Feed& f) { return f.id == attempt.campaign; });
    if (feed == feeds_.end()) return true;
    const auto half_at = [&](absl::Time at) -> FloorFigures& {
      return HalfHourAt(*feed, at - counted_from_);
    };
    if (Counts(attempt.dialed_at)) ++half_at(attempt.dialed_at).dials;
    if (!Counts(attempt.answered_at)) return true;
    FloorFigures& half = half_at(attempt.answered_at);
    ++half.answered;
    if (attempt.abandoned) {
      ++half.abandoned;
      const sim::SimInvite* invite = world_.carrier().FindInvite(attempt.call_id);
      if (invite != nullptr && invite->plan.machine) ++half.abandoned_machines;
    }
    if (attempt.connected_at == absl::InfinitePast()) return true;
    ++half.connected;
    const campaign::Disposition* disposition = campaign::FindDisposition(attempt.status);
    if (disposition != nullptr && disposition->answering_machine) {
      ++half.machines;
      return true;
    }
    if (disposition != nullptr && disposition->sale) ++half.sales;
    const absl::Time ended =
        attempt.ended_at == absl::InfinitePast() ? counted_to_ : attempt.ended_at;
    half.talk_s += absl::ToDoubleSeconds(std::min(ended, counted_to_) - attempt.connected_at);
    return true;
  };
  OUTPACE_CHECK(
      world_.store().ForEachAttempt(absl::InfinitePast(), absl::InfiniteFuture(), read).ok());
}

ScenarioResult ScenarioRun::Run() {
  world_.RunFor(scenario_.warm_up + scenario_.length);
  ReadAttempts();
  ScenarioResult result;
  const BoardSnapshot board = world_.controller().Board();
  for (Feed& feed : feeds_) {
    for (const CampaignFigures& figures : board.campaigns) {
      if (figures.id == feed.id) feed.result.idle_reason = figures.idle_reason;
    }
    if (!board.stopped_reason.empty()) feed.result.idle_reason = board.stopped_reason;
    for (const FloorFigures& half : feed.result.half_hours) feed.result.total += half;
    const bool over =
        100 * feed.result.total.AbandonRatio() > feed.result.dropped_percentage + 1e-9;
    feed.result.runs_over = over ? 1 : 0;
    result.campaigns.push_back(std::move(feed.result));
  }
  result.simulated = scenario_.warm_up + scenario_.length;
  result.events = world_.world().events_run();
  result.trace_hash = world_.world().trace_hash();
  return result;
}

void Fold(const ScenarioResult& one, ScenarioResult& sum) {
  for (size_t c = 0; c < one.campaigns.size(); ++c) {
    CampaignResult& campaign = sum.campaigns[c];
    campaign.total += one.campaigns[c].total;
    campaign.runs_over += one.campaigns[c].runs_over;
    campaign.half_hours.insert(campaign.half_hours.end(), one.campaigns[c].half_hours.begin(),
                               one.campaigns[c].half_hours.end());
  }
  ++sum.runs;
  sum.simulated += one.simulated;
  sum.events += one.events;
  sum.trace_hash = (sum.trace_hash ^ one.trace_hash) * 0x100000001b3ULL;
}

}  // namespace

double FloorFigures::AbandonRatio() const {
  const int64_t persons = connected - machines + abandoned;
  return persons > 0 ? static_cast<double>(abandoned) / static_cast<double>(persons) : 0;
}

FloorFigures& FloorFigures::operator+=(const FloorFigures& other) {
  dials += other.dials;
  answered += other.answered;
  connected += other.connected;
  abandoned += other.abandoned;
  sales += other.sales;
  machines += other.machines;
  abandoned_machines += other.abandoned_machines;
  offered_s += other.offered_s;
  busy_s += other.busy_s;
  talk_s += other.talk_s;
  return *this;
}

double CampaignResult::WorstHalfHour() const {
  double worst = 0;
  for (const FloorFigures& half : half_hours) {
    if (half.connected - half.machines + half.abandoned < kPersonsMin) continue;
    worst = std::max(worst, half.AbandonRatio());
  }
  return worst;
}

FloorFigures ScenarioResult::Total() const {
  FloorFigures total;
  for (const CampaignResult& campaign : campaigns) total += campaign.total;
  return total;
}

absl::StatusOr<std::vector<SettingChange>> ParseSettingChanges(absl::string_view text) {
  std::vector<SettingChange> changes;
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipWhitespace())) {
    const size_t equals = word.find('=');
    if (equals == absl::string_view::npos || equals == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", word,
                       "' is no setting; write NAME=VALUE or CAMPAIGN:NAME=VALUE, for "
                       "example adaptive_dropped_percentage=2"));
    }
    SettingChange change;
    absl::string_view name = word.substr(0, equals);
    const size_t colon = name.find(':');
    if (colon != absl::string_view::npos) {
      change.campaign = std::string(name.substr(0, colon));
      name.remove_prefix(colon + 1);
    }
    change.name = std::string(name);
    change.value = std::string(word.substr(equals + 1));
    changes.push_back(std::move(change));
  }
  return changes;
}

absl::StatusOr<ScenarioResult> RunScenario(const sim::Scenario& scenario,
                                           const ScenarioOptions& options,
                                           campaign::LeadStore* store) {
  if (scenario.campaigns.empty()) {
    return absl::InvalidArgumentError("the scenario has no campaign");
  }
  if (scenario.shared_agents > 0) {
    return absl::UnimplementedError(absl::StrCat(
        "the scenario has ", scenario.shared_agents,
        " agents who take calls of every campaign; in Outpace an agent works for one campaign at a "
        "time. Set shared_agents = 0 to simulate the others"));
  }
  auto settings = AllSettings(scenario, options);
  if (!settings.ok()) return settings.status();
  ScenarioResult sum = ScenarioRun(scenario, options, options.seed, *settings, store).Run();
  for (int i = 1; i < scenario.repeats; ++i) {
    const uint64_t seed = options.seed + static_cast<uint64_t>(i) * 0x9e3779b97f4a7c15ULL;
    Fold(ScenarioRun(scenario, options, seed, *settings, nullptr).Run(), sum);
  }
  return sum;
}

std::vector<std::string> ScenarioNotes(const sim::Scenario& scenario,
                                       const ScenarioOptions& options) {
  bool amd = false, machines = false, forecasts = false, long_day = false;
  for (const sim::ScenarioCampaign& spec : scenario.campaigns) {
    amd |= spec.amd.present;
    machines |= spec.mix.machine > 0;
    forecasts |= spec.forecast_correlation > 0;
  }
  long_day = scenario.warm_up + scenario.length > absl::Hours(15);
  std::vector<std::string> notes;
  if (amd && machines && !options.people.network_amd) {
    notes.push_back(
        "Answering-machine detection tells the agent and leaves the rest to it "
        "(cpd_amd_action=FLAG). "
        "--set amd_mode=BLOCKING --set cpd_amd_action=DISPO keeps machines from agents; "
        "--network-amd lets the carrier take off those that the scenario's AMD would catch.");
  }
  if (amd && machines && options.people.network_amd) {
    notes.push_back(
        "Machines that the scenario's AMD would catch end at the carrier, which answers 480: to "
        "the dialer they are \"no answer\". Its delay and false alarms are not simulated.");
  }
  if (forecasts) {
    notes.push_back("Leads are alike: no forecasts of who will answer are drawn or told.");
  }
  if (long_day) {
    notes.push_back("The day turns at midnight: caps that are counted by the day start anew.");
  }
  return notes;
}

}  // namespace outpace::runtime
