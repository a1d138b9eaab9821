#pragma once

// The called person and the network before them, moved by the test: rings, plays early media,
// answers, speaks, hangs up, on the test's word. One call at a time; the latest is meant.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "tests/e2e/media_voice.h"
#include "tools/farend/reactor.h"
#include "tools/farend/uas.h"

namespace outpace::e2e {

class Callee final : public farend::UasEvents {
 public:
  enum class Manner {
    kAnswer,      // at once
    kRing,        // 180, and wait for the test
    kEarlyMedia,  // 183 with a session: the network is heard, and wait for the test
  };
  // Listens on 127.0.0.1:`port`. `codec`: 0 PCMU, 8 PCMA.
  Callee(uint16_t port, Manner manner, int codec = 0);
  ~Callee() override;

  Voice& voice() { return *voice_; }
  // Called before the answer or early media of each call, on the callee's thread: what to say from
  // the first packet on. `number`: digits dialed.
  void WhenCalled(std::function<void(const std::string& number)> say);
  void SetManner(Manner manner);

  bool WaitForCall(absl::Duration timeout, int nth = 1);  // the nth INVITE has come
  void Answer();
  void Fail(int status);
  bool WaitUntilUp(absl::Duration timeout);
  bool WaitUntilDown(absl::Duration timeout);       // was up, and has ended
  bool WaitUntilCancelled(absl::Duration timeout);  // before an answer
  void HangUp();
  // Of the latest call; InfinitePast: not yet.
  absl::Time invited() const;
  absl::Time answered() const;
  absl::Time ended() const;   // BYE or CANCEL came
  std::string offer() const;  // session description of its INVITE

  void OnInvite(farend::CallRef call, const farend::SipMessage& invite, absl::Time at) override;
  void OnDuplicateInvite(absl::string_view, bool, absl::Time) override {}
  void OnCancel(farend::CallRef call, absl::Time at) override;
  void OnAck(farend::CallRef call, absl::Time at) override;
  void OnBye(farend::CallRef call, absl::Time at) override;
  std::string OnReinvite(farend::CallRef, const farend::SipMessage&, absl::Time) override;
  void OnByeDone(farend::CallRef call) override;
  void OnLost(farend::CallRef call, absl::string_view, absl::string_view) override;

 private:
  struct Call {
    farend::CallRef ref = 0;
    farend::Sdp offer;
    std::string offer_text;
    bool up = false, down = false, cancelled = false;
    absl::Time invited = absl::InfinitePast(), answered = absl::InfinitePast(),
               ended = absl::InfinitePast();
  };
  std::string Sdp() const;
  void SayAnswer();  // reactor's thread
  void Ended(farend::CallRef call, bool cancelled, absl::Time at);
  bool WaitFor(absl::Duration timeout, const std::function<bool()>& done);

  const int codec_;
  farend::Reactor reactor_;
  farend::UdpSocket socket_;
  AudioProbe audio_;
  std::unique_ptr<Voice> voice_;
  std::unique_ptr<farend::Uas> uas_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Manner manner_;
  std::function<void(const std::string&)> when_called_;
  Call call_;
  int calls_ = 0;
  std::thread thread_;
};

}  // namespace outpace::e2e
