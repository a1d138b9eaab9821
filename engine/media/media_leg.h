#pragma once

// The media thread's state of one leg. Only media_thread*.cc include this.

#include <netinet/in.h>

#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "engine/codec/codec.h"
#include "engine/listen/answer_listener.h"
#include "engine/listen/beep_detector.h"
#include "engine/listen/early_listener.h"
#include "engine/media/frame_line.h"
#include "engine/media/key_queue.h"
#include "engine/media/key_tracker.h"
#include "engine/media/media_thread.h"
#include "engine/media/mixer.h"
#include "engine/media/playout_buffer.h"
#include "engine/media/rtp_statistics.h"
#include "engine/media/timeline.h"
#include "engine/record/recorder.h"

namespace outpace::media {

// Who listens to a leg, from the action until the last verdict.
struct MediaThread::Listening {
  explicit Listening(MonoTime now) : line(now) {}
  FrameLine line;
  std::variant<std::monostate, listen::EarlyListener, listen::AnswerListener, listen::BeepDetector>
      ear;
  int64_t beep_from = 0;  // of a BeepDetector as `ear`: positions on the line
  int64_t beep_until = 0;
  // A prompt that waits for the beep of a voicemail.
  std::optional<listen::BeepDetector> drop;
  int64_t drop_until = 0;
  bool idle() const { return ear.index() == 0 && !drop.has_value(); }
};

// A leg's recording: what it says on the left, what it is sent on the right.
struct MediaThread::Recording {
  Recording(std::shared_ptr<record::RecordingTap> inlet, MonoTime now)
      : tap(std::move(inlet)), said(now), sent(now) {}
  std::shared_ptr<record::RecordingTap> tap;
  bool paused = false;        // as the tap has it
  bool confidential = false;  // card data is said
  Timeline said;
  Timeline sent;
  std::unique_ptr<codec::Decoder> decoder;  // of what is sent; G.711 needs none
  codec::Codec decoder_codec = codec::Codec::kPcmu;
};

// Audio of ours that a leg hears.
struct MediaThread::Playing {
  const PromptAudio* audio = nullptr;
  std::unique_ptr<PromptAudio> own;  // `audio`, if it was made for this leg
  size_t at = 0;                     // samples played
  bool loop = false;
  bool over = false;   // the partner is heard beneath
  bool waits = false;  // for a beep
  bool told = true;    // its end is
};

// Keys of ours (RFC 4733) on their way.
struct MediaThread::Keying {
  KeyQueue keys;
  bool confidential = false;  // a card number's are among them
  int step = 0;               // of 20 ms within a key and the pause after it
};

struct MediaThread::Mix {
  Mixer mixer{listen::kSampleRate};
  absl::InlinedVector<Leg*, Mixer::kMembersMax> legs;
  MonoTime due;
};

// From a partner's codec to a leg's own.
struct MediaThread::Transcoder {
  uint64_t source = 0;
  codec::Codec in = codec::Codec::kPcmu;
  codec::Codec out = codec::Codec::kPcmu;
  int rate = 8000;
  std::unique_ptr<codec::Decoder> decoder;
  std::unique_ptr<codec::Encoder> encoder;
  std::vector<int16_t> pcm;  // decoded, not sent
  bool repacking = false;
  uint16_t seq = 0;
};

// Small while nothing is heard or said: a call that waits for its agent costs this and a socket.
// The oRTP session (8 KiB) is made when a key or a prompt needs it, the ring when a packet comes.
struct MediaThread::Leg {
  LegId id;
  uint32_t port = 0;    // index into the pool
  uint64_t serial = 0;  // names this leg as a source for OutgoingStream; never 0, never used twice
  uint32_t ssrc = 0;    // of what we send; the same as long as the leg lives
  std::unique_ptr<OrtpSession> session;  // nullptr: no key came and no frame of ours went so far
  OutgoingStream out;
  SendStatistics sent;
  ReceiveStatistics received;
  MonoTime report_due;

  bool has_remote = false;
  bool sends = false;
  bool listens = false;
  bool heard = false;  // OnFirstMedia was told
  uint8_t event_type = 0;
  uint8_t packet_ms = 20;  // of our own frames
  uint16_t rtcp_port = 0;  // of the far end; 0: no reports
  int event_rate = 8000;
  SdpCodec codec;  // what we send
  absl::InlinedVector<SdpCodec, 2> codecs;
  absl::InlinedVector<SdpEvent, 2> events;
  const CodecList* ours = nullptr;  // what our offers name
  SocketAddress remote;

  // RTP/SAVP. `old_receiver` has the keys before the last change, for packets still on their way;
  // it goes with the first packet under the new ones.
  std::shared_ptr<SrtpSender> sender;
  std::shared_ptr<SrtpReceiver> receiver;
  std::shared_ptr<SrtpReceiver> old_receiver;

  Leg* partner = nullptr;
  std::unique_ptr<Transcoder> transcoder;  // of what the partner says

  // In a call of three and more.
  Mix* mix = nullptr;
  int member = Mixer::kNone;
  std::unique_ptr<PlayoutBuffer> jitter;
  call::MixRole role = call::MixRole::kTalker;
  bool joined = false;       // somebody may be attached to it
  uint64_t attached_to = 0;  // serial of the leg it joined and follows; 0: none

  // The last three packets that could not be passed on yet. Before SetRemote: datagrams as they
  // came, for a callee's first packet often overtakes the 200 OK that says where it comes from;
  // once we know, those of the right source are heard after all. Then, while not bridged: checked
  // audio in the clear, which the agent hears at Bridge.
  struct Kept {
    SocketAddress from;
    MonoTime at;
    std::vector<uint8_t> bytes;
  };
  struct Ring {
    std::array<Kept, 3> kept;
    size_t count = 0;  // ever; the newest is at (count - 1) % 3
  };
  std::unique_ptr<Ring> ring;

  MonoTime silent_since;

  KeyTracker keys;
  std::unique_ptr<Listening> listening;
  std::unique_ptr<Recording> recording;
  bool machine = false;                 // said by the last who listened to the answer
  MonoTime beep_at{};                   // its beep ended
  std::unique_ptr<codec::Decoder> ear;  // of what comes, for both; G.711 needs none
  codec::Codec ear_codec = codec::Codec::kPcmu;

  // Sound of our own, most urgent first: keys, a prompt, the music of who is on hold.
  std::unique_ptr<Keying> keying;
  std::unique_ptr<Playing> play;
  std::unique_ptr<Playing> music;         // not nullptr: on hold
  std::unique_ptr<PlayoutBuffer> under;   // what the partner says beneath a prompt
  std::unique_ptr<codec::Encoder> voice;  // of frames of our own; G.711 needs none
  codec::Codec voice_codec = codec::Codec::kPcmu;
  MonoTime frame_due;
  MonoTime scheduled_at;   // of the one entry in the agenda that counts
  bool own_audio = false;  // the last audio sent was ours
  bool muted = false;
  bool may_latch = false;  // see MediaConfig::latch
  bool one_way = false;
  uint64_t bridged_in = 0;  // what the partner had sent when it became that

  bool held() const { return music != nullptr; }
  bool silenced() const { return muted || held(); }
  // Whether all it hears now is ours.
  bool Occupied() const {
    return keying != nullptr || music != nullptr ||
           (play != nullptr && !play->over && !play->waits);
  }
  bool Sounds() const { return Occupied() || (play != nullptr && !play->waits); }
  bool Listens() const { return has_remote && listens; }
  // What audio under payload type `type` is; nothing that was negotiated: nullopt.
  std::optional<codec::Codec> CodecOf(uint8_t type) const {
    if (type == codec.payload_type) return codec.codec;
    return CodecOfType(codecs, *ours, type);
  }
  // The clock of telephone events under `type`, under our number or theirs; 0: they are none.
  int EventRate(uint8_t type) const {
    for (const SdpEvent& event : events) {
      if (event.payload_type == type) return event.rate;
    }
    if (type == kOurEventType) return 8000;
    return type == kOurWideEventType ? 48000 : 0;
  }
};

template <typename F>
void MediaThread::ForAllIn(Leg& leg, F&& each) {
  if (leg.mix != nullptr) {
    for (Leg* const one : leg.mix->legs) each(*one);
    return;
  }
  each(leg);
  if (leg.partner != nullptr) each(*leg.partner);
}

}  // namespace outpace::media
