#pragma once

// A call shard runs legs: it turns the controller's orders and the network's events into rows of
// the leg table (leg_state.h) and carries out each row's action. One thread, its loop's; a leg
// stays here from INVITE to report. Decisions about leads and agents are the controller's: the
// shard knows neither, and no lock is shared with anyone.

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/base/ids.h"
#include "engine/base/log.h"
#include "engine/base/loop.h"
#include "engine/base/mailbox.h"
#include "engine/call/dialog_journal.h"
#include "engine/call/leg_state.h"
#include "engine/call/media_plane.h"
#include "engine/call/messages.h"
#include "engine/call/signaling.h"
#include "engine/call/trunk.h"

namespace outpace::call {

struct ShardOptions {
  uint16_t shard = 0;              // LegId::shard of this shard's legs
  uint32_t legs_max = 4096;        // LegId::index is below it; > 0
  size_t mailbox_capacity = 8192;  // power of two
  // INVITE to the first 1xx. A trunk that lives says 100 at once; one that does not is dead (4 s:
  // earlier would blame a trunk for lost packets, which are sent again after 0.5, 1.5 and 3.5 s).
  absl::Duration provisional_wait = absl::Seconds(4);
  // Giving up to the final response. Some far ends answer the CANCEL and never send the 487.
  absl::Duration cancel_guard = absl::Seconds(5);
  absl::Duration bye_guard = absl::Seconds(5);       // our BYE to its answer
  absl::Duration prompt_guard = absl::Seconds(120);  // a prompt whose end is never told
  std::vector<TrunkLimits> trunks;  // DialOrder::trunk indexes it; this shard's part
};

// Counters since the start. Read from any thread; each is exact, together they are not one instant.
struct ShardStats {
  uint64_t legs_live = 0;         // slots taken now
  uint64_t invites = 0;           // sent
  uint64_t refused = 0;           // orders that left nothing on the wire
  uint64_t stale = 0;             // messages and events for a leg that is gone
  uint64_t ignored = 0;           // (state, event) pairs without a row
  uint64_t connects_ignored = 0;  // lead or agent leg not up
  uint64_t crossed_answers = 0;   // 2xx that crossed our giving up
  uint64_t guards = 0;            // waits that a guard ended
  uint64_t mailbox_full = 0;
  uint64_t wakes_lost = 0;  // the loop's own queue was full
  uint64_t queued = 0;      // orders that had to wait for their turn at the trunk's rate
  uint64_t offered = 0;     // calls from outside
};

class CallShard final : public SignalingEvents, public MediaEvents {
 public:
  // All references outlive the shard. Construct and destroy on the loop's thread or with the loop
  // stopped. `signaling` and `media` deliver their events to this object, on the loop's thread.
  CallShard(ShardOptions options, Loop& loop, Signaling& signaling, MediaPlane& media,
            DialogJournal& journal, LegEventSink& sink, Log& log);
  ~CallShard() override;
  CallShard(const CallShard&) = delete;
  CallShard& operator=(const CallShard&) = delete;

  // Any thread, never waits. ResourceExhausted when the mailbox is full: nothing was taken.
  // An order for a slot whose leg has not been freed is a mistake of the controller (checked).
  absl::Status Post(ShardMessage message);

  ShardStats stats() const;  // any thread

  // The rest: loop's thread only.
  const TrunkGuard& trunk(uint16_t index) const { return trunks_.at(index).guard; }
  // kEnded also for a leg that is unknown or gone.
  LegState state(LegId id) const;

  // SignalingEvents
  void OnProvisional(LegId leg, int status, absl::string_view sdp) override;
  void OnAnswer(LegId leg, const DialogState& dialog, absl::string_view sdp) override;
  void OnFailure(LegId leg, const Failure& failure) override;
  void OnBye(LegId leg, int q850_cause) override;
  void OnByeDone(LegId leg) override;
  std::string OnReinvite(LegId leg, absl::string_view sdp) override;
  void OnReinviteAnswer(LegId leg, absl::string_view sdp) override;
  void OnIncoming(const IncomingCall& call) override;
  void OnIncomingGone(uint64_t call) override;
  void OnIncomingUp(LegId leg, const DialogState& dialog, absl::string_view sdp) override;
  void OnProbe(const TrunkProbe& probe) override;
  // MediaEvents
  void OnPromptDone(LegId leg) override;
  void OnFirstMedia(LegId leg, MonoTime at) override;
  void OnMediaLost(LegId leg) override;
  void OnHeard(LegId leg, const listen::Heard& heard) override;
  void OnDigit(LegId leg, char digit) override;
  void OnJoined(LegId leg, bool joined) override;

 private:
  // Why we gave up before an answer; kHeard: the network said that there will be none.
  enum class Why { kNone, kHangUp, kRingLimit, kSilence, kHeard };

  struct Leg {
    LegState state = LegState::kEnded;
    LegId id;
    LegKind kind = LegKind::kLead;
    Why why = Why::kNone;
    bool early_media = false;  // a 1xx brought SDP that the media plane took
    bool media_open = false;
    bool journaled = false;
    bool reported = false;
    bool heard = false;    // any response came
    bool invited = false;  // the INVITE has left
    uint16_t trunk = kAgentTrunk;
    TrunkTicket ticket;
    MonoTime invited_at;
    LegId partner;  // bridged with; none: generation 0
    Prompt prompt = Prompt::kSafeHarbor;
    bool after_beep = false;
    Loop::TimerId ring_timer = 0;
    Loop::TimerId wait_timer = 0;      // silence, then guards: never two at once
    std::unique_ptr<DialOrder> order;  // until the INVITE has left
    uint64_t offer = 0;                // of a call from outside, until it is answered
    bool listens_early = false;
    std::unique_ptr<listen::AnswerTuning>
        answer_tuning;                           // until the answer; nullptr: do not listen
    std::unique_ptr<listen::Heard> heard_early;  // nullptr: nothing so far
  };
  struct Trunk {
    TrunkGuard guard;
    Loop::TimerId probe_timer = 0;
    // Orders that wait for their turn at the trunk's rate: the controller counts in ticks, the
    // guard in any one second.
    std::deque<LegId> queue{};
    Loop::TimerId queue_timer = 0;
    std::string route_uri{};  // for OPTIONS and REGISTER
    Loop::TimerId options_timer = 0;
  };
  // What came with the event being handled; the actions read it.
  struct Cause {
    int status = 0;
    int q850 = 0;
    bool local = false;
    absl::Duration retry_after{};
    const DialogState* dialog = nullptr;
    absl::Status refusal{};
  };

  void Wake();
  void Drain();
  void Enter();  // in every event and timer: sees to messages whose wake-up was lost
  void OnMessage(ShardMessage& message);
  void Place(DialOrder& order);
  Leg& TakeSlot(LegId id);
  TrunkRefusal Admit(Leg& leg);
  void Start(Leg& leg, TrunkRefusal refusal);
  void RunQueue(uint16_t trunk);
  void Take(const TakeCall& m);
  void OnAddresses(const TrunkAddresses& m);
  void Ping(uint16_t trunk);
  void Join(const Connect& m);
  void Unjoin(Leg& leg);

  Leg* FindLeg(LegId id);  // nullptr: the slot has moved on, or the leg has ended; counted
  const Leg* PeekLeg(LegId id) const;
  // The only function that changes a leg's state. False when the table has no row.
  bool Fire(Leg& leg, LegInput on, const Cause& cause);
  void Act(Leg& leg, LegAction action, const Cause& cause);

  void SendInvite(Leg& leg);
  void SendAccept(Leg& leg);
  MediaOptions MediaOf(const Leg& leg) const;
  void ListenToAnswer(Leg& leg);
  void OpenDialog(Leg& leg, const DialogState& dialog);
  void ReportFailure(Leg& leg, const Cause& cause);
  CallOutcome GivenUpOutcome(const Leg& leg) const;
  void Report(Leg& leg, LegEnded ended);
  void Free(Leg& leg);  // the slot is ready for the next generation
  void GiveUp(Leg& leg, Why why, LegInput on, int q850_cause);
  void StartWait(Leg& leg, absl::Duration wait, LegInput on);
  void StopTimer(Loop::TimerId& timer);
  void Settle(Leg& leg, TrunkVerdict verdict, absl::Duration retry_after);
  void Heard(Leg& leg);
  void PublishTrunk(uint16_t index);
  void OnTrunkTimer(uint16_t index);
  MonoTime Now() const { return loop_.clock().Mono(); }
  void EmitEvent(LegEvent event) { sink_.OnLegEvent(std::move(event)); }

  enum Counter {
    kLegsLive,
    kInvites,
    kRefusedCount,
    kStale,
    kIgnored,
    kConnectsIgnored,
    kCrossed,
    kGuards,
    kMailboxFull,
    kWakesLost,
    kQueued,
    kOffered,
    kCounters
  };
  void Count(Counter c, uint64_t n = 1) { counters_[c].fetch_add(n, std::memory_order_relaxed); }

  const ShardOptions options_;
  Loop& loop_;
  Signaling& signaling_;
  MediaPlane& media_;
  DialogJournal& journal_;
  LegEventSink& sink_;
  Log& log_;

  Mailbox<ShardMessage> mailbox_;
  std::atomic<bool> wake_pending_{false};
  std::atomic<bool> wake_lost_{false};
  std::array<std::atomic<uint64_t>, kCounters> counters_{};
  std::vector<Leg> legs_;  // by LegId::index
  std::vector<Trunk> trunks_;
  absl::flat_hash_map<uint64_t, IncomingCall> offers_;  // told to the controller, not answered yet
  // Tasks already posted to the loop hold a weak pointer to it, and do nothing once we are gone.
  std::shared_ptr<CallShard*> self_;
};

}  // namespace outpace::call
