#pragma once

// The product as a user has it: the `outpace` program with a configuration file, a data directory
// and ports of its own, driven through its command line and its HTTP door only.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/api/http_client.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/e2e/port_slot.h"
#include "tests/e2e/process.h"

namespace outpace::e2e {

struct CommandResult {
  int code = -1;  // exit code; 128 + signal
  std::string out, err;
};

// Runs `outpace arguments...` with OUTPACE_CONFIG set to `config` (may be empty) and waits for it.
CommandResult RunOutpace(const std::vector<std::string>& arguments, const std::string& config = "",
                         absl::Duration timeout = absl::Seconds(30));

// A row of an export or any CSV with a header, by column.
using CsvRow = std::map<std::string, std::string>;
std::vector<CsvRow> ParseCsv(absl::string_view text);
// The objects of a JSON-lines file; a last line that is still being written is left out.
std::vector<nlohmann::json> ReadJsonLines(const std::string& path);

class Engine {
 public:
  Engine();   // ports and data directory; nothing runs yet
  ~Engine();  // SIGKILL if it still runs

  // ---- before Start() ----
  // Text put at the end of the configuration, e.g. a second trunk.
  void AddConfig(const std::string& toml);
  // A line of section [media], e.g. the directory of prompts.
  void AddMediaConfig(const std::string& line);
  void SetDrainSeconds(int seconds) { drain_seconds_ = seconds; }
  // Ports for 4000 legs in place of PortSlot::kMediaLegs: a port rests for seconds after its call.
  // They lie on a loopback address that is this test's alone.
  void UseManyMediaPorts() { many_media_ports_ = true; }
  // Of the only trunk; 50 and 100 unless set. A call takes a media port.
  void SetTrunkLimits(int calls_per_second, int calls_max) {
    calls_per_second_ = calls_per_second;
    calls_max_ = calls_max;
  }
  void SetLogLevel(const std::string& level) { log_level_ = level; }
  // The far end's address that the only trunk, "carrier", points at.
  uint16_t far_end_port() const { return ports_->far_end(); }

  // Starts `outpace serve` and waits until /readyz says 200. When a port was taken after all, takes
  // other ports for the engine and tries again, up to five times.
  absl::Status Start();
  // The same ports and data; for a start after Kill(). Tries once.
  absl::Status Restart(absl::Duration timeout = absl::Seconds(20));
  // Starts and kills it again after `how_long`, most likely in the middle of its recovery.
  absl::Status RestartAndKill(absl::Duration how_long);
  void Kill();                                            // SIGKILL, and waits for the end
  absl::StatusOr<int> Terminate(absl::Duration timeout);  // SIGTERM; the exit code
  // False when it has ended; its last words are in Log().
  bool Running();

  CommandResult Run(const std::vector<std::string>& arguments) const;
  // Expects exit code 0 and returns what was printed.
  std::string Must(const std::vector<std::string>& arguments) const;
  // Makes campaign DEMO (window open all day, one try a day) with further settings, paused.
  void CreateCampaign(const std::vector<std::string>& settings,
                      const std::string& campaign = "DEMO") const;
  // Loads leads of a CSV text into a campaign; `options`: further ones of `outpace import`.
  void Import(const std::string& csv, const std::string& list = "test",
              const std::string& campaign = "DEMO",
              const std::vector<std::string>& options = {}) const;
  void AddAgent(const std::string& user) const;  // password "secret"

  // All attempts of yesterday and today (UTC), by the export.
  std::vector<CsvRow> ExportCalls() const;
  nlohmann::json Board() const;  // GET /v1/board; null when nobody answers
  // The first board for which `enough` holds; the last one seen, with a failure, when none does.
  nlohmann::json WaitForBoard(const std::string& what, absl::Duration timeout,
                              const std::function<bool(const nlohmann::json&)>& enough) const;
  // Asks `done` every 50 ms, as long as the engine runs, until it is true or time is up.
  bool WaitUntil(absl::Duration timeout, const std::function<bool()>& done);
  bool ReadyNow() const;

  std::string Url() const;  // "http://127.0.0.1:port"
  const std::string& config_path() const { return config_path_; }
  const TempDir& dir() const { return dir_; }
  Process& process() { return *process_; }
  // What serve printed and logged, for messages of failing tests.
  std::string Log() const;

 private:
  void WriteConfig();
  absl::Status Spawn();
  absl::Status Launch(absl::Duration timeout);

  TempDir dir_;
  const std::string config_path_;
  std::unique_ptr<PortSlot> ports_;         // of the far end, and at first of the engine
  std::unique_ptr<PortSlot> engine_ports_;  // taken when an engine port turned out to be in use
  std::string more_config_, more_media_;
  int drain_seconds_ = 5;
  int calls_per_second_ = 50, calls_max_ = 100;
  bool many_media_ports_ = false;
  std::string log_level_ = "info";
  std::unique_ptr<Process> process_;
};

// "area code 202, 212, ... + 555-01xx": numbers that belong to nobody, `count` at most 2000.
std::vector<std::string> FictionalNumbers(int count);
// "area code + 555-xxxx", each once, `count` at most 299'970. Beyond 555-01xx they are in use by
// nobody but not set aside either: for a far end of our own only.
std::vector<std::string> ManyNumbers(int count);
// A list file of these numbers with first and last names.
std::string LeadsCsv(const std::vector<std::string>& numbers);

}  // namespace outpace::e2e
