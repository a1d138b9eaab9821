#include "bench/sip/engine_run.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/sip/far_end.h"
#include "campaign/store/rocks_lead_store.h"
#include "engine/api/http_client.h"
#include "engine/base/check.h"
#include "engine/runtime/password.h"

namespace outpace::bench {
namespace {

// A loopback address that no other program of the machine is likely to use: thousands of ports in a
// row are free there.
std::string MediaAddress() {
  const int pid = ::getpid();
  return absl::StrCat("127.", 100 + pid / 65'536 % 100, ".", pid / 256 % 256, ".", 1 + pid % 254);
}
constexpr int kMediaFirst = 10'240;

uint16_t FreeTcpPort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  OUTPACE_CHECK(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

}  // namespace

std::string LeadsCsv(int first, int count) {
  constexpr int kAreas[] = {201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215,
                            216, 217, 218, 219, 224, 225, 228, 229, 231, 234, 239, 240, 248,
                            251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281, 301,
                            302, 303, 304, 305, 307, 308, 309, 310, 312, 313, 314};
  std::string csv = "phone_number,first_name,last_name,city\n";
  for (int i = first; i < first + count; ++i) {
    const int area = kAreas[static_cast<size_t>(i / 9'000) % std::size(kAreas)];
    // 555-1212 is directory assistance, which no list may hold.
    absl::StrAppendFormat(&csv, "%d555%04d,Given%d,Family%d,Springfield\n", area,
                          i % 9'000 < 1'200 ? i % 9'000 : i % 9'000 + 1'000, i, i);
  }
  return csv;
}

absl::StatusOr<std::unique_ptr<EngineRun>> EngineRun::Start(const EnginePlan& plan) {
  absl::Status status;
  for (int round = 0; round < 5; ++round) {
    std::unique_ptr<EngineRun> run(new EngineRun(plan));
    run->media_first_ = kMediaFirst;
    // The two ports behind those of the media.
    run->sip_port_ = static_cast<uint16_t>(run->media_first_ + 2 * plan.legs);
    run->http_port_ = FreeTcpPort();
    status = run->Prepare();
    if (status.ok()) status = run->Launch();
    if (status.ok()) return run;
    if (status.code() != absl::StatusCode::kUnavailable) return status;
  }
  return status;
}

EngineRun::~EngineRun() {
  if (serve_ == nullptr) return;
  serve_->Signal(SIGTERM);
  serve_->Wait(absl::Seconds(10));
}

void EngineRun::WriteConfig() {
  std::string config = absl::StrFormat(
      R"(data_dir = "%s"
drain_seconds = 1
[sip]
listen = "127.0.0.1:%d"
[[trunk]]
name = "carrier"
peer = "127.0.0.1:%d"
calls_per_second = %g
calls_max = %d
unanswered_max = 20000
[media]
address = "%s"
port_first = %d
ports = %d
%s[http]
listen = "127.0.0.1:%d"
[log]
file = "%s"
%s)",
      dir_ / "data", sip_port_, plan_.carrier_port, plan_.rate, plan_.legs, MediaAddress(),
      media_first_, plan_.legs, plan_.more_media, http_port_, dir_ / "engine.log",
      plan_.more_config);
  if (plan_.silent_rate > 0) {
    absl::StrAppendFormat(&config, R"([[trunk]]
name = "silent"
peer = "127.0.0.1:%d"
calls_per_second = %g
calls_max = %d
unanswered_max = 20000
)",
                          plan_.silent_port, plan_.silent_rate, plan_.legs);
  }
  WriteFile(dir_ / "outpace.toml", config);
}

absl::Status EngineRun::WriteRecords() const {
  store::RocksStoreOptions options;
  options.path = dir_ / "data/store";
  auto store = store::RocksLeadStore::Open(options);
  if (!store.ok()) return store.status();
  const std::string hash = runtime::HashPassword("secret");
  campaign::StoreBatch batch;
  const auto add = [&](const char* prefix, int count) {
    for (int i = 0; i < count; ++i) {
      batch.agents.push_back({absl::StrCat(prefix, i), absl::StrCat("Agent ", i), "", hash});
    }
  };
  add("a", plan_.agents);
  add("s", plan_.silent_agents);
  if (absl::Status status = (*store)->Commit(batch); !status.ok()) return status;
  if (plan_.history == 0) return absl::OkStatus();

  auto first = (*store)->ReserveAttemptIds(static_cast<uint64_t>(plan_.history));
  if (!first.ok()) return first.status();
  // Long enough ago not to be read as calls of the day, which each keep a record in memory.
  const absl::Time at = absl::FromUnixNanos(NowNs()) - absl::Hours(60);
  for (int done = 0; done < plan_.history;) {
    batch = campaign::StoreBatch();
    for (; done < plan_.history && batch.attempts.size() < 5'000; ++done) {
      campaign::Attempt attempt;
      attempt.id = AttemptId(*first + static_cast<uint64_t>(done));
      attempt.campaign = "BENCH";
      attempt.open = false;
      attempt.status = "NI";
      attempt.dialed_at = at + absl::Milliseconds(10 * (done % 1'000'000));
      attempt.answered_at = attempt.connected_at = attempt.ended_at = attempt.dialed_at;
      batch.attempts.push_back(std::move(attempt));
    }
    if (absl::Status status = (*store)->CommitUnsynced(batch); !status.ok()) return status;
  }
  return (*store)->SyncWrites();
}

absl::Status EngineRun::Prepare() {
  WriteConfig();
  std::filesystem::create_directory(dir_ / "data");
  if (absl::Status status = WriteRecords(); !status.ok()) return status;
  const auto campaign = [&](const std::string& id, const std::string& trunk, int first,
                            int leads) -> absl::Status {
    const int hopper = std::min(20'000, std::max(500, static_cast<int>(4 * plan_.rate)));
    absl::Status made = Command(
        {"campaign", "create", id, absl::StrCat("trunk=", trunk), "dial_method=RATIO",
         absl::StrCat("auto_dial_level=", plan_.level), absl::StrCat("hopper_level=", hopper),
         absl::StrCat("drop_call_seconds=", plan_.drop_seconds), "abandon_window=rolling_30d",
         "adaptive_dropped_percentage=5", "campaign_cid=+12025550199", "local_call_time=24hours",
         "daily_call_count_limit=1", "dial_timeout=30", "wrapup_seconds=60"});
    if (!made.ok()) return made;
    const std::string path = dir_ / absl::StrCat(id, ".csv");
    WriteFile(path, LeadsCsv(first, leads));
    return Command({"import", path, "--campaign", id, "--list", id});
  };
  if (absl::Status made = campaign("BENCH", "carrier", 0, plan_.leads); !made.ok()) return made;
  if (plan_.silent_rate > 0) return campaign("SILENT", "silent", plan_.leads, plan_.silent_leads);
  return absl::OkStatus();
}

absl::Status EngineRun::Launch() {
  auto serve =
      Child::Start({plan_.program, "serve", "--no-supervisor", "--config", dir_ / "outpace.toml"},
                   dir_ / "serve.out", dir_ / "serve.err");
  if (!serve.ok()) return serve.status();
  serve_ = *std::move(serve);
  const auto client =
      api::HttpClient::Create(absl::StrCat("http://127.0.0.1:", http_port_), absl::Seconds(2));
  for (int i = 0; i < 600; ++i) {
    const auto answer = client->Send("GET", "/readyz");
    if (answer.ok() && answer->status == 200) return absl::OkStatus();
    if (serve_->Wait(absl::Milliseconds(50))) break;
  }
  return absl::UnavailableError(absl::StrCat("serve does not come up: ", LastWords()));
}

absl::Status EngineRun::Command(const std::vector<std::string>& arguments) const {
  std::vector<std::string> line = {plan_.program};
  line.insert(line.end(), arguments.begin(), arguments.end());
  const std::string words = dir_ / "command.out";
  auto child =
      Child::Start(line, words, words, {absl::StrCat("OUTPACE_CONFIG=", dir_ / "outpace.toml")});
  if (!child.ok()) return child.status();
  const std::optional<int> code = (*child)->Wait(absl::Minutes(5));
  if (code == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("outpace ", arguments[0], " ended with ",
                                          code.value_or(-1), ": ", ReadFile(words)));
}

nlohmann::json EngineRun::Board() const {
  const auto client =
      api::HttpClient::Create(absl::StrCat("http://127.0.0.1:", http_port_), absl::Seconds(5));
  const auto answer = client->Send("GET", "/v1/board");
  if (!answer.ok() || answer->status != 200) return nlohmann::json();
  return nlohmann::json::parse(answer->body, nullptr, false);
}

std::string EngineRun::LastWords() const {
  std::string text = absl::StrCat(ReadFile(dir_ / "serve.err"), ReadFile(dir_ / "engine.log"));
  constexpr size_t kMost = 3'000;
  return text.size() <= kMost ? text : text.substr(text.size() - kMost);
}

}  // namespace outpace::bench
