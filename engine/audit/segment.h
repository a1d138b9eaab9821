#pragma once

// The log is a row of files, segments, each begun on a new UTC day or when the one before was full.
// A segment's first event names the file and repeats the hash before it, so that a segment can be
// checked when those before it were removed by retention.

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/audit/audit_files.h"

namespace outpace::audit {

// Events of the log about itself.
inline constexpr char kBegan[] = "audit.began";          // the first of all
inline constexpr char kSegment[] = "audit.segment";      // the first of any other segment, but:
inline constexpr char kBroken[] = "audit.chain_broken";  // the log before is damaged
inline constexpr char kOpened[] = "audit.opened";        // an engine writes from here on
inline constexpr char kClosed[] = "audit.closed";        // it ended in order
inline constexpr char kLost[] = "audit.lost";            // so many were refused: the queue was full
inline constexpr char kPruned[] = "audit.pruned";        // older events were removed by retention

struct SegmentName {
  int day = 0;                   // UTC, 20261122; never before that of an earlier segment
  int number = 1;                // within the day
  std::string ToString() const;  // "audit-20261122-1.jsonl"
  friend auto operator<=>(const SegmentName&, const SegmentName&) = default;
};
std::optional<SegmentName> ParseSegmentName(absl::string_view name);
// Those among the names, in order.
std::vector<SegmentName> SegmentsAmong(const std::vector<std::string>& names);
int DayOf(absl::Time time);    // UTC, 20261122
absl::Time EndOfDay(int day);  // when the next one begins

// Lines of a file that another process may be writing.
class LineReader {
 public:
  explicit LineReader(AuditFile& file) : file_(file) {}
  // The next line, without its end; false: there is no whole one any more. A line longer than
  // kLineMax is DataLoss.
  absl::StatusOr<bool> Next(absl::string_view* line);                 // valid until the next call
  uint64_t lines() const { return lines_; }                           // so far
  uint64_t good() const { return offset_ - (buffer_.size() - at_); }  // octets in whole lines
  uint64_t torn() const { return buffer_.size() - at_; }  // at the end: octets after the last line

 private:
  AuditFile& file_;
  std::string buffer_;  // of the file up to offset_; lines up to at_ were given out
  size_t at_ = 0;
  uint64_t offset_ = 0, lines_ = 0;
};
inline constexpr size_t kLineMax = 2 << 20;

// A small file, whole. NotFound.
absl::StatusOr<std::string> ReadSmallFile(AuditFiles& files, const std::string& name);

}  // namespace outpace::audit
