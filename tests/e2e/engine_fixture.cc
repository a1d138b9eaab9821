#include "tests/e2e/engine_fixture.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "engine/base/check.h"

namespace outpace::e2e {

using nlohmann::json;

namespace {
constexpr int kManyFirst = 10'000, kManyLegs = 4000;  // media ports, below the ephemeral range
}  // namespace

CommandResult RunOutpace(const std::vector<std::string>& arguments, const std::string& config,
                         absl::Duration timeout) {
  TempDir dir;
  ProcessOptions options;
  options.stdout_path = dir / "out";
  options.stderr_path = dir / "err";
  options.environment = {absl::StrCat("OUTPACE_CONFIG=", config)};
  std::vector<std::string> line = {OutpaceProgram()};
  line.insert(line.end(), arguments.begin(), arguments.end());
  CommandResult result;
  auto process = Process::Start(line, options);
  if (!process.ok()) {
    result.err = std::string(process.status().message());
    return result;
  }
  result.code = (*process)->Wait(timeout).value_or(-1);
  result.out = ReadFileOr(options.stdout_path);
  result.err = ReadFileOr(options.stderr_path);
  return result;
}

std::vector<CsvRow> ParseCsv(absl::string_view text) {
  std::vector<std::vector<std::string>> table(1);
  std::string cell;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      cell += c;
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == ',' || c == '\n')) {
      table.back().push_back(std::exchange(cell, ""));
      if (c == '\n') table.emplace_back();
    } else if (quoted || c != '\r') {
      cell += c;
    }
  }
  if (!cell.empty()) table.back().push_back(cell);
  std::vector<CsvRow> rows;
  for (size_t r = 1; r < table.size(); ++r) {
    if (table[r].size() < 2) continue;
    CsvRow row;
    for (size_t c = 0; c < table[0].size() && c < table[r].size(); ++c) {
      row[table[0][c]] = table[r][c];
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<json> ReadJsonLines(const std::string& path) {
  std::vector<json> objects;
  const std::string text = ReadFileOr(path);
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    json object = json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (object.is_object()) objects.push_back(std::move(object));
  }
  return objects;
}

Engine::Engine() : config_path_(dir_ / "outpace.toml") {
  auto ports = PortSlot::Take();
  OUTPACE_CHECK(ports.ok());
  ports_ = *std::move(ports);
  std::filesystem::create_directory(dir_ / "data");
}

Engine::~Engine() {
  if (process_ != nullptr && ::testing::Test::HasFailure()) {
    std::fprintf(stderr, "---- the engine's log, last lines ----\n%s\n", Log().c_str());
  }
}

void Engine::AddConfig(const std::string& toml) { absl::StrAppend(&more_config_, toml, "\n"); }

void Engine::AddMediaConfig(const std::string& line) { absl::StrAppend(&more_media_, line, "\n"); }

void Engine::WriteConfig() {
  const PortSlot& engine = engine_ports_ != nullptr ? *engine_ports_ : *ports_;
  // No two tests have the same slot, and no program but a test's engine is at such an address.
  const std::string own_address =
      absl::StrCat("127.", engine.sip() >> 8, ".", engine.sip() & 0xff, ".1");
  WriteFileOrDie(
      config_path_,
      absl::StrFormat(R"(data_dir = "%s"
drain_seconds = %d
[sip]
listen = "127.0.0.1:%d"
[[trunk]]
name = "carrier"
peer = "127.0.0.1:%d"
calls_per_second = %d
calls_max = %d
options_seconds = 0
[media]
address = "%s"
port_first = %d
ports = %d
%s[http]
listen = "127.0.0.1:%d"
[log]
file = "%s"
level = "%s"
%s)",
                      dir_ / "data", drain_seconds_, engine.sip(), ports_->far_end(),
                      calls_per_second_, calls_max_, many_media_ports_ ? own_address : "127.0.0.1",
                      many_media_ports_ ? kManyFirst : engine.media_first(),
                      many_media_ports_ ? kManyLegs : PortSlot::kMediaLegs, more_media_,
                      engine.http(), dir_ / "engine.log", log_level_, more_config_));
}

absl::Status Engine::Start() {
  for (int attempt = 1;; ++attempt) {
    WriteConfig();
    const absl::Status status = Launch(absl::Seconds(30));
    const bool port_taken = absl::StrContains(status.message(), "taken") ||
                            absl::StrContains(status.message(), "cannot bind") ||
                            absl::StrContains(status.message(), "in use");
    if (status.ok() || !port_taken || attempt == 5) return status;
    auto ports = PortSlot::Take();
    if (!ports.ok()) return ports.status();
    engine_ports_ = *std::move(ports);
  }
}

absl::Status Engine::Restart(absl::Duration timeout) { return Launch(timeout); }

absl::Status Engine::RestartAndKill(absl::Duration how_long) {
  if (absl::Status spawned = Spawn(); !spawned.ok()) return spawned;
  if (const auto code = process_->Wait(how_long)) {
    return absl::InternalError(absl::StrCat("serve ended by itself with ", *code, ": ", Log()));
  }
  Kill();
  return absl::OkStatus();
}

absl::Status Engine::Spawn() {
  ProcessOptions options;
  options.stdout_path = dir_ / "serve.out";
  options.stderr_path = dir_ / "serve.err";
  auto process = Process::Start({OutpaceProgram(), "serve", "--config", config_path_}, options);
  if (!process.ok()) return process.status();
  process_ = *std::move(process);
  return absl::OkStatus();
}

absl::Status Engine::Launch(absl::Duration timeout) {
  if (absl::Status spawned = Spawn(); !spawned.ok()) return spawned;
  if (WaitUntil(timeout, [this] { return ReadyNow(); })) return absl::OkStatus();
  const bool ended = !Running();
  return absl::UnavailableError(absl::StrCat(
      ended ? "serve ended: " : "serve is not ready in time: ", ReadFileOr(dir_ / "serve.err")));
}

bool Engine::ReadyNow() const {
  auto client = api::HttpClient::Create(Url(), absl::Seconds(2));
  const auto answer = client->Send("GET", "/readyz");
  return answer.ok() && answer->status == 200;
}

bool Engine::WaitUntil(absl::Duration timeout, const std::function<bool()>& done) {
  const Deadline deadline(timeout);
  while (!done()) {
    if (deadline.passed() || process_->Wait(absl::Milliseconds(50))) return false;
  }
  return true;
}

bool Engine::Running() {
  return process_ != nullptr && !process_->Wait(absl::ZeroDuration()).has_value();
}

void Engine::Kill() {
  process_->Signal(SIGKILL);
  OUTPACE_CHECK(process_->Wait(absl::Seconds(30)).has_value());
  // That was the supervisor; its engine dies with it, and holds the store's lock until the system
  // has cleared it away.
  const int lock = ::open((dir_ / "data/store/outpace.lock").c_str(), O_RDWR | O_CLOEXEC);
  if (lock < 0) return;  // killed before it had a store
  OUTPACE_CHECK(::flock(lock, LOCK_EX) == 0);
  ::close(lock);
}

absl::StatusOr<int> Engine::Terminate(absl::Duration timeout) {
  process_->Signal(SIGTERM);
  const std::optional<int> code = process_->Wait(timeout);
  if (!code) return absl::DeadlineExceededError("serve goes on after SIGTERM");
  return *code;
}

CommandResult Engine::Run(const std::vector<std::string>& arguments) const {
  return RunOutpace(arguments, config_path_);
}

std::string Engine::Must(const std::vector<std::string>& arguments) const {
  const CommandResult result = Run(arguments);
  EXPECT_EQ(result.code, 0) << arguments[0] << ": " << result.err;
  return result.out;
}

void Engine::CreateCampaign(const std::vector<std::string>& settings,
                            const std::string& campaign) const {
  std::vector<std::string> arguments = {"campaign",
                                        "create",
                                        campaign,
                                        "trunk=carrier",
                                        "campaign_cid=+12025550199",
                                        "local_call_time=24hours",
                                        "daily_call_count_limit=1",
                                        "dial_timeout=15"};
  arguments.insert(arguments.end(), settings.begin(), settings.end());
  Must(arguments);
}

void Engine::Import(const std::string& csv, const std::string& list, const std::string& campaign,
                    const std::vector<std::string>& options) const {
  const std::string path = dir_ / absl::StrCat(list, ".csv");
  WriteFileOrDie(path, csv);
  std::vector<std::string> arguments = {"import", path, "--campaign", campaign, "--list", list};
  arguments.insert(arguments.end(), options.begin(), options.end());
  Must(arguments);
}

void Engine::AddAgent(const std::string& user) const {
  Must({"agent", "add", user, "--password", "secret"});
}

std::vector<CsvRow> Engine::ExportCalls() const {
  const std::string path = dir_ / "calls.csv";
  Must({"export", "calls", path, "--from", "yesterday", "--to", "today"});
  return ParseCsv(ReadFileOr(path));
}

json Engine::Board() const {
  auto client = api::HttpClient::Create(Url(), absl::Seconds(5));
  const auto answer = client->Send("GET", "/v1/board");
  if (!answer.ok() || answer->status != 200) return json();
  return json::parse(answer->body, nullptr, /*allow_exceptions=*/false);
}

json Engine::WaitForBoard(const std::string& what, absl::Duration timeout,
                          const std::function<bool(const json&)>& enough) const {
  json board;
  auto* self = const_cast<Engine*>(this);  // waiting on the process notes its end
  const bool seen = self->WaitUntil(timeout, [&] {
    board = Board();
    return board.is_object() && enough(board);
  });
  EXPECT_TRUE(seen) << "the board never showed: " << what << "\n" << board.dump(1);
  return board;
}

std::string Engine::Url() const {
  const PortSlot& engine = engine_ports_ != nullptr ? *engine_ports_ : *ports_;
  return absl::StrCat("http://127.0.0.1:", engine.http());
}

std::string Engine::Log() const {
  std::string text = absl::StrCat(ReadFileOr(dir_ / "serve.err"), ReadFileOr(dir_ / "engine.log"));
  constexpr size_t kMost = 6000;
  return text.size() <= kMost ? text : text.substr(text.size() - kMost);
}

std::vector<std::string> FictionalNumbers(int count) {
  // 555-0100 to 555-0199 of every area code are set aside for fiction (ATIS-0300115).
  constexpr int kAreas[] = {202, 212, 213, 303, 305, 312, 404, 415, 503, 512,
                            602, 612, 617, 702, 713, 718, 801, 816, 901, 919};
  std::vector<std::string> numbers;
  for (const int area : kAreas) {
    for (int line = 0; line < 100; ++line) {
      if (static_cast<int>(numbers.size()) == count) return numbers;
      numbers.push_back(absl::StrFormat("%03d55501%02d", area, line));
    }
  }
  OUTPACE_CHECK(static_cast<int>(numbers.size()) == count);
  return numbers;
}

std::vector<std::string> ManyNumbers(int count) {
  constexpr int kAreas[] = {202, 212, 213, 214, 215, 303, 305, 312, 313, 314,
                            404, 408, 412, 415, 503, 512, 602, 610, 612, 617,
                            702, 703, 713, 718, 801, 805, 816, 901, 913, 919};
  std::vector<std::string> numbers;
  for (const int area : kAreas) {
    for (int line = 0; line < 10'000; ++line) {
      if (static_cast<int>(numbers.size()) == count) return numbers;
      if (line == 1212) continue;  // directory assistance: no number to be dialed, or to be blocked
      numbers.push_back(absl::StrFormat("%03d555%04d", area, line));
    }
  }
  OUTPACE_CHECK(static_cast<int>(numbers.size()) == count);
  return numbers;
}

std::string LeadsCsv(const std::vector<std::string>& numbers) {
  std::string csv = "phone_number,first_name,last_name,city\n";
  for (size_t i = 0; i < numbers.size(); ++i) {
    absl::StrAppendFormat(&csv, "%s,Given%d,Family%d,Springfield\n", numbers[i], i, i);
  }
  return csv;
}

}  // namespace outpace::e2e
