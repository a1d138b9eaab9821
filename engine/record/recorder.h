#pragma once

// Recordings of calls: a tap on the media thread, a bounded queue, and one writer thread. Whatever
// the disk does, the call goes on: a full queue leaves a gap in the file, marked and counted.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/codec/g711.h"
#include "engine/record/recording.h"

namespace outpace::record {

class RecordingFiles;

enum class Side : uint8_t { kCallee = 0, kAgent = 1 };  // left, right

// One recording's inlet. Made by Recorder::Open(), used on one media thread, closed once.
// Audio is placed by its position, in samples (1/8000 s) since the recording began; what is not
// written is silence. Positions of a side mostly rise; one up to a second behind the newest is
// still placed, older ones are dropped and counted. No call waits or allocates.
class RecordingTap {
 public:
  virtual ~RecordingTap() = default;
  virtual void Write(Side side, int64_t position, codec::Law law,
                     absl::Span<const uint8_t> payload) = 0;
  virtual void Write(Side side, int64_t position, absl::Span<const int16_t> samples) = 0;
  // From `position` on nothing is kept: not in the file, and what was buffered behind it is wiped.
  // Silence takes its place in the file once it resumes; without that the file ends here. Pausing
  // twice is pausing once. `position` may lie up to a second behind the newest audio.
  virtual void Pause(int64_t position) = 0;
  // Audio from before `position` that comes late is not kept either. Should hundreds of pauses wait
  // for a stalled disk the recording stays paused: paused() tells.
  virtual void Resume(int64_t position) = 0;
  virtual bool paused() const = 0;
  // The recording ends at `position`, or where it is paused since; RecordingClosed follows.
  // A tap destroyed without it closes at its newest audio. Destroy it off the media thread: that
  // frees memory.
  virtual void Close(int64_t position) = 0;
};

struct RecorderConfig {
  std::string directory;  // of the recordings; made if need be
  std::string pattern = "%Y%m%d/%H%M%S_CAMPAIGN_AGENT_ATTEMPT";  // docs/RECORDINGS.md
  absl::TimeZone zone = absl::UTCTimeZone();                     // of the pattern's times
  std::string key_file;  // keys in hex, a line each, outside `directory`; empty: no encryption
  // More directories in which the key file may not lie: whatever is backed up with the recordings.
  std::vector<std::string> forbidden_key_directories;
  // Blocks of 1 s of one side (G.711; linear audio takes two) that may wait for the disk, 8 KiB
  // each. Memory is taken as recordings are opened: 20 blocks a recording, until this is reached.
  size_t queue_blocks = 8192;                    // 16 to 2^20
  size_t recordings_max = 4096;                  // at once, 1 to 2^20
  absl::Duration sync_every = absl::Seconds(5);  // a crash of the machine loses no more than this
};

struct RecorderStats {
  uint64_t open = 0;  // recordings under way
  uint64_t closed = 0;
  uint64_t blocks_waiting = 0;
  uint64_t blocks_lost = 0;  // the queue was full
  uint64_t bytes_written = 0;
  uint64_t faults = 0;  // files that could not be written whole
};

class Recorder {
 public:
  // Called on a thread of the recorder's, once a recording (and again at the next start unless
  // Stored() was called). What it does delays other recordings' ends, and no audio.
  using ClosedSink = std::function<void(RecordingClosed)>;

  virtual ~Recorder() = default;
  // Any thread. The tap is for the media thread; ResourceExhausted, FailedPrecondition (encryption
  // asked for and no key) say why the call is not recorded.
  virtual absl::StatusOr<std::unique_ptr<RecordingTap>> Open(const RecordingOrder& order) = 0;
  virtual RecorderStats Stats() const = 0;  // any thread
  // Any thread. The caller has made the RecordingClosed of this attempt durable: its journal goes.
  // Until then every start of the recorder tells of it again.
  virtual void Stored(AttemptId attempt) = 0;
  // Writes what waits and closes what is open (as cut). After this Open() fails.
  virtual void Stop() = 0;
};

// Makes `config.directory`, closes what a crash left open there (telling `closed` of it), and
// starts the writer. Errors name the file and the remedy.
absl::StatusOr<std::unique_ptr<Recorder>> StartRecorder(const RecorderConfig& config,
                                                        const Clock& clock, Log& log,
                                                        Recorder::ClosedSink closed);
// The same on files that a test can make slow, full or broken.
absl::StatusOr<std::unique_ptr<Recorder>> StartRecorder(const RecorderConfig& config,
                                                        RecordingFiles& files, const Clock& clock,
                                                        Log& log, Recorder::ClosedSink closed);

}  // namespace outpace::record
