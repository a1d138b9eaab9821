#pragma once

// Runs a group of flows at the same time against one engine: a trunk, a campaign, a lead, an agent
// and a SIPp for each of them.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/e2e/desk.h"
#include "tests/e2e/engine_fixture.h"
#include "tests/e2e/port_slot.h"
#include "tests/e2e/sip/flow.h"
#include "tests/e2e/sipp.h"

namespace outpace::e2e {

// Both ends of each call say something now and then: the engine ends calls that are silent for 30
// s.
class Murmur {
 public:
  Murmur();
  ~Murmur();
  // Both outlive this object.
  void Add(AudioProbe& phone, AudioProbe& lead);

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::vector<std::pair<AudioProbe*, AudioProbe*>> calls_;
  std::thread thread_;
};

class FlowRun {
 public:
  explicit FlowRun(const FlowGroup& group) : group_(group) {}

  // Expects everything that the flows say; failures name the flow.
  void Go();

 private:
  // One far end under way: that of a flow, or of a flow's second trunk.
  struct Call {
    const Flow* flow = nullptr;
    std::string trunk;     // "F07", "F07b" for the second
    std::string campaign;  // "F07"
    std::string number;    // national
    std::unique_ptr<Sipp> sipp;
    AudioProbe audio;  // the lead's
    std::unique_ptr<Desk> desk;
    Expected expected;        // as the flow has it, or as it turned out where there is a choice
    bool with_agent = false;  // the call came to the agent
    std::string trouble;      // what the flow's own thread found wrong; empty: nothing
  };

  void StartFarEnds();
  void StartFarEnd(const Flow& flow, size_t index);
  void StartEngine();
  void PlayAll();
  // What the agent does, from login to being ready again; on a thread of its own. "" or what was
  // wrong. `last` is the far end that the call comes to in the end.
  std::string Play(Call& call, Call& last);
  std::string Talk(Desk& desk, Call& call);
  void CheckRecords();
  void CheckRow(const Call& call, const CsvRow& row);
  void CheckBoard();
  std::string WrongOnBoard(const nlohmann::json& board) const;
  void CheckWire(const Call& call);
  void LogOutAll();
  // Every leg that was placed has ended, by the engine's log.
  void CheckLegs();

  const FlowGroup& group_;
  Engine engine_;
  std::unique_ptr<PortSlot> far_ports_;
  std::vector<Call> calls_;
  Murmur murmur_;
};

}  // namespace outpace::e2e
