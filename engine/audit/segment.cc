#include "engine/audit/segment.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"

namespace outpace::audit {
namespace {

constexpr size_t kPiece = 256 << 10;

// Nobody writes so many segments a day; somebody may put a file of such a name there.
constexpr int kNumberMax = 1'000'000;

absl::CivilDay CivilOf(int day) { return absl::CivilDay(day / 10'000, day / 100 % 100, day % 100); }

absl::Time StartOfDay(int day) { return absl::FromCivil(CivilOf(day), absl::UTCTimeZone()); }

}  // namespace

std::string SegmentName::ToString() const {
  return absl::StrCat("audit-", day, "-", number, ".jsonl");
}

std::optional<SegmentName> ParseSegmentName(absl::string_view name) {
  SegmentName segment;
  absl::string_view rest = name;
  if (!absl::ConsumePrefix(&rest, "audit-") || !absl::ConsumeSuffix(&rest, ".jsonl")) {
    return std::nullopt;
  }
  const size_t dash = rest.find('-');
  if (dash != 8 || !absl::SimpleAtoi(rest.substr(0, dash), &segment.day) ||
      !absl::SimpleAtoi(rest.substr(dash + 1), &segment.number) || segment.ToString() != name ||
      segment.number < 0 || segment.number > kNumberMax ||
      DayOf(StartOfDay(segment.day)) != segment.day) {
    return std::nullopt;
  }
  return segment;
}

std::vector<SegmentName> SegmentsAmong(const std::vector<std::string>& names) {
  std::vector<SegmentName> segments;
  for (const std::string& name : names) {
    if (auto segment = ParseSegmentName(name)) segments.push_back(*segment);
  }
  std::sort(segments.begin(), segments.end());
  return segments;
}

int DayOf(absl::Time time) {
  const absl::CivilDay day = absl::ToCivilDay(time, absl::UTCTimeZone());
  return static_cast<int>(day.year()) * 10'000 + day.month() * 100 + day.day();
}

absl::Time EndOfDay(int day) { return absl::FromCivil(CivilOf(day) + 1, absl::UTCTimeZone()); }

absl::StatusOr<bool> LineReader::Next(absl::string_view* line) {
  size_t searched = at_;
  for (;;) {
    const size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      *line = absl::string_view(buffer_).substr(at_, end - at_);
      at_ = end + 1;
      ++lines_;
      return true;
    }
    if (buffer_.size() - at_ > kLineMax) {
      return absl::DataLossError(absl::StrCat("is longer than ", kLineMax, " octets"));
    }
    buffer_.erase(0, at_);
    at_ = 0;
    searched = buffer_.size();
    buffer_.resize(searched + kPiece);
    auto got = file_.ReadAt(offset_, absl::MakeSpan(buffer_).subspan(searched));
    buffer_.resize(searched + (got.ok() ? *got : 0));
    if (!got.ok()) return got.status();
    if (*got == 0) return false;
    offset_ += *got;
  }
}

absl::StatusOr<std::string> ReadSmallFile(AuditFiles& files, const std::string& name) {
  auto file = files.Open(name, /*writable=*/false);
  if (!file.ok()) return file.status();
  std::string text(4096, '\0');
  const auto got = (*file)->ReadAt(0, absl::MakeSpan(text));
  if (!got.ok()) return got.status();
  text.resize(*got);
  return text;
}

}  // namespace outpace::audit
