#pragma once

// The product as its users have it: the `outpace` program with a configuration, a data directory
// and ports of its own, its campaign made and its leads loaded by its command line, its agents at
// its HTTP door. Only the agents' records are written into the store beforehand: hashing a password
// for each of hundreds would take longer than the measurement.

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bench/sip/agent_pool.h"
#include "bench/sip/process.h"

namespace outpace::bench {

struct EnginePlan {
  std::string program;  // path of `outpace`
  uint16_t carrier_port = 0, phone_port = 0, silent_port = 0;
  double rate = 50;
  int legs = 1'000;     // media.ports
  int ports_a_leg = 2;  // one with rtcp = "mux" or "off"
  int agents = 0;
  int leads = 0;
  double level = 20;  // auto_dial_level
  double drop_seconds = 10;
  // Calls served in the days before: the limit on abandoned calls leaves room for callers who wait
  // in proportion to them, and a RATIO campaign without that room goes on at level 1.
  int history = 0;
  std::string more_config;  // put at the end of the configuration
  std::string more_media;   // put into its [media]
  double silent_rate = 0;   // calls a second to the black hole, by a second campaign; 0: none
  int silent_agents = 0;
  int silent_leads = 0;
};

class EngineRun {
 public:
  // Prepares, starts and waits until it serves; retries with other ports when one was taken.
  static absl::StatusOr<std::unique_ptr<EngineRun>> Start(const EnginePlan& plan);
  ~EngineRun();

  pid_t pid() const { return serve_->pid(); }
  bool Running() { return !serve_->Wait(absl::ZeroDuration()).has_value(); }
  // Runs `outpace arguments...`; Internal with what it said when it fails.
  absl::Status Command(const std::vector<std::string>& arguments) const;
  nlohmann::json Board() const;  // null when nobody answers
  uint16_t http_port() const { return http_port_; }
  uint16_t sip_port() const { return sip_port_; }
  std::string LastWords() const;  // the end of its logs

 private:
  explicit EngineRun(const EnginePlan& plan) : plan_(plan) {}
  absl::Status Prepare();
  absl::Status Launch();
  void WriteConfig();
  absl::Status WriteRecords() const;

  const EnginePlan plan_;
  WorkDir dir_;
  uint16_t http_port_ = 0, sip_port_ = 0, media_first_ = 0;
  std::unique_ptr<Child> serve_;
};

// `count` telephone numbers nobody has: exchange 555 of North American area codes.
std::string LeadsCsv(int first, int count);

}  // namespace outpace::bench
