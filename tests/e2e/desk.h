#pragma once

// An agent at a desk, driven by the test line by line: the HTTP door, the event socket, and a
// telephone whose audio is the test's own.

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/api/http_client.h"
#include "nlohmann/json.hpp"
#include "tests/e2e/audio_probe.h"
#include "tools/farend/reactor.h"
#include "tools/farend/uas.h"

namespace outpace::e2e {

// A telephone that answers at once. Its SIP runs on a thread of its own.
class DeskPhone final : public farend::UasEvents {
 public:
  DeskPhone();
  ~DeskPhone() override;

  std::string uri() const;  // "sip:desk@127.0.0.1:40000"
  AudioProbe& audio() { return audio_; }
  bool WaitUntilUp(absl::Duration timeout);    // the dialer's call was answered and acknowledged
  bool WaitUntilDown(absl::Duration timeout);  // and has ended
  void HangUp();

  void OnInvite(farend::CallRef call, const farend::SipMessage& invite, absl::Time at) override;
  void OnDuplicateInvite(absl::string_view, bool, absl::Time) override {}
  void OnCancel(farend::CallRef call, absl::Time at) override;
  void OnAck(farend::CallRef call, absl::Time at) override;
  void OnBye(farend::CallRef call, absl::Time at) override;
  std::string OnReinvite(farend::CallRef, const farend::SipMessage&, absl::Time) override {
    return "";
  }
  void OnByeDone(farend::CallRef call) override { OnBye(call, absl::InfinitePast()); }
  void OnLost(farend::CallRef call, absl::string_view, absl::string_view) override {
    OnBye(call, absl::InfinitePast());
  }

 private:
  void SetUp(bool up);
  bool WaitFor(bool up, absl::Duration timeout);

  farend::Reactor reactor_;
  farend::UdpSocket socket_;
  AudioProbe audio_;
  std::unique_ptr<farend::Uas> uas_;
  farend::CallRef line_ = 0;  // reactor's thread
  std::mutex mutex_;
  std::condition_variable changed_;
  bool up_ = false;
  std::thread thread_;
};

class Desk {
 public:
  // Logs in to the campaign with password "secret", waits for the telephone to be up and the event
  // socket to be open. An error says which of them failed.
  static absl::StatusOr<std::unique_ptr<Desk>> LogIn(const std::string& url,
                                                     const std::string& user,
                                                     const std::string& campaign = "DEMO");
  ~Desk();

  absl::Status Ready() { return Post("state", {{"state", "ready"}}); }
  absl::Status HangUp() { return Post("hangup", nlohmann::json::object()); }
  absl::Status Dispose(uint64_t attempt, const std::string& status);
  absl::Status LogOut() { return Post("logout", nlohmann::json::object()); }
  // POST /v1/agent/`verb`, e.g. "hold"; the answer, or an error with what the engine said.
  absl::StatusOr<nlohmann::json> Ask(const std::string& verb, const nlohmann::json& body);
  // The next event of this type; earlier ones of other types stay. null: none came in time.
  nlohmann::json Take(const std::string& type, absl::Duration timeout);
  // True once the agent's state was this, since the last call for it.
  bool WaitForState(const std::string& state, absl::Duration timeout);
  size_t Seen(const std::string& type);  // events of this type so far, taken ones too
  DeskPhone& phone() { return phone_; }

 private:
  explicit Desk(const std::string& url) : http_(api::HttpClient::Create(url)) {}
  absl::Status Post(const std::string& verb, const nlohmann::json& body) {
    return Ask(verb, body).status();
  }

  DeskPhone phone_;
  std::unique_ptr<api::HttpClient> http_;
  std::string token_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<nlohmann::json> events_;
  std::map<std::string, size_t> seen_;
  std::unique_ptr<api::WebSocketClient> socket_;
};

}  // namespace outpace::e2e
