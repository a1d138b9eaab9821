#include "bench/pacing/suite.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <utility>

#include "bench/pacing/rules.h"
#include "bench/pacing/tuning.h"
#include "engine/base/check.h"
#include "engine/pacing/pacer.h"

namespace outpace::lab {
namespace {

// One configuration for all scenarios: told the caps and nothing else.
std::unique_ptr<pacing::Policy> MakeOutpace(const Floor& floor, size_t campaign) {
  const sim::ScenarioCampaign& spec = floor.scenario().campaigns[campaign];
  pacing::PacerSettings settings;
  settings.method = pacing::DialMethod::kPredictive;
  settings.dial_level_max = 1000;
  settings.abandon_ratio_max = spec.abandon_ratio_max;
  settings.answer_limit = spec.answer_limit;
  settings.ring_time_max = spec.ring_time_max;
  return std::make_unique<pacing::Pacer>(settings);
}

VicidialSettings AvailableOnly() {
  VicidialSettings settings;
  settings.available_only = true;
  return settings;
}

Floor::PolicyMaker Lookahead(double theta, Foresight foresight) {
  if (theta <= 0) return nullptr;
  return TrueLookahead(theta, foresight);
}

constexpr SuitePolicy kPolicies[] = {
    {"outpace", "Outpace", false, true,
     [](const Hindsight*) -> Floor::PolicyMaker { return MakeOutpace; }},
    {"frontier", "(d) frontier: true laws, hindsight", true, true,
     [](const Hindsight* row) { return Lookahead(row->theta, Foresight::kNone); }},
    {"vicidial_best", "(c*) VICIdial-like, best in hindsight", true, true,
     [](const Hindsight* row) { return Vicidial(row->vicidial); }},
    {"lines_best", "(b*) lines per free agent, best in hindsight", true, true,
     [](const Hindsight* row) { return LinesPerAgent(row->lines); }},
    {"vicidial", "(c) VICIdial-like, default", false, true,
     [](const Hindsight*) { return Vicidial({}); }},
    {"vicidial_avail", "(c1) VICIdial-like, available-only", false, false,
     [](const Hindsight*) { return Vicidial(AvailableOnly()); }},
    {"issabel", "Issabel-like", false, false, [](const Hindsight*) { return Issabel(); }},
    {"open_loop", "open loop at the M/M/N+D load", false, false,
     [](const Hindsight*) { return OpenLoop(); }},
    {"progressive", "(a) progressive 1:1", false, true,
     [](const Hindsight*) { return Progressive(); }},
    {"finish_known", "(e1) frontier that knows finish times", true, false,
     [](const Hindsight* row) { return Lookahead(row->theta_finish, Foresight::kFinishTimes); }},
    {"answers_known", "(e2) frontier that knows who answers", true, false,
     [](const Hindsight* row) { return Lookahead(row->theta_answers, Foresight::kWhoAnswers); }},
};

// Passes everything on; times some of the decisions and counts persons by the minute.
class Probe final : public pacing::Policy {
 public:
  Probe(std::unique_ptr<pacing::Policy> inner, double (*cpu_seconds)(), Run& run)
      : inner_(std::move(inner)), cpu_seconds_(cpu_seconds), run_(run) {}

  void OnDialed(AttemptId id, const pacing::LeadTraits& lead, MonoTime now) override {
    inner_->OnDialed(id, lead, now);
  }
  void OnAnswered(AttemptId id, MonoTime now) override { inner_->OnAnswered(id, now); }
  void OnResolved(AttemptId id, pacing::AttemptResult result, MonoTime now) override {
    inner_->OnResolved(id, result, now);
  }
  void OnConnected(AttemptId id, MonoTime now) override {
    ++MinuteAt(now).connected;
    inner_->OnConnected(id, now);
  }
  void OnAbandoned(AttemptId id, MonoTime now) override {
    ++MinuteAt(now).abandoned;
    inner_->OnAbandoned(id, now);
  }
  void OnWasMachine(AttemptId id) override { inner_->OnWasMachine(id); }
  void OnTalkEnded(AttemptId id, absl::Duration talk, MonoTime now) override {
    inner_->OnTalkEnded(id, talk, now);
  }
  void OnWrapEnded(absl::Duration wrap, MonoTime now) override { inner_->OnWrapEnded(wrap, now); }
  pacing::Decision Decide(const pacing::PacingInput& input, MonoTime now) override {
    // Reading the clock costs about as much as a small decision: one in eight is timed.
    if (cpu_seconds_ == nullptr || decisions_++ % 8 != 0) return inner_->Decide(input, now);
    const double before = cpu_seconds_();
    const pacing::Decision decision = inner_->Decide(input, now);
    run_.timed_s += cpu_seconds_() - before;
    ++run_.timed;
    return decision;
  }

 private:
  MinuteCount& MinuteAt(MonoTime now) {
    const auto minute = static_cast<size_t>((now - MonoTime()) / absl::Minutes(1));
    if (run_.minutes.size() <= minute) run_.minutes.resize(minute + 1);
    return run_.minutes[minute];
  }

  std::unique_ptr<pacing::Policy> inner_;
  double (*cpu_seconds_)();
  Run& run_;
  int64_t decisions_ = 0;
};

// What Floor is to run, and where its results go.
struct Job {
  size_t scenario = 0;
  size_t policy = 0;
  uint64_t seed = 0;
  int repeat = 0;
  Floor::PolicyMaker make;
  size_t first_run = 0;
};

const Hindsight* RowOf(const SuiteSettings& settings, const sim::Scenario& scenario) {
  const auto row = settings.hindsight.find(scenario.id);
  return row == settings.hindsight.end() ? nullptr : &row->second;
}

void RunJob(const SuiteSettings& settings, const Job& job, std::vector<Run>& runs) {
  const sim::Scenario& scenario = settings.scenarios[job.scenario];
  for (size_t c = 0; c < scenario.campaigns.size(); ++c) {
    Run& run = runs[job.first_run + c];
    run.scenario = job.scenario;
    run.policy = job.policy;
    run.seed = job.seed;
    run.repeat = job.repeat;
    run.campaign = c;
    run.abandon_ratio_max = scenario.campaigns[c].abandon_ratio_max;
  }
  Floor floor(scenario, RepeatSeed(job.seed, job.repeat), [&](const Floor& made, size_t c) {
    return std::make_unique<Probe>(job.make(made, c), settings.cpu_seconds,
                                   runs[job.first_run + c]);
  });
  floor.Run();
  for (size_t c = 0; c < scenario.campaigns.size(); ++c) {
    runs[job.first_run + c].result = floor.result(c);
  }
}

}  // namespace

absl::Span<const SuitePolicy> SuitePolicies() { return kPolicies; }

const SuitePolicy* FindSuitePolicy(absl::string_view name) {
  for (const SuitePolicy& policy : kPolicies) {
    if (policy.name == name) return &policy;
  }
  return nullptr;
}

std::vector<Run> RunSuite(const SuiteSettings& settings) {
  std::vector<Job> jobs;
  size_t run_count = 0;
  for (size_t s = 0; s < settings.scenarios.size(); ++s) {
    const sim::Scenario& scenario = settings.scenarios[s];
    const Hindsight* row = RowOf(settings, scenario);
    for (size_t p = 0; p < settings.policies.size(); ++p) {
      if (settings.policies[p]->hindsight && row == nullptr) continue;
      Floor::PolicyMaker make = settings.policies[p]->make(row);
      if (!make) continue;
      for (int seed = 1; seed <= settings.seeds; ++seed) {
        for (int repeat = 0; repeat < scenario.repeats; ++repeat) {
          jobs.push_back({s, p, static_cast<uint64_t>(seed), repeat, make, run_count});
          run_count += scenario.campaigns.size();
        }
      }
    }
  }
  std::vector<Run> runs(run_count);
  std::mutex mutex;
  size_t done = 0;
  RunParallel(jobs.size(), settings.threads, [&](size_t i) {
    RunJob(settings, jobs[i], runs);
    const std::lock_guard<std::mutex> lock(mutex);
    ++done;
    if (settings.on_progress) settings.on_progress(done, jobs.size());
  });
  return runs;
}

int MinutesToSettle(absl::Span<const double> occupancy, double reference, size_t stay) {
  constexpr size_t kMean = 3;
  const auto near = [&](size_t at) {
    double sum = 0;
    for (size_t i = at; i < at + kMean; ++i) sum += occupancy[i];
    return std::abs(sum / kMean - reference) <= 0.01;
  };
  for (size_t m = 0; m + stay + kMean - 1 <= occupancy.size(); ++m) {
    size_t stayed = 0;
    while (stayed < stay && near(m + stayed)) ++stayed;
    if (stayed == stay) return static_cast<int>(m);
  }
  return -1;
}

std::vector<Response> RunResponse(const SuiteSettings& settings, const sim::Scenario& scenario) {
  constexpr size_t kBefore = 10;  // minutes
  constexpr size_t kAfter = 40;
  constexpr size_t kSteadyFrom = 25;
  constexpr double kCircles = 12;
  if (scenario.campaigns.size() != 1) return {};
  const std::vector<sim::ScenarioPhase>& phases = scenario.campaigns[0].phases;
  absl::Duration circle;
  for (const sim::ScenarioPhase& phase : phases) {
    if (!phase.mix.has_value() || phase.length < absl::Minutes(static_cast<int>(kAfter))) return {};
    circle += phase.length;
  }
  if (phases.size() < 2) return {};

  // The rules whose response says something; a chart of all would be unreadable.
  SuiteSettings longer = settings;
  longer.policies.clear();
  std::vector<size_t> index;  // in the settings
  for (size_t p = 0; p < settings.policies.size(); ++p) {
    if (!settings.policies[p]->response) continue;
    index.push_back(p);
    longer.policies.push_back(settings.policies[p]);
  }
  longer.scenarios = {scenario};
  longer.scenarios[0].length = circle * kCircles;
  const std::vector<Run> runs = RunSuite(longer);

  std::vector<Response> all;
  for (size_t p = 0; p < longer.policies.size(); ++p) {
    absl::Duration step;  // from the beginning of the circle
    for (size_t k = 0; k < phases.size(); ++k) {
      Response response;
      response.policy = index[p];
      response.from = phases[(k + phases.size() - 1) % phases.size()].mix->person;
      response.to = phases[k].mix->person;
      response.first_minute = -static_cast<int>(kBefore);
      std::vector<double> connected(kBefore + kAfter);
      std::vector<double> abandoned(kBefore + kAfter);
      response.occupancy.resize(kBefore + kAfter);
      for (const Run& run : runs) {
        if (run.policy != p) continue;
        const std::vector<double>& minutes = run.result.minute_occupancy;
        for (double n = 0; n < kCircles + 1; ++n) {
          const auto at = static_cast<size_t>((step + circle * n) / absl::Minutes(1));
          // The first hour is the start, not a step.
          if (at < 60 || at + kAfter > minutes.size()) continue;
          ++response.steps;
          for (size_t to = 0; to < kBefore + kAfter; ++to) {
            const size_t from = at + to - kBefore;
            response.occupancy[to] += minutes[from];
            if (from < run.minutes.size()) {
              connected[to] += run.minutes[from].connected;
              abandoned[to] += run.minutes[from].abandoned;
            }
          }
        }
      }
      step += phases[k].length;
      if (response.steps == 0) continue;
      for (size_t m = 0; m < response.occupancy.size(); ++m) {
        response.occupancy[m] /= response.steps;
        const double persons = connected[m] + abandoned[m];
        response.abandoned.push_back(persons > 0 ? abandoned[m] / persons : 0);
      }
      for (size_t m = kBefore + kSteadyFrom; m < response.occupancy.size(); ++m) {
        response.steady += response.occupancy[m] / (kAfter - kSteadyFrom);
      }
      response.reference = response.steady;
      all.push_back(std::move(response));
    }
  }
  for (Response& response : all) {
    for (const Response& other : all) {
      if (settings.policies[other.policy]->name == "frontier" && other.to == response.to &&
          other.from == response.from) {
        response.reference = other.steady;
      }
    }
    const auto after = absl::MakeConstSpan(response.occupancy).subspan(kBefore);
    response.minutes_to_settle = MinutesToSettle(after, response.reference);
    response.minutes_to_reach = MinutesToSettle(after, response.reference, 1);
  }
  return all;
}

SuiteSettings QuickSettings(const std::vector<sim::Scenario>& all) {
  SuiteSettings settings;
  settings.seeds = 3;
  for (const sim::Scenario& scenario : all) {
    const auto limit = std::find_if(
        QuickLimits().begin(), QuickLimits().end(),
        [&](const QuickLimit& candidate) { return candidate.scenario == scenario.id; });
    if (limit == QuickLimits().end()) continue;
    settings.scenarios.push_back(scenario);
    sim::Scenario& quick = settings.scenarios.back();
    quick.length = std::min(quick.length, absl::Hours(10));
    quick.repeats = std::min(quick.repeats, 10);
  }
  for (const absl::string_view name : {"outpace", "progressive", "vicidial"}) {
    settings.policies.push_back(FindSuitePolicy(name));
    OUTPACE_CHECK(settings.policies.back() != nullptr);
  }
  return settings;
}

absl::Span<const QuickLimit> QuickLimits() {
  // Measured on the subset's seeds, less one point.
  static constexpr QuickLimit kLimits[] = {
      {"S01", 92.7, 3.0, 100}, {"S02", 79.2, 3.0, 100}, {"S03", 80.6, 3.0, 100},
      {"S10", 91.8, 3.0, 100}, {"S12", 90.0, 3.0, 100}, {"S17", 91.0, 3.0, 100},
      {"S18", 80.0, 3.0, 5},
  };
  return kLimits;
}

}  // namespace outpace::lab
