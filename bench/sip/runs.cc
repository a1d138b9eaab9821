#include "bench/sip/runs.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/sip/agent_pool.h"
#include "bench/sip/engine_run.h"
#include "bench/sip/flood.h"

namespace outpace::bench {
namespace {

constexpr absl::Duration kLook = absl::Milliseconds(20);

// Asks every 20 ms; false when time is up.
bool WaitFor(absl::Duration timeout, const std::function<bool()>& done) {
  const int64_t give_up = NowNs() + absl::ToInt64Nanoseconds(timeout);
  while (!done()) {
    if (NowNs() > give_up) return false;
    Pause(kLook);
  }
  return true;
}

void Say(const std::string& text) { std::fprintf(stderr, "  %s\n", text.c_str()); }

// Takes the process's figures at both ends of a window.
class Meter {
 public:
  Meter(pid_t pid, const std::string& perf) : pid_(pid), perf_(perf) {}

  Window Run(double seconds) {
    std::unique_ptr<Child> recorder;
    if (!perf_.empty()) {
      auto started = Child::Start(
          {"/usr/bin/perf", "record", "-q", "-F", "199", "--call-graph", "dwarf,8192", "-p",
           absl::StrCat(pid_), "-o", perf_, "--", "/usr/bin/sleep", absl::StrCat(seconds)},
          "", "");
      if (started.ok()) recorder = *std::move(started);
    }
    Window window;
    const CpuUse before = CpuOf(pid_);
    window.from_ns = NowNs();
    Pause(absl::Seconds(seconds));
    const CpuUse after = CpuOf(pid_);
    window.to_ns = NowNs();
    used_ = after - before;
    if (recorder != nullptr) recorder->Wait(absl::Seconds(30));
    return window;
  }
  const CpuUse& used() const { return used_; }

 private:
  const pid_t pid_;
  const std::string perf_;
  CpuUse used_;
};

uint64_t EndedSince(const std::vector<CallLog>& calls, int64_t from_ns) {
  uint64_t ended = 0;
  for (const CallLog& call : calls) ended += !call.is_long && call.end_ns >= from_ns ? 1 : 0;
  return ended;
}

void SetCounts(const FarEndCounts& counts, Row& row) {
  row.retransmissions = counts.invite_repeats + counts.answer_repeats + counts.bye_repeats;
  if (counts.receive_drops > 0) {
    absl::StrAppend(&row.note, counts.receive_drops, " datagrams lost at the far end; ");
  }
  if (counts.strange > 0) absl::StrAppend(&row.note, counts.strange, " messages not understood; ");
}

constexpr absl::Duration kHoldMost = absl::Seconds(100);
constexpr absl::Duration kTransactionsOver = absl::Seconds(36);  // timer D, RFC 3261 17.1.1.2

// How many legs and agents a rate takes, and what the machine's file descriptors leave of it.
struct Plan {
  int agents = 0, legs = 0;
  int hold_ms = 0;
};

absl::StatusOr<Plan> PlanFor(const RunOptions& options, bool bridged) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const double legs_most = (static_cast<double>(files.rlim_max) - 500) / options.fds_per_leg;
  Plan plan;
  for (plan.hold_ms = options.hold_ms;; plan.hold_ms = plan.hold_ms * 3 / 4) {
    const double call_s = (options.ring_ms + plan.hold_ms) / 1e3;
    const double up = options.rate * (call_s + 0.3);
    // The pacer starts a limited number of calls per agent and second, and a level is lines an
    // agent; bridged calls need an agent each.
    const double agents =
        std::max(options.rate * options.agents_per_cps + 2, bridged ? 1.1 * up + 4 : up / 17 + 2);
    plan.agents = static_cast<int>(std::ceil(agents));
    const double calls = up + options.rate * (options.port_rest_s + 0.5) + 50;
    const double legs = agents * (bridged ? 1 : 2) + calls;
    plan.legs = static_cast<int>(std::ceil(legs));
    const double files_left = 1 - agents / (legs_most * options.fds_per_leg);
    if (legs <= legs_most * files_left && plan.legs <= 26'000) return plan;
    if (plan.hold_ms < 100) {
      return absl::ResourceExhaustedError(
          absl::StrCat(options.rate, " calls/s need ", plan.agents, " agents and ", plan.legs,
                       " legs: ", static_cast<int>(legs * options.fds_per_leg + agents),
                       " file descriptors of ", static_cast<int>(files.rlim_max)));
    }
  }
}

// Holds calls until there are as many as asked for, waits until the transactions of their set-up
// are over (32 s), and notes what each takes then: dialog, media, record.
void Hold(FarEnd& far, pid_t pid, const RunOptions& options, Row& row) {
  const int64_t before_kib = RssKiB(pid);
  const uint64_t before = far.Counts().acked;
  far.SetHoldAll(true);
  const auto held = [&] { return far.Counts().acked - before; };
  WaitFor(kHoldMost - kTransactionsOver,
          [&] { return held() >= static_cast<uint64_t>(options.held); });
  const uint64_t most = held();
  Pause(kTransactionsOver);
  row.held_kib = static_cast<double>(RssKiB(pid) - before_kib) / static_cast<double>(most);
  far.SetHoldAll(false);
  far.HangUpLong(2'000);
  const uint64_t ended = far.Counts().ended;
  WaitFor(absl::Seconds(15), [&] { return far.Counts().ended >= ended + most; });
  far.HangUpLong(0);
  absl::StrAppend(&row.note, most, " held; ");
}

// The whole of `silent` calls a second is ordered on a trunk that answers nothing, half a window
// after the other: when does its breaker trip, and what do the calls of the living trunk notice?
absl::StatusOr<Window> BesideBlackHole(FarEnd& far, EngineRun& engine, const RunOptions& options,
                                       Row& row) {
  Meter before(engine.pid(), ""), during(engine.pid(), "");
  const Window quiet = before.Run(options.seconds / 2);
  if (absl::Status s = engine.Command({"campaign", "start", "SILENT"}); !s.ok()) return s;
  int64_t tripped_ns = 0;
  const int64_t from = NowNs();
  const CpuUse cpu = CpuOf(engine.pid());
  const int64_t until = from + static_cast<int64_t>(options.seconds * 0.5e9);
  while (NowNs() < until) {
    Pause(absl::Milliseconds(50));
    const nlohmann::json board = engine.Board();
    if (tripped_ns != 0 || !board.is_object()) continue;
    for (const auto& trunk : board["trunks"]) {
      if (trunk["name"] == "silent" && !trunk["up"].get<bool>()) tripped_ns = NowNs();
    }
  }
  const CpuUse used = CpuOf(engine.pid()) - cpu;
  const Window dark{from, NowNs()};
  const std::vector<int64_t> sent = far.SilentInviteTimes();
  Row a, b;
  const std::vector<CallLog> calls = far.Calls();
  Measure(calls, quiet, options.ring_ms, a);
  Measure(calls, dark, options.ring_ms, b);
  const double dark_s = static_cast<double>(dark.to_ns - dark.from_ns) / 1e9;
  absl::StrAppendFormat(
      &row.note,
      "black hole: %d INVITEs and repeats, breaker %s, set-up p99 %.2f -> %.2f ms, CPU %.3f -> "
      "%.3f cores; ",
      sent.size(),
      tripped_ns == 0 || sent.empty()
          ? std::string("did not trip")
          : absl::StrFormat("tripped after %.1f s",
                            static_cast<double>(tripped_ns - sent.front()) / 1e9),
      a.setup_p99_ms, b.setup_p99_ms, before.used().sum() / (options.seconds / 2),
      used.sum() / dark_s);
  if (absl::Status s = engine.Command({"campaign", "pause", "SILENT"}); !s.ok()) return s;
  return quiet;
}

absl::StatusOr<Row> RunEngine(const RunOptions& options, bool bridged) {
  auto plan = PlanFor(options, bridged);
  if (!plan.ok()) return plan.status();
  if (!bridged) plan->agents += options.held / 18;  // a level is lines an agent, held ones included
  FarEndOptions far_options;
  far_options.ring_ms = options.ring_ms;
  far_options.hold_ms = plan->hold_ms;
  far_options.long_calls = bridged ? 0 : static_cast<uint64_t>(plan->agents);
  FarEnd far(far_options);

  EnginePlan engine_plan;
  engine_plan.program = options.engine;
  engine_plan.carrier_port = far.carrier_port();
  engine_plan.phone_port = far.phone_port();
  engine_plan.silent_port = far.silent_port();
  engine_plan.rate = options.rate;
  engine_plan.legs = plan->legs;
  engine_plan.ports_a_leg = options.fds_per_leg;
  engine_plan.agents = plan->agents;
  engine_plan.more_media = options.more_media;
  // Room for four times as many waiting callers as there will be, at 5 %.
  if (!bridged) {
    engine_plan.history = static_cast<int>(80 * options.rate * (plan->hold_ms / 1e3 + 0.5)) + 2'000;
  }
  // A level that lets the trunk's rate, not the level, decide.
  engine_plan.level = bridged ? 2 : 20;
  const double start_s = bridged ? 10 : 10 + plan->agents / options.rate;
  engine_plan.leads = static_cast<int>(options.rate * (options.seconds + start_s + 10)) + 1'000;
  if (options.silent > 0) {
    engine_plan.silent_rate = options.silent;
    engine_plan.silent_agents =
        static_cast<int>(std::ceil(options.silent * options.agents_per_cps)) + 2;
    engine_plan.silent_leads = static_cast<int>(60 * options.silent) + 1'000;
    // Each call to the black hole waits five seconds for its first answer.
    engine_plan.legs += engine_plan.silent_agents + static_cast<int>(12 * options.silent);
  }
  if (options.held > 0) {
    engine_plan.legs += options.held + plan->agents;
    engine_plan.leads += options.held + 1'000;
    engine_plan.history += 80 * options.held;
    engine_plan.drop_seconds = absl::ToDoubleSeconds(kHoldMost) + 10;
  }
  auto engine = EngineRun::Start(engine_plan);
  if (!engine.ok()) return engine.status();
  Say(absl::StrFormat("engine %d: %d agents, %d legs, %d leads, hold %d ms", (*engine)->pid(),
                      plan->agents, plan->legs, engine_plan.leads, plan->hold_ms));

  AgentPoolOptions pool_options;
  pool_options.http_port = (*engine)->http_port();
  pool_options.phone_port = far.phone_port();
  pool_options.agents = plan->agents;
  AgentPool pool(pool_options);
  const auto failed = [&](const std::string& what) {
    const AgentPoolCounts agents = pool.Counts();
    const FarEndCounts counts = far.Counts();
    return absl::DeadlineExceededError(
        absl::StrCat(what, ": ", agents.logged_in, " agents logged in, ", agents.ready, " ready, ",
                     agents.refused, " refusals (", agents.last_refusal, "), ", counts.agent_lines,
                     " lines, ", counts.invites, " INVITEs, ", counts.acked, " ACKs; ",
                     (*engine)->Board()["campaigns"].dump(), "\n", (*engine)->LastWords()));
  };
  const bool ready = WaitFor(absl::Seconds(30 + 0.3 * plan->agents), [&] {
    return pool.Counts().ready >= plan->agents &&
           far.Counts().agent_lines >= static_cast<uint64_t>(plan->agents);
  });
  if (!ready) return failed("the agents are not ready");
  if (absl::Status s = (*engine)->Command({"campaign", "start", "BENCH"}); !s.ok()) return s;
  if (!bridged) {
    const bool busy = WaitFor(absl::Seconds(30 + 2 * plan->agents / options.rate), [&] {
      return far.Counts().acked >= static_cast<uint64_t>(plan->agents);
    });
    if (!busy) return failed("the agents do not get their calls");
  }
  Row row;
  if (options.held > 0 && !bridged) Hold(far, (*engine)->pid(), options, row);
  std::unique_ptr<AgentPool> silent_pool;
  if (options.silent > 0) {
    pool_options.agents = engine_plan.silent_agents;
    pool_options.user_prefix = "s";
    pool_options.campaign = "SILENT";
    silent_pool = std::make_unique<AgentPool>(pool_options);
    const bool there = WaitFor(absl::Seconds(30 + 0.3 * pool_options.agents), [&] {
      return silent_pool->Counts().ready >= pool_options.agents &&
             far.Counts().agent_lines >= static_cast<uint64_t>(plan->agents + pool_options.agents);
    });
    if (!there) return failed("the black hole's agents are not ready");
  }
  const int64_t rss_before = RssKiB((*engine)->pid());
  Pause(absl::Milliseconds(options.ring_ms + plan->hold_ms + 1'500));

  row.system = bridged ? "engine bridged" : "engine one-leg";
  row.offered = options.rate;
  row.hold_ms = plan->hold_ms;
  Meter meter((*engine)->pid(), options.perf);
  Window window;
  if (options.silent > 0) {
    auto seen = BesideBlackHole(far, **engine, options, row);
    if (!seen.ok()) return seen.status();
    window = *seen;
  } else if (options.flood > 0) {
    Flood flood((*engine)->sip_port(), options.flood);
    window = meter.Run(options.seconds);
    absl::StrAppend(
        &row.note, "beside ", flood.sent(), " messages of strangers, ", flood.answered(),
        " answered, memory ",
        absl::StrFormat("%+.1f MiB",
                        static_cast<double>(RssKiB((*engine)->pid()) - rss_before) / 1'024),
        "; ");
  } else {
    window = meter.Run(options.seconds);
  }
  if (!(*engine)->Running()) return failed("the engine has ended");
  const nlohmann::json board = (*engine)->Board();
  if (absl::Status s = (*engine)->Command({"campaign", "pause", "BENCH"}); !s.ok()) return s;
  const auto open = [&] {
    uint64_t count = 0;
    for (const CallLog& call : far.Calls()) count += !call.is_long && call.end_ns == 0 ? 1 : 0;
    return count;
  };
  const bool drained =
      WaitFor(absl::Seconds(20 + plan->hold_ms / 1'000), [&] { return open() == 0; });
  if (!drained) absl::StrAppend(&row.note, "calls did not all end; ");
  if (bridged) {
    WaitFor(absl::Seconds(10), [&] { return pool.Counts().disposed >= pool.Counts().pops; });
  }
  const std::vector<CallLog> calls = far.Calls();
  Measure(calls, window, options.ring_ms, row);
  if (options.silent == 0) SetCpu(meter.used(), row);
  SetCounts(far.Counts(), row);
  const int64_t rss = RssKiB((*engine)->pid());
  const uint64_t ended = EndedSince(calls, NowNs() - 32'000'000'000);
  if (ended > 0) row.ended_kib = static_cast<double>(rss - rss_before) / static_cast<double>(ended);
  // Nobody may have been dialed whom the carrier did not see, and the engine must say the same.
  const nlohmann::json today = board["campaigns"][0]["today"];
  if (options.held == 0 && today["abandoned"].is_number() &&
      today["abandoned"].get<int64_t>() > 0) {
    row.failures += today["abandoned"].get<uint64_t>();
    absl::StrAppend(&row.note, today["abandoned"].dump(), " abandoned; ");
  }
  if (bridged) {
    const AgentPoolCounts agents = pool.Counts();
    const FarEndCounts counts = far.Counts();
    if (agents.disposed < counts.good) {
      row.failures += counts.good - agents.disposed;
      absl::StrAppend(&row.note, counts.good - agents.disposed, " not bridged or disposed; ");
    }
    if (agents.refused > 0) {
      absl::StrAppend(&row.note, agents.refused, " requests refused: ", agents.last_refusal, "; ");
    }
  }
  if (row.achieved < 0.97 * row.offered) {
    absl::StrAppend(&row.note, "limit: ", board["campaigns"][0]["pacing"]["limit"].dump(), "; ");
  }
  return row;
}

}  // namespace

absl::StatusOr<Row> RunNta(const RunOptions& options) {
  FarEndOptions far_options;
  far_options.ring_ms = options.ring_ms;
  far_options.hold_ms = options.hold_ms;
  FarEnd far(far_options);
  const double start_s = (options.ring_ms + options.hold_ms) / 1e3 + 1.5;
  const auto calls = static_cast<uint64_t>(options.rate * (options.seconds + start_s + 0.5));
  auto child = Child::Start({options.self, "--child-nta", absl::StrCat(far.carrier_port()),
                             absl::StrCat(options.rate), absl::StrCat(calls)},
                            "", "/dev/stderr");
  if (!child.ok()) return child.status();
  if (!WaitFor(absl::Seconds(10), [&] { return far.Counts().invites > 0; })) {
    return absl::DeadlineExceededError("the bare client places no call");
  }
  const int64_t rss_before = RssKiB((*child)->pid());
  Pause(absl::Seconds(start_s));
  Row row;
  row.system = "bare nta";
  row.offered = options.rate;
  row.hold_ms = options.hold_ms;
  Meter meter((*child)->pid(), options.perf);
  const Window window = meter.Run(options.seconds);
  WaitFor(absl::Seconds(20), [&] { return far.Counts().ended >= calls; });
  const std::vector<CallLog> log = far.Calls();
  Measure(log, window, options.ring_ms, row);
  SetCpu(meter.used(), row);
  SetCounts(far.Counts(), row);
  if (log.size() < calls) row.failures += calls - log.size();
  const uint64_t ended = EndedSince(log, NowNs() - 32'000'000'000);
  if (ended > 0) {
    row.ended_kib =
        static_cast<double>(RssKiB((*child)->pid()) - rss_before) / static_cast<double>(ended);
  }
  return row;
}

absl::StatusOr<Row> RunOneLeg(const RunOptions& options) { return RunEngine(options, false); }
absl::StatusOr<Row> RunBridged(const RunOptions& options) { return RunEngine(options, true); }

}  // namespace outpace::bench
