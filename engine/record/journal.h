#pragma once

// What must survive a crash beside the audio: whose recording it is, what it is to be called, where
// it was paused, and, once it is closed, all that RecordingClosed says. A small text file beside
// the unfinished recording, a line a fact, appended to as facts come. A line without its end was
// being written when the engine died, and does not count. The file goes when the recording's record
// is known to be stored (Recorder::Stored).

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/record/audio_stream.h"
#include "engine/record/channel.h"
#include "engine/record/recording.h"

namespace outpace::record {

inline constexpr char kOpenDirectory[] = ".open";
std::string PartPath(AttemptId attempt);     // ".open/4711.part"
std::string JournalPath(AttemptId attempt);  // ".open/4711.journal"

std::string JournalBegin(const RecordingOrder& order, absl::string_view name);
std::string JournalEvent(const Event& event);
std::string JournalCut();  // the audio ends before the call did
// How long it is and where it is silent: the text of a sealed file's final chunk too.
std::string EndLines(int64_t samples, const std::vector<Gap>& gaps);
std::string JournalEnd(const RecordingClosed& closed);
std::string JournalNamed(absl::string_view file);

// The gaps of a recording as they come to light; the writer's and the recovery's.
class GapList {
 public:
  void Add(const Event& event);
  void AddLost(int64_t from, int64_t to);
  // All gaps before `end`, by rising start; a pause without a resume lasts to `end`.
  std::vector<Gap> Until(int64_t end) const;
  // Where the pause began that has not ended; -1: there is none.
  int64_t paused_since() const { return paused_since_; }
  static absl::Duration Sum(const std::vector<Gap>& gaps, Mark::Kind kind);

 private:
  std::vector<Gap> gaps_;
  int64_t paused_since_ = -1;
};

struct Journal {
  bool begun = false;    // has an order
  RecordingOrder order;  // without its number
  std::string name;      // planned
  GapList gaps;
  int64_t samples = -1;  // how much audio there is; -1: its end was not reached
  bool ended = false;    // `closed` is whole
  RecordingClosed closed;
};
// Of any text: lines that make no sense are passed over.
Journal ParseJournal(absl::string_view text);

RecordingClosed ClosedOf(const RecordingOrder& order);
void SetGaps(int64_t samples, const std::vector<Gap>& gaps, RecordingClosed& closed);
inline absl::Duration SamplesToTime(int64_t samples) { return absl::Microseconds(125) * samples; }

}  // namespace outpace::record
