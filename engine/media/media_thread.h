#pragma once

// The thread that moves audio. It alone touches the RTP sockets, the legs and their oRTP sessions,
// so there is no lock on a packet's way; it sleeps in epoll until a packet, a command or a due
// time.
//
// One datagram is read per socket and turn: a G.711 leg has one packet in 20 ms, so reading again
// only to be told "empty" would cost a system call a packet, and under a flood every other leg
// still gets its turn. Packets are checked for their source before anything else looks at them.

#include <array>
#include <atomic>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/loop.h"
#include "engine/base/mailbox.h"
#include "engine/base/rng.h"
#include "engine/call/media_plane.h"
#include "engine/codec/codec.h"
#include "engine/listen/fingerprint_set.h"
#include "engine/listen/heard.h"
#include "engine/media/media_command.h"
#include "engine/media/media_server.h"
#include "engine/media/media_stats.h"
#include "engine/media/ortp_session.h"
#include "engine/media/outgoing_stream.h"
#include "engine/media/port_pool.h"
#include "engine/media/prompt.h"

namespace outpace::media {

// How the media thread reaches a shard. `loop` is set before the shard's first command, so the
// mailbox carries it over; `events` belongs to the shard's thread, where the events arrive.
struct ShardLink {
  Loop* loop = nullptr;
  call::MediaEvents* events = nullptr;  // nullptr: the plane is gone
};

class MediaThread {
 public:
  // `clock` and `log` outlive this. `own_ips`: every address under which our ports can be reached.
  MediaThread(const MediaConfig& config, std::vector<IpAddress> own_ips, PortPool pool,
              PromptSet prompts, std::unique_ptr<const listen::FingerprintSet> announcements,
              const Clock& clock, Log& log);
  ~MediaThread();

  // Before Run(): makes the epoll set. The system's error if it cannot.
  absl::Status Init();
  // The thread's body; returns after Stop().
  void Run();

  // ---- any thread ----
  void Stop();
  // False when the mailbox is full.
  bool Post(MediaCommand command);
  // The same without a wake-up: seen at the next one, or with the next packet of any leg, before
  // that packet is looked at.
  bool PostQuietly(MediaCommand command) { return mailbox_.TryPush(std::move(command)); }
  void Wake();
  // Whether `address` is a port of our own pool, or one of ours that media must not be sent to.
  bool IsOurs(MediaAddress address) const;
  MediaStats Stats() const;
  const PortPool& pool() const { return pool_; }
  const std::vector<std::string>& prompt_names() const { return prompts_.Names(); }
  const std::shared_ptr<ShardLink>& link(uint16_t shard) const { return links_[shard]; }

 private:
  struct Leg;
  struct Listening;
  struct Recording;
  struct Playing;
  struct Keying;
  struct Mix;
  struct Transcoder;
  using Group = absl::InlinedVector<Leg*, call::kMixLegsMax>;
  struct Event {
    enum class Kind { kPromptDone, kFirstMedia, kMediaLost, kHeard, kDigit, kJoined, kQuality };
    Kind kind = Kind::kPromptDone;
    LegId leg;
    MonoTime at{};
    listen::Heard heard{};
    char digit = 0;
    bool joined = false;
    call::LegQuality quality{};
  };
  // When a leg's next frame of our own is due. `serial`: the port may be another leg's by then.
  struct Appointment {
    MonoTime at;
    uint32_t port = 0;
    uint64_t serial = 0;
    bool operator<(const Appointment& other) const { return other.at < at; }  // earliest on top
  };
  struct Counters {
    Counter packets_in, packets_out, dropped_foreign, dropped_short, dropped_payload_type,
        dropped_no_leg, dropped_by_ortp, dropped_duplicate, dropped_rtcp, dropped_srtp_tag,
        dropped_srtp_replay, no_peer, sends_failed, commands_stale, events_delayed, one_way_legs,
        prompt_frames, legs, sessions, bridged_calls, mixed_calls;
  };

  void TryRealtime();
  bool Watch(int fd, uint32_t tag);

  // Packets in. A `datagram` is decrypted and rewritten in place, and kSrtpTrailerMax octets behind
  // it are ours to write.
  void ReadPort(uint32_t port, MonoTime now);
  void OnDatagram(Leg& leg, absl::Span<uint8_t> datagram, const SocketAddress& from, MonoTime now);
  bool Unprotect(Leg& leg, absl::Span<uint8_t> datagram, size_t* size);
  bool Latch(Leg& leg, const SocketAddress& from);
  void OnAudio(Leg& leg, codec::Codec codec, absl::Span<uint8_t> datagram, const RtpView& view,
               MonoTime now);
  void OnKey(Leg& leg, int rate, absl::Span<uint8_t> datagram, const RtpView& view, MonoTime now);
  void Keep(Leg& leg, absl::Span<const uint8_t> datagram, const SocketAddress& from, MonoTime now);

  // Packets out.
  void Relay(Leg& from, codec::Codec codec, Leg& to, absl::Span<uint8_t> datagram,
             const RtpView& view, MonoTime now);
  // An RFC 4733 packet whose clock is `rate`.
  void RelayKey(Leg& from, int rate, Leg& to, absl::Span<uint8_t> datagram, const RtpView& view,
                MonoTime now);
  void FlushPreroll(Leg& from, Leg& to, MonoTime now);
  // Whether `to` hears a packet of its partner now, counted if not.
  bool Hears(const Leg& to, bool key);
  // The kRtpHeaderSize octets before `payload` become the header.
  void SendRaw(Leg& to, absl::Span<uint8_t> payload, const Stamp& stamp, uint8_t payload_type,
               MonoTime now);
  bool SendPacket(Leg& to, absl::Span<uint8_t> payload, const Stamp& stamp, uint8_t payload_type);
  void SendFrame(Leg& to, absl::Span<const uint8_t> payload, const Stamp& stamp, MonoTime now);
  // `audio`: nullptr for a key, whose timestamp stands still.
  void CountSent(Leg& to, bool sent, size_t octets, const Stamp* audio, MonoTime now);
  void SendReport(Leg& leg, MonoTime now);

  // Commands.
  void RunCommands(MonoTime now);
  void Run(const OpenLeg& command, MonoTime now);
  void Run(const SetPeer& command, MonoTime now);
  void Run(const BridgeLegs& command, MonoTime now);
  void Run(const UnbridgeLeg& command, MonoTime now);
  void Run(const DoAction& command, MonoTime now);
  void Do(Leg& leg, const call::ListenEarly& action, MonoTime now);
  void Do(Leg& leg, const call::ListenAnswer& action, MonoTime now);
  void Do(Leg& leg, const call::ListenBeep& action, MonoTime now);
  void Do(Leg& leg, const call::ListenStop& action, MonoTime now);
  void Do(Leg& leg, const call::RecordStart& action, MonoTime now);
  void Do(Leg& leg, const call::RecordPause& action, MonoTime now);
  void Do(Leg& leg, const call::RecordStop& action, MonoTime now);
  void Do(Leg& leg, const call::Hold& action, MonoTime now);
  void Do(Leg& leg, const call::Mute& action, MonoTime now);
  void Do(Leg& leg, const call::SendDigits& action, MonoTime now);
  void Do(Leg& leg, const call::Play& action, MonoTime now);
  void Do(Leg& leg, const call::PlayStop& action, MonoTime now);
  void Do(Leg& leg, const call::JoinCall& action, MonoTime now);
  void Do(Leg& leg, const call::SetRole& action, MonoTime now);
  void Do(Leg& leg, const call::LeaveCall& action, MonoTime now);
  void Run(const CloseLeg& command, MonoTime now);
  Leg* Find(LegId id);             // nullptr: closed; counted
  OrtpSession& Session(Leg& leg);  // made if there is none yet
  void Part(Leg& leg);
  // `leg` itself and all it is in a call with.
  template <typename F>
  static void ForAllIn(Leg& leg, F&& each);

  // Sound of our own.
  void StartSound(Leg& leg, MonoTime now);
  void Appoint(Leg& leg, MonoTime at);
  void SoundDueFrames(Leg& leg, MonoTime now);
  absl::Duration SendKeyPacket(Leg& leg, MonoTime now);
  absl::Duration SendPrompt(Leg& leg, Playing& playing, MonoTime now);
  absl::Duration SendOver(Leg& leg, Playing& playing, MonoTime now);
  // Moves on to `count` samples further; false at the end of what is not repeated.
  static bool Advance(Playing& playing, size_t count);
  void EndPlay(Leg& leg, bool tell, MonoTime now);
  // Encodes 20 ms of linear audio for `to` and sends it as the next of its stream.
  void SendLinear(Leg& to, absl::Span<const int16_t> frame, MonoTime now);
  // 20 ms of silence in `codec`.
  absl::Span<const uint8_t> SilentPayload(codec::Codec codec);
  // The payload of who is not to be heard becomes silence, so that the stream goes on.
  bool Hush(codec::Codec codec, Leg& to, absl::Span<uint8_t> payload, const RtpHeader& header,
            Leg& from, MonoTime now);

  // Calls of three and more.
  void AddMember(Mix& mix, Leg& leg, MonoTime now);
  void RemoveMember(Leg& leg, MonoTime now);
  Mix& NewMix(MonoTime now);
  Mix& MixOf(Leg& leg, MonoTime now);
  // After a change of members or roles: a bridge again, or nothing, if that is all that is left.
  // The mix may be gone then.
  void Settle(Mix& mix, MonoTime now);
  void Join(Leg& a, Leg& b);
  Group TakeOut(Leg& leg, MonoTime now);
  void Gather(const Group& group, MonoTime now);
  void Leave(Leg& leg, MonoTime now);
  void RunMixes(MonoTime now);
  void RunMix(Mix& mix, MonoTime now);
  void SendMixed(Leg& leg, absl::Span<const int16_t> heard, MonoTime now);
  void MixKey(Leg& from, char key, MonoTime now);
  void PushKeys(Leg& leg, absl::string_view keys, MonoTime now);

  // Between codecs.
  Transcoder& TranscoderOf(const Leg& from, codec::Codec codec, Leg& to);
  void Transcode(Leg& from, codec::Codec codec, Leg& to, const RtpHeader& in,
                 absl::Span<const uint8_t> payload, MonoTime now);
  void SendTranscoded(Transcoder& t, Leg& to, absl::Span<const int16_t> samples,
                      const RtpHeader& header, MonoTime now);

  // Taps: who listens to a leg and what is recorded of it.
  Listening& Listen(Leg& leg, MonoTime now);
  void Tap(Leg& leg, codec::Codec codec, const RtpHeader& header, absl::Span<const uint8_t> payload,
           MonoTime now);
  void FeedListeners(Leg& leg, MonoTime now);
  void FeedEar(Leg& leg, listen::Frame frame, MonoTime now);
  void FeedDrop(Leg& leg, listen::Frame frame, MonoTime now);
  void StopListening(Leg& leg);
  void AwaitBeep(Leg& leg, MonoTime now);  // of a prompt that waits
  void ForgetBeep(Leg& leg);
  void RunListeners(MonoTime now);
  void RecordSaid(Leg& leg, codec::Codec codec, const RtpHeader& header,
                  absl::Span<const uint8_t> payload, absl::Span<const int16_t> samples,
                  MonoTime now);
  void RecordSent(Leg& leg, const Stamp& stamp, absl::Span<const uint8_t> payload, MonoTime now);
  void CloseRecording(Leg& leg, MonoTime now);
  // Linear 8 kHz audio of a packet, until the next call; empty when it is none.
  absl::Span<const int16_t> Decode(std::unique_ptr<codec::Decoder>& decoder, codec::Codec& has,
                                   codec::Codec codec, absl::Span<const uint8_t> payload);
  // Whether what this leg says or hears must leave no trace now: a recording of it, or of who it
  // talks with, is paused for card data.
  bool Confidential(const Leg& leg) const;
  void SetConfidential(Leg& leg, bool on);
  void WipeKept(Leg& leg);
  void SetBuffersConfidential(Leg& leg);
  void ForgetSpeech(Leg& leg);

  // Times.
  void RunTimers(MonoTime now);
  void RunAgenda(MonoTime now);
  void Sweep(MonoTime now);
  void SweepLeg(Leg& leg, MonoTime now);
  void ArmTimer();
  void Tell(const Event& event, MonoTime now);
  bool TryTell(const Event& event);

  const MediaConfig config_;
  const std::vector<IpAddress> own_ips_;
  const PortPool pool_;
  const PromptSet prompts_;
  const std::unique_ptr<const listen::FingerprintSet> announcements_;  // nullptr: none are known
  const Clock& clock_;
  Log& log_;
  std::bitset<65536> own_ports_;
  std::vector<std::shared_ptr<ShardLink>> links_;

  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  int timer_fd_ = -1;
  std::atomic<bool> stop_{false};
  std::atomic<bool> wake_pending_{false};  // spares the eventfd a write per command
  Mailbox<MediaCommand> mailbox_;
  Counters counters_;

  // Media thread only from here on.
  OrtpProfiles profiles_;
  std::vector<std::unique_ptr<Leg>> legs_;  // by port; nullptr: free
  absl::flat_hash_map<LegId, Leg*> by_id_;
  std::vector<Appointment> agenda_;  // a heap
  std::array<std::vector<uint8_t>, codec::kCodecCount> silent_;
  std::vector<uint8_t> coded_;  // of SendLinear()
  std::vector<Leg*> listening_;
  std::vector<std::unique_ptr<Mix>> mixes_;
  MonoTime next_listen_;
  int pauses_ = 0;            // recordings paused for card data now
  std::vector<int16_t> pcm_;  // of Decode()
  uint64_t next_serial_ = 1;
  Rng rng_;
  MonoTime next_sweep_;
  size_t sweep_at_ = 0;        // the leg where the next step of the sweep begins
  std::vector<Event> untold_;  // a shard's loop was full
  MonoTime next_tell_;
  std::optional<MonoTime> armed_;
};

}  // namespace outpace::media
