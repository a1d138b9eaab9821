#pragma once

// A party of a call that speaks and listens all the time, on a thread of its own: RTP out every
// 20 ms, and every packet in kept, until the test asks what was heard.

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "tests/e2e/audio_probe.h"
#include "tests/e2e/media_signal.h"

namespace outpace::e2e {

class Voice {
 public:
  // `probe` outlives this and belongs to the voice's thread from now on. It says nothing, with
  // packets of silence once it knows whom to send to.
  explicit Voice(AudioProbe& probe);
  ~Voice();
  Voice(const Voice&) = delete;
  Voice& operator=(const Voice&) = delete;

  // ---- speaking ----
  void SetPeer(farend::Endpoint peer);
  void SetCodec(int payload_type);  // 0 PCMU, 8 PCMA
  void Say(Source source);          // its tones, until told otherwise
  void Play(std::vector<int16_t> clip, bool again_and_again = false);  // then silence
  void Hush();                                                         // silence
  void Stop();                                                         // not even packets
  void PressKey(char key);                                             // RFC 4733, type 101, 100 ms
  bool WaitUntilPlayed(absl::Duration timeout);
  absl::Time last_said() const;  // when the last sound of a clip went out

  // ---- listening ----
  using Place = size_t;  // in all that was heard: "from here on"
  Place Now() const;
  // Waits until for `how_long` on end each of `present` was heard, and no other source. "", or
  // what was heard at last.
  std::string WaitToHear(const std::vector<Source>& present,
                         absl::Duration how_long = absl::Milliseconds(300),
                         absl::Duration timeout = absl::Seconds(10));
  // From now on for `how_long`: always exactly these.
  std::string KeepsHearing(const std::vector<Source>& present,
                           absl::Duration how_long = absl::Seconds(1));
  // All audio since then, packets in the order of their numbers, gaps of up to 10 s as silence.
  std::vector<int16_t> HeardSince(Place place) const;
  // The loudest 100 ms of `source` since then, dBFS.
  double LoudestSince(Place place, Source source) const;
  // When the first packet came that holds a sound, since then; nothing in time: InfiniteFuture.
  absl::Time WaitForSound(Place place, absl::Duration timeout);
  bool WaitForPackets(Place place, size_t packets, absl::Duration timeout);
  std::string Keys() const;  // pressed at the other end so far
  bool WaitForKeys(const std::string& keys, absl::Duration timeout);
  // Packets of any other payload type than PCMU, PCMA, events and comfort noise.
  size_t strange_packets() const;
  // Payload types of the audio heard since then, each once, in order of appearance.
  std::vector<int> CodecsSince(Place place) const;

 private:
  struct Frame {
    absl::Time at;
    uint32_t timestamp = 0;
    uint32_t ssrc = 0;
    uint16_t sequence = 0;
    int payload_type = 0;
    std::vector<int16_t> samples;
  };
  void Run();
  void SendFrame();  // with the lock
  void Keep(const AudioPacket& packet);
  std::vector<int16_t> Latest(absl::Time since) const;  // with the lock
  bool WaitFor(absl::Duration timeout, const std::function<bool()>& done);

  AudioProbe& probe_;
  mutable std::mutex mutex_;
  std::condition_variable ticked_;
  bool stop_ = false;
  std::optional<farend::Endpoint> new_peer_;
  int codec_ = 0;
  bool packets_ = true;
  std::vector<int16_t> clip_;
  size_t clip_at_ = 0;
  bool loop_ = false;
  absl::Time last_said_ = absl::InfinitePast();
  std::string keys_to_press_;
  int key_step_ = 0;
  std::vector<Frame> heard_;
  std::string keys_;
  uint32_t key_timestamp_ = 0;
  size_t strange_ = 0;
  std::thread thread_;
};

}  // namespace outpace::e2e
