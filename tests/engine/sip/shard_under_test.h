#pragma once

// A SofiaSignaling on its own loop and thread, and its events in a queue that the test thread
// reads.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/runtime/real_clock.h"
#include "engine/sip/sofia_signaling.h"
#include "tests/engine/sip/far_end.h"

namespace outpace::sip {

// The real clock, and as much further as a test has moved it: hours of timers in no time.
class AdvancedClock final : public Clock {
 public:
  MonoTime Mono() const override { return clock_.Mono() + absl::Nanoseconds(ahead_.load()); }
  absl::Time Wall() const override { return clock_.Wall() + absl::Nanoseconds(ahead_.load()); }
  void Advance(absl::Duration by) { ahead_ += absl::ToInt64Nanoseconds(by); }

 private:
  runtime::RealClock clock_;
  std::atomic<int64_t> ahead_{0};
};

struct Event {
  // "provisional", "answer", "failure", "bye", "bye_done", "incoming", "incoming_gone",
  // "incoming_up", "reinvite_answer", "probe", "none"
  std::string kind;
  LegId leg = {};
  int status = 0;
  int cause = 0;
  std::string sdp = {};
  call::DialogState dialog = {};
  call::Failure failure = {};
  call::IncomingCall incoming = {};
  call::TrunkProbe probe = {};
};

class RecordedEvents final : public call::SignalingEvents {
 public:
  void OnProvisional(LegId leg, int status, absl::string_view sdp) override {
    Event event{"provisional", leg, status};
    event.sdp = std::string(sdp);
    Push(std::move(event));
  }
  void OnAnswer(LegId leg, const call::DialogState& dialog, absl::string_view sdp) override {
    Event event{"answer", leg, 200};
    event.dialog = dialog;
    event.sdp = std::string(sdp);
    Push(std::move(event));
  }
  void OnFailure(LegId leg, const call::Failure& failure) override {
    Event event{"failure", leg, failure.status};
    event.failure = failure;
    Push(std::move(event));
  }
  void OnBye(LegId leg, int q850_cause) override {
    Event event{"bye", leg};
    event.cause = q850_cause;
    Push(std::move(event));
  }
  void OnByeDone(LegId leg) override { Push({"bye_done", leg}); }
  std::string OnReinvite(LegId, absl::string_view sdp) override {
    CheckOutside();
    const std::lock_guard<std::mutex> lock(mutex_);
    offers_.emplace_back(sdp);
    return reinvite_answer_;
  }

  void OnReinviteAnswer(LegId leg, absl::string_view sdp) override {
    Event event{"reinvite_answer", leg};
    event.sdp = std::string(sdp);
    Push(std::move(event));
  }
  void OnIncoming(const call::IncomingCall& call) override {
    Event event{"incoming", {}};
    event.incoming = call;
    Push(std::move(event));
  }
  void OnIncomingGone(uint64_t call) override {
    Event event{"incoming_gone", {}};
    event.incoming.call = call;
    Push(std::move(event));
  }
  void OnIncomingUp(LegId leg, const call::DialogState& dialog, absl::string_view sdp) override {
    Event event{"incoming_up", leg};
    event.dialog = dialog;
    event.sdp = std::string(sdp);
    Push(std::move(event));
  }
  void OnProbe(const call::TrunkProbe& probe) override {
    Event event{"probe", {}, probe.status};
    event.probe = probe;
    Push(std::move(event));
  }

  // The next event; kind "none" after ten seconds.
  Event Next() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (!arrived_.wait_for(lock, std::chrono::seconds(10), [this] { return !queue_.empty(); })) {
      return {"none", {}};
    }
    Event event = std::move(queue_.front());
    queue_.pop_front();
    return event;
  }
  // The next event that is not a provisional.
  Event NextFinal() {
    Event event = Next();
    while (event.kind == "provisional") event = Next();
    return event;
  }
  void Clear() {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.clear();
  }
  bool Empty() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return queue_.empty();
  }
  void set_reinvite_answer(std::string sdp) {
    const std::lock_guard<std::mutex> lock(mutex_);
    reinvite_answer_ = std::move(sdp);
  }
  std::deque<std::string> offers() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return offers_;
  }
  std::deque<std::string> TakeOffers() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(offers_, {});
  }
  // Runs on the loop's thread after each event is queued; set before the first call.
  std::function<void(const Event&)> reaction;
  bool inside_call = false;  // loop thread: a call into Signaling is under way

 private:
  void CheckOutside() { OUTPACE_CHECK(!inside_call); }
  void Push(Event event) {
    CheckOutside();
    if (reaction) reaction(event);
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(event));
    arrived_.notify_one();
  }
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Event> queue_;
  std::deque<std::string> offers_;
  std::string reinvite_answer_;
};

class ShardUnderTest {
 public:
  static SofiaConfig Config() {
    SofiaConfig config;
    config.peers = {"127.0.0.1"};
    config.t1 = absl::Milliseconds(100);
    config.t1x64 = absl::Seconds(8);
    return config;
  }
  explicit ShardUnderTest(const SofiaConfig& config = Config()) : loop(clock) {
    std::promise<absl::Status> started;
    thread_ = std::thread([this, &config, &started] {
      const absl::Status ran = loop.Run(
          [&] {
            absl::StatusOr<std::unique_ptr<SofiaSignaling>> made =
                SofiaSignaling::Create(config, loop, log, events);
            if (made.ok()) sip = *std::move(made);
            port_ = sip != nullptr ? sip->local_port() : 0;
            started.set_value(made.status());
          },
          [this] { sip.reset(); });
      OUTPACE_CHECK(ran.ok());
    });
    status = started.get_future().get();
  }
  ~ShardUnderTest() {
    loop.Stop();
    thread_.join();
  }

  // Runs `work` on the loop's thread, as a call into Signaling, and waits for it.
  void Do(const std::function<void(SofiaSignaling&)>& work) {
    std::promise<void> done;
    OUTPACE_CHECK(loop.Post([&] {
      events.inside_call = true;
      work(*sip);
      events.inside_call = false;
      done.set_value();
    }));
    done.get_future().wait();
  }
  // Moves the clock of our timers (not of the stack's) and runs those that are due then.
  void Advance(absl::Duration by) {
    clock.Advance(by);
    Do([](SofiaSignaling&) {});
    Do([](SofiaSignaling&) {});
  }
  absl::Status Invite(const call::InviteRequest& request) {
    absl::Status result;
    Do([&](SofiaSignaling& s) { result = s.Invite(request); });
    return result;
  }
  SofiaCounters counters() {
    SofiaCounters copy;
    Do([&](SofiaSignaling& s) { copy = s.counters(); });
    return copy;
  }
  int port() const { return port_; }

  AdvancedClock clock;
  NullLog log;
  SofiaLoop loop;
  RecordedEvents events;
  std::unique_ptr<SofiaSignaling> sip;  // loop thread
  absl::Status status;

 private:
  int port_ = 0;
  std::thread thread_;
};

inline LegId Leg1(uint32_t index = 1) { return {0, index, 1}; }

inline call::InviteRequest RequestTo(const std::string& hop, const std::string& user,
                                     uint32_t index = 1) {
  call::InviteRequest request;
  request.leg = Leg1(index);
  request.ids.call_id = absl::StrCat("op-", index, "-0123456789abcdef");
  request.ids.from_tag = absl::StrCat("t", index, "fedcba98");
  request.ids.branch = absl::StrCat("z9hG4bKop", index, "aabbccdd");
  request.route_uri = hop;
  request.request_uri = user;
  request.from_uri = "sip:+12025550199@198.51.100.1";
  request.sdp_offer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n";
  return request;
}
inline call::InviteRequest RequestTo(const FarEnd& far, uint32_t index = 1) {
  return RequestTo(far.Uri(), far.User(), index);
}

}  // namespace outpace::sip
