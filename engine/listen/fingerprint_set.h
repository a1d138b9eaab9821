#pragma once

// Fingerprints of network announcements: 空号, 关机, 停机, 正在通话中, 无法接通, "the number you
// have dialed is not in service". An operator trains a set from samples of its own carriers
// (`outpace media learn`); the engine compares what it hears with it.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace outpace::listen {

// The classes an announcement may have, and what a lead's status follows from: "vacant_number"
// (空号), "powered_off" (关机), "suspended" (停机), "busy" (正在通话中), "unreachable" (无法接通),
// "no_answer" (无人接听), "barred" (呼入限制), "congestion" (all circuits busy), "wait" (please
// hold: the call is not dead), "voicemail".
const std::vector<absl::string_view>& AnnouncementClasses();

class FingerprintSet {
 public:
  FingerprintSet();
  ~FingerprintSet();
  FingerprintSet(FingerprintSet&&) noexcept;
  FingerprintSet& operator=(FingerprintSet&&) noexcept;

  // A set's file, as Save() writes it: versioned, checked by a sum. NotFound, PermissionDenied,
  // DataLoss (with what is wrong and what to do).
  static absl::StatusOr<FingerprintSet> Load(const std::string& path);
  // Whole or not at all: written beside, synced, renamed.
  absl::Status Save(const std::string& path) const;

  // Learns one announcement from a sample of 8 kHz linear audio (0.5 to 60 s; the operator's file).
  // InvalidArgument: unknown class, too short, silent, or so like a sample of another class that
  // the two could not be told apart.
  absl::Status Learn(absl::string_view announcement_class, absl::string_view sample_name,
                     absl::Span<const int16_t> samples);

  // Takes a sample out again. NotFound.
  absl::Status Forget(absl::string_view sample_name);

  struct Sample {
    std::string announcement_class;
    std::string name;
    double seconds = 0;
    // Of these, seconds of speech that no sample of another class has too: what it is known by.
    double own_seconds = 0;
  };
  std::vector<Sample> samples() const;

  // What the listener reads; see fingerprint_matcher.h.
  struct Data;
  const Data& data() const { return *data_; }

 private:
  std::unique_ptr<Data> data_;
};

}  // namespace outpace::listen
