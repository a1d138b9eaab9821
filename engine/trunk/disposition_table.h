#pragma once

// What became of an attempt, read from everything the network said: SIP status, Q.850 cause, what
// was heard before the answer, and how long it took. Carriers disagree about all four (one sends
// 480 for a phone that is switched off, another for a number that does not exist), so the reading
// is a table, and a trunk may bring its own rows. The first row that matches decides; what a
// trunk's rows do not match is for the built-in table, whose last rows match everything.
//
// The rows say the outcome by its name in the records ("busy") and the status of the field ("AB").
// The raw codes stay with the caller: a table that is put right later can be applied again.
// The file format is told in docs/DISPOSITIONS.md.

#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace outpace::trunk {

// What was heard before the call was answered or refused.
enum class EarlyMedia : uint8_t {
  kNone,          // no early media, or nothing that could be told
  kSitVacant,     // special information tone: vacant code, intercept (ITU-T E.180)
  kSitNoCircuit,  // special information tone: no circuit, reorder
  kAnnouncement,  // an announcement, of which no more is known
  kBusyTone,
  kRingback,
  kSitInfo,         // special information tone that does not say why (ITU-T E.180)
  kCongestionTone,  // reorder, fast busy
  kSpeechOrMusic,   // a voice or music nobody taught us: 彩铃, an unknown announcement
  // An announcement of the fingerprint set, by its class.
  kVacantNumber,  // 空号
  kPoweredOff,    // 关机
  kSuspended,     // 停机
  kBusy,          // 正在通话中
  kUnreachable,   // 无法接通
  kNoAnswer,      // 无人接听
  kBarred,        // 呼入限制
  kCongestion,    // all circuits busy
  kWait,          // please hold: the call goes on
  kVoicemail,
};
inline constexpr int kEarlyMediaCount = 19;
absl::string_view EarlyMediaName(EarlyMedia heard);  // "none", "sit_vacant", ...

// From the names that engine/listen gives: SoundName() of what was heard last, and Heard::name (an
// announcement's class; "info" of an information tone). Names that are not known are read as what
// they are at least: an announcement, or nothing.
EarlyMedia EarlyMediaFromSound(absl::string_view sound, absl::string_view name);

// One final response, with what came before it.
struct CallResult {
  int status = 0;      // 200..699; anything else is read as 500
  int q850_cause = 0;  // 0: none given
  bool local = false;  // made by our own stack: nothing was heard from the trunk
  EarlyMedia heard = EarlyMedia::kNone;
  absl::Duration after{};  // INVITE to this response
};

// Texts live as long as the program.
struct CallVerdict {
  absl::string_view outcome;      // a CallOutcome's name: "no_answer"
  absl::string_view disposition;  // "NA"
  bool trunk_fault = false;       // not to be held against the lead
  int line = 0;                   // of the table's text, for explaining
  bool own_row = false;           // the row is the trunk's own, not a built-in one
};

// Immutable; any thread.
class DispositionTable {
 public:
  // The built-in table alone.
  DispositionTable() = default;
  // Rows of a trunk, in front of the built-in ones. InvalidArgument names every fault as
  // "name:line: what is wrong; what to do", also rows that no call can reach.
  static absl::StatusOr<DispositionTable> Parse(absl::string_view text, absl::string_view name);
  // Parse() of a file; NotFound or PermissionDenied with the path.
  static absl::StatusOr<DispositionTable> Load(const std::string& path);

  // A few dozen comparisons, no allocation.
  CallVerdict Decide(const CallResult& result) const;

  // The built-in table as a file: a start for one's own, printed in docs/DISPOSITIONS.md.
  static absl::string_view DefaultText();

 private:
  static constexpr int kStatusMin = 200;
  static constexpr int kStatuses = 500;
  static constexpr int kCauses = 128;
  struct Row {
    std::bitset<kStatuses> statuses{};  // status - 200
    bool local = false;                 // matches what our own stack made
    bool far = false;                   // matches what came from the trunk
    std::bitset<kCauses> causes{};      // 0: none; all beyond 127 are read as 127
    std::bitset<kEarlyMediaCount> heard{};
    absl::Duration after_min{};
    absl::Duration after_max = absl::InfiniteDuration();  // excluded
    CallVerdict verdict{};
  };
  static const std::vector<Row>& DefaultRows();
  static absl::StatusOr<std::vector<Row>> ParseRows(absl::string_view text, absl::string_view name);
  static std::string ParseRow(absl::string_view line, Row& row);
  static bool Covers(const Row& a, const Row& b);
  static const Row* FindRow(const std::vector<Row>& rows, const CallResult& result);

  std::vector<Row> rows_;  // the trunk's own
};

// Every name that may stand in the column "outcome" or "disposition".
const std::vector<absl::string_view>& TableOutcomes();
const std::vector<absl::string_view>& TableDispositions();

}  // namespace outpace::trunk
