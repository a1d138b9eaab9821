#pragma once

// The people and networks at the far end of the trunk: a UAS, its audio, a scenario that says what
// becomes of each number, and a log that says what happened on the wire.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "engine/base/rng.h"
#include "tools/farend/event_log.h"
#include "tools/farend/reactor.h"
#include "tools/farend/rtp_stream.h"
#include "tools/farend/scenario.h"
#include "tools/farend/uas.h"

namespace outpace::farend {

// What the summary line says.
struct CarrierCounts {
  int64_t calls = 0;     // first INVITEs
  int64_t answered = 0;  // 200 sent
  int64_t acked = 0;
  int64_t audio_in = 0;   // calls that sent us audio
  int64_t failed = 0;     // failure responses, 487 among them
  int64_t cancelled = 0;  // CANCELs
  int64_t bye_in = 0;
  int64_t bye_out = 0;
  int64_t lost = 0;
  int64_t duplicates = 0;  // INVITEs of calls we knew
  int64_t up = 0;          // answered, no BYE yet
  int64_t up_max = 0;
};

struct CarrierOptions {
  Endpoint listen;  // port 0: any free one, see Carrier::local()
  double sip_loss =
      0;  // share of SIP datagrams dropped each way, [0, 1]: retransmissions get tested
};

// All of it on the reactor's thread (or before the reactor runs).
class Carrier final : public UasEvents {
 public:
  // `reactor` and `log` outlive this object. Unavailable: the port is taken; NotFound or
  // InvalidArgument: an audio file of the scenario.
  static absl::StatusOr<std::unique_ptr<Carrier>> Create(Reactor& reactor, Scenario scenario,
                                                         const CarrierOptions& options,
                                                         EventLog& log);
  ~Carrier() override;

  Endpoint local() const { return socket_.local(); }
  const CarrierCounts& counts() const { return counts_; }
  // Writes the `summary` line.
  void WriteSummary();
  // The same for people, in a few lines.
  std::string SummaryText() const;

  void OnInvite(CallRef call, const SipMessage& invite, absl::Time at) override;
  void OnDuplicateInvite(absl::string_view call_id, bool retransmission, absl::Time at) override;
  void OnCancel(CallRef call, absl::Time at) override;
  void OnAck(CallRef call, absl::Time at) override;
  void OnBye(CallRef call, absl::Time at) override;
  std::string OnReinvite(CallRef call, const SipMessage& invite, absl::Time at) override;
  void OnByeDone(CallRef call) override;
  void OnLost(CallRef call, absl::string_view call_id, absl::string_view why) override;

 private:
  struct Call {
    CallRef ref = 0;
    std::string call_id;
    Plan plan;
    Sdp offer;
    int codec = 0;
    uint64_t sdp_version = 1;
    std::unique_ptr<RtpStream> rtp;  // from the first answer with a body to the end of the call
    bool answered = false;
    bool acked = false;
    bool up = false;
    std::string hang_up_why;  // not empty: wants to hang up as soon as the ACK is here
    MonoTime answered_at;
    MonoTime heard_at;  // answer, or the last sign of audio
    uint64_t heard_packets = 0;
    Loop::TimerId step = 0;      // next step of the plan: ring, final
    Loop::TimerId talk = 0;      // far end's hang-up
    Loop::TimerId patience = 0;  // look whether it still hears something
  };

  Carrier(Reactor& reactor, Scenario scenario, const CarrierOptions& options, EventLog& log,
          UdpSocket socket);
  absl::Status LoadAudio();
  void OnReadable();
  Call* Find(CallRef ref);
  JsonLine Line(absl::string_view event, absl::string_view call_id) const;
  void Ring(CallRef ref);
  void Finish(CallRef ref);
  void Answer(Call& call);
  void Fail(Call& call, const Uas::Refusal& refusal);
  bool OpenAudio(Call& call);
  void Play(Call& call, const std::string& name);
  void WatchPatience(CallRef ref, absl::Duration wait);
  void HangUp(Call& call, const std::string& why);
  void MarkDown(Call& call);
  void End(CallRef ref);

  Reactor& reactor_;
  const Scenario scenario_;
  const CarrierOptions options_;
  EventLog& log_;
  UdpSocket socket_;
  Rng loss_;
  std::map<std::string, std::shared_ptr<const Clip>> clips_;
  RtpEngine rtp_;
  std::unique_ptr<Uas> uas_;
  absl::flat_hash_map<CallRef, std::unique_ptr<Call>> calls_;
  absl::flat_hash_map<std::string, uint64_t> calls_to_;  // by number, for repeat = "fresh"
  std::array<int64_t, kAnswerClasses> by_class_{};
  CarrierCounts counts_;
};

// `outpace carrier`: parses `args` (without the program's name), runs until SIGTERM, SIGINT or
// --duration, prints the summary and returns the exit code: 0, 1 for a failure, 2 for wrong usage.
// Blocks SIGTERM and SIGINT in the calling thread while it runs.
int RunCarrier(const std::vector<std::string>& args);

}  // namespace outpace::farend
