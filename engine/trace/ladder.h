#pragma once

// The messages of one attempt as a ladder: who sent what, when, how long the answer took, and what
// had to be sent again.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/trace/ring_file.h"
#include "engine/trace/sip_brief.h"

namespace outpace::trace {

struct LadderStep {
  RecordedMessage message;
  SipBrief brief;
  int repeat = 0;  // 1: first retransmission, 2: second...
  // Of a response: time since its request went the other way first; negative if that is not there.
  absl::Duration after_request = -absl::InfiniteDuration();
};

// One Call-ID; an attempt has several when it was placed over several trunks.
struct LadderDialog {
  std::string call_id;
  std::vector<LadderStep> steps;  // in time order
};

struct Ladder {
  std::string title;                  // "Attempt 4711"
  std::vector<LadderDialog> dialogs;  // by their first message
  RingReach reach;

  size_t Messages() const;
  size_t Repeats() const;
};

// The messages in `ring` whose Call-ID begins with `call_id_prefix`. NotFound, with how far back
// the ring reaches, when there are none; else the errors of RingReader::Scan.
absl::StatusOr<Ladder> ReadLadder(RingReader& ring, absl::string_view call_id_prefix,
                                  std::string title);
// "op-<attempt>-".
std::string CallIdPrefixOf(uint64_t attempt);

// Puts `messages` into dialogs and finds retransmissions and answer times.
std::vector<LadderDialog> MakeDialogs(std::vector<RecordedMessage> messages);

// Numbers and names are masked in all three unless `show_numbers`.
std::string LadderText(const Ladder& ladder, bool show_numbers);
std::string LadderJson(const Ladder& ladder, bool show_numbers);
// A capture file (libpcap's classic format, microseconds, LINKTYPE_RAW): one packet a message, with
// IP and UDP headers made up around it, also for what went over TCP or TLS.
std::string LadderPcap(const Ladder& ladder, bool show_numbers);

// "holds 1204 messages, from 2026-03-02 09:00:00 UTC (14m5s) on".
std::string ReachText(const RingReach& reach);

}  // namespace outpace::trace
