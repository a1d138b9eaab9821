#pragma once

// The telephone on a simulated agent's desk: answers the dialer's call at once, speaks without end
// and notes when it hears something. One line; a new call takes the place of the old one, as after
// a restart of the dialer, which no longer knows the old one.

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tools/farend/reactor.h"
#include "tools/farend/rtp_stream.h"
#include "tools/farend/uas.h"

namespace outpace::farend {

// All of it on the reactor's thread, or before the reactor runs.
class Phone final : public UasEvents {
 public:
  struct Callbacks {
    std::function<void(absl::Time at)> on_audio;  // a burst began; see kBurstGap
    std::function<void(bool up)> on_line;         // the dialer's call was answered / ended
  };
  // `reactor` and `rtp` outlive this object. `voice` is what it says all the time. Unavailable or
  // ResourceExhausted: no socket.
  static absl::StatusOr<std::unique_ptr<Phone>> Create(Reactor& reactor, RtpEngine& rtp,
                                                       uint32_t address, const std::string& user,
                                                       std::shared_ptr<const Clip> voice,
                                                       uint64_t seed, Callbacks callbacks);
  ~Phone() override;

  // "sip:sim1@127.0.0.1:40000": what the agent gives at login.
  const std::string& uri() const { return uri_; }
  Endpoint local() const { return socket_.local(); }
  // Of the present line; all zero while nobody calls.
  RtpStats rtp_stats() const { return rtp_ == nullptr ? RtpStats{} : rtp_->stats(); }

  void OnInvite(CallRef call, const SipMessage& invite, absl::Time at) override;
  void OnDuplicateInvite(absl::string_view, bool, absl::Time) override {}
  void OnCancel(CallRef call, absl::Time at) override;
  void OnAck(CallRef call, absl::Time at) override;
  void OnBye(CallRef call, absl::Time at) override;
  std::string OnReinvite(CallRef call, const SipMessage& invite, absl::Time at) override;
  void OnByeDone(CallRef) override {}
  void OnLost(CallRef call, absl::string_view call_id, absl::string_view why) override;

 private:
  Phone(Reactor& reactor, RtpEngine& rtp, UdpSocket socket, const std::string& user,
        std::shared_ptr<const Clip> voice, uint64_t seed, Callbacks callbacks);
  void OnReadable();
  // Points our audio at `body`'s offer and returns the answer; empty when it is of no use.
  std::string Negotiate(absl::string_view body);
  void LineDown(CallRef call);

  Reactor& reactor_;
  RtpEngine& rtp_engine_;
  UdpSocket socket_;
  const std::string uri_;
  const std::shared_ptr<const Clip> voice_;
  Callbacks callbacks_;
  std::unique_ptr<Uas> uas_;
  CallRef line_ = 0;  // 0: on hook
  std::unique_ptr<RtpStream> rtp_;
  uint64_t sdp_version_ = 0;
};

}  // namespace outpace::farend
