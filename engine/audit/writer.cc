#include "engine/audit/writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/audit/verify.h"
#include "engine/base/check.h"

namespace outpace::audit {
namespace {

constexpr size_t kBufferMax = 1 << 20;

}  // namespace

AuditWriter::AuditWriter(const WriterConfig& config, SealKey key, AuditFiles& files,
                         const Clock& clock)
    : config_(config), key_(std::move(key)), files_(files), clock_(clock) {}

absl::Status AuditWriter::Keep(absl::Status status) {
  if (!status.ok() && status_.ok()) status_ = status;
  return status;
}

Event AuditWriter::Own(const char* kind, std::vector<Field> about) const {
  return {kind, "engine", std::move(about), clock_.Wall()};
}

absl::Status AuditWriter::Open() {
  OUTPACE_CHECK(file_ == nullptr);
  if (absl::Status status = files_.Lock(); !status.ok()) return Keep(status);
  return Keep(Recover());
}

absl::Status AuditWriter::Recover() {
  uint64_t cut = 0;
  for (;;) {
    VerifyOptions options;
    options.key = &key_;
    options.since_head = true;
    auto report = VerifyAudit(files_, options);
    if (report.ok() && report->NewFault() != nullptr && report->last_hash.empty()) {
      // Not even the first event was good: how far the log is good the segments before say.
      options.since_head = false;
      report = VerifyAudit(files_, options);
    }
    if (absl::IsNotFound(report.status())) return BeginLog();
    if (!report.ok()) return report.status();
    auto names = files_.List();
    if (!names.ok()) return names.status();
    const std::vector<SegmentName> segments = SegmentsAmong(*names);
    if (const Fault* fault = report->NewFault(); fault != nullptr) {
      const std::string what = fault->ToString();
      if (!config_.go_on_after_damage) {
        return absl::DataLossError(
            absl::StrCat("audit: the log is damaged: ", what,
                         "; keep a copy of its directory as evidence, see `outpace audit verify`, "
                         "then move the directory away, or let the engine go on after the damage"));
      }
      return GoOnAfter(what, std::max(report->last_seq, report->head ? report->head->seq : 0),
                       report->last_hash, segments);
    }
    cut += report->torn_octets;
    segment_ = segments.back();
    if (report->last_file_octets == 0) {  // killed before its first line was whole
      if (absl::Status status = files_.Remove(segment_.ToString()); !status.ok()) return status;
      continue;
    }
    auto file = files_.Open(segment_.ToString(), /*writable=*/true);
    if (!file.ok()) return file.status();
    file_ = *std::move(file);
    file_octets_ = report->last_file_octets;
    file_events_ = 1;
    reserved_ = 0;
    if (report->torn_octets > 0) {
      if (absl::Status status = file_->Truncate(file_octets_); !status.ok()) return status;
    }
    last_ = {report->last_seq, report->last_hash};
    if (absl::Status status =
            Add(Own(kOpened, {{"events_after_head", report->after_head}, {"octets_cut", cut}}));
        !status.ok()) {
      return status;
    }
    return Commit();
  }
}

absl::Status AuditWriter::BeginLog() {
  const absl::Time now = clock_.Wall();
  segment_ = {DayOf(now), 0};
  if (absl::Status status =
          NextSegment(kBegan, {{"version", 1}, {"key", config_.key_is_new ? "new" : "found"}}, now);
      !status.ok()) {
    return status;
  }
  return Commit();
}

absl::Status AuditWriter::GoOnAfter(const std::string& what, uint64_t last_seq,
                                    const std::string& hash,
                                    const std::vector<SegmentName>& segments) {
  damage_ = what;
  last_ = {last_seq, hash.empty() ? std::string(kNoHash) : hash};
  const absl::Time now = clock_.Wall();
  segment_ = {DayOf(now), 0};
  if (!segments.empty()) segment_ = std::max(segment_, segments.back());
  if (absl::Status status = NextSegment(kBroken, {{"after", last_seq}, {"what", what}}, now);
      !status.ok()) {
    return status;
  }
  return Commit();
}

absl::Status AuditWriter::NextSegment(const char* kind, std::vector<Field> about, absl::Time at) {
  if (absl::Status status = Flush(); !status.ok()) return status;
  if (file_ != nullptr) {
    if (absl::Status status = file_->Sync(); !status.ok()) return status;
  }
  const int day = std::max(segment_.day, DayOf(at));
  const SegmentName next{day, day == segment_.day ? segment_.number + 1 : 1};
  auto file = files_.Create(next.ToString());
  absl::Status begun = file.status();
  if (file.ok()) begun = (*file)->Reserve(config_.reserve_bytes);
  if (absl::IsResourceExhausted(begun) && file_ != nullptr && reserved_ > file_octets_) {
    // The old one has room for what waits; a new one might not hold even its first line.
    room_ = begun;
    if (file.ok()) files_.Remove(next.ToString()).IgnoreError();  // the next start does it
    return absl::OkStatus();
  }
  if (!file.ok()) return file.status();
  if (!begun.ok()) room_ = begun;
  if (reserved_ > file_octets_) {
    if (absl::Status status = file_->Truncate(file_octets_); !status.ok()) return status;
  }
  segment_ = next;
  file_ = *std::move(file);
  file_octets_ = file_events_ = 0;
  reserved_ = begun.ok() ? config_.reserve_bytes : 0;
  about.insert(about.begin(), {{"file", segment_.ToString()}, {"previous", last_.hash}});
  Put({kind, "engine", std::move(about), at});
  return absl::OkStatus();
}

void AuditWriter::Put(const Event& event) {
  const std::string body = BodyOf(last_.seq + 1, event);
  last_.hash = ChainHash(last_.hash, body);
  ++last_.seq;
  const std::string line = LineOf(body, last_.hash, key_.SealEvent(last_.hash));
  file_octets_ += line.size();
  buffer_ += line;
}

absl::Status AuditWriter::Flush() {
  if (buffer_.empty()) return absl::OkStatus();
  KeepRoom();
  const absl::Status status = file_->Append(buffer_);
  buffer_.clear();
  return status;
}

void AuditWriter::KeepRoom() {
  if (!room_.ok() || file_octets_ + config_.reserve_bytes / 2 <= reserved_) return;
  const uint64_t wanted = file_octets_ + config_.reserve_bytes;
  room_ = file_->Reserve(wanted);
  if (room_.ok()) reserved_ = wanted;
}

absl::Status AuditWriter::PutHead() {
  absl::Status status = files_.Replace(kHeadFile, HeadLine(last_, key_));
  if (!absl::IsResourceExhausted(status) || reserved_ <= file_octets_) return status;
  // The head needs room too, and some is kept.
  room_ = status;
  reserved_ = 0;
  status = file_->Truncate(file_octets_);
  return status.ok() ? files_.Replace(kHeadFile, HeadLine(last_, key_)) : status;
}

absl::Status AuditWriter::Add(const Event& event) {
  if (!status_.ok()) return status_;
  OUTPACE_CHECK(file_ != nullptr);
  const bool full = file_octets_ >= config_.segment_bytes && file_events_ > 0;
  if (room_.ok() && (full || DayOf(event.at) > segment_.day)) {
    absl::Status status = NextSegment(kSegment, {}, event.at);
    if (!status.ok()) return Keep(status);
  }
  Put(event);
  ++file_events_;
  return buffer_.size() < kBufferMax ? absl::OkStatus() : Keep(Flush());
}

absl::Status AuditWriter::Commit() {
  if (!status_.ok()) return status_;
  if (last_ == head_) return absl::OkStatus();
  if (absl::Status status = Flush(); !status.ok()) return Keep(status);
  if (absl::Status status = file_->Sync(); !status.ok()) return Keep(status);
  // Only now, and before anybody is told: the head never runs ahead of the log, and no event that
  // was acknowledged lies behind it.
  if (absl::Status status = PutHead(); !status.ok()) return Keep(status);
  head_ = last_;
  return absl::OkStatus();
}

absl::Status AuditWriter::Prune(absl::Time before) {
  if (!status_.ok()) return status_;
  auto names = files_.List();
  if (!names.ok()) return Keep(names.status());
  const std::vector<SegmentName> segments = SegmentsAmong(*names);
  size_t old = 0;
  while (old + 1 < segments.size() && segments[old] < segment_ &&
         EndOfDay(segments[old].day) <= before) {
    ++old;
  }
  if (old == 0) return Commit();
  // The first line of the segment that stays says where the others end.
  if (absl::Status status = Flush(); !status.ok()) return Keep(status);
  const std::string stays = segments[old].ToString();
  auto file = files_.Open(stays, /*writable=*/false);
  if (!file.ok()) return Keep(file.status());
  LineReader lines(**file);
  absl::string_view line;
  const auto more = lines.Next(&line);
  const auto first = more.ok() && *more ? ParseLine(line) : absl::DataLossError("is empty");
  if (!first.ok() || key_.SealEvent(first->hash) != first->seal ||
      ChainHash(TextOf(first->event, "previous"), SplitLine(line)->body) != first->hash) {
    // Not kept: writing goes on, and nothing was removed.
    return absl::DataLossError(
        absl::StrCat("audit: ", stays,
                     " does not begin as it was written, so nothing before it is removed; "
                     "see: outpace audit verify"));
  }
  absl::Status status = Add(Own(kPruned, {{"through", first->seq - 1},
                                          {"through_hash", TextOf(first->event, "previous")},
                                          {"segments", static_cast<uint64_t>(old)},
                                          {"before", TimeText(before)}}));
  if (status.ok()) status = Commit();
  for (size_t i = 0; status.ok() && i < old; ++i) status = files_.Remove(segments[i].ToString());
  return Keep(status);
}

}  // namespace outpace::audit
