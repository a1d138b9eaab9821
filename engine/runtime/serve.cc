// Wires the folders into one process. Threads: the controller, the call shard (SIP), media, the
// store's writer and reader, the API's sockets, agents and boards, passwords, administration. They
// share no data: each owns its own and gets messages. They stop in the opposite order of their
// making.

#include "engine/runtime/serve.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "campaign/number_info.h"
#include "campaign/rules/rule_book.h"
#include "campaign/store/rocks_lead_store.h"
#include "engine/api/http_server.h"
#include "engine/base/rng.h"
#include "engine/media/media_server.h"
#include "engine/record/recorder.h"
#include "engine/resolve/resolver.h"
#include "engine/runtime/abandon_windows.h"
#include "engine/runtime/admin_service.h"
#include "engine/runtime/agent_service.h"
#include "engine/runtime/asio_loop.h"
#include "engine/runtime/attempt_history.h"
#include "engine/runtime/board_service.h"
#include "engine/runtime/contract_report.h"
#include "engine/runtime/controller.h"
#include "engine/runtime/dnc_entries.h"
#include "engine/runtime/dnc_lanes.h"
#include "engine/runtime/evidence.h"
#include "engine/runtime/json_log.h"
#include "engine/runtime/password.h"
#include "engine/runtime/qa_book.h"
#include "engine/runtime/real_clock.h"
#include "engine/runtime/registry_shelf.h"
#include "engine/runtime/shard_thread.h"
#include "engine/runtime/store_service.h"
#include "engine/trace/ring_file.h"

namespace outpace::runtime {
namespace {

// Reserved at each start and never given back. At 1,000 calls a second it lasts for eleven days;
// ids stay below 2^53, which JSON readers can hold, over nine million starts.
constexpr uint64_t kAttemptIdBlock = 1'000'000'000;
constexpr double kCallsPerTick = 50;
constexpr char kCallerIdsKey[] = "caller_ids.";
constexpr absl::Duration kLearnedEvery = absl::Seconds(10);
constexpr absl::Duration kSameSignal = absl::Seconds(1);
constexpr absl::Duration kPruneEvery = absl::Hours(6);
constexpr absl::Duration kFlushEvery = absl::Milliseconds(200);
constexpr absl::Duration kRegistriesEvery = absl::Seconds(5);
constexpr absl::Duration kExportsEvery = absl::Seconds(30);

// An attempt may be answered so long after it was dialed, and stored by when it was dialed.
constexpr absl::Duration kAnswerAfterDial = absl::Minutes(5);

// From when on calls count against the campaign's limits. A campaign that counts from its first
// call and does not know it looks through one period.
absl::Time ReachOf(const campaign::CampaignSettings& settings, absl::Time now,
                   absl::Time first_call) {
  absl::Time reach = WindowsReach(settings, now, PeriodStart(first_call, now));
  for (const campaign::AbandonContract& contract : ContractsOf(settings)) {
    if (contract.window != campaign::AbandonWindow::kCampaign) continue;
    if (first_call == absl::InfinitePast()) reach = std::min(reach, now - kCampaignPeriod);
  }
  return reach;
}

// What the day's figures and the limits on abandoned calls are rebuilt from: one pass over the
// attempts as far back as any campaign needs them.
absl::Status ReadAttempts(const campaign::LeadStore& store, absl::Time now,
                          Controller::StartState& state) {
  // A campaign's day may have begun up to 26 hours ago somewhere on earth.
  const absl::Time today = now - absl::Hours(26);
  absl::Time from = today;
  for (const campaign::CampaignSettings& settings : state.campaigns) {
    auto first_call = ReadFirstCall(store, settings.id);
    if (!first_call.ok()) return first_call.status();
    if (*first_call != absl::InfinitePast()) state.first_calls[settings.id] = *first_call;
    const absl::Time reach = std::min(today, ReachOf(settings, now, *first_call));
    state.ledgers[settings.id].set_from(reach);
    from = std::min(from, reach);
  }
  const campaign::StatusBook statuses = campaign::StatusesOf(state.campaigns);
  return store.ForEachAttempt(
      from - kAnswerAfterDial, now + absl::Hours(1), [&](const campaign::Attempt& attempt) {
        const auto ledger = state.ledgers.find(attempt.campaign);
        if (ledger != state.ledgers.end()) {
          if (attempt.sent) state.first_calls.emplace(attempt.campaign, attempt.dialed_at);
          if (attempt.answered_at >= ledger->second.from())
            ledger->second.AddRecord(attempt, statuses.Of(attempt.campaign));
        }
        if (attempt.dialed_at >= today) state.attempts_today.push_back(attempt);
        return true;
      });
}

absl::StatusOr<Controller::StartState> ReadStartState(
    campaign::LeadStore& store, const Clock& clock,
    const std::vector<trunk::TrunkSettings>& trunks) {
  Controller::StartState state;
  auto campaigns = store.Campaigns();
  if (!campaigns.ok()) return campaigns.status();
  state.campaigns = *std::move(campaigns);
  auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  state.lists = *std::move(lists);
  if (absl::Status read = PutEntries(store, state.dnc); !read.ok()) return read;
  auto erased = ReadErasedPeople(store);
  if (!erased.ok()) return erased.status();
  state.erased = *std::move(erased);
  auto agents = store.Agents();
  if (!agents.ok()) return agents.status();
  state.agents = *std::move(agents);
  auto open = store.OpenAttempts();
  if (!open.ok()) return open.status();
  for (campaign::Attempt& attempt : *open) {
    auto lead = store.GetLead(attempt.lead);
    if (!lead.ok()) return lead.status();
    if (!lead->has_value())
      return absl::DataLossError(
          absl::StrCat("store: open attempt ", attempt.id.value(),
                       " has no lead: the store is damaged; restore it from a backup"));
    state.open_leads.push_back(std::move(**lead));
    state.open_attempts.push_back(std::move(attempt));
  }
  if (absl::Status read = ReadAttempts(store, clock.Wall(), state); !read.ok()) return read;
  const absl::Time now = clock.Wall();
  auto history = ReadHistory(store, HistoryReach(state.campaigns), now, now + absl::Hours(1));
  if (!history.ok()) return history.status();
  state.history = *std::move(history);
  for (const trunk::TrunkSettings& trunk : trunks) {
    auto use = store.GetMeta(absl::StrCat(kCallerIdsKey, trunk.name));
    if (!use.ok()) return use.status();
    if (use->has_value()) state.caller_ids[trunk.name] = **use;
  }
  for (const campaign::CampaignSettings& settings : state.campaigns) {
    auto learned = store.GetMeta(absl::StrCat("pacer.", settings.id));
    if (!learned.ok()) return learned.status();
    if (learned->has_value()) state.learned[settings.id] = **learned;
  }
  auto last_known = LastKnownRunning(store);
  if (!last_known.ok()) return last_known.status();
  state.last_known_running = *last_known;
  auto first = store.ReserveAttemptIds(kAttemptIdBlock);
  if (!first.ok()) return first.status();
  state.next_attempt = *first;
  state.end_attempt = *first + kAttemptIdBlock;
  return state;
}

record::RecorderConfig RecorderConfigOf(const Config& config) {
  record::RecorderConfig out;
  out.directory = config.RecordingsPath();
  if (!config.recording_pattern.empty()) out.pattern = config.recording_pattern;
  OUTPACE_CHECK(absl::LoadTimeZone(config.recording_zone, &out.zone));  // checked with the rest
  out.key_file = config.recording_key_file;
  out.forbidden_key_directories = {config.data_dir};
  return out;
}

AudioFigures AudioOf(const media::MediaServer& media, const record::Recorder& recorder) {
  const media::MediaStats m = media.Stats();
  const record::RecorderStats r = recorder.Stats();
  return {.legs = m.legs,
          .bridged_calls = m.bridged_calls,
          .one_way_legs = m.one_way_legs,
          .dropped_foreign = m.dropped_foreign,
          .dropped_broken = m.dropped_short + m.dropped_srtp_tag,
          .recordings_open = r.open,
          .recordings_closed = r.closed,
          .recordings_faulty = r.faults,
          .recording_blocks_lost = r.blocks_lost};
}

// The last recordings are told, and stored: the store's writes are done in order.
void AwaitRecordings(AsioLoop& control, StoreService& store) {
  auto stored = std::make_shared<std::promise<void>>();
  const bool posted = control.Post([&store, stored] {
    store.Commit(campaign::StoreBatch(), [stored](absl::Status) { stored->set_value(); });
  });
  if (posted) stored->get_future().wait_for(std::chrono::seconds(2));
}

// A sink that exists before the controller does.
class SinkDoor final : public call::LegEventSink {
 public:
  void Open(Controller& controller) { controller_ = &controller; }
  void OnLegEvent(call::LegEvent event) override {
    if (controller_ != nullptr) controller_->OnLegEvent(std::move(event));
  }

 private:
  Controller* controller_ = nullptr;
};

// A limit may be counted over a longer window from now on: reads the calls of before, on the admin
// thread. `campaign`'s first call is known to the store from the first ten seconds on.
void ReadOlder(const campaign::LeadStore& store, const Clock& clock, Controller& controller,
               AsioLoop& loop, const campaign::CampaignSettings& settings) {
  const absl::Time now = clock.Wall();
  absl::Time known = absl::InfiniteFuture();
  OnController(loop, [&] { known = controller.LedgerFrom(settings.id); });
  const auto first_call = ReadFirstCall(store, settings.id);
  const absl::Time reach = ReachOf(settings, now, first_call.value_or(absl::InfinitePast()));
  if (known == absl::InfiniteFuture() || reach >= known) return;
  AbandonLedger older;
  older.set_from(reach);
  absl::Status read =
      store.ForEachAttempt(reach - kAnswerAfterDial, known, [&](const campaign::Attempt& attempt) {
        const bool counts = attempt.campaign == settings.id && attempt.answered_at >= reach &&
                            attempt.answered_at < known;
        if (counts) older.AddRecord(attempt, settings.statuses);
        return true;
      });
  if (!read.ok()) return;  // the store is failing: dialing stops for that by itself
  OnController(loop, [&] { controller.AddOlder(settings.id, older); });
}

// The same for the attempts that rules count by number.
void ReadOlderAttempts(const campaign::LeadStore& store, const Clock& clock, Controller& controller,
                       AsioLoop& loop, const campaign::CampaignSettings& settings) {
  const absl::Duration reach = HistoryReach({&settings, 1});
  if (reach == absl::ZeroDuration()) return;
  const absl::Time now = clock.Wall();
  absl::Time known = absl::InfiniteFuture();
  OnController(loop, [&] { known = controller.HistoryFrom(reach); });
  if (now - reach >= known) return;
  auto older = ReadHistory(store, reach, now, known);
  if (!older.ok()) return;  // as above; the gate lets nothing through without them
  OnController(loop, [&] { controller.AddOlder(*older); });
}

void SaveLearned(Controller& controller, StoreService& store, AsioLoop& loop) {
  campaign::StoreBatch batch;
  for (auto& [id, learned] : controller.Learned()) {
    batch.meta[absl::StrCat("pacer.", id)] = std::move(learned);
  }
  for (const auto& [id, first_call] : controller.FirstCalls()) {
    batch.meta[FirstCallKey(id)] = absl::StrCat(absl::ToUnixMillis(first_call));
  }
  for (auto& [trunk, use] : controller.CallerIdUse()) {
    batch.meta[absl::StrCat(kCallerIdsKey, trunk)] = std::move(use);
  }
  if (!batch.meta.empty()) store.Commit(std::move(batch), [](absl::Status) {});
  loop.After(kLearnedEvery, [&] { SaveLearned(controller, store, loop); });
}

void FlushLog(JsonLog& log, AsioLoop& loop) {
  log.Flush();
  loop.After(kFlushEvery, [&] { FlushLog(log, loop); });
}

void PruneEvidence(Evidence& evidence, AsioLoop& loop) {
  evidence.PruneOld();
  loop.After(kPruneEvery, [&] { PruneEvidence(evidence, loop); });
}

// Registries whose files somebody has replaced by hand. One that was written into while it is
// mapped answers anything: ending at once is what the operator sees, and the next start says which
// it is.
void WatchRegistries(RegistryShelf& shelf, const AdminHooks& hooks, JsonLog& log, AsioLoop& loop) {
  const auto changed = shelf.Refresh();
  absl::Status status = changed.status();
  if (changed.ok() && *changed) {
    log.Info("registry.replaced_by_hand", {});
    status = hooks.registries_changed();
  }
  if (!status.ok()) log.Error("registry.changed", {{"why", status.message()}});
  if (absl::IsDataLoss(status)) {
    log.Flush();
    std::abort();
  }
  loop.After(kRegistriesEvery, [&] { WatchRegistries(shelf, hooks, log, loop); });
}

void RunDueExports(Admin& exports, JsonLog& log, AsioLoop& loop) {
  const auto answer = exports.Run("export.schedule.due", nlohmann::ordered_json::object());
  if (!answer.ok()) {
    log.Error("export.schedules", {{"why", answer.status().message()}});
  } else {
    for (const auto& [name, why] : answer->at("failed").items()) {
      log.Warning("export.failed", {{"schedule", name}, {"why", why.get<std::string>()}});
    }
  }
  loop.After(kExportsEvery, [&] { RunDueExports(exports, log, loop); });
}

// Keeps the controller told of the addresses of trunks that are named by name.
struct TrunkNames {
  std::unique_ptr<resolve::Resolver> resolver;
  std::vector<std::unique_ptr<resolve::Resolver::Watch>> watches;
};
absl::StatusOr<TrunkNames> WatchTrunkNames(const std::vector<trunk::TrunkSettings>& trunks,
                                           const Clock& clock, Controller& controller,
                                           AsioLoop& loop, Log& log) {
  TrunkNames names;
  for (size_t i = 0; i < trunks.size(); ++i) {
    const trunk::TrunkSettings& trunk = trunks[i];
    if (ParseEndpoint(trunk.peer).ok()) continue;
    if (names.resolver == nullptr) {
      auto resolver = resolve::Resolver::Create(clock, Rng(SecureRandom64()), {});
      if (!resolver.ok()) return resolver.status();
      names.resolver = *std::move(resolver);
    }
    auto watch = names.resolver->Add(
        trunk.peer, static_cast<resolve::Transport>(trunk.transport), loop,
        [i, &controller, &log, name = trunk.name,
         transport = trunk.transport](const resolve::Resolution& resolution) {
          std::vector<std::string> routes;
          std::vector<std::string> addresses;
          for (const resolve::Target& target : resolution.targets) {
            routes.push_back(RouteUri(target.ToString(), transport));
            addresses.push_back(target.address);
          }
          if (!resolution.status.ok() || resolution.stale) {
            log.Warning("trunk.name_unresolved",
                        {{"trunk", name},
                         {"why", resolution.status.ok() ? absl::string_view(resolution.trouble)
                                                        : resolution.status.message()}});
          }
          controller.SetTrunkRoutes(i, std::move(routes), std::move(addresses));
        });
    if (!watch.ok()) return watch.status();
    names.watches.push_back(*std::move(watch));
  }
  return names;
}
static_assert(static_cast<int>(resolve::Transport::kTls) ==
              static_cast<int>(trunk::Transport::kTls));

// Where calls go out by the hundred a second they go in smaller, more frequent portions.
absl::Duration TickFor(const std::vector<trunk::TrunkSettings>& trunks) {
  double calls_per_second = 0;
  for (const trunk::TrunkSettings& trunk : trunks) calls_per_second += trunk.calls_per_second;
  return std::clamp(absl::Seconds(kCallsPerTick / std::max(1.0, calls_per_second)),
                    absl::Milliseconds(10), ControllerOptions().tick);
}

// Blocks SIGTERM and SIGINT for this thread and those it starts, so that WaitForSignal() gets them.
sigset_t BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

}  // namespace

absl::Status Serve(const Config& config) {
  const sigset_t signals = BlockSignals();
  std::signal(SIGPIPE, SIG_IGN);
  RealClock clock;
  auto log = JsonLog::Open(config.log_file, config.log_level);
  if (!log.ok()) return log.status();

  if (!config.number_tables_directory.empty()) {
    absl::Status loaded = campaign::LoadNumberTables(config.number_tables_directory);
    if (!loaded.ok()) return loaded;
  }
  if (!config.rules_directory.empty()) {
    absl::Status loaded = rules::LoadRules(config.rules_directory);
    if (!loaded.ok()) return loaded;
  }
  store::RocksStoreOptions store_options;
  store_options.path = config.StorePath();
  store_options.now = clock.Wall();
  auto store = store::RocksLeadStore::Open(store_options);
  if (!store.ok()) return store.status();
  // Unless the machine lost power, the disk has damaged what was acknowledged.
  if (const int64_t dropped = (*store)->journal_bytes_dropped(); dropped > 0) {
    (*log)->Error("store.journal_dropped", {{"path", store_options.path}, {"bytes", dropped}});
  }

  RegistryShelf registries(config.RegistriesPath());
  if (absl::Status s = registries.Load(); !s.ok()) return s;

  auto evidence = Evidence::Open(config, clock, **log);
  if (!evidence.ok()) return evidence.status();
  audit::AuditLog& audit_log = (*evidence)->log();
  const auto number_mark = [&evidence](E164 number) { return (*evidence)->MarkOf(number); };
  audit_log.Append({"engine.started", "engine", {{"version", OUTPACE_VERSION}}}).IgnoreError();

  media::MediaConfig media_config;
  media_config.address = config.media_address;
  media_config.ports = config.media_ports;
  media_config.port_first = static_cast<uint16_t>(config.media_port_first);
  media_config.safe_harbor_wav = config.safe_harbor_wav;
  media_config.quarantine = config.media_quarantine;
  media_config.rtcp = config.rtcp;
  media_config.announcements_file = config.announcements_file;
  media_config.prompts_directory = config.prompts_directory;
  media_config.codecs.assign(config.codecs.begin(), config.codecs.end());
  media_config.refused_ports = {config.sip_listen.port, static_cast<uint16_t>(config.tls.port)};
  auto media = media::MediaServer::Start(media_config, clock, **log);
  if (!media.ok()) return media.status();

  std::unique_ptr<trace::RingTap> tap;
  if (config.trace_mib > 0) {
    auto ring = trace::RingTap::Open(trace::RingPath(config.data_dir),
                                     static_cast<size_t>(config.trace_mib) << 20);
    if (ring.ok()) {
      tap = *std::move(ring);
    } else {  // calls matter more than their trace
      (*log)->Warning("trace.off", {{"why", ring.status().message()}});
    }
  }
  SinkDoor sink;
  ShardThread::Parts parts;
  parts.config = &config;
  parts.legs_max = static_cast<uint32_t>(config.media_ports);
  parts.clock = &clock;
  parts.log = log->get();
  parts.media = media->get();
  parts.sink = &sink;
  parts.tap = tap.get();
  auto shard = ShardThread::Start(parts);
  if (!shard.ok()) return shard.status();

  AsioLoop control("control", clock);
  AsioLoop agents_loop("agents", clock);
  AsioLoop boards_loop("boards", clock);
  AsioLoop hashing("hashing", clock, 64);  // a flood of logins is refused, not queued for an hour
  AsioLoop admin_loop("admin", clock);
  AsioLoop bulk_loop("bulk", clock);
  AsioLoop exports_loop("exports", clock);  // an upload may take as long as it likes
  ThreadedStoreService store_service(**store, control);
  // What a crash cut off is told before there is a controller; the loop runs when there is one.
  Controller* told_of_recordings = nullptr;
  auto recorder =
      record::StartRecorder(RecorderConfigOf(config), clock, **log,
                            [&control, &told_of_recordings](record::RecordingClosed closed) {
                              control.Post([&told_of_recordings, closed = std::move(closed)] {
                                told_of_recordings->OnRecordingClosed(closed);
                              });
                            });
  if (!recorder.ok()) return recorder.status();
  AgentService::Options agent_options;
  agent_options.phone_networks = config.agent_phone_networks;
  agent_options.audit = &audit_log;
  for (const trunk::TrunkSettings& trunk : config.trunks) {
    const auto peer = ParseEndpoint(trunk.peer);
    if (peer.ok()) agent_options.trunk_peers.push_back(*peer);
  }
  AgentService agents(agent_options, agents_loop, hashing, **log);
  BoardService boards(boards_loop, config.board_token);

  api::ServerOptions server_options;
  server_options.address = config.http_listen.address;
  server_options.port = config.http_listen.port;
  server_options.unix_socket = config.SocketPath();
  auto server = api::HttpServer::Create(server_options, **log);
  if (!server.ok()) return server.status();

  Admin* rechecks = nullptr;  // set below, before the controller runs
  Admin* promotes = nullptr;  // likewise
  ThreadedTierService tiers(
      **store, absl::StrCat(config.data_dir, "/tiers"), clock, control, **log,
      [&promotes, &admin_loop](const CampaignId& campaign, const tier::ScorerChoice& choice) {
        const bool posted = admin_loop.Post([&promotes, campaign, choice] {
          promotes
              ->Run("campaign.set", {{"id", campaign},
                                     {"set",
                                      {{"tier_fields", choice.fields.ToString()},
                                       {"tier_profile", absl::StrJoin(choice.profile, ",")}}}})
              .IgnoreError();  // the promoted one goes on until a manager chooses other fields
        });
        (void)posted;
      });
  ControllerOptions options;
  options.clock_set_back = [&rechecks, &bulk_loop](absl::Duration) {
    const bool posted = bulk_loop.Post([&rechecks] {
      rechecks->Run("campaign.recheck", nlohmann::ordered_json::object()).IgnoreError();
    });
    (void)posted;  // overloaded: the leads come when they were told to
  };
  options.tick = TickFor(config.trunks);
  options.local_host = config.sip_listen.ToString();
  options.legs_max = parts.legs_max;
  options.trunks = config.trunks;
  auto tools = LoadTrunkTools(config.trunks);
  if (!tools.ok()) return tools.status();
  options.trunk_tools = *std::move(tools);

  const auto first = static_cast<size_t>(call::Prompt::kFirstLoaded);
  for (size_t i = 0; i < (*media)->prompt_names().size(); ++i) {
    options.prompts[(*media)->prompt_names()[i]] = static_cast<call::Prompt>(first + i);
  }
  options.recorder = recorder->get();
  options.audit = &audit_log;
  options.tiers = &tiers;
  options.number_mark = number_mark;
  options.audio_figures = [&media, &recorder] { return AudioOf(**media, **recorder); };
  Controller controller(
      options, control, store_service,
      [&](call::ShardMessage message) { return (*shard)->Post(std::move(message)); }, agents,
      SecureRandom64, **log);
  auto state = ReadStartState(**store, clock, config.trunks);
  if (!state.ok()) return state.status();
  state->open_dialogs = (*shard)->left_open();
  for (const campaign::AgentRecord& agent : state->agents) {
    agents.PutAgent(agent);
    const auto reviews = QaBook(**store).OfAgent(agent.user);
    if (!reviews.ok()) {  // no reason not to dial
      (*log)->Error("agent.reviews_unread", {{"agent", agent.user}});
      continue;
    }
    agents.PutReviews(agent.user, ReviewsForAgent(*reviews), "");
  }
  for (const campaign::CampaignSettings& settings : state->campaigns) agents.PutCampaign(settings);
  state->registries = registries.All();
  told_of_recordings = &controller;
  agents.SetController(controller, control);
  sink.Open(controller);

  AdminShared admin_shared(clock);
  AdminHooks hooks = HooksOf(controller, control, agents, store_service, clock,
                             [&](const campaign::CampaignSettings& settings) {
                               ReadOlder(**store, clock, controller, control, settings);
                               ReadOlderAttempts(**store, clock, controller, control, settings);
                             });
  hooks.rocks = store->get();
  hooks.registries = &registries;
  hooks.registries_changed = [&] {
    std::promise<void> in_force;
    const bool posted = control.Post([&] {
      controller.SetRegistries(registries.All(), [&](absl::Status) { in_force.set_value(); });
    });
    if (!posted) {
      return absl::UnavailableError(
          "the registry is stored, but the engine is overloaded and goes by the old one; run the "
          "command again");
    }
    in_force.get_future().wait();
    return absl::OkStatus();
  };
  std::atomic<bool> stopping = false;
  hooks.spool = absl::StrCat(config.data_dir, "/.exports-on-their-way");
  hooks.stopping = [&stopping] { return stopping.load(); };
  std::error_code gone;
  std::filesystem::remove_all(hooks.spool, gone);  // what a crash left of exports on their way
  hooks.tiers = &tiers;
  hooks.actor = "control socket";
  hooks.audit = &audit_log;
  hooks.number_mark = number_mark;
  Admin admin(**store, clock, hooks, &admin_shared);
  Admin bulk(**store, clock, hooks, &admin_shared);
  Admin exports(**store, clock, hooks, &admin_shared);
  rechecks = &bulk;
  promotes = &admin;
  DncLanes dnc_lanes(**store, clock, hooks, admin_shared);
  agents.Install(**server);
  boards.Install(**server);
  InstallAdmin(**server, admin, admin_loop, bulk, bulk_loop, dnc_lanes);
  InstallImports(**server, boards, admin, admin_loop);
  OUTPACE_CHECK(control.Post([&] {
    controller.Start(*std::move(state));
    SaveLearned(controller, store_service, control);
    // A BYE may need its retransmissions; a process that dies before leaves the rest to the next.
    control.After(absl::Seconds(5), [&] { (*shard)->ForgetLeftOpen(); });
  }));
  boards.Start(controller, control);
  FlushLog(**log, boards_loop);
  PruneEvidence(**evidence, boards_loop);
  boards_loop.After(kRegistriesEvery,
                    [&] { WatchRegistries(registries, hooks, **log, boards_loop); });
  exports_loop.After(kExportsEvery, [&] { RunDueExports(exports, **log, exports_loop); });
  auto names = WatchTrunkNames(config.trunks, clock, controller, control, **log);
  if (!names.ok()) return names.status();
  for (AsioLoop* loop :
       {&control, &agents_loop, &boards_loop, &hashing, &admin_loop, &bulk_loop, &exports_loop}) {
    loop->Start();
  }
  dnc_lanes.Start();
  // An undo or a reset that the last end cut off goes on.
  OUTPACE_CHECK(admin_loop.Post(
      [&admin] { admin.Run("import.resume", nlohmann::ordered_json::object()).IgnoreError(); }));
  (*server)->Start();
  (*log)->Info("serving", {{"http", config.http_listen.address},
                           {"port", static_cast<int>((*server)->port())},
                           {"sip", config.sip_listen.ToString()},
                           {"version", OUTPACE_VERSION}});
  std::printf("outpace: serving; board at http://%s:%d/ ; stop with SIGTERM\n",
              config.http_listen.address.c_str(), (*server)->port());
  std::fflush(stdout);

  int signal = 0;
  sigwait(&signals, &signal);
  (*log)->Info("draining", {{"seconds", absl::ToDoubleSeconds(config.drain_time)}});
  auto drained = std::make_shared<std::promise<void>>();
  std::future<void> is_drained = drained->get_future();
  OUTPACE_CHECK(
      control.Post([&, drained] { controller.Drain([drained] { drained->set_value(); }); }));
  const MonoTime drain_began = clock.Mono();
  const MonoTime give_up = drain_began + config.drain_time;
  while (is_drained.wait_for(std::chrono::milliseconds(0)) != std::future_status::ready &&
         clock.Mono() < give_up) {
    // Waits for a further signal or 20 ms, whichever is first.
    const timespec pause{0, 20'000'000};
    const bool again = sigtimedwait(&signals, nullptr, &pause) > 0;
    // One Ctrl-C reaches engine and supervisor, who passes it on: that is not a second wish.
    if (again && clock.Mono() > drain_began + kSameSignal) break;
  }
  if (is_drained.wait_for(std::chrono::milliseconds(0)) != std::future_status::ready) {
    (*log)->Warning("drain.time_is_up", {});
    OUTPACE_CHECK(control.Post([&] { controller.HangUpAll(); }));
    is_drained.wait_for(std::chrono::seconds(2));
  }
  (*log)->Info("stopping", {});
  stopping = true;
  admin_shared.desk.Stop();
  (*server)->Stop();
  exports_loop.Stop();
  bulk_loop.Stop();
  admin_loop.Stop();
  dnc_lanes.Stop();
  hashing.Stop();
  boards_loop.Stop();
  agents_loop.Stop();
  // Media first: it closes the recordings of calls still up, and the recorder tells the controller.
  (*media)->Stop();
  (*recorder)->Stop();
  AwaitRecordings(control, store_service);
  tiers.Stop();
  control.Stop();
  (*shard)->Stop();
  return absl::OkStatus();
}

}  // namespace outpace::runtime
