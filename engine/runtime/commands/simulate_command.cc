// simulate: days of dialing in seconds, from a scenario or from what was recorded.

#include <time.h>

#include <cstdio>
#include <filesystem>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "campaign/activity_log.h"
#include "campaign/settings.h"
#include "campaign/store/memory_lead_store.h"
#include "campaign/store/rocks_lead_store.h"
#include "engine/runtime/commands/options.h"
#include "engine/runtime/config.h"
#include "engine/runtime/files.h"
#include "engine/runtime/real_clock.h"
#include "engine/runtime/replay.h"
#include "engine/runtime/simulation_run.h"
#include "engine/runtime/simulation_table.h"

namespace outpace::runtime {
namespace {

namespace po = boost::program_options;

// What is simulated, and how.
struct Plan {
  sim::Scenario scenario;
  ScenarioOptions options;
  std::string heading;
  std::string first = "as set";      // name of the first column
  std::vector<std::string> assumed;  // said before the table
  FloorFigures recorded;             // of a replay
  bool replay = false;
};

double CpuSeconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// A floor told in a few numbers.
absl::StatusOr<Plan> QuickPlan(const Options& options) {
  const int agents = options.Get<int>("agents");
  const int minutes = options.Get<int>("minutes");
  const double person = options.Get<double>("answer-ratio");
  const double machine = options.Get<double>("machines");
  const double talk = options.Get<double>("talk");
  const double wrap = options.Get<double>("wrap");
  if (agents < 1 || agents > 5000 || minutes < 1 || minutes > 1440) {
    return absl::InvalidArgumentError("--agents must be 1 to 5000, --minutes 1 to 1440");
  }
  if (!(person >= 0 && person <= 0.5) || !(machine >= 0 && machine <= 0.35)) {
    return absl::InvalidArgumentError("--answer-ratio must be 0 to 0.5, --machines 0 to 0.35");
  }
  if (!(talk >= 1) || !(wrap >= 0.1)) {
    return absl::InvalidArgumentError("--talk must be at least 1, --wrap at least 0.1");
  }
  using Kind = sim::DelayLaw::Kind;
  const auto law = [](Kind kind, double fixed, double mean, double cv, int stages) {
    sim::DelayLaw made;
    made.kind = kind;
    made.fixed_s = fixed;
    made.mean_s = mean;
    made.cv = cv;
    made.stages = stages;
    return made;
  };
  sim::ScenarioCampaign campaign;
  campaign.agents = agents;
  const double fail = 0.15;
  campaign.mix = {person, machine, 1 - person - machine - fail, fail};
  campaign.person_ring = law(Kind::kErlang, 2, 9, 0, 3);
  campaign.machine_ring = law(Kind::kErlang, 2, 18, 0, 4);
  campaign.fail_delay = law(Kind::kExponential, 1, 4, 0, 1);
  campaign.talk = law(Kind::kLognormal, 0, talk, 0.8, 1);
  campaign.machine_talk = law(Kind::kConstant, 0, 12, 0, 1);
  campaign.wrap = law(Kind::kLognormal, 0, wrap, 0.5, 1);
  campaign.amd.present = false;
  Plan plan;
  plan.scenario.campaigns = {campaign};
  plan.scenario.warm_up = absl::ZeroDuration();
  plan.scenario.length = absl::Minutes(minutes);
  plan.heading = absl::StrCat(agents, " agents, ", minutes, " minutes");
  return plan;
}

absl::StatusOr<Plan> ScenarioPlan(const std::string& path) {
  auto text = ReadFile(path);
  if (!text.ok()) return text.status();
  auto scenario = sim::ParseScenario(*text);
  if (!scenario.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", scenario.status().message()));
  }
  Plan plan;
  plan.scenario = *std::move(scenario);
  plan.heading = absl::StrCat(plan.scenario.id, ": ", plan.scenario.title);
  return plan;
}

absl::StatusOr<Plan> ReplayPlan(const Options& options) {
  store::RocksStoreOptions store_options;
  store_options.create_if_missing = false;
  store_options.read_only = true;
  ReplayOptions replay;
  if (options.Has("data")) {
    store_options.path = options.Text("data") + "/store";
  } else {
    auto config = LoadConfig(options.ConfigPath());
    if (!config.ok()) return config.status();
    store_options.path = config->StorePath();
    replay.trunks = config->trunks;
  }
  auto store = store::RocksLeadStore::Open(store_options);
  if (!store.ok()) return store.status();
  replay.campaign = options.Text("campaign");
  replay.zone = options.Text("zone");
  replay.day = options.Text("replay");
  auto day = ReadRecordedDay(**store, replay, RealClock().Wall());
  if (!day.ok()) return day.status();
  Plan plan;
  plan.scenario = std::move(day->scenario);
  plan.options = std::move(day->options);
  plan.heading = plan.scenario.title;
  plan.first = "simulated with the settings of today";
  plan.assumed = std::move(day->assumptions);
  plan.recorded = day->recorded;
  plan.replay = true;
  return plan;
}

absl::StatusOr<Plan> MakePlan(const Options& options) {
  auto plan = options.Has("replay")     ? ReplayPlan(options)
              : options.Has("scenario") ? ScenarioPlan(options.Text("scenario"))
                                        : QuickPlan(options);
  if (!plan.ok()) return plan;
  plan->options.seed = options.Get<uint64_t>("seed");
  plan->options.people.network_amd = options.Has("network-amd");
  if (options.Has("hours")) {
    const double hours = options.Get<double>("hours");
    if (!(hours > 0 && hours <= 1000)) {
      return absl::InvalidArgumentError("--hours must be above 0, at most 1000");
    }
    plan->scenario.length = absl::Hours(hours);
  }
  if ((options.Has("lines") && options.Get<int>("lines") < 1) ||
      (options.Has("cps") && !(options.Get<double>("cps") > 0))) {
    return absl::InvalidArgumentError("--lines must be at least 1, --cps above 0");
  }
  if (options.Has("lines")) plan->options.lines_max = options.Get<int>("lines");
  if (options.Has("cps")) plan->options.calls_per_second = options.Get<double>("cps");
  std::vector<std::string> set = options.Texts("set");
  // A replay changes nothing in its first column: what was recorded is what it is compared with.
  if (!plan->replay) {
    if (options.Has("limit")) {
      set.push_back(absl::StrCat("adaptive_dropped_percentage=", options.Text("limit")));
    }
    if (options.Has("method")) set.push_back(absl::StrCat("dial_method=", options.Text("method")));
    auto changes = ParseSettingChanges(absl::StrJoin(set, " "));
    if (!changes.ok()) return changes.status();
    plan->options.changes = *std::move(changes);
  }
  return plan;
}

// The other columns: each --compare by itself; in a replay also all --set together.
absl::StatusOr<std::vector<Variant>> RunAll(const Plan& plan, const Options& options,
                                            campaign::LeadStore* store) {
  std::vector<Variant> variants;
  const auto run = [&](const std::string& name, const std::string& changes) -> absl::Status {
    campaign::LeadStore* const records = variants.empty() ? store : nullptr;
    ScenarioOptions changed = plan.options;
    auto parsed = ParseSettingChanges(changes);
    if (!parsed.ok()) return parsed.status();
    changed.changes.insert(changed.changes.end(), parsed->begin(), parsed->end());
    auto result = RunScenario(plan.scenario, changed, records);
    if (!result.ok()) return result.status();
    variants.push_back({name, *std::move(result)});
    return absl::OkStatus();
  };
  if (absl::Status s = run(plan.first, ""); !s.ok()) return s;
  if (plan.replay && options.Has("set")) {
    const std::string all = absl::StrJoin(options.Texts("set"), " ");
    if (absl::Status s = run(all, all); !s.ok()) return s;
  }
  for (const std::string& changes : options.Texts("compare")) {
    if (absl::Status s = run(changes, changes); !s.ok()) return s;
  }
  return variants;
}

// Copies a simulated day into a data directory of its own, where every command finds it.
absl::Status Record(const campaign::LeadStore& from, const std::string& directory) {
  store::RocksStoreOptions options;
  options.path = directory + "/store";
  options.now = RealClock().Wall();
  if (std::filesystem::exists(options.path)) {
    return absl::AlreadyExistsError(
        absl::StrCat(options.path, " is there already; name a directory without one"));
  }
  std::error_code made;
  std::filesystem::create_directories(directory, made);
  if (made) return absl::UnavailableError(absl::StrCat(directory, ": ", made.message()));
  auto to = store::RocksLeadStore::Open(options);
  if (!to.ok()) return to.status();
  constexpr size_t kBatch = 1000;
  campaign::StoreBatch batch;
  batch.campaigns = *from.Campaigns();
  batch.lists = *from.Lists();
  batch.agents = *from.Agents();
  absl::Status status;
  const auto put = [&](bool all) {
    const size_t records = batch.leads.size() + batch.attempts.size() + batch.activities.size();
    if (!all && records < kBatch) return true;
    status = (*to)->CommitUnsynced(std::exchange(batch, {}));
    return status.ok();
  };
  uint64_t last_lead = 0, last_attempt = 0;
  absl::Status read = from.ForEachLead([&](const campaign::Lead& lead) {
    last_lead = std::max(last_lead, lead.id.value());
    batch.leads.push_back(lead);
    return put(false);
  });
  if (read.ok() && status.ok()) {
    read = from.ForEachAttempt(absl::InfinitePast(), absl::InfiniteFuture(),
                               [&](const campaign::Attempt& attempt) {
                                 last_attempt = std::max(last_attempt, attempt.id.value());
                                 batch.attempts.push_back(attempt);
                                 return put(false);
                               });
  }
  if (read.ok() && status.ok()) {
    read = from.ForEachActivity(absl::InfinitePast(), absl::InfiniteFuture(),
                                [&](const campaign::AgentActivity& activity) {
                                  batch.activities.push_back(activity);
                                  return put(false);
                                });
  }
  if (!read.ok()) return read;
  if (const auto known = from.GetMeta(campaign::kActivitiesKnownKey); known.ok()) {
    batch.meta[campaign::kActivitiesKnownKey] = known->value_or("");
  }
  if (status.ok()) put(true);
  if (status.ok()) status = (*to)->SyncWrites();
  if (!status.ok()) return status;
  // So that an engine that is started on it gives out new ones.
  if (last_lead > 0) status = (*to)->ReserveLeadIds(last_lead).status();
  if (status.ok() && last_attempt > 0) status = (*to)->ReserveAttemptIds(last_attempt).status();
  return status;
}

std::string RecordedLine(const FloorFigures& f) {
  return absl::StrFormat(
      "recorded: %d dials, %d answered, %d connected (%d machines), %d abandoned (%.2f %%), %d "
      "sales,\n  occupancy %.1f %% of %.1f agent hours, %.1f talk min per agent hour\n",
      f.dials, f.answered, f.connected, f.machines, f.abandoned, 100 * f.AbandonRatio(), f.sales,
      100 * f.Occupancy(), f.offered_s / 3600, f.TalkMinutesPerHour());
}

}  // namespace

int RunSimulateCommand(const Arguments& arguments) {
  Options options(
      "outpace simulate [--scenario FILE | --replay DAY | --agents N] [--set NAME=VALUE]",
      "Runs the whole dialer (pacing, gate, agents, call states, store) against a simulated "
      "carrier\n"
      "in virtual time. The same seed gives the same result on every machine, and the same people\n"
      "answer whatever the settings are. docs/SIMULATE.md tells how to read it.\n\n"
      "  outpace simulate --agents 20 --minutes 60 --answer-ratio 0.25 --talk 180 --wrap 20\n"
      "  outpace simulate --scenario bench/scenarios/S01.scenario --hours 2 --compare "
      "adaptive_dropped_percentage=2\n"
      "  outpace simulate --replay yesterday --set adaptive_dropped_percentage=2\n");
  options.Add()("scenario", po::value<std::string>(), "scenario file (docs/SCENARIOS.md)")(
      "replay", po::value<std::string>(),
      "simulate a recorded day: 2026-11-21, today or yesterday; the engine may run meanwhile")(
      "data", po::value<std::string>(), "with --replay: data directory, in place of --config")(
      "campaign", po::value<std::string>(), "with --replay: only this campaign")(
      "zone", po::value<std::string>(),
      "with --replay: IANA time zone of the day (default: the campaign's report zone)")(
      "set", po::value<std::vector<std::string>>(),
      "a campaign setting, NAME=VALUE or CAMPAIGN:NAME=VALUE; with --replay: shown beside the day "
      "as it was; repeatable")(
      "compare", po::value<std::vector<std::string>>(),
      "run the same people with these settings too, and show the difference; repeatable")(
      "hours", po::value<double>(), "simulated hours, in place of the scenario's length")(
      "seed", po::value<uint64_t>()->default_value(1), "random seed")("lines", po::value<int>(),
                                                                      "lines of the common trunk")(
      "cps", po::value<double>(), "calls per second of the common trunk")(
      "network-amd", "the carrier takes off the machines that the scenario's AMD would catch")(
      "csv", po::value<std::string>(),
      "write the figures here too, by half hour; - instead of the "
      "table")(
      "record", po::value<std::string>(),
      "keep the calls of the (first) run in this new data directory, for export or --replay")(
      "agents", po::value<int>()->default_value(20), "agents, 1 to 5000")(
      "minutes", po::value<int>()->default_value(60), "simulated minutes, 1 to 1440")(
      "answer-ratio", po::value<double>()->default_value(0.2), "share of persons, 0 to 0.5")(
      "machines", po::value<double>()->default_value(0.1),
      "share of answering machines, 0 to 0.35")("talk", po::value<double>()->default_value(180),
                                                "mean talk time in seconds")(
      "wrap", po::value<double>()->default_value(20), "mean wrap-up in seconds")(
      "limit", po::value<std::string>(), "abandonment limit in percent")(
      "method", po::value<std::string>(), "dial_method");
  if (auto code = options.Parse(arguments)) return *code;
  if (options.Has("scenario") && options.Has("replay")) {
    return Misuse(options.usage(), "--scenario or --replay, not both");
  }
  auto plan = MakePlan(options);
  if (!plan.ok()) return Fail(plan.status());
  store::MemoryLeadStore records;
  const std::string record = options.Text("record");
  const double before = CpuSeconds();
  auto variants = RunAll(*plan, options, record.empty() ? nullptr : &records);
  if (!variants.ok()) return Fail(variants.status());
  const double spent = CpuSeconds() - before;
  if (!record.empty()) {
    if (absl::Status s = Record(records, record); !s.ok()) return Fail(s);
  }

  const std::string csv = options.Text("csv");
  if (csv == "-") {
    std::fputs(ResultCsv(*variants).c_str(), stdout);
    return kDone;
  }
  const ScenarioResult& first = variants->front().result;
  std::string text = absl::StrFormat(
      "%s\nseed %d, %s counted after %s of warm-up", plan->heading, plan->options.seed,
      absl::FormatDuration(plan->scenario.length), absl::FormatDuration(plan->scenario.warm_up));
  if (first.runs > 1) absl::StrAppend(&text, ", ", first.runs, " runs from cold");
  absl::StrAppend(&text, "\n");
  for (const std::string& note : ScenarioNotes(plan->scenario, plan->options)) {
    absl::StrAppend(&text, "note: ", note, "\n");
  }
  for (const std::string& assumed : plan->assumed) {
    absl::StrAppend(&text, "assumed: ", assumed, "\n");
  }
  if (plan->replay) absl::StrAppend(&text, RecordedLine(plan->recorded));
  absl::StrAppend(&text, "\n", ResultTable(*variants));
  std::fputs(text.c_str(), stdout);
  if (!csv.empty()) {
    auto file = AtomicFile::Create(csv);
    if (!file.ok()) return Fail(file.status());
    if (absl::Status s = (*file)->Write(ResultCsv(*variants)); !s.ok()) return Fail(s);
    if (absl::Status s = (*file)->Commit(); !s.ok()) return Fail(s);
  }
  // Not to stdout: that is the same on every machine.
  double simulated = 0;
  uint64_t events = 0;
  for (const Variant& variant : *variants) {
    simulated += absl::ToDoubleSeconds(variant.result.simulated);
    events += variant.result.events;
  }
  std::fprintf(stderr, "%.1f h simulated in %.2f s of CPU: %.0f times real time, %.0f events/s\n",
               simulated / 3600, spent, simulated / std::max(spent, 1e-9),
               static_cast<double>(events) / std::max(spent, 1e-9));
  return kDone;
}

}  // namespace outpace::runtime
