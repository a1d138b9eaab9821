#pragma once

// What boards, the terminal view and metrics show: plain figures, copied out of the controller.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "campaign/tier/campaign_tiers.h"
#include "engine/base/ids.h"
#include "engine/runtime/contract_figures.h"
#include "engine/trunk/trunk_stats.h"

namespace outpace::runtime {

struct DayFigures {
  int64_t attempts = 0, answered = 0, connected = 0, abandoned = 0, sales = 0, dispositions = 0;
  // abandoned / (connected + abandoned); calls a machine took are left out once the agent says so.
  int64_t machines = 0;
  double AbandonRatio() const;
};

struct CampaignFigures {
  CampaignId id;
  std::string name;
  bool active = false;
  std::string dial_method;
  int64_t hopper = 0;
  int ringing = 0, waiting = 0, talking = 0;
  int ready = 0, incall = 0, dispo = 0, paused = 0;
  DayFigures today;
  double occupancy = 0, answer_ratio = 0, dial_level = 0;
  // Answering-machine detection by the agents' word: calls weighed, the share of people it took for
  // machines and of machines for people, and how sure it has to be from there.
  double amd_people = 0, amd_machines = 0, amd_lost = 0, amd_missed = 0, amd_confidence_min = 0;
  absl::Duration ring_mean, talk_mean, wrap_mean;
  int legs_to_place = 0;
  std::string limit;
  double p_abandon = 0, theta = 0;
  std::string alarm = "none";
  std::vector<std::string> why_en, why_zh;  // the latest decision in sentences
  std::vector<ContractFigures> contracts;   // limits on abandoned calls
  std::optional<tier::TierReport> tiers;    // what was learned; none: tier_mode=STATUS
  std::string idle_reason;                  // why nothing is dialed, in words; empty while it dials
};

struct AgentFigures {
  AgentId user;
  CampaignId campaign;
  std::string state;
  absl::Time since;
  int calls = 0;
  std::string pause_code;
  bool phone_up = false;
};

struct TrunkFigures {
  std::string name{};
  bool up = true;
  std::string reason{};
  int calls = 0;
  int64_t attempts = 0, answered = 0;
  int addresses = 0;  // known; 0: its name is not resolved
  trunk::TrunkSnapshot stats{};
};

// Of the media plane and the recorder since the engine started.
struct AudioFigures {
  uint64_t legs = 0, bridged_calls = 0;  // now
  uint64_t one_way_legs = 0;             // were sent audio for seconds and never sent any
  uint64_t dropped_foreign = 0;          // packets from an address that is not the SDP's
  uint64_t dropped_broken = 0;           // too short, wrong version, lying lengths, bad SRTP
  uint64_t recordings_open = 0;          // now
  uint64_t recordings_closed = 0, recordings_faulty = 0;
  uint64_t recording_blocks_lost = 0;  // seconds of one side that found no room: the disk stalled
};

struct BoardSnapshot {
  absl::Time now;
  absl::Duration uptime;
  bool draining = false;
  std::string stopped_reason;  // dialing stopped for the whole engine; empty if not
  std::vector<CampaignFigures> campaigns;
  std::vector<AgentFigures> agents;
  std::vector<TrunkFigures> trunks;
  AudioFigures audio;
  double connect_p50_ms = 0, connect_p99_ms = 0;  // answer to bridge, today
};

// As docs/API.md has it.
std::string BoardJson(const BoardSnapshot& board);
// Prometheus text format.
std::string MetricsText(const BoardSnapshot& board);
// A few lines for a terminal.
std::string BoardText(const BoardSnapshot& board);

}  // namespace outpace::runtime
