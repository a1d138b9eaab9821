#pragma once

// The far end in virtual time: a carrier with callees behind it, and the agents' phones. It is a
// party of its own, not a part of the engine: it knows calls by Call-ID, hears the engine only
// through messages that take `network_delay`, and outlives an engine that is killed, whose calls
// then stay up until somebody ends them. What a callee does is drawn from the scenario by seed.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/base/ids.h"
#include "engine/base/rng.h"
#include "engine/call/signaling.h"
#include "engine/listen/heard.h"
#include "engine/sim/sim_world.h"

namespace outpace::sim {

class SimSignaling;

enum class Callee {
  kPerson,
  kMachine,
  kNoAnswer,     // rings until given up
  kBusy,         // 486
  kInvalid,      // 404
  kUnreachable,  // 480 with Q.850 20
  kRejected,     // 603
  kCongestion,   // 503
  kSilent,       // no response of any kind
  kBadMedia,     // picks up, with an SDP answer that has no audio
  kAgent,        // an agent's phone
};

// fixed + Erlang(stages, stage_mean): from the INVITE to the 200.
struct RingLaw {
  absl::Duration fixed{};
  int stages = 2;
  absl::Duration stage_mean{};
  absl::Duration Draw(Rng& rng) const;
};

// What one callee will do, drawn before it is rung.
struct CalleePlan {
  Callee callee = Callee::kNoAnswer;
  absl::Duration until_final = absl::Minutes(3);  // INVITE to the final response
  bool machine = false;  // whatever the dialer makes of it; false for agents' phones
  // Of a conversation with an agent: its length, who ends it, and the agent's work after it.
  absl::Duration talk;
  bool hangs_up = false;  // the callee does, after `talk`; else the agent
  absl::Duration wrap;
  bool sale = false;
  // What answering-machine detection makes of the answer, and how long it takes; kNone: nothing.
  listen::Sound verdict = listen::Sound::kNone;
  absl::Duration verdict_after{};
};

struct CarrierScenario {
  // Shares of all calls, together at most 1; the rest rings without an answer.
  double person = 0.20;
  double machine = 0.35;
  double busy = 0.06;
  double invalid = 0.05;
  double unreachable = 0.03;
  double rejected = 0.01;
  double congestion = 0;
  double silent = 0;
  double bad_media = 0;

  absl::Duration network_delay = absl::Milliseconds(5);  // one way
  absl::Duration post_dial_delay = absl::Seconds(2);     // INVITE to the 180
  absl::Duration failure_delay = absl::Seconds(1);       // INVITE to a failure response
  RingLaw person_ring{absl::Seconds(3), 2, absl::Seconds(4)};
  RingLaw machine_ring{absl::Seconds(20), 2, absl::Seconds(2)};

  // How long a person holds the line with nobody there (exponential), and how long a person or
  // machine talks once joined with an agent until it hangs up by itself (lognormal). Zero: never
  // hangs up.
  absl::Duration patience_mean = absl::Seconds(8);
  absl::Duration talk_mean{};
  double talk_cv = 1;
  absl::Duration machine_max = absl::Seconds(60);  // a machine's recording time; zero: no end

  // Races and losses, each drawn once per occasion.
  double crossing = 0;           // picks up just as our CANCEL arrives: 200 instead of 487
  double lost_487 = 0;           // the final response to a cancelled INVITE never comes
  double lost_bye_ok = 0;        // our BYE works, its answer never comes
  absl::Duration retry_after{};  // in each 503

  // Answering-machine detection, where callees have no plans: shares of the machines found and of
  // the persons taken for machines, and the time it takes. `present` false: nobody listens.
  struct Amd {
    bool present = false;
    double caught = 0.95;
    double false_positive = 0.01;
    absl::Duration after = absl::Milliseconds(1200);
  } amd;

  // Agents' phones: any INVITE whose route_uri is this.
  std::string agent_route = "sip:agents.sim";
  absl::Duration agent_answer = absl::Milliseconds(100);
  absl::Duration
      agent_drop_mean{};  // until the phone hangs up by itself (exponential); zero: never
};

// One INVITE as the far end saw it.
struct SimInvite {
  call::InviteIds ids;
  LegId leg;       // what the engine called it; the carrier itself goes by the Call-ID
  std::string to;  // user part of the request URI: "+12025550100"
  std::string from_uri;
  std::string route_uri;
  bool agent = false;
  Callee callee = Callee::kNoAnswer;
  CalleePlan plan;  // where callees have plans
  MonoTime at;      // arrival
  absl::Time wall;
  bool answered = false;
  bool acked = false;
  bool cancelled = false;  // our CANCEL arrived, too late or not
  bool bridged = false;    // joined with another leg at any time
  bool over = false;
  bool ended_by_callee = false;  // hung up an answered call
  MonoTime answered_at;
  MonoTime ended_at;
};

class SimCarrier {
 public:
  SimCarrier(SimWorld& world, CarrierScenario scenario);
  ~SimCarrier();

  // May be changed while the world runs: it counts for calls that come later.
  CarrierScenario& scenario() { return scenario_; }
  // What this number's callee is, whatever is drawn for others ("+12025550100").
  void SetCallee(const std::string& number, Callee callee) { fixed_[number] = callee; }

  // Callees of leads do as this says instead of drawing from the scenario: asked once for each
  // INVITE as it arrives. `number_of_call`: 1 for the first INVITE to this number. They do not lose
  // patience.
  using CalleeLaw =
      std::function<CalleePlan(const std::string& number, int number_of_call, MonoTime now)>;
  void set_callees(CalleeLaw law) { callees_ = std::move(law); }

  // nullptr: no such call was seen.
  const SimInvite* FindInvite(const std::string& call_id) const;
  const std::vector<SimInvite>& invites() const { return invites_; }
  int lead_calls_up() const { return lead_calls_up_; }  // answered and not over
  int agent_calls_up() const { return agent_calls_up_; }
  int calls_open() const { return calls_open_; }  // from INVITE to the end, agents' included
  uint64_t duplicate_call_ids() const { return duplicate_call_ids_; }  // 0 in a sound engine
  uint64_t unacked() const { return unacked_; }  // answers given up for want of an ACK

  // An agent's phone goes dead now. Nothing if that leg is not up.
  void DropPhone(LegId agent_leg);

  // For SimMediaPlane: what is made of this leg's answer.
  std::pair<listen::Sound, absl::Duration> VerdictOn(LegId leg);
  // Told by SimMediaPlane, for who talks does not lose patience.
  void OnBridged(LegId a, LegId b);
  void OnUnbridged(LegId leg);

 private:
  friend class SimSignaling;
  enum class State { kTrying, kAnswered, kUp, kOver };
  struct Call {
    size_t invite = 0;  // in invites_
    uint16_t shard = 0;
    State state = State::kTrying;
    int answers_sent = 0;
    Loop::TimerId ring = 0;     // the 18x, then the final response
    Loop::TimerId resend = 0;   // of the 200
    Loop::TimerId hang_up = 0;  // by the callee
  };
  struct Reply {
    enum Kind { kProvisional, kAnswer, kFailure, kBye, kByeOk } kind = kProvisional;
    std::string call_id{};
    int status = 0;
    std::string sdp{};
    call::DialogState dialog{};
    call::Failure failure{};
  };

  // From SimSignaling; each takes effect after network_delay.
  void Attach(uint16_t shard, SimSignaling* endpoint);
  void Detach(uint16_t shard);
  void SendInvite(uint16_t shard, const call::InviteRequest& request);
  void SendCancel(const std::string& call_id);
  void SendAck(const std::string& call_id);
  void SendBye(const std::string& call_id);

  void Receive(uint16_t shard, const call::InviteRequest& request);
  void Progress(const std::string& call_id);
  void Resolve(const std::string& call_id);
  void Answer(const std::string& call_id, Call& call);
  void ResendAnswer(const std::string& call_id);
  void Fail(const std::string& call_id, Call& call, call::Failure failure);
  void ScheduleHangUp(const std::string& call_id, Call& call);
  void CalleeHangsUp(const std::string& call_id);
  void End(Call& call);
  void Send(uint16_t shard, Reply reply);
  void Deliver(uint16_t shard, Reply reply);
  Call* Live(const std::string& call_id);  // nullptr: unknown or over
  Callee Draw();
  // INVITE to final response, for a callee without a plan.
  absl::Duration DrawDelay(Callee callee);
  void Later(absl::Duration delay, Loop::Task task);

  SimWorld& world_;
  CarrierScenario scenario_;
  Rng rng_;
  std::unique_ptr<SimLoop> loop_;
  absl::btree_map<uint16_t, SimSignaling*> endpoints_;
  absl::flat_hash_map<std::string, Call> calls_;  // by Call-ID; looked up, never walked
  absl::flat_hash_map<LegId, std::string> by_leg_;
  absl::flat_hash_map<std::string, Callee> fixed_;
  CalleeLaw callees_;
  absl::flat_hash_map<std::string, int> calls_to_;  // by number, where callees have plans
  std::vector<SimInvite> invites_;
  int lead_calls_up_ = 0;
  int agent_calls_up_ = 0;
  int calls_open_ = 0;
  uint64_t duplicate_call_ids_ = 0;
  uint64_t unacked_ = 0;
};

}  // namespace outpace::sim
