#pragma once

// The writer: takes full seconds from the taps' queue, places them on each recording's timeline,
// encodes, seals and writes them. It belongs to one thread, which calls Turn() every 50 ms; a test
// calls it by hand. A second thread, with CloseTurn(), does what waits for the disk: it syncs, and
// gives each recording that has ended its hash and its name. A sync of a busy file system takes
// seconds, and the taps' queue must not wait for it.
//
// The disk may stall, fill up or fail. A write that fails is kept and tried again with the next
// second; when 256 KiB of a recording wait so, its newest audio is dropped and the gap is marked. A
// write that hangs holds up this thread only: the taps then run out of blocks and mark gaps
// themselves.

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/record/audio_stream.h"
#include "engine/record/channel.h"
#include "engine/record/journal.h"
#include "engine/record/key_ring.h"
#include "engine/record/recorder.h"
#include "engine/record/recording_files.h"
#include "engine/record/sealed.h"

namespace outpace::record {

struct Hash;

// One recording, as the writer has it.
struct Track {
  std::shared_ptr<Channel> channel;  // null: found at the start
  RecordingOrder order;
  std::string name;
  MonoTime opened;
  std::unique_ptr<RecordingFile> file, journal;
  uint64_t journal_bytes = 0;
  std::unique_ptr<AudioStream> stream;
  std::unique_ptr<Sealer> sealer;
  std::string pending;         // made and not yet on the disk
  uint64_t on_disk = 0;        // octets
  uint64_t head_bytes = 0;     // before the audio
  uint64_t tail_bytes = 0;     // behind it
  int64_t placed = 0;          // samples of each side made so far
  int64_t placed_on_disk = 0;  // of them, on the disk
  std::vector<uint32_t> held;  // blocks of a second that is not complete yet
  uint64_t taken = 0;          // blocks, out of the queue
  GapList gaps;
  bool cut = false;           // the call went on, or the journal of an earlier run says so
  int64_t samples_told = -1;  // by that journal
  std::string fault;
  bool failing = false;  // the last write failed: told once

  enum class Stage : uint8_t { kRecording, kRepair, kHash, kName, kTell };
  Stage stage = Stage::kRecording;
  std::shared_ptr<Hash> hash;
  uint64_t hashed = 0;
  RecordingClosed closed;

  Track();
  ~Track();
};

class Writer {
 public:
  Writer(const RecorderConfig& config, KeyRing keys, RecordingFiles& files, const Clock& clock,
         Log& log, Recorder::ClosedSink closed);
  ~Writer();

  // Any thread.
  absl::StatusOr<std::unique_ptr<RecordingTap>> Open(const RecordingOrder& order);
  RecorderStats Stats() const;
  void Stored(AttemptId attempt);
  const std::shared_ptr<Shared>& shared() const { return shared_; }

  // Finds what an earlier run left behind; once, before the first Turn().
  absl::Status Recover();
  // The writer's thread. True when recordings have ended: CloseTurn() has work.
  bool Turn();
  // The writer's thread. Ends everything, as cut. No Turn() may follow.
  void Stop();
  // The closer's thread: one slice of closing, and a sync when it is due. True when there is more.
  bool CloseTurn();

 private:
  void AcceptOpens();
  void Drain();
  void TakeBlock(uint32_t index);
  void WriteSecond(Track& track);
  void DropHeld(Track& track);
  void FillSilence(Track& track, int64_t until);
  void Place(Track& track, absl::Span<const int16_t> stereo);
  void TakeEvents(Track& track);
  // Writes what is pending. False: some of it still is.
  bool Flush(Track& track);
  absl::Status MakeFiles(Track& track);
  void AppendJournal(Track& track, absl::string_view lines);
  void Fail(Track& track, const absl::Status& status);
  int64_t LongestSoFar(const Track& track) const;
  void EndTrack(Track& track, bool cut);
  // One slice of closing; true when the recording has been told of.
  bool CloseStep(Track& track);
  void Repair(Track& track);
  void SyncIfDue();
  void DropCachesIfDue();

  const RecorderConfig config_;
  const KeyRing keys_;
  RecordingFiles& files_;
  const Clock& clock_;
  Log& log_;
  const Recorder::ClosedSink closed_sink_;
  const std::shared_ptr<Shared> shared_;
  Mailbox<Channel*> opens_{1024};  // each holds itself until it is taken
  Mailbox<AttemptId> stored_{4096};
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> open_{0}, closed_{0}, bytes_{0}, faults_{0};

  std::atomic<bool> unsynced_{false};
  std::mutex ended_mutex_;
  std::vector<std::unique_ptr<Track>> ended_;  // under ended_mutex_

  // The writer's thread only.
  std::vector<std::unique_ptr<Track>> tracks_;  // recording
  std::vector<int16_t> stereo_;                 // one second
  std::string bytes_made_;
  MonoTime dropped_;
  uint32_t serial_ = 0;

  // The closer's thread only.
  std::deque<std::unique_ptr<Track>> closing_;
  std::string slice_;
  MonoTime synced_;
};

}  // namespace outpace::record
