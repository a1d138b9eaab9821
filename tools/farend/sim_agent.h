#pragma once

// `outpace agent --simulate N`: agents of software. Each takes calls the way a person with a
// browser and a telephone does, and never gives up: when the dialer dies it comes back, logs in
// again, and sends again what was not acknowledged. A disposition is drawn from the seed and the
// attempt's number, so it is the same however often it has to be sent.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/api/http_client.h"
#include "engine/base/clock.h"
#include "tools/farend/event_log.h"

namespace outpace::farend {

// Finds the moment at which a call's audio reached the agent. The pop travels by WebSocket, the
// audio by RTP, so either may come first: a burst belongs to the call that is open, or to the pop
// that follows it soon. Not thread safe.
class AudioMatcher {
 public:
  // How long after its audio a pop may come.
  static constexpr absl::Duration kPopDelayMax = absl::Seconds(2);
  struct Match {
    uint64_t attempt = 0;
    absl::Time at;
  };
  std::optional<Match> OnBurst(absl::Time at);
  std::optional<Match> OnPop(uint64_t attempt, absl::Time at);
  void OnCallEnded();

 private:
  uint64_t open_attempt_ = 0;  // popped, no audio yet; 0: none
  bool in_call_ = false;
  std::optional<absl::Time> burst_;  // audio without a pop yet
};

// Waits before a new try: 0.2 s, doubling up to 1 s.
class Backoff {
 public:
  absl::Duration Next();
  void Reset() { next_ = kFirst; }

 private:
  static constexpr absl::Duration kFirst = absl::Milliseconds(200);
  static constexpr absl::Duration kMost = absl::Seconds(1);
  absl::Duration next_ = kFirst;
};

struct SimAgentOptions {
  std::string user;
  std::string password;
  std::string campaign;
  std::string phone;  // SIP URI
  uint64_t seed = 1;
  double talk_mean_s = 25, talk_cv = 0.7;  // lognormal
  double wrap_mean_s = 3, wrap_cv = 0.5;   // lognormal
  // Status and weight, weights > 0. Statuses the campaign does not have are left out.
  std::vector<std::pair<std::string, double>> dispositions;
};

// How agents reach the dialer; tests put their own dialer behind it.
struct ServerDoor {
  std::function<std::unique_ptr<api::HttpClient>()> http;
  std::function<std::unique_ptr<api::WebSocketClient>(const std::string& token,
                                                      api::WebSocketClient::Callbacks)>
      events;
};

class SimAgent {
 public:
  // `clock` and `log` outlive this object.
  SimAgent(SimAgentOptions options, ServerDoor door, const Clock& clock, EventLog& log);
  ~SimAgent();

  // Works until Stop(), then finishes its call, logs out and returns. On the agent's own thread.
  void Run();
  void Stop();                  // any thread
  void OnAudio(absl::Time at);  // any thread: a burst began on the agent's telephone

 private:
  struct Event {
    enum class Kind { kOpen, kText, kClose } kind = Kind::kOpen;
    uint64_t socket = 0;  // which WebSocket it is about: late ones of an old one are dropped
    std::string text;
    absl::Status why;
    absl::Time at;
  };
  struct OpenCall {
    uint64_t attempt = 0;
    MonoTime hang_up_at;
    bool hung_up = false;
    bool talking = true;  // false: a preview that was told to dial; `hang_up_at` does not count yet
    // The server says that the call is over but not how; then it is over without that word.
    std::optional<MonoTime> over_at;
  };
  struct PendingDisposition {
    uint64_t attempt = 0;
    std::string status;
    int64_t callback_ms = 0;  // 0: none
    MonoTime due;
    int tries = 0;
  };
  enum class Reply { kOk, kRefused, kLoggedOut, kUnreachable };

  bool LogIn();
  void Session();
  void LogOut();
  void OnEvent(const Event& event);
  void OnText(const std::string& text, absl::Time at);
  void OnState(const std::string& state);
  void OnPop(uint64_t attempt, uint64_t lead, bool preview, absl::Time at);
  void OnCallEnded(uint64_t attempt, const std::string& by, int64_t length_ms);
  void StartTalking();
  void ExpectEnd(absl::Duration within);
  void EndCall();
  void DoWhatIsDue();
  void HangUp();
  void SendDisposition();
  void GoReady();
  // POSTs JSON. `answer` (may be null) gets the body of a 200.
  Reply Post(const std::string& path, const std::string& body, std::string* answer);
  MonoTime NextDeadline() const;
  // Waits for an event, Stop() or `deadline`.
  std::optional<Event> Wait(MonoTime deadline);
  void Push(Event event);
  bool stopping();
  std::string PickStatus(uint64_t attempt) const;
  double Lognormal(uint64_t attempt, uint64_t salt, double mean, double cv) const;
  void LogMatch(const std::optional<AudioMatcher::Match>& match);
  void LogError(absl::string_view what);
  JsonLine Line(absl::string_view event) const;

  const SimAgentOptions options_;
  const ServerDoor door_;
  const Clock& clock_;
  EventLog& log_;

  // Shared with the telephone's and the socket's threads.
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Event> events_;
  bool stop_ = false;
  AudioMatcher matcher_;

  // The agent's thread only.
  std::unique_ptr<api::HttpClient> http_;
  std::unique_ptr<api::WebSocketClient> socket_;
  uint64_t socket_number_ = 0;
  bool socket_open_ = false;
  bool session_over_ = false;
  std::string token_;
  std::string state_;  // as the server last said
  std::string last_error_;
  std::vector<std::pair<std::string, double>> weights_;
  std::optional<OpenCall> call_;
  std::deque<PendingDisposition> pending_;
  std::optional<MonoTime> ready_due_;
  Backoff backoff_;
  Backoff ready_backoff_;
};

// `outpace agent --simulate N`: parses `args` (without the program's name), runs until SIGTERM,
// SIGINT or --duration, logs all agents out and returns the exit code: 0, 1 for a failure, 2 for
// wrong usage.
int RunSimulatedAgents(const std::vector<std::string>& args);

}  // namespace outpace::farend
